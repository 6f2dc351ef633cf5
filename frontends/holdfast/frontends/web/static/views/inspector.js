/** Beside a session: its events as they come, its approvals, its connection, and what this page and the daemon say. */
import { html, useEffect, useMemo, useState } from "../lib/html.js";
import { inspect, store, stream } from "../lib/model.js";
import { useStore } from "../lib/store.js";
import { block, clock, line, secondsUntil } from "../lib/words.js";
import { Copy } from "./code.js";

const TABS = /** @type {const} */ ([["events", "Events"], ["approvals", "Approvals"], ["connection", "Connection"], ["frames", "Frames"]]);
const KEPT = 500;

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
    <div role="tabpanel" id="inspected" aria-labelledby=${`tab-${tab}`} tabindex="0">${tab === "events" ? html`<${Events} id=${id} />` : tab === "approvals" ? html`<${Approvals} id=${id} />` : tab === "connection" ? html`<${Connection} id=${id} />` : html`<${Frames} />`}</div>
  </aside>`;
}

/** Events from here on, and the latest before. @param {any} events as in `subscribe` */
function useEvents(events) {
  const [list, setList] = useState(/** @type {any[]} */ ([]));
  useEffect(() => {
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
  const row = useStore(store, (state) => state.rows.find((each) => each.id === id));
  const [type, setType] = useState("");
  const from = useMemo(() => Math.max(0, (row?.position ?? 0) - 2_000), [id]);
  const list = useEvents({ after: String(from), session: id, types: null });
  const types = [...new Set(list.map((event) => event.type))].sort();
  const shown = list.filter((event) => !type || event.type === type).slice().reverse();
  return html`<div class="bar"><label>Type <select value=${type} onChange=${(/** @type {any} */ event) => setType(event.target.value)}><option value="">all</option>${types.map((each) => html`<option>${each}</option>`)}</select></label><span class="dim">${shown.length} newest first</span></div>
    <ol class="events">${shown.slice(0, 200).map((event) => html`<${Event} key=${event.event_id} event=${event} />`)}</ol>`;
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

function Frames() {
  const frames = useStore(store, (state) => state.frames);
  if (!frames.length) return html`<p class="empty">What this page and the daemon say to each other shows here from now on.</p>`;
  return html`<ol class="events">${frames.slice().reverse().map(({ way, at, frame }, index) => html`<${Frame} key=${`${at}-${frames.length - index}`} way=${way} at=${at} frame=${frame} />`)}</ol>`;
}

/** @param {{way: string, at: number, frame: any}} props */
function Frame({ way, at, frame }) {
  const [open, setOpen] = useState(false);
  return html`<li><button type="button" class="fold" aria-expanded=${open} onClick=${() => setOpen(!open)}><span role="img" aria-label=${way === "in" ? "received" : "sent"}>${way === "in" ? "↓" : "↑"}</span> <b>${line(frame.type)}</b> <span class="dim">${line(frame.sub ?? "")}</span> <time>${clock(new Date(at).toISOString())}</time></button>
    ${open ? html`<pre tabindex="0">${block(JSON.stringify(frame, null, 2).slice(0, 20_000))}</pre>` : null}</li>`;
}
