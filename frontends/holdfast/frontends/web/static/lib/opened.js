/** Sessions that are open: the one on the screen and the few before it, which makes going back instant. */
import { answeredHere } from "./commands.js";
import { DETAIL_TYPES, NOTHING, fold } from "./details.js";
import { get } from "./http.js";
import { keep, readCopy } from "./keep.js";
import { Listing } from "./listing.js";
import { forget, rowOf, saveSoon, store, stream, toast } from "./model.js";
import { holdFrames, releaseFrames } from "./pace.js";
import { changePast, leavePast, publish } from "./paging.js";
import { Transcript } from "./transcript.js";

const KEPT_OPEN = 6;
const FIRST_PAGE = 60;

/** @type {Map<string, () => void>} subscriptions by session, the latest last */
const open = new Map();

/** Sessions that were opened and are not there. @type {Set<string>} */
export const gone = new Set();

/** Let go of a session before others push it out. @param {string} id */
export function close(id) {
  open.get(id)?.();
  open.delete(id);
}

export function openRoute() {
  const { route } = store.get();
  if (route.screen !== "session" || (gone.has(route.id) && !rowOf(route.id))) return;
  if ([...open.keys()].at(-1) === route.id) return;
  keep("last", route.id);
  const known = open.get(route.id);
  open.delete(route.id);
  open.set(route.id, known ?? (() => undefined)); // before anything is told, which leads here again
  if (!known) {
    if (store.get().link.state === "live") holdFrames();
    open.set(route.id, subscribe(route.id));
  }
  for (const id of [...open.keys()].slice(0, Math.max(0, open.size - KEPT_OPEN))) {
    open.get(id)?.();
    open.delete(id);
  }
}

/** @param {string} id */
function subscribe(id) {
  const model = new Transcript();
  let details = NOTHING;
  let closed = false;
  const tell = () => {
    if (closed) return;
    publish(id, model);
    saveSoon();
  };
  const tellDetails = () => store.set({ details: new Map(store.get().details).set(id, details) });
  tell();
  void readCopy(`transcript-${id}`).then((copy) => {
    if (!copy || model.ready) return;
    model.snapshot({ ...copy.value, before: null });
    model.ready = false; // shown, but patches are not for it
    tell();
  });
  const offered = new Listing();
  const tellOffers = () => {
    const [offers] = offered.entries.values();
    details = { ...details, offers: offers ?? NOTHING.offers };
    tellDetails();
  };
  const ends = [
    stream.subscribe(() => ({ view: "transcript", session: id, limit: FIRST_PAGE }), {
      snapshot: (frame) => {
        model.snapshot(frame);
        if (!model.items.length) leavePast(id); // erased
        tell();
        releaseFrames();
      },
      gone: () => {
        releaseFrames();
        forget(id);
      },
      patch: (frame) => {
        const answered = decisions(frame.ops, model);
        const fits = model.patch(frame);
        changePast(id, frame.ops);
        if (fits) tell();
        for (const item of answered) tellWhere(item);
        return fits;
      },
    }),
    stream.subscribe(
      () => {
        details = { ...NOTHING, offers: details.offers };
        return { events: { after: null, session: id, types: DETAIL_TYPES } };
      },
      {
        events: ({ events }) => {
          const queueBefore = details.queueVersion;
          details = events.reduce(fold, details);
          tellDetails();
          if (details.caughtUp && details.queueVersion !== queueBefore) void loadQueue(id);
        },
        caughtUp: () => {
          details = { ...details, caughtUp: true };
          tellDetails();
          void loadQueue(id);
        },
      },
    ),
    stream.subscribe({ view: "offers", session: id }, {
      snapshot: (frame) => {
        offered.snapshot(frame);
        tellOffers();
      },
      patch: (frame) => {
        const fits = offered.patch(frame);
        if (fits) tellOffers();
        return fits;
      },
    }),
  ];
  return () => {
    closed = true;
    for (const end of ends) end();
    leavePast(id);
    const { transcripts, details: all } = store.get();
    const rest = new Map(transcripts);
    rest.delete(id);
    const others = new Map(all);
    others.delete(id);
    store.set({ transcripts: rest, details: others });
  };
}

/** Permissions that this patch settles. @param {any[]} ops @param {Transcript} model */
function decisions(ops, model) {
  return ops
    .filter((op) => op.op === "put" && op.item.kind === "permission" && op.item.status !== "pending")
    .filter((op) => /** @type {any} */ (model.get(op.item.id))?.status === "pending")
    .map((op) => op.item);
}

/** @param {any} item */
function tellWhere(item) {
  if (item.status === "answered" && !answeredHere.has(item.id)) {
    toast(`Answered in ${item.decided_by ?? "another place"}: ${item.title}`, "");
  }
}

/** The latest question for each queue: what an earlier one is answered later does not count. @type {Map<string, symbol>} */
const asking = new Map();

/** @param {string} id */
async function loadQueue(id) {
  const mine = Symbol(id);
  asking.set(id, mine);
  const queue = await get(`/sessions/${id}/queue`).catch(() => null);
  if (queue && asking.get(id) === mine) store.set({ queues: new Map(store.get().queues).set(id, queue.items) });
}
