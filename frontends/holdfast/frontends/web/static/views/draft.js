/** A session that is only an address yet. The first message makes it real; to leave it leaves nothing behind. */
import { html, useState } from "../lib/html.js";
import { contentOf, keepDraft } from "../lib/draft.js";
import { keep, recall } from "../lib/keep.js";
import { begin, send } from "../lib/commands.js";
import { go, store } from "../lib/model.js";
import { useStore } from "../lib/store.js";
import { folder, line } from "../lib/words.js";
import { Editor } from "./composer.js";
import { Back } from "./inbox.js";

/** Bytes of a first message from which on it goes by a request of its own: only prompts may be so large. */
const LARGE = 900_000;

/** @param {{id: string}} props */
export function DraftSession({ id }) {
  const live = useStore(store, (state) => state.link.state === "live");
  const agents = useStore(store, (state) => state.agents);
  const [order] = useState(recall(`new.${id}`, recall("new", { agent: null, cwd: null, title: "" })));
  const [creating, setCreating] = useState(false);
  const agent = order.agent ?? agents.find((each) => each.found)?.name ?? null;
  const submit = async (/** @type {any} */ draft) => {
    setCreating(true);
    try {
      // The address is the client id: sending again, or from another tab, makes no second session.
      const prompt = contentOf(draft, order.cwd);
      const apart = draft.other || new Blob([JSON.stringify(prompt)]).size > LARGE; // the session may be there, with what was sent first
      const row = await begin({ agent, cwd: order.cwd ?? undefined, title: order.title || undefined, prompt: apart ? undefined : prompt, client_id: id });
      if (apart) await send(row.id, prompt, draft.id);
      keep(`new.${id}`, null);
      keepDraft(id, { ...draft, text: "", pieces: [] });
      go({ screen: "session", id: row.id, item: null }, { replace: true });
      return row.id; // where what was typed meanwhile goes on
    } finally {
      setCreating(false);
    }
  };
  return html`<section class="conversation draft" aria-label="New session">
    <header class="head"><${Back} /><div class="who"><h1>${line(order.title || "New session")}</h1><p class="facts"><span>${line(agent ?? "no agent")}</span>${order.cwd ? html`<span title=${order.cwd}>${line(folder(order.cwd))}</span>` : null}<span>not begun</span></p></div>
      <button type="button" class="quiet" onClick=${() => store.set({ panel: "new" })}>Change</button></header>
    <div class="transcript"><p class="empty">${creating ? "Creating the session …" : "Send a message to start the conversation."}</p></div>
    <footer class="foot"><${Editor} id=${id} cwd=${order.cwd ?? null} commands=${[]} images=${true} blocked=${!live || !agent} submit=${submit} placeholder=${`Message ${agent ?? "an agent"}`} sends=${creating ? "Creating …" : "Send"} /></footer>
  </section>`;
}
