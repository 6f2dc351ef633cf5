/** What a transcript shows, line by line: items, folded runs of silent tools, days, and where the reader left off. */

/**
 * @typedef {import("./transcript.js").Item} Item
 * @typedef {{key: string, type: "item", item: Item, speaks: boolean} | {key: string, type: "tools", items: Item[]}
 *   | {key: string, type: "day", at: string} | {key: string, type: "unread"}} Line
 */

const FOLDED = 3;

/** A use of a tool that worked, and about which nobody has to know. @param {Item & Record<string, any>} item */
function silent(item) {
  return item.kind === "tool_call" && item.status === "completed";
}

/**
 * @param {Item[]} items @param {{unreadAfter?: string | null, hidden?: (item: Item) => boolean}} [how]
 *   `unreadAfter` is the id of the last item that was read. @returns {Line[]}
 */
export function lines(items, { unreadAfter = null, hidden = () => false } = {}) {
  /** @type {Line[]} */
  const shown = [];
  let day = "";
  let speaker = "";
  for (let at = 0; at < items.length; at += 1) {
    const item = /** @type {Item & Record<string, any>} */ (items[at]);
    if (hidden(item)) continue;
    const today = item.at.slice(0, 10);
    if (today !== day) {
      day = today;
      speaker = "";
      shown.push({ key: `day-${today}-${item.id}`, type: "day", at: item.at });
    }
    const says = item.kind === "message" && item.role === "user" ? `user ${item.author ?? ""}` : item.kind === "notice" ? "" : `agent ${item.author ?? ""} ${item.thread ?? ""}`;
    if (silent(item)) {
      let end = at + 1;
      while (end < items.length && silent(items[end]) && items[end - 1].id !== unreadAfter) end += 1;
      if (end - at >= FOLDED) {
        shown.push({ key: `tools-${item.id}`, type: "tools", items: items.slice(at, end) });
        speaker = says;
        at = end - 1;
        if (items[at].id === unreadAfter && at < items.length - 1) shown.push({ key: "unread", type: "unread" });
        continue;
      }
    }
    shown.push({ key: item.id, type: "item", item, speaks: says !== "" && says !== speaker });
    speaker = says;
    if (item.id === unreadAfter && at < items.length - 1) shown.push({ key: "unread", type: "unread" });
  }
  return shown;
}

/** About how high a line will be, in pixels, until it has been measured. @param {Line} line @param {number} width */
export function guess(line, width) {
  if (line.type !== "item") return line.type === "tools" ? 44 : 48;
  const item = /** @type {Item & Record<string, any>} */ (line.item);
  const head = line.speaks ? 32 : 0;
  if (item.kind === "message") {
    const perLine = Math.max(20, Math.min(width, 760) / 7.6);
    const length = item.text?.length ?? 0;
    return head + 24 + 25 * Math.ceil(length / perLine);
  }
  if (item.kind === "permission") return item.status === "pending" ? 220 : 44;
  if (item.kind === "plan") return head + 120;
  return head + 40;
}
