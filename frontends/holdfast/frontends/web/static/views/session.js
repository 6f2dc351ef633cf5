/** One session: what it is, its transcript, and where to write. */
import { html, useEffect, useRef, useState } from "../lib/html.js";
import { command, remove } from "../lib/commands.js";
import { DEVICE } from "../lib/http.js";
import { go, inspect, lookUp, store } from "../lib/model.js";
import { LOOK, isMuted, nameOf, statusOf } from "../lib/status.js";
import { useStore } from "../lib/store.js";
import { amount, brief, clock, line } from "../lib/words.js";
import { ConnectionBanner } from "./banners.js";
import { Composer } from "./composer.js";
import { planEntries, PlanList } from "./item.js";
import { Lazy } from "./lazy.js";
import { Dot } from "./list.js";
import { TranscriptView } from "./transcript.js";

/** @param {{id: string, item: string | null}} props */
export function SessionView({ id, item }) {
  const row = useStore(store, (state) => state.rows.find((each) => each.id === id) ?? state.ended.find((each) => each.id === id));
  const ready = useStore(store, (state) => state.rosterReady);
  const inspector = useStore(store, (state) => state.inspector);
  const [missing, miss] = useState(false);
  useEffect(() => {
    let over = false;
    if (row) miss(false);
    else if (ready) void lookUp(id).then((found) => { if (!over) miss(!found); });
    return () => (over = true);
  }, [id, !row, ready]);
  const entry = useStore(store, (state) => state.transcripts.get(id));
  if (missing && !row) {
    return html`<div class="empty"><h1>There is no such session</h1><p>It may have been removed. <a href="/" onClick=${(/** @type {Event} */ event) => { event.preventDefault(); go({ screen: "home" }); }}>All sessions</a></p></div>`;
  }
  return html`<div class=${`session ${inspector ? "inspected" : ""}`}>
    <section class="conversation" aria-label=${row ? line(nameOf(row)) : "Session"}>
      <${Head} id=${id} row=${row} />
      ${row ? html`<${ConnectionBanner} row=${row} />` : null}
      <${PinnedPlan} model=${entry?.model} version=${entry?.version} />
      <${TranscriptView} id=${id} item=${item} />
      ${row?.transport === "acp" && row.agent === "demo" ? html`<${Lazy} from=${() => import("./plug.js")} name="Plug" id=${id} />` : null}
      ${row?.lifecycle === "ended" ? html`<p class="over">This session has ended. Its history stays. <button type="button" class="small" onClick=${() => store.set({ panel: "new" })}>Begin another</button></p>` : html`<${Composer} id=${id} />`}
    </section>
    ${inspector ? html`<${Lazy} from=${() => import("./inspector.js")} name="Inspector" id=${id} tab=${inspector} />` : null}
    <${RawEvent} id=${id} />
  </div>`;
}

/** @param {{id: string, row: any}} props */
function Head({ id, row }) {
  const details = useStore(store, (state) => state.details.get(id));
  const inspector = useStore(store, (state) => state.inspector);
  const [naming, setNaming] = useState(false);
  const name = row ? nameOf(row) : id.slice(0, 8);
  const rename = (/** @type {any} */ event) => {
    event.preventDefault();
    setNaming(false);
    const title = event.target.elements.title.value.trim();
    if (title !== row?.title) void command(id, "rename", { title });
  };
  return html`<header class="head">
    <a class="back" href="/" aria-label="All sessions" onClick=${(/** @type {Event} */ event) => { event.preventDefault(); history.pushState({ stay: true }, "", "/"); go({ screen: "home" }); }}>‹</a>
    <div class="who">
      ${naming
        ? html`<form onSubmit=${rename}><input name="title" aria-label="Title" value=${row?.title ?? ""} autocomplete="off" ref=${(/** @type {any} */ field) => field?.focus()} onBlur=${(/** @type {any} */ event) => rename({ preventDefault() {}, target: event.target.form })} onKeyDown=${(/** @type {KeyboardEvent} */ event) => { if (event.key === "Escape") { event.preventDefault(); setNaming(false); } }} /></form>`
        : html`<h1 dir="auto">${row ? html`<${Dot} status=${statusOf(row)} /> ` : null}<button type="button" class="title" title="Rename" disabled=${row?.lifecycle === "ended"} onClick=${() => setNaming(true)}>${line(name)}</button></h1>`}
      <p class="facts"><span class="id" title=${id}>${id.slice(0, 8)}</span>${row ? html`<span class="word">${LOOK[statusOf(row)].word}</span>` : null}${row?.agent ? html`<span>${line(row.agent)}</span>` : null}${details?.model || row?.model ? html`<span>${line(details?.model ?? row.model)}</span>` : null}${row?.cwd ? html`<span title=${row.cwd}>${line(brief(row.cwd))}</span>` : null}${row?.metadata?.total_tokens ? html`<span>${amount(row.metadata.total_tokens)} tokens</span>` : null}${row ? html`<${Marks} row=${row} />` : null}</p>
    </div>
    ${row ? html`<${Menu} row=${row} />` : null}
    <button type="button" class="quiet wide-only" aria-pressed=${inspector !== null} onClick=${() => inspect(inspector ? null : "events")}>Inspect</button>
  </header>`;
}

/** Who else looks at it now, and whether it is silent. @param {{row: any}} props */
function Marks({ row }) {
  const minute = useStore(store, (state) => Math.floor(state.now / 60_000) * 60_000);
  const others = (row.focused ?? []).filter((/** @type {string} */ name) => name !== DEVICE);
  return html`${isMuted(row, minute) ? html`<span>muted${Date.parse(row.muted_until) - minute < 10 * 365 * 86_400_000 ? ` until ${until(row.muted_until, minute)}` : ""}</span>` : null}
    ${others.length ? html`<span class="here" data-here title="Who looks at this session now">also open in ${line(others.join(", "))}</span>` : null}`;
}

