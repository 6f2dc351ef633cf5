/** What the page knows, and everything it can ask for. Facts come from the stream alone; a command changes nothing here. */
import { DEVICE, Problem, call, get, newId, post } from "./http.js";
import { forgetCopies, keep, readCopy, recall, saveCopy } from "./keep.js";
import { DETAIL_TYPES, NOTHING, fold } from "./details.js";
import { Listing } from "./listing.js";
import { address, codeIn, parse } from "./route.js";
import { ordered } from "./status.js";
import { createStore } from "./store.js";
import { Stream } from "./stream.js";
import { Transcript } from "./transcript.js";

const KEPT_OPEN = 6;
const PAGE = 200;
const FIRST_PAGE = 60;

const roster = new Listing();
const inbox = new Listing();

export const store = createStore({
  /** @type {import("./stream.js").Link} */ link: { state: "connecting", attempt: 0, retryAt: null },
  /** When the daemon was last heard. @type {number | null} */ asOf: null,
  /** @type {import("./status.js").Row[]} */ rows: [],
  rosterReady: false,
  /** @type {any[]} */ inbox: [],
  /** @type {import("./route.js").Route} */ route: parse(location),
  /** @type {Map<string, {model: Transcript, version: number}>} */ transcripts: new Map(),
  /** @type {Map<string, import("./details.js").Details>} */ details: new Map(),
  /** @type {Map<string, any[]>} */ queues: new Map(),
  /** @type {{id: string, text: string, kind: string, action?: {label: string, run: () => void}}[]} */ toasts: [],
  now: Date.now(),
  /** @type {"palette" | "keys" | "new" | "sessions" | null} */ panel: null,
  /** @type {string | null} */ inspector: recall("inspector", null),
  /** @type {any[]} frames as they went over the wire, the latest last */ frames: [],
  /** @type {any[]} */ agents: [],
  /** @type {any} */ status: null,
  /** Sessions of which only an address exists yet. */ signInError: "",
  /** @type {Map<string, {at: number, before: any, result: any}>} the plug that was pulled, by session */ plugs: new Map(),
  showEnded: false,
  /** @type {import("./status.js").Row[]} */ ended: [],
});

/** Requests that were answered from this tab, so that it does not tell its own person. @type {Set<string>} */
const answeredHere = new Set();

