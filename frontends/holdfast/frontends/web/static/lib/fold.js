/** Events to items, for replay: the same fold as the log's own, one event after the other. A test holds the two together. */

/**
 * Events of a compacted session as they can be replayed: what was put together stands where it first appeared.
 * @param {any[]} events @returns {any[]}
 */
export function expanded(events) {
  /** @type {Map<number, any>} by the version of the first event that gave way */
  const whole = new Map();
  for (const { type, data } of events) {
    if (type === "message-compacted" && data) whole.set(data.pieces[0]?.first, { type: `${data.kind}-appended`, data: { ...data, id: data.item_id } });
    if (type === "tool-compacted" && data) whole.set(data.runs[0]?.first, { type: "tool-called", data });
  }
  if (!whole.size) return events;
  return events
    .filter(({ type }) => type !== "message-compacted" && type !== "tool-compacted")
    .map((event) => ({ ...event, ...whole.get(event.version) }));
}

/**
 * @param {Map<string, any>} items in order of first appearance; changed in place
 * @param {{position: number, version: number, type: string, data: any, recorded_at: string, occurred_at?: string | null, actor: any}} event
 */
export function take(items, event) {
  const { type, data } = event;
  const put = (/** @type {any} */ item) => {
    const before = items.get(item.id);
    items.set(item.id, { ...item, at: before?.at ?? event.occurred_at ?? event.recorded_at, ordinal: before?.ordinal ?? event.position, position: event.position });
  };
  const restate = (/** @type {string} */ id, /** @type {any} */ change) => items.has(id) && (put({ ...items.get(id), ...change }), true);
  const notice = (/** @type {string} */ status, text = "") => put({ id: `notice-${event.version}`, kind: "notice", role: "system", status, text });
  const said = (/** @type {string} */ role, /** @type {string} */ id, /** @type {any} */ more = {}) => put({ id, kind: "message", role, ...spoken(data.content), author: data.author, thread: data.thread, ...more });
  if (data === null || (data.text === undefined && type.endsWith("-appended"))) return void (type === "session-erased" && items.clear());
  switch (type) {
    case "text-appended":
    case "thought-appended": {
      const before = items.get(data.id);
      if (before) put({ ...before, text: (before.text ?? "") + data.text });
      else if (data.text) put({ id: data.id, kind: type === "text-appended" ? "message" : "thought", role: "assistant", text: data.text, thread: data.thread });
      return;
    }
    case "tool-called":
    case "tool-updated":
      return put(tool(items.get(data.item_id), data));
    case "tool-abandoned":
      return void (["completed", "failed"].includes(items.get(data.item_id)?.status) || restate(data.item_id, { status: "failed", reason: data.reason }));
    case "prompt-sent":
      return said("user", data.prompt_id, { status: "sent" });
    case "prompt-accepted":
      return void restate(data.prompt_id, { status: "accepted" });
    case "prompt-failed":
      if (data.content && !items.has(data.prompt_id)) return said("user", data.prompt_id, { status: "failed", reason: data.detail || data.reason });
      return void (restate(data.prompt_id, { status: "failed", reason: data.detail || data.reason }) || notice("failed", data.detail || data.reason));
    case "message-sent":
      return said("user", data.item_id);
    case "message-received":
      return said("assistant", data.item_id);
    case "message-edited":
      return void restate(data.item_id, spoken(data.content));
    case "message-acknowledged":
      return void restate(data.item_id, { status: data.kind });
    case "permission-requested":
      return put({ id: data.request_id, kind: "permission", title: data.title, input: data.input, options: data.options, status: "pending", turn_id: data.turn_id });
    case "permission-answered":
      return void restate(data.request_id, { status: "answered", decision: data.option_id || "cancelled", decided_by: event.actor?.device ?? event.actor?.kind, decided_at: event.occurred_at ?? event.recorded_at, reason: data.reason });
    case "permission-expired":
      return void restate(data.request_id, { status: "expired", reason: data.reason });
    case "plan-changed":
      return put({ id: data.item_id, kind: "plan", content: data.entries });
    case "notice-added":
      return put({ id: data.item_id, kind: "notice", role: "system", status: data.kind, text: data.text, thread: data.thread });
    case "raw-received":
      return put({ id: data.item_id, kind: "raw", title: data.label, content: data.body });
    case "turn-interrupted":
      return notice("interrupted", data.reason);
    case "turn-unknown":
      return notice("unknown", data.reason);
    case "turn-ended":
      return ["end_turn", "unrecorded", "session-ended"].includes(data.stop_reason) ? undefined : notice(data.stop_reason);
    case "attached":
      return data.resumed ? notice("resumed") : undefined;
    case "detached":
      return ["failed", "gone"].includes(data.reason) ? notice("failed", data.error ?? "") : undefined;
    case "history-gap":
      return notice("gap", data.reason);
    case "session-ended":
      return notice("ended", data.detail || data.reason);
    case "session-erased":
      return items.clear();
    default:
      return undefined;
  }
}

/** @param {any} before @param {any} data */
function tool(before, data) {
  const item = before ?? { id: data.item_id, kind: "tool_call", title: data.call_id, status: "pending" };
  let content = data.content ?? item.content;
  if (data.grown) content = grown(content, data.grown);
  const mirrored = JSON.stringify(item.output) === JSON.stringify(item.content);
  return {
    ...item,
    title: data.title || item.title,
    tool: data.kind || item.tool,
    status: data.status || item.status,
    input: data.input ?? item.input,
    output: data.output ?? (mirrored ? content : item.output),
    content,
    thread: data.thread || item.thread,
    reason: undefined,
  };
}

/** Peers send an output again with each piece of it; the log keeps what changed in its JSON. @param {any} content @param {{head: number, tail: number, insert: string}} splice */
function grown(content, { head, tail, insert }) {
  const text = [...JSON.stringify(content ?? null)];
  if (head + tail > text.length) return content;
  try {
    return JSON.parse(text.slice(0, head).join("") + insert + text.slice(text.length - tail).join(""));
  } catch {
    return content;
  }
}

/** @param {any} content */
function spoken(content) {
  if (!Array.isArray(content)) return { text: content === null || content === undefined ? "" : JSON.stringify(content) };
  const text = content.map((each) => (each?.type === "text" ? each.text : `[${[each?.type, each?.name, each?.uri].filter(Boolean).join(" ")}]`)).join("\n");
  return content.every((each) => each?.type === "text") ? { text } : { text, content };
}
