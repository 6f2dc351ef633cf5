/** What waits to be sent: in sight, to be changed, to be taken back. */
import { html, useState } from "../lib/html.js";
import { command, dropQueued, editQueued } from "../lib/commands.js";
import { store } from "../lib/model.js";
import { useStore } from "../lib/store.js";
import { line } from "../lib/words.js";

/** @param {{id: string, held: boolean, queued: number}} props */
export function Queue({ id, held, queued }) {
  const queue = useStore(store, (state) => state.queues.get(id));
  const [editing, edit] = useState(/** @type {string | null} */ (null));
  const waiting = (queue ?? []).filter((each) => each.state === "queued");
  if (!waiting.length || !queued) return null;
  return html`<section class="queue" aria-label=${`Queued (${waiting.length})`}>
    <header><b>Queued (${waiting.length})</b>${held ? html`<span>waits after the interruption</span><button type="button" onClick=${() => command(id, "queue/resume")}>Send now</button>` : null}</header>
    <ol>${waiting.map((prompt) => html`<li key=${prompt.prompt_id}>
      ${editing === prompt.prompt_id
        ? html`<form onSubmit=${(/** @type {any} */ event) => { event.preventDefault(); const text = event.target.elements.text.value.trim(); edit(null); if (text && text !== prompt.text) void editQueued(id, prompt.prompt_id, text); }}>
            <textarea name="text" aria-label="Queued message" rows="2" ref=${(/** @type {any} */ field) => field && !field.dataset.seen && ((field.dataset.seen = "1"), field.focus())} onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
              if (event.key === "Escape") { event.preventDefault(); edit(null); }
              if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); /** @type {any} */ (event.target).form.requestSubmit(); }
            }}>${prompt.text}</textarea><button type="submit">Save</button></form>`
        : html`<span class="words" dir="auto">${line(prompt.text.slice(0, 300))}</span>
          <button type="button" class="quiet small" onClick=${() => edit(prompt.prompt_id)}>Edit</button>
          <button type="button" class="quiet small" aria-label="Take back" onClick=${() => dropQueued(id, prompt.prompt_id)}>✕</button>`}
    </li>`)}</ol>
  </section>`;
}
