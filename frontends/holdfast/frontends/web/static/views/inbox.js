/** Everything that needs the person, over all sessions. */
import { html } from "../lib/html.js";
import { go, store } from "../lib/model.js";
import { address } from "../lib/route.js";
import { nameOf } from "../lib/status.js";
import { useStore } from "../lib/store.js";
import { age, folder, lastOf, line } from "../lib/words.js";
import { Permission } from "./permission.js";

export function Inbox() {
  const inbox = useStore(store, (state) => state.inbox);
  const rows = useStore(store, (state) => state.rows);
  const live = useStore(store, (state) => state.link.state === "live");
  const now = useStore(store, (state) => Math.floor(state.now / 10_000) * 10_000);
  return html`<section class="screen inbox" aria-label="Inbox">
    <header class="head"><${Back} /><h1>Inbox</h1></header>
    ${inbox.length ? null : html`<div class="empty"><p class="sign" aria-hidden="true">✓</p><h2>Nothing needs you</h2><p>Questions of your agents come here, whatever session they are from.</p></div>`}
    ${inbox.map((request) => {
      const row = rows.find((each) => each.id === request.session_id);
      const to = /** @type {const} */ ({ screen: "session", id: request.session_id, item: request.request_id });
      const where = html`<p class="where"><a href=${address(to)} onClick=${(/** @type {Event} */ event) => { event.preventDefault(); go(to); }}>${line(row ? nameOf(row) : request.session_id.slice(0, 8))}</a>${" "}
        <span class="dim" title=${folder(row?.cwd ?? "")}>${[row?.agent, lastOf(row?.cwd ?? ""), age(request.requested_at, now)].filter(Boolean).map((each) => line(each)).join(" · ")}</span></p>`;
      return html`<${Permission} key=${request.request_id} item=${{ ...request, id: request.request_id, status: "pending" }} live=${live} where=${where} />`;
    })}
  </section>`;
}

export function Back() {
  return html`<a class="back" href="/" aria-label="All sessions" onClick=${(/** @type {Event} */ event) => { event.preventDefault(); history.pushState({ stay: true }, "", "/"); go({ screen: "home" }); }}>‹</a>`;
}