export const stream = new Stream({
  url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/v1/stream`,
  client: DEVICE,
  onLink: (link) => store.set({ link, ...(link.state === "live" ? { asOf: Date.now() } : {}) }),
  allowed: async () => {
    try {
      await get("/status");
      return true;
    } catch (problem) {
      return !(problem instanceof Problem && problem.status === 401);
    }
  },
  onFrame: (way, frame) => {
    if (store.get().inspector === "frames") store.set({ frames: [...store.get().frames.slice(-199), { way, at: Date.now(), frame }] });
  },
});

/** Begin: sign in where the address brings a code, then listen. */
export async function start() {
  addEventListener("popstate", () => store.set({ route: parse(location) }));
  addEventListener("hashchange", () => void signIn().then(() => store.set({ route: parse(location) })));
  addEventListener("online", () => stream.retryNow());
  for (const type of ["focus", "blur"]) addEventListener(type, attend);
  document.addEventListener("visibilitychange", attend);
  store.subscribe(attend);
  setInterval(() => store.set({ now: Date.now() }), 1_000);
  await signIn();
  void showCopy();
  listen();
  stream.connect();
  store.subscribe(openRoute);
  openRoute();
}

/** Trade the one-time code in the address for a cookie, and take it out of the address and the history. */
async function signIn() {
  const code = codeIn(location.hash);
  if (!code) return;
  history.replaceState(null, "", location.pathname + location.search);
  try {
    await call("POST", "/sign-in", { code });
    store.set({ signInError: "" });
    if (store.get().link.state === "signed_out") stream.connect();
  } catch (problem) {
    store.set({ signInError: /** @type {Error} */ (problem).message });
  }
}

export async function signOut() {
  await call("POST", "/sign-out", {}).catch(() => null);
  await forgetCopies();
  location.assign("/");
}

/** What this browser saw last, until the daemon answers. It says of when it is. */
async function showCopy() {
  const copy = await readCopy("roster");
  if (copy && !roster.ready) store.set({ rows: ordered(copy.value), asOf: copy.at });
}

function listen() {
  const tell = () => {
    const all = ordered(roster.entries.values());
    const over = all.filter((row) => row.lifecycle === "ended");
    const known = new Set(over.map((row) => row.id));
    store.set({
      rows: over.length ? all.filter((row) => row.lifecycle !== "ended") : all,
      ended: over.length ? [...over, ...store.get().ended.filter((row) => !known.has(row.id))] : store.get().ended,
      rosterReady: roster.ready,
      asOf: Date.now(),
    });
    saveSoon();
  };
  stream.subscribe(
    { view: "roster", limit: 10_000 },
    {
      snapshot: (frame) => {
        roster.snapshot(frame);
        tell();
        void refresh();
      },
      patch: (frame) => {
        const fits = roster.patch(frame);
        if (fits) tell();
        return fits;
      },
    },
  );
  const waiting = () => {
    const before = new Set(store.get().inbox.map((request) => request.request_id));
    const list = [...inbox.entries.values()].map((each) => ({ ...each, request_id: each.request_id ?? each.id }));
    list.sort((a, b) => (a.requested_at < b.requested_at ? -1 : 1));
    store.set({ inbox: list });
    const shown = focused();
    for (const request of list) if (inbox.told && !before.has(request.request_id) && request.session_id !== shown) announce(request);
    inbox.told = true;
  };
  stream.subscribe(
    { view: "inbox", limit: 1_000 },
    {
      snapshot: (frame) => {
        inbox.snapshot(frame);
        waiting();
      },
      patch: (frame) => {
        const fits = inbox.patch(frame);
        if (fits) waiting();
        return fits;
      },
    },
  );
}

/** @param {any} request */
function announce(request) {
  const row = rowOf(request.session_id);
  toast(`${row?.title || "A session"} needs you: ${request.title}`, "needs_you", {
    label: "Open",
    run: () => go({ screen: "session", id: request.session_id, item: request.request_id }),
  });
}

/** What changes too rarely to be streamed. */
export async function refresh() {
  const [status, agents] = await Promise.all([get("/status").catch(() => null), get("/agents").catch(() => null)]);
  store.set({ ...(status ? { status } : {}), ...(agents ? { agents: agents.items } : {}) });
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let saving;
function saveSoon() {
  saving ??= setTimeout(() => {
    saving = undefined;
    void saveCopy("roster", store.get().rows.slice(0, 500));
    for (const [id, { model }] of store.get().transcripts) {
      if (model.ready) void saveCopy(`transcript-${id}`, { items: model.items.slice(-200), position: model.position });
    }
  }, 3_000);
}

/** @param {string} id */
export const rowOf = (id) => store.get().rows.find((row) => row.id === id) ?? store.get().ended.find((row) => row.id === id);

/** @param {string} kind @param {string} text @param {{label: string, run: () => void}} [action] */
export function toast(text, kind = "", action) {
  const id = newId();
  store.set({ toasts: [...store.get().toasts.slice(-3), { id, text, kind, action }] });
  setTimeout(() => dismiss(id), action ? 12_000 : 6_000);
}

/** @param {string} id */
export function dismiss(id) {
  store.set({ toasts: store.get().toasts.filter((each) => each.id !== id) });
}

/** Say what went wrong with a command. @param {unknown} problem */
export function complain(problem) {
  toast(problem instanceof Problem ? problem.message : String(problem), "failed");
}

/** @param {import("./route.js").Route} route @param {{replace?: boolean}} [how] */
export function go(route, { replace = false } = {}) {
  const to = address(route);
  if (to !== location.pathname + location.search + location.hash) history[replace ? "replaceState" : "pushState"](null, "", to);
  store.set({ route, panel: null });
}

/** The session the person looks at, if any. */
export function focused() {
  const { route } = store.get();
  return route.screen === "session" && document.visibilityState === "visible" && document.hasFocus() ? route.id : null;
}

function attend() {
  stream.focus(focused());
}

// Sessions that are open: the one on the screen and the few before it, which makes going back instant.

/** @type {Map<string, () => void>} subscriptions by session, the latest last */
const open = new Map();

function openRoute() {
  const { route } = store.get();
  if (route.screen !== "session") return;
  if ([...open.keys()].at(-1) === route.id) return;
  keep("last", route.id);
  const known = open.get(route.id);
  open.delete(route.id);
  open.set(route.id, known ?? (() => undefined)); // before anything is told, which leads here again
  if (!known) open.set(route.id, subscribe(route.id));
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
    store.set({ transcripts: new Map(store.get().transcripts).set(id, { model, version: model.version }) });
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
  const ends = [
    stream.subscribe(() => ({ view: "transcript", session: id, limit: FIRST_PAGE }), {
      snapshot: (frame) => {
        model.snapshot(frame);
        tell();
      },
      patch: (frame) => {
        const answered = decisions(frame.ops, model);
        const fits = model.patch(frame);
        if (fits) tell();
        for (const item of answered) tellWhere(item);
        return fits;
      },
    }),
    stream.subscribe(
      () => {
        details = { ...NOTHING };
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
  ];
  return () => {
    closed = true;
    for (const end of ends) end();
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

/** Pages on their way, so that nobody asks for one twice. @type {Map<string, Promise<boolean>>} */
const pages = new Map();

/** Load the page before what is shown. @param {string} id @param {number} [limit] @returns {Promise<boolean>} whether there was one */
export function loadOlder(id, limit = PAGE) {
  const known = pages.get(id);
  if (known) return known;
  const page = fetchOlder(id, limit).finally(() => pages.delete(id));
  pages.set(id, page);
  return page;
}

/** @param {string} id @param {number} limit */
async function fetchOlder(id, limit) {
  const model = store.get().transcripts.get(id)?.model;
  if (!model?.ready || model.before === null) return false;
  const asked = model.before;
  model.loading = true;
  try {
    const page = await get(`/sessions/${id}/transcript`, { before: asked, limit });
    if (model.before !== asked) return true; // a new snapshot begins elsewhere: this page would leave a gap
    model.older(page);
  } catch (problem) {
    model.loading = false;
    if (!(problem instanceof Problem) || problem.status !== 0) complain(problem);
    return false;
  }
  store.set({ transcripts: new Map(store.get().transcripts).set(id, { model, version: model.version }) });
  return true;
}

// Commands. Each resolves when the daemon has it in its log; the screen changes when the stream says so.

/** @param {string} id @param {any} content @param {string} clientId */
export const send = (id, content, clientId) => call("POST", `/sessions/${id}/prompts`, { content, client_id: clientId });

/** @param {string} id @param {string} verb @param {Record<string, unknown>} [body] */
export const command = (id, verb, body) => post(`/sessions/${id}/${verb}`, body).catch(complain);

/** @param {string} request @param {string | null} option @param {string} [reason] */
export async function answer(request, option, reason) {
  answeredHere.add(request);
  try {
    await post(`/inbox/${encodeURIComponent(request)}`, { option_id: option, ...(reason ? { reason } : {}) });
    return true;
  } catch (problem) {
    complain(problem);
    return false;
  }
}

/** @param {string} id @param {string} prompt @param {any} content */
export const editQueued = (id, prompt, content) =>
  call("PATCH", `/sessions/${id}/queue/${encodeURIComponent(prompt)}`, { content, client_id: newId() }).catch(complain);

/** @param {string} id @param {string} prompt */
export const dropQueued = (id, prompt) => call("DELETE", `/sessions/${id}/queue/${encodeURIComponent(prompt)}`).catch(complain);

/** Begin a session; the same client id again is the same session. @param {Record<string, unknown>} order @returns {Promise<any>} */
export const begin = (order) => call("POST", "/sessions", order);

export async function loadEnded() {
  const showEnded = !store.get().showEnded;
  store.set({ showEnded });
  if (!showEnded) return;
  const list = await get("/sessions", { state: "ended", limit: 200 }).catch(() => null);
  if (list) store.set({ ended: ordered(list.items) });
}

/** @param {string | null} tab */
export function inspect(tab) {
  keep("inspector", tab);
  store.set({ inspector: tab, frames: [] });
}
