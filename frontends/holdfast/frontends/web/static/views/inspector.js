/** Beside a session: its events as they come, its approvals, its connection, and what this page and the daemon say. */
import { html, useEffect, useMemo, useState } from "../lib/html.js";
import { inspect, store, stream } from "../lib/model.js";
import { useStore } from "../lib/store.js";
import { block, bytes, clock, count, line, secondsUntil } from "../lib/words.js";
import { Copy } from "./code.js";

const TABS = /** @type {const} */ ([["events", "Events"], ["approvals", "Approvals"], ["connection", "Connection"], ["frames", "Frames"]]);
const KEPT = 500;
const ITEMS = 40;
const FARTHEST = 100_000;

/** @param {{id: string, tab: string}} props */
export function Inspector({ id, tab }) {
  const move = (/** @type {KeyboardEvent} */ event) => {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!by) return;
    event.preventDefault();
    const at = TABS.findIndex(([name]) => name === tab);
    const [name] = TABS[(at + by + TABS.length) % TABS.length];
    inspect(name);
    setTimeout(() => document.getElementById(`tab-${name}`)?.focus());
  };
  return html`<aside class="inspector" aria-label="Inspector">
    <header><div role="tablist" aria-label="Inspector" onKeyDown=${move}>${TABS.map(([name, label]) => html`<button type="button" role="tab" id=${`tab-${name}`} aria-selected=${name === tab} aria-controls="inspected" tabindex=${name === tab ? 0 : -1} onClick=${() => inspect(name)}>${label}</button>`)}</div>
      <button type="button" class="quiet" aria-label="Close the inspector" onClick=${() => inspect(null)}>✕</button></header>
    <div role="tabpanel" id="inspected" aria-labelledby=${`tab-${tab}`} tabindex="0">${tab === "events" ? html`<${Events} id=${id} />` : tab === "approvals" ? html`<${Approvals} id=${id} />` : tab === "connection" ? html`<${Connection} id=${id} />` : html`<${Frames} id=${id} />`}</div>
  </aside>`;
}

/** Events from here on, and the latest before. @param {any} events as in `subscribe`; null while that is not known */
function useEvents(events) {
  const [list, setList] = useState(/** @type {any[]} */ ([]));
  useEffect(() => {
    if (!events) return undefined;
    /** @type {any[]} */
    let kept = [];
    return stream.subscribe(() => ({ events }), {
      events: (frame) => {
        const known = new Set(kept.map((event) => event.event_id));
        kept = [...kept, ...frame.events.filter((/** @type {any} */ event) => !known.has(event.event_id))].slice(-KEPT);
        setList(kept);
      },
    });
  }, [JSON.stringify(events)]);
  return list;
}

/** @param {{id: string}} props */
function Events({ id }) {
  const [type, setType] = useState("");
  const model = useStore(store, (state) => state.transcripts.get(id)?.model);
  const ready = useStore(store, (state) => state.transcripts.get(id)?.model.ready ?? false);
  const from = useMemo(() => (ready && model ? beginning(model) : null), [id, ready]);
  const list = useEvents(from === null ? null : { after: String(from), session: id, types: null });
  const types = [...new Set(list.map((event) => event.type))].sort();
  const shown = list.filter((event) => !type || event.type === type).slice().reverse();
  return html`<div class="bar"><label>Type <select value=${type} onChange=${(/** @type {any} */ event) => setType(event.target.value)}><option value="">all</option>${types.map((each) => html`<option>${each}</option>`)}</select></label><span class="dim">${count(shown.length, "event")}, newest first</span></div>
    <ol class="events">${shown.slice(0, 200).map((event) => html`<${Event} key=${event.event_id} event=${event} />`)}</ol>`;
}

/** Where the events of the latest items begin, but not those of a whole day of talking. @param {import("../lib/transcript.js").Transcript} model */
function beginning({ items, position }) {
  const first = items.at(-ITEMS) ?? items[0];
  return Math.max(0, position - FARTHEST, items.length > ITEMS ? (first.ordinal ?? first.position) - 1 : 0);
}

/** @param {{event: any}} props */
function Event({ event }) {
  const [open, setOpen] = useState(false);
  return html`<li><button type="button" class="fold" aria-expanded=${open} onClick=${() => setOpen(!open)}><span class="dim">${event.position}</span> <b>${line(event.type)}</b> <time>${clock(event.recorded_at)}</time> <span class="dim">${line(event.actor?.device ?? event.actor?.kind ?? "")}</span></button>
    ${open ? html`<pre tabindex="0">${block(JSON.stringify(event, null, 2))}</pre><${Copy} text=${JSON.stringify(event, null, 2)} what="this event" />` : null}</li>`;
}

/** @param {{id: string}} props */
function Approvals({ id }) {
  const list = useEvents({ after: null, session: id, types: ["permission-requested", "permission-answered", "permission-expired"] });
  const answers = new Map(list.filter((event) => event.type !== "permission-requested").map((event) => [event.data?.request_id, event]));
  const asked = list.filter((event) => event.type === "permission-requested").reverse();
  if (!asked.length) return html`<p class="empty">Nothing was asked yet.</p>`;
  return html`<ol class="events">${asked.map((event) => {
    const answer = answers.get(event.data?.request_id);
    const option = event.data?.options?.find((/** @type {any} */ each) => each.option_id === answer?.data?.option_id);
    const words = !answer ? "waits" : answer.type === "permission-expired" ? `expired: ${answer.data?.reason}` : (option?.name ?? "cancelled");
    return html`<li key=${event.event_id}><p><b dir="auto">${line(event.data?.title)}</b><br /><span>${line(words)}</span> <span class="dim">${answer ? `${clock(answer.recorded_at)}, ${line(answer.actor?.device ?? answer.actor?.kind)}` : clock(event.recorded_at)}</span></p></li>`;
  })}</ol>`;
}

