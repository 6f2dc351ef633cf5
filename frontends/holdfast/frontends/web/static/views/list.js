/** Every session at a glance, the most pressing first. */
import { html, useEffect, useMemo, useRef, useState } from "../lib/html.js";
import { get } from "../lib/http.js";
import { go, loadEnded, store } from "../lib/model.js";
import { best } from "../lib/fuzzy.js";
import { Markdown } from "../lib/markdown/render.js";
import { address } from "../lib/route.js";
import { LOOK, grouped, isMuted, nameOf, statusOf } from "../lib/status.js";
import { useStore } from "../lib/store.js";
import { style } from "./lazy.js";
import { age, count, lastOf, line, plain, secondsUntil } from "../lib/words.js";

const AT_ONCE = 150;

export function SessionList() {
  const rows = useStore(store, (state) => state.rows);
  const ended = useStore(store, (state) => (state.showEnded ? state.ended : null));
  const inbox = useStore(store, (state) => state.inbox);
  const route = useStore(store, (state) => state.route);
  const tick = useStore(store, (state) => Math.floor(state.now / 10_000));
  const [filter, setFilter] = useState("");
  const [limit, setLimit] = useState(AT_ONCE);
  const here = route.screen === "session" || route.screen === "replay" ? route.id : null;
  const all = ended ? [...rows, ...ended.filter((row) => !rows.some((each) => each.id === row.id))] : rows;
  const fitting = filter ? best(filter, all, (row) => `${row.title} ${row.agent} ${row.cwd}`, 500) : all;
  const groups = filter ? [{ name: "Found", rows: fitting }] : grouped(fitting.slice(0, limit));
  const totals = useMemo(() => new Map(grouped(all).map((group) => [group.name, group.rows.length])), [rows, ended]); // of those that are not drawn yet as well
  const questions = useMemo(() => new Map(inbox.map((request) => [request.session_id, request.title])), [inbox]);
  return html`<nav class="list" aria-label="Sessions">
    <header>
      <a class="brand" href="/" onClick=${onLink({ screen: "home" })}><img src="/static/icon.svg" width="22" height="22" alt="" /> Holdfast</a>
      <button type="button" class="quiet" title="Commands (Ctrl+K)" aria-label="Commands" onClick=${() => store.set({ panel: "palette" })}>⌘</button>
      <button type="button" class="primary" onClick=${() => store.set({ panel: "new" })}>New</button>
    </header>
    <div class="tools">
      <input type="search" aria-label="Filter sessions" placeholder="Filter" value=${filter} onInput=${(/** @type {any} */ event) => setFilter(event.target.value)} />
      <a href="/inbox" class=${`pill ${inbox.length ? "waiting" : ""}`} aria-current=${route.screen === "inbox" ? "page" : undefined} onClick=${onLink({ screen: "inbox" })}>Inbox <b>${inbox.length}</b></a>
      <a href="/search" class="pill" aria-current=${route.screen === "search" ? "page" : undefined} onClick=${onLink({ screen: "search", query: "" })}>Search</a>
    </div>
    <div class="entries" onScroll=${(/** @type {any} */ event) => {
      const box = event.currentTarget;
      if (box.scrollHeight - box.scrollTop - box.clientHeight < 800 && limit < fitting.length) setLimit(limit + AT_ONCE);
    }}>
      ${groups.map((group) => html`<section key=${group.name} aria-label=${group.name}>
        <h2>${group.name} <span>${filter ? group.rows.length : totals.get(group.name)}</span></h2>
        <ul>${group.rows.map((row) => html`<${Entry} key=${row.id} row=${row} here=${row.id === here} question=${questions.get(row.id)} tick=${tick} />`)}</ul>
      </section>`)}
      ${filter && !fitting.length ? html`<p class="empty">No session is called that. <a href="/search" onClick=${onLink({ screen: "search", query: filter })}>Search what was said</a></p>` : null}
      ${!rows.length && !filter ? html`<p class="empty">No sessions yet.</p>` : null}
    </div>
    <footer><button type="button" class="quiet small" aria-pressed=${ended !== null} onClick=${loadEnded}>${ended ? "Hide ended sessions" : "Show ended sessions"}</button><span class="space"></span>
      <a class="pill narrow-only" href="/start" onClick=${onLink({ screen: "start" })}>Start</a>
      <a class="pill" href="/settings" aria-current=${route.screen === "settings" ? "page" : undefined} onClick=${onLink({ screen: "settings" })}>Settings</a></footer>
    <${Peek} />
  </nav>`;
}

