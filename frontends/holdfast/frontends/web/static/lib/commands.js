/** What the page asks for. Each resolves when the daemon has it in its log; the screen changes when the stream says so. */
import { call, newId, post } from "./http.js";
import { complain, go } from "./model.js";
import { nameOf } from "./status.js";

/** Requests that were answered from this tab, so that it does not tell its own person. @type {Set<string>} */
export const answeredHere = new Set();

/** The latest message on its way to each session. @type {Map<string, Promise<unknown>>} */
const sending = new Map();

/** Say something. Messages to one session arrive in the order they were sent, however fast. @param {string} id @param {any} content @param {string} clientId @returns {Promise<any>} */
export function send(id, content, clientId) {
  const before = sending.get(id)?.catch(() => undefined) ?? Promise.resolve(); // who sent the one before was told
  const mine = before.then(() => call("POST", `/sessions/${id}/prompts`, { content, client_id: clientId }));
  sending.set(id, mine);
  return mine.finally(() => { if (sending.get(id) === mine) sending.delete(id); });
}

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


/** Erase a session, once the person has said so again. @param {import("./status.js").Row} row */
export async function remove(row) {
  if (!confirm(`Remove “${nameOf(row)}” for good? What was said is erased and cannot be brought back.`)) return;
  await call("DELETE", `/sessions/${row.id}`).then(() => go({ screen: "home" }, { replace: true }), complain);
}
