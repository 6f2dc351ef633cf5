/** Short words at the corner, and the same for people who listen. */
import { html, useEffect, useRef, useState } from "../lib/html.js";
import { dismiss, store } from "../lib/model.js";
import { useStore } from "../lib/store.js";
import { line } from "../lib/words.js";

export function Toasts() {
  const toasts = useStore(store, (state) => state.toasts);
  return html`<div class="toasts" role="status" aria-live="polite">
    ${toasts.map(({ id, text, kind, action }) => html`<div key=${id} class=${`toast ${kind}`}>
      <p dir="auto">${line(text)}</p>
      ${action ? html`<button type="button" onClick=${() => { dismiss(id); action.run(); }}>${action.label}</button>` : null}
      <button type="button" class="quiet" aria-label="Dismiss" onClick=${() => dismiss(id)}>✕</button>
    </div>`)}
  </div>`;
}

/** Says when the session on the screen has finished an answer: its text, not each piece of it. */
export function Announcer() {
  const [said, say] = useState("");
  const streaming = useRef(/** @type {string | null} */ (null));
  useEffect(
    () =>
      store.subscribe(() => {
        const { route, rows, transcripts } = store.get();
        if (route.screen !== "session") return;
        const row = rows.find((each) => each.id === route.id);
        if (row?.lifecycle === "streaming") streaming.current = row.id;
        else if (row && streaming.current === row.id) {
          streaming.current = null;
          const last = /** @type {any} */ (transcripts.get(row.id)?.model.items.findLast((item) => item.kind === "message"));
          if (last) say(`${row.agent ?? "The agent"} has finished: ${last.text.slice(0, 300)}`);
        }
      }),
    [],
  );
  return html`<div class="unseen" aria-live="polite">${said}</div>`;
}
