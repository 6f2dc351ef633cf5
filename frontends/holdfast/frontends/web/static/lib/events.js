/** The log itself, as lines of JSON: read once, to its end or to a position. */
import { raw } from "./http.js";

/** @param {Record<string, string | number | null | undefined>} query @param {(count: number) => void} [progress] @param {number} [until] nothing after it is waited for @returns {Promise<any[]>} */
export async function readEvents(query, progress, until = Infinity) {
  const answer = await raw("GET", "/events", undefined, query);
  const reader = /** @type {ReadableStream<Uint8Array>} */ (answer.body).pipeThrough(new TextDecoderStream()).getReader();
  /** @type {any[]} */
  const events = [];
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    const lines = (rest + (value ?? "")).split("\n");
    rest = done ? "" : /** @type {string} */ (lines.pop());
    for (const line of lines) if (line.trim()) events.push(JSON.parse(line));
    progress?.(events.length);
    if (done) return events;
    if (events.at(-1)?.position >= until) {
      void reader.cancel();
      return events;
    }
  }
}