/** @param {import("../lib/route.js").Route} to */
function onLink(to) {
  return (/** @type {MouseEvent} */ event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    if (to.screen === "home") history.pushState({ stay: true }, "", "/");
    go(to);
  };
}

/** @param {{row: import("../lib/status.js").Row, here: boolean, question?: string, tick: number}} props */
function Entry({ row, here, question, tick }) {
  return useMemo(() => {
    const status = statusOf(row);
    const look = LOOK[status];
    const to = /** @type {const} */ ({ screen: "session", id: row.id, item: null });
    const now = Date.now();
    const unread = row.unread > 0;
    return html`<li>
      <a href=${address(to)} class=${`entry ${unread ? "unread" : ""}`} data-session=${row.id} data-status=${status} aria-current=${here ? "page" : undefined} onClick=${onLink(to)}>
        <${Dot} status=${status} />
        <span class="name" dir="auto">${here ? html`<span class="star" title="in focus">★</span>` : null}${line(nameOf(row))}</span>
        <span class="age">${age(row.updated_at, now)}</span>
        <span class="what" dir="auto">${status === "reconnecting" && row.connection.next_retry_at ? html`<${Countdown} row=${row} />` : status === "needs_you" && question ? html`<b>${line(question)}</b>` : row.connection.error && status === "failed" ? line(row.connection.error) : plain(row.preview) || " "}</span>
        <span class="facts">
          <span class="word">${look.word}</span>
          <span>${line(row.agent ?? row.transport ?? "")}</span>
          ${row.cwd ? html`<span title=${row.cwd}>${line(lastOf(row.cwd))}</span>` : null}
          ${row.queued ? html`<span>${row.queued} queued</span>` : null}
          ${isMuted(row, now) ? html`<span>muted</span>` : null}
        </span>
        ${unread ? html`<span class="badge" aria-label=${count(row.unread, "unread message")}>${row.unread > 99 ? "99+" : row.unread}</span>` : null}
      </a>
    </li>`;
  }, [row, here, question, tick]);
}

/** @param {{status: import("../lib/status.js").Status}} props */
export function Dot({ status }) {
  return html`<span class=${`dot ${status}`} role="img" aria-label=${LOOK[status].word} title=${LOOK[status].word}>${LOOK[status].shape}</span>`;
}

/** @param {{row: import("../lib/status.js").Row}} props */
function Countdown({ row }) {
  const now = useStore(store, (state) => state.now);
  return html`attempt ${row.connection.attempt}, next in ${secondsUntil(row.connection.next_retry_at ?? 0, now)} s`;
}

/** The last turn of an entry, without opening it: nothing is marked as read. */
function Peek() {
  const [page, show] = useState(/** @type {any} */ (null));
  const box = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => {
    const look = async (/** @type {any} */ event) => {
      const [page] = await Promise.all([get(`/sessions/${event.detail}/last-turn`).catch(() => null), style()]);
      show(page);
    };
    addEventListener("holdfast-peek", look);
    return () => removeEventListener("holdfast-peek", look);
  }, []);
  useEffect(() => {
    if (page) box.current?.showModal();
  }, [page]);
  if (!page) return null;
  const said = page.items.filter((/** @type {any} */ item) => item.kind === "message").slice(-4);
  return html`<dialog ref=${box} class="panel peek" aria-label="The last turn" onClose=${() => show(null)} onKeyDown=${(/** @type {any} */ event) => {
    if (event.key === " ") { event.preventDefault(); box.current?.close(); }
    if (event.key === "Enter") { box.current?.close(); go({ screen: "session", id: page.session.id, item: null }); }
  }}>
    <h2 dir="auto">${line(nameOf(page.session))}</h2>
    ${said.map((/** @type {any} */ item) => html`<div class=${item.role} dir="auto"><b>${item.role === "user" ? "You" : line(page.session.agent ?? "Agent")}</b> <${Markdown} text=${item.text.slice(-1_500)} streaming=${false} /></div>`)}
    <form method="dialog"><button class="quiet">Close</button></form>
  </dialog>`;
}
