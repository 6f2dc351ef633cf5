/**
 * What of a transcript is shown: its end, which the stream keeps as it is, with pages above; or a stretch of its past that
 * the reader jumped to, with pages on both sides. A stretch that grows down to the end becomes a part of it.
 */
import { Problem, get } from "./http.js";
import { complain, store } from "./model.js";
import { Transcript } from "./transcript.js";

const PAGE = 200;
const EACH_SIDE = 100;

/** Stretches of the past, by session. @type {Map<string, Transcript>} */
const pasts = new Map();

/** What is on its way, so that nobody asks for it twice. @type {Map<string, Promise<boolean>>} */
const pages = new Map();
let told = 0;

/** Tell all views what there is of a session now. @param {string} id @param {Transcript} model its end */
export function publish(id, model) {
  const past = pasts.get(id);
  store.set({ transcripts: new Map(store.get().transcripts).set(id, { model, past: past?.items.length ? past : null, version: (told += 1) }) });
}

/** The past changes too, however rarely: what was asked there may be answered now. @param {string} id @param {import("./transcript.js").Op[]} ops */
export const changePast = (id, ops) => pasts.get(id)?.change(ops);

/** Show the end. @param {string} id */
export function leavePast(id) {
  const model = modelOf(id);
  if (pasts.delete(id) && model) publish(id, model);
}

/** Load the page before what is shown. @param {string} id @param {number} [limit] @returns {Promise<boolean>} whether there was one */
export const loadOlder = (id, limit = PAGE) => once(`${id} older`, () => fetchOlder(id, limit));

/** Load what follows a stretch of the past. @param {string} id @returns {Promise<boolean>} whether there was any */
export const loadNewer = (id) => once(`${id} newer`, () => fetchNewer(id));

/** Have an item among what is shown, however far up it is. @param {string} id @param {string} item @returns {Promise<boolean>} whether there is one */
export async function reach(id, item) {
  const model = modelOf(id);
  if (pasts.get(id)?.get(item)) return true;
  if (!model?.get(item)) return once(`${id} around ${item}`, () => fetchAround(id, item));
  leavePast(id);
  return true;
}

/** @param {string} id */
const modelOf = (id) => store.get().transcripts.get(id)?.model;

/** @param {string} key @param {() => Promise<boolean>} load */
function once(key, load) {
  const known = pages.get(key);
  if (known) return known;
  const page = load().catch((problem) => {
    if (!(problem instanceof Problem) || problem.status !== 0) complain(problem);
    return false;
  }).finally(() => pages.delete(key));
  pages.set(key, page);
  return page;
}

/** @param {string} id @param {number} limit */
async function fetchOlder(id, limit) {
  const end = modelOf(id);
  const model = pasts.get(id) ?? end;
  if (!end || !model?.ready || model.before === null) return false;
  const asked = model.before;
  model.loading = true;
  try {
    const page = await get(`/sessions/${id}/transcript`, { before: asked, limit });
    if (modelOf(id) !== end) return false; // the session was left, or erased
    if (model.before !== asked) return true; // a new snapshot begins elsewhere: this page would leave a gap
    model.older(page);
  } finally {
    model.loading = false;
  }
  publish(id, end);
  return true;
}

/** @param {string} id @param {string} item */
async function fetchAround(id, item) {
  const past = new Transcript();
  const before = pasts.get(id);
  past.loading = true; // what changes meanwhile is kept for it
  pasts.set(id, past);
  try {
    past.follow(await get(`/sessions/${id}/around`, { item, each_side: EACH_SIDE }));
  } finally {
    if (!past.ready && pasts.get(id) === past) before ? pasts.set(id, before) : pasts.delete(id);
  }
  return joined(id, past);
}

/** @param {string} id */
async function fetchNewer(id) {
  const past = pasts.get(id);
  const last = past?.items.at(-1);
  if (!past?.ready || !last) return false;
  past.loading = true;
  try {
    past.follow(await get(`/sessions/${id}/around`, { item: last.id, each_side: EACH_SIDE }));
    return joined(id, past) && past.items.at(-1) !== last;
  } finally {
    past.loading = false;
  }
}

/** Make the past a part of what the stream keeps once the two meet. @param {string} id @param {Transcript} past */
function joined(id, past) {
  const model = modelOf(id);
  if (!model || pasts.get(id) !== past) return false;
  if (model.join(past)) pasts.delete(id);
  publish(id, model);
  return true;
}
