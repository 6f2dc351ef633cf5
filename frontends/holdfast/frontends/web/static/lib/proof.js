/** Compares what the log held before a plug was pulled with what it holds afterwards. */

/**
 * @param {{event_id: string, version: number}[]} before @param {{event_id: string, version: number}[]} after
 * @returns {{events: number, lost: number, doubled: number}}
 */
export function compare(before, after) {
  const ids = new Set(after.map((event) => event.event_id));
  const versions = new Set(after.map((event) => event.version));
  const last = after.reduce((most, event) => Math.max(most, event.version), 0);
  const missing = before.filter((event) => !ids.has(event.event_id)).length;
  const gaps = last - versions.size;
  return { events: after.length, lost: Math.max(missing, gaps), doubled: after.length - Math.min(ids.size, versions.size) };
}
