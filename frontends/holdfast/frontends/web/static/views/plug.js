/** Pull the plug: the daemon is killed in mid-sentence, and the log is compared before and after. */
import { html, useEffect, useState } from "../lib/html.js";
import { readEvents } from "../lib/events.js";
import { get, post } from "../lib/http.js";
import { complain, store } from "../lib/model.js";
import { compare } from "../lib/proof.js";
import { useStore } from "../lib/store.js";
import { count } from "../lib/words.js";

/** @param {{id: string}} props */
export function Plug({ id }) {
  const able = useStore(store, (state) => state.status?.plug === true);
  const streaming = useStore(store, (state) => state.rows.find((row) => row.id === id)?.lifecycle === "streaming");
  const live = useStore(store, (state) => state.link.state === "live");
  const speaking = useStore(store, (state) => {
    const last = /** @type {any} */ (state.transcripts.get(id)?.model.items.at(-1));
    return last?.kind === "message" && last.role === "assistant";
  });
  const pulled = useStore(store, (state) => state.plugs.get(id));
  const [busy, setBusy] = useState(false);
  const latest = useStore(store, (state) => state.transcripts.get(id)?.model.items.at(-1)?.id);
  // Once the message that was cut has come to its end, whatever the agent does next.
  const over = pulled?.back && (!streaming || latest !== pulled.message);
  useEffect(() => {
    if (over && live && !pulled.result) void prove(id, pulled);
  }, [over, live]);
  useEffect(() => {
    if (pulled && !pulled.gone && !live) keepPlug(id, { ...pulled, gone: true });
    if (pulled?.gone && !pulled.back && live) keepPlug(id, { ...pulled, back: true });
  }, [live, pulled]);
  const pull = async () => {
    setBusy(true);
    try {
      const before = await readEvents({ session: id });
      const message = store.get().transcripts.get(id)?.model.items.at(-1)?.id;
      keepPlug(id, { before, message, gone: false, back: false, result: null });
      await post("/demo/plug").catch((problem) => {
        if (problem.status !== 0) throw problem; // no answer is what a dead daemon gives
      });
    } catch (problem) {
      complain(problem);
    }
    setBusy(false);
  };
  if (pulled?.result) {
    const { events, lost, doubled, ok } = pulled.result;
    return html`<p class=${`verified ${ok ? "" : "bad"}`} role="status" data-verified>${ok ? "✓" : "✗"} verified: ${count(events, "event")}, ${lost} lost, ${doubled} doubled</p>`;
  }
  if (pulled) return html`<p class="verified waiting" role="status">${pulled.back ? "The daemon is back. The text goes on …" : "The plug is pulled: the daemon was killed. The agent goes on without it."}</p>`;
  if (!able) return null;
  return html`<p class="plug"><button type="button" disabled=${!streaming || !speaking || !live || busy} onClick=${pull}>Pull the plug</button> <span class="dim">kills the daemon (SIGKILL) in mid-sentence${streaming && !speaking ? ", once the agent speaks" : ""}</span></p>`;
}

/** @param {string} id @param {any} plug */
function keepPlug(id, plug) {
  store.set({ plugs: new Map(store.get().plugs).set(id, plug) });
}

/** @param {string} id @param {any} pulled */
async function prove(id, pulled) {
  try {
    const [after, verdict] = await Promise.all([readEvents({ session: id }), get("/verify")]);
    const result = compare(pulled.before, after);
    keepPlug(id, { ...pulled, result: { ...result, ok: verdict.ok && result.lost === 0 && result.doubled === 0 } });
  } catch (problem) {
    complain(problem);
  }
}