/** A time as people say it: today without the date. @param {string} iso @param {number} now */
function until(iso, now) {
  const then = new Date(iso);
  return then.toDateString() === new Date(now).toDateString() ? clock(iso) : `${then.toLocaleDateString([], { weekday: "short" })} ${clock(iso)}`;
}

/** Eight in the morning, tomorrow. */
function tomorrow() {
  const then = new Date();
  then.setDate(then.getDate() + 1);
  then.setHours(8, 0, 0, 0);
  return then;
}

/** @param {{row: any}} props */
function Menu({ row }) {
  const now = useStore(store, (state) => Math.floor(state.now / 60_000) * 60_000);
  const muted = isMuted(row, now);
  const close = (/** @type {any} */ event) => event.currentTarget.closest("details").removeAttribute("open");
  const then = (/** @type {() => unknown} */ run) => (/** @type {any} */ event) => { close(event); void run(); };
  const mute = (/** @type {any} */ body) => then(() => command(row.id, "mute", body));
  const end = () => {
    if (!confirm(`End “${nameOf(row)}”? Its history stays; it cannot be resumed.`)) return;
    void command(row.id, "end").then(() => {
      const next = store.get().rows.find((each) => each.id !== row.id);
      go(next ? { screen: "session", id: next.id, item: null } : { screen: "home" }, { replace: true });
    });
  };
  const over = row.lifecycle === "ended";
  const box = useRef(/** @type {HTMLDetailsElement | null} */ (null));
  useEffect(() => {
    const leave = (/** @type {Event} */ event) => { if (!box.current?.contains(/** @type {Node} */ (event.target))) box.current?.removeAttribute("open"); };
    for (const type of ["pointerdown", "focusin"]) addEventListener(type, leave);
    return () => { for (const type of ["pointerdown", "focusin"]) removeEventListener(type, leave); };
  }, []);
  const press = (/** @type {any} */ event) => {
    const list = box.current?.open ? [.../** @type {NodeListOf<HTMLElement>} */ (box.current.querySelectorAll("summary, button, a"))] : [];
    const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (!list.length || (!by && event.key !== "Escape")) return;
    event.stopPropagation();
    event.preventDefault();
    if (by) return list[(list.indexOf(event.target) + by + list.length) % list.length].focus();
    event.currentTarget.removeAttribute("open");
    list[0].focus();
  };
  return html`<details class="menu" ref=${box} onKeyDown=${press}>
    <summary aria-label="More">⋯</summary>
    <div>
      <button type="button" onClick=${then(() => go({ screen: "replay", id: row.id }))}>Replay</button>
      ${["md", "html", "jsonl"].map((format) => html`<a href=${`/api/v1/sessions/${row.id}/export?format=${format}`} download=${`${row.id.slice(0, 8)}.${format}`} onClick=${close}>Export ${{ md: "Markdown", html: "HTML", jsonl: "events" }[format]}</a>`)}
      ${over ? null : html`<button type="button" onClick=${then(() => command(row.id, "pin", { pinned: !row.pinned }))}>${row.pinned ? "Unpin" : "Pin"}</button>
      <button type="button" onClick=${then(() => command(row.id, "unread"))}>Mark unread</button>
      <button type="button" onClick=${then(() => command(row.id, "reconnect"))}>Reconnect</button>
      <button type="button" onClick=${then(() => inspect("events"))}>Inspect</button>
      <hr />
      ${muted
        ? html`<button type="button" onClick=${mute({ until: null, muted: false })}>Unmute</button>`
        : html`<button type="button" onClick=${mute({ until: new Date(Date.now() + 3_600_000).toISOString() })}>Mute for an hour</button>
          <button type="button" onClick=${mute({ until: tomorrow().toISOString() })}>Mute until tomorrow</button>
          <button type="button" onClick=${mute({ until: null })}>Mute for good</button>`}
      <hr />
      <button type="button" class="danger" onClick=${then(end)}>End session …</button>`}
      <button type="button" class="danger" onClick=${then(() => remove(row))}>Remove for good …</button>
    </div>
  </details>`;
}

/** The latest plan stays in sight. @param {{model: any, version?: number}} props */
function PinnedPlan({ model }) {
  const plan = model?.items.findLast((/** @type {any} */ item) => item.kind === "plan");
  const entries = plan ? planEntries(plan) : [];
  const done = entries.filter((entry) => entry.status === "completed").length;
  if (!entries.length || done === entries.length) return null;
  const now = entries.find((entry) => entry.status === "in_progress") ?? entries.find((entry) => entry.status !== "completed");
  return html`<details class="pinned-plan"><summary><b>Plan</b> <span>${done} of ${entries.length}</span> <span class="now" dir="auto">${line(now?.content ?? "")}</span></summary><${PlanList} entries=${entries} /></details>`;
}

/** What the log holds of an item, as it stands there. @param {{id: string}} props */
function RawEvent({ id }) {
  const [item, show] = useState(/** @type {any} */ (null));
  useEffect(() => {
    const look = (/** @type {any} */ event) => show(event.detail);
    addEventListener("holdfast-inspect", look);
    return () => removeEventListener("holdfast-inspect", look);
  }, []);
  if (!item) return null;
  return html`<${Lazy} from=${() => import("./raw.js")} name="Raw" id=${id} item=${item} close=${() => show(null)} />`;
}

