/** The one word for how a session is, its shape, and the order of every list. */

/**
 * @typedef {object} Row  A session, as the contract has it.
 * @property {string} id
 * @property {string} title
 * @property {string | null} agent
 * @property {string | null} cwd
 * @property {"created" | "connected" | "streaming" | "unread" | "ended"} lifecycle
 * @property {{state: string, attempt: number, next_retry_at: string | null, error: string | null}} connection
 * @property {"needs_you" | "failed" | "unread" | "none"} attention
 * @property {number} unread
 * @property {number} pending
 * @property {number} queued
 * @property {string | null} mode
 * @property {boolean} pinned
 * @property {string | null} muted_until
 * @property {string} preview
 * @property {string} created_at
 * @property {string} updated_at
 * @property {number} position
 * @property {{total_tokens: number, message_count: number}} metadata
 * @typedef {"needs_you" | "failed" | "working" | "reconnecting" | "unread" | "idle" | "hibernated" | "ended"} Status
 */

/** @type {Record<Status, {shape: string, word: string, rank: number, group: string}>} */
export const LOOK = {
  needs_you: { shape: "●", word: "needs you", rank: 0, group: "Needs you" },
  failed: { shape: "✗", word: "failed", rank: 1, group: "Failed" },
  working: { shape: "◐", word: "working", rank: 2, group: "Working" },
  reconnecting: { shape: "↻", word: "reconnecting", rank: 3, group: "Reconnecting" },
  unread: { shape: "✓", word: "unread", rank: 4, group: "Unread" },
  idle: { shape: "∙", word: "idle", rank: 5, group: "Idle" },
  hibernated: { shape: "◌", word: "hibernated", rank: 5, group: "Idle" },
  ended: { shape: "◌", word: "ended", rank: 6, group: "Ended" },
};

/** The first that matches, as every other UI says it too. @param {Row} row @returns {Status} */
export function statusOf(row) {
  const { lifecycle, attention, connection } = row;
  if (lifecycle === "ended") return "ended";
  if (attention === "needs_you") return "needs_you";
  if (attention === "failed" || ["failed", "gave_up"].includes(connection.state)) return "failed";
  if (lifecycle === "streaming") return "working";
  if (["reconnecting", "connecting"].includes(connection.state)) return "reconnecting";
  if (lifecycle === "unread") return "unread";
  return connection.state === "hibernated" ? "hibernated" : "idle";
}

/** What a person would call it. @param {Row} row */
export function nameOf(row) {
  return row.title || `${row.agent ?? "session"} ${row.id.slice(0, 8)}`;
}

/** Whether notifications of it are off now. @param {Row} row @param {number} now */
export function isMuted(row, now) {
  return row.muted_until !== null && Date.parse(row.muted_until) > now;
}

/**
 * Rows in the order of every list: pinned first, the most pressing next, the latest next.
 * @param {Iterable<Row>} rows @returns {Row[]}
 */
export function ordered(rows) {
  const keyed = Array.from(rows, (row) => ({ row, rank: LOOK[statusOf(row)].rank }));
  keyed.sort(
    (a, b) =>
      Number(b.row.pinned) - Number(a.row.pinned) ||
      a.rank - b.rank ||
      (a.row.updated_at < b.row.updated_at ? 1 : a.row.updated_at > b.row.updated_at ? -1 : a.row.id < b.row.id ? -1 : 1),
  );
  return keyed.map(({ row }) => row);
}

/** Ordered rows in groups with a heading. @param {Row[]} rows @returns {{name: string, rows: Row[]}[]} */
export function grouped(rows) {
  /** @type {{name: string, rows: Row[]}[]} */
  const groups = [];
  for (const row of rows) {
    const name = row.pinned ? "Pinned" : LOOK[statusOf(row)].group;
    if (groups.at(-1)?.name === name) groups.at(-1)?.rows.push(row);
    else groups.push({ name, rows: [row] });
  }
  return groups;
}

/** The title of the tab. @param {Iterable<Row>} rows */
export function documentTitle(rows) {
  let waiting = 0;
  for (const row of rows) if (statusOf(row) === "needs_you") waiting += 1;
  return waiting === 0 ? "Holdfast" : `${waiting} need${waiting === 1 ? "s" : ""} you · Holdfast`;
}