/** @param {{id: string}} props */
function Connection({ id }) {
  const row = useStore(store, (state) => state.rows.find((each) => each.id === id));
  const details = useStore(store, (state) => state.details.get(id));
  const now = useStore(store, (state) => state.now);
  const history = useEvents({ after: null, session: id, types: ["attach-requested", "attached", "detached", "history-gap"] });
  if (!row) return null;
  const { state, attempt, next_retry_at: next, error } = row.connection;
  const facts = [["State", state], ["Transport", row.transport], ["Target", row.target], ["Remote id", details?.remoteId], ["Attempt", attempt || null], ["Next attempt", next ? `in ${secondsUntil(next, now)} s` : null], ["Last error", error], ["Folder", row.cwd], ["Session", row.id]];
  return html`<dl class="facts-list">${facts.filter(([, value]) => value).map(([name, value]) => html`<dt>${name}</dt><dd>${line(value)}</dd>`)}</dl>
    <ol class="events">${history.slice().reverse().map((event) => html`<${Event} key=${event.event_id} event=${event} />`)}</ol>`;
}

/** What the daemon and the agent say to each other, or this page and the daemon. @param {{id: string}} props */
function Frames({ id }) {
  const [whose, choose] = useState("agent");
  const [word, find] = useState("");
  return html`<div class="bar"><label>Between <select value=${whose} onChange=${(/** @type {any} */ event) => choose(event.target.value)}><option value="agent">daemon and agent</option><option value="page">page and daemon</option></select></label>
      <input type="search" aria-label="Find in frames" placeholder="Find" value=${word} onInput=${(/** @type {any} */ event) => find(event.target.value)} /></div>
    ${whose === "agent" ? html`<${AgentFrames} id=${id} word=${word} />` : html`<${PageFrames} word=${word} />`}`;
}

/** @param {{id: string, word: string}} props */
function AgentFrames({ id, word }) {
  const [list, setList] = useState(/** @type {any[] | null} */ (null));
  useEffect(() => {
    /** @type {any[]} */
    let kept = [];
    return stream.subscribe(() => { kept = []; return { view: "frames", session: id }; }, { // a new connection brings those that are kept again
      frames: ({ frames }) => {
        kept = [...kept, ...frames].slice(-KEPT);
        setList(kept);
      },
    });
  }, [id]);
  if (list === null) return null;
  if (!list.length) return html`<p class="empty">Nothing was said to this agent since the daemon started. What is said shows here as it happens; it is not in the log.</p>`;
  const shown = list.filter((each) => !word || each.text.toLowerCase().includes(word.toLowerCase()));
  return html`<ol class="events">${shown.slice().reverse().map((each) => html`<${Frame} key=${each.number} way=${each.direction} at=${each.at} what=${nameIn(each.text)} more=${bytes(each.size_bytes)} text=${() => readable(each.text, each.size_bytes)} />`)}</ol>`;
}

/** @param {{word: string}} props */
function PageFrames({ word }) {
  const frames = useStore(store, (state) => state.frames);
  if (!frames.length) return html`<p class="empty">What this page and the daemon say to each other shows here from now on.</p>`;
  const shown = frames.filter(({ frame }) => !word || JSON.stringify(frame).toLowerCase().includes(word.toLowerCase()));
  return html`<ol class="events">${shown.slice().reverse().map(({ way, at, frame }, index) => html`<${Frame} key=${`${at}-${shown.length - index}`} way=${way} at=${new Date(at).toISOString()} what=${frame.type} more=${frame.sub ?? ""} text=${() => JSON.stringify(frame, null, 2).slice(0, 20_000)} />`)}</ol>`;
}

/** @param {{way: string, at: string, what: string, more: string, text: () => string}} props */
function Frame({ way, at, what, more, text }) {
  const [open, setOpen] = useState(false);
  return html`<li><button type="button" class="fold" aria-expanded=${open} onClick=${() => setOpen(!open)}><span role="img" aria-label=${way === "in" ? "received" : "sent"}>${way === "in" ? "↓" : "↑"}</span> <b>${line(what)}</b> <span class="dim">${line(more)}</span> <time>${clock(at)}</time></button>
    ${open ? html`<pre tabindex="0">${block(text())}</pre><${Copy} text=${text()} what="this frame" />` : null}</li>`;
}

/** What a frame is called: its method, and the kind of the update in it; an answer has none. @param {string} text */
function nameIn(text) {
  const method = /"method"\s*:\s*"([^"]{1,60})"/.exec(text)?.[1];
  const kind = /"sessionUpdate"\s*:\s*"([^"]{1,60})"/.exec(text)?.[1];
  if (method) return kind ?? method;
  if (/"error"\s*:/.test(text)) return "error";
  return /"(?:result|jsonrpc)"\s*:/.test(text) ? "answer" : "not a message";
}

/** @param {string} text @param {number} size */
function readable(text, size) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return size > text.length ? `${text} … (${bytes(size)} in all)` : text; // its beginning, or no JSON at all
  }
}
