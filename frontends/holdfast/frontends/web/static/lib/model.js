/** What the page knows, and everything it can ask for. Facts come from the stream alone; a command changes nothing here. */
import { DEVICE, Problem, call, get, newId, post } from "./http.js";
import { forgetCopies, forgetCopy, keep, namesOfCopies, readCopy, recall, saveCopy } from "./keep.js";
import { Listing } from "./listing.js";
import { Notifier } from "./notify.js";
import { close, gone, openRoute } from "./opened.js";
import { calmly } from "./pace.js";
import { address, codeIn, parse, withoutCode } from "./route.js";
import { ordered } from "./status.js";
import { createStore } from "./store.js";
import { Stream } from "./stream.js";

const notifier = new Notifier({
  question: (session) => {
    const request = store.get().inbox.findLast((each) => each.session_id === session);
    return request && { id: request.request_id, title: request.title };
  },
  open: (session, item) => go({ screen: "session", id: session, item }),
  newest: async (session, why) => {
    const { items } = await get(`/sessions/${session}/transcript`, { limit: 10 });
    const found = items.findLast((/** @type {any} */ item) => (why === "failed" ? item.kind === "notice" : item.kind === "message" && item.role === "assistant"));
    return (found ?? items.at(-1))?.id ?? null;
  },
  record: (session, item) => post(`/sessions/${session}/notified`, { item_id: item }),
});
/** A hundred sessions that talk at once change the list at every moment; so often it can still be read. */
const ROSTER_MS = 250;
const roster = new Listing();
const inbox = new Listing();

export const store = createStore({
  /** @type {import("./stream.js").Link} */ link: { state: "connecting", attempt: 0, retryAt: null, heardAt: 0 },
  /** When the daemon was last heard. @type {number | null} */ asOf: null,
  /** @type {import("./status.js").Row[]} */ rows: [],
  rosterReady: false,
  /** @type {any[]} */ inbox: [],
  /** @type {import("./route.js").Route} */ route: parse(location),
  /** @type {Map<string, {model: import("./transcript.js").Transcript, past: import("./transcript.js").Transcript | null, version: number}>} */ transcripts: new Map(),
  /** @type {Map<string, import("./details.js").Details>} */ details: new Map(),
  /** @type {Map<string, any[]>} */ queues: new Map(),
  /** @type {{id: string, text: string, kind: string, action?: {label: string, run: () => void}}[]} */ toasts: [],
  /** The session whose newest output is on the screen. @type {string | null} */ sees: null,
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

export const stream = new Stream({
  url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/v1/stream`,
  client: DEVICE,
  onLink: (link) => store.set({ link, ...(link.heardAt && link.state !== "connecting" ? { asOf: link.heardAt } : {}) }),
  allowed: async () => {
    try {
      await Promise.race([get("/status"), new Promise((done) => setTimeout(done, 2_000))]);
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
  history.replaceState(null, "", location.pathname + location.search + withoutCode(location.hash));
  store.set({ route: parse(location) });
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
  const show = () => {
    const all = ordered(roster.entries.values());
    const over = all.filter((row) => row.lifecycle === "ended");
    const known = new Set(over.map((row) => row.id));
    store.set({
      rows: over.length ? all.filter((row) => row.lifecycle !== "ended") : all,
      ended: over.length ? [...over, ...store.get().ended.filter((row) => !known.has(row.id))] : store.get().ended,
      rosterReady: roster.ready,
      asOf: Date.now(),
    });
    notifier.look(all);
    saveSoon();
  };
  const tell = calmly(show, ROSTER_MS);
  let listening = false;
  const hear = () => {
    if (listening) return;
    listening = true;
    // From the roster on, wherever it stands when the daemon comes back.
    const events = () => ({ events: { after: String(roster.position), session: null, types: ["session-notified"] } });
    stream.subscribe(events, { events: (frame) => notifier.heard(frame.events) });
  };
  stream.subscribe(
    { view: "roster", limit: 10_000 },
    {
      snapshot: (frame) => {
        notifier.forget();
        roster.snapshot(frame);
        show();
        hear();
        void refresh();
        void forgetErased();
      },
      patch: (frame) => {
        const fits = roster.patch(frame);
        for (const op of frame.ops) if (op.op === "drop") forget(op.id);
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

/** A session was erased: nothing of it stays on this page, nor in this browser. @param {string} id */
export function forget(id) {
  gone.add(id);
  const { rows, ended } = store.get();
  store.set({ rows: rows.filter((row) => row.id !== id), ended: ended.filter((row) => row.id !== id) });
  close(id);
  keep(`draft.${id}`, null);
  for (const kind of ["transcript", "draft"]) void forgetCopy(`${kind}-${id}`);
}

/** What was erased while this browser looked away. */
async function forgetErased() {
  const copied = (await namesOfCopies() ?? []).map((name) => /^(?:transcript|draft)-(.*)$/.exec(String(name))?.[1]);
  const doubtful = copied.filter((id) => id && !roster.entries.has(id));
  const ended = doubtful.length ? await get("/sessions", { state: "ended" }).catch(() => null) : null;
  if (!ended) return;
  const there = new Set(ended.items.map((/** @type {any} */ row) => row.id));
  for (const id of doubtful) if (id && !there.has(id) && !roster.entries.has(id) && !recall(`new.${id}`, null)) forget(id);
}

/** @param {any} request */
function announce(request) {
  const row = rowOf(request.session_id);
  toast(`${row?.title || "A session"} needs you: ${request.title}`, "needs_you", {
    label: "Open",
    run: () => go({ screen: "session", id: request.session_id, item: request.request_id }),
  });
}

/** A session that is not in the list: one that has ended, or none. @param {string} id @returns {Promise<boolean>} whether there is one */
export async function lookUp(id) {
  if (gone.has(id)) return false;
  try {
    const row = await get(`/sessions/${id}`);
    store.set({ ended: ordered([...store.get().ended.filter((each) => each.id !== id), row]) });
    return true;
  } catch (problem) {
    return !(problem instanceof Problem && problem.status === 404);
  }
}

/** What changes too rarely to be streamed. */
export async function refresh() {
  const [status, agents] = await Promise.all([get("/status").catch(() => null), get("/agents").catch(() => null)]);
  store.set({ ...(status ? { status } : {}), ...(agents ? { agents: agents.items } : {}) });
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let saving;
export function saveSoon() {
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
  const session = focused();
  stream.focus(session, session !== null && session === store.get().sees);
}

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
