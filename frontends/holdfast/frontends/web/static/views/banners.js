/** What stands across the top while something is wrong, in words, with what can be done about it. */
import { html } from "../lib/html.js";
import { command, remove } from "../lib/commands.js";
import { store, stream } from "../lib/model.js";
import { useStore } from "../lib/store.js";
import { line, secondsUntil, clock } from "../lib/words.js";

/** Said after a moment only: a daemon that is back at once was never away for a person. */
export function DaemonBanner() {
  const link = useStore(store, (state) => state.link);
  const asOf = useStore(store, (state) => state.asOf);
  const now = useStore(store, (state) => state.now);
  if (link.state === "live" || (link.state === "connecting" && link.attempt === 0)) return null;
  const wait = link.retryAt === null ? 0 : secondsUntil(link.retryAt, now);
  return html`<div class="banner warn" role="status" data-banner="daemon">
    <span class="sign" aria-hidden="true">↻</span>
    <p><strong>The daemon cannot be reached.</strong> ${asOf ? `This is as of ${clock(new Date(asOf).toISOString())}, to read only.` : "Nothing has been loaded yet."} It comes back by itself.</p>
    <span class="countdown" aria-hidden="true">${wait > 0 ? `again in ${wait} s` : "trying …"}</span>
    <button type="button" onClick=${() => stream.retryNow()}>Retry now</button>
  </div>`;
}

/** @param {{row: import("../lib/status.js").Row}} props */
export function ConnectionBanner({ row }) {
  const now = useStore(store, (state) => state.now);
  const live = useStore(store, (state) => state.link.state === "live");
  const { state, attempt, next_retry_at: next, error } = row.connection;
  if (row.lifecycle === "ended" || !live) return null; // without the daemon nobody knows
  const again = html`<button type="button" onClick=${() => command(row.id, "reconnect")}>${state === "reconnecting" ? "Retry now" : "Retry"}</button>`;
  if (state === "reconnecting") {
    const wait = next ? secondsUntil(next, now) : 0;
    return html`<div class="banner warn" role="status" data-banner="reconnecting">
      <span class="sign" aria-hidden="true">↻</span>
      <p><strong>Reconnecting</strong>${attempt ? ` (attempt ${attempt})` : ""}${error ? `: ${line(error)}` : ""}</p>
      <span class="countdown" aria-hidden="true">${wait > 0 ? `next in ${wait} s` : "now"}</span>${again}
    </div>`;
  }
  if (state === "failed" || state === "gave_up") {
    const lost = row.connection.code === "gone"; // the agent knows nothing of it any more
    return html`<div class="banner bad" role="alert" data-banner=${lost ? "lost" : "failed"}>
      <span class="sign" aria-hidden="true">✗</span>
      <p><strong>${lost ? "Its agent no longer has this session" : state === "failed" ? "Not connected" : "Gave up connecting"}</strong>${error ? `: ${line(error)}` : ""}</p>
      ${lost ? html`<button type="button" onClick=${() => command(row.id, "end")}>Keep the copy</button><button type="button" class="danger" onClick=${() => remove(row)}>Remove it …</button>` : again}
    </div>`;
  }
  if (state === "offline" && error) {
    return html`<div class="banner" role="status" data-banner="offline">
      <span class="sign" aria-hidden="true">◌</span>
      <p>${line(error)}. The next message starts it again.</p>${again}
    </div>`;
  }
  return null;
}
