/** What a message holds beside its text: pictures that came inside it or are kept beside it, and the names of everything else. */
import { html, useState } from "../lib/html.js";
import { line } from "../lib/words.js";

const SHOWN = /^image\/(?:png|jpeg|gif|webp)$/;
const BASE64 = /^[A-Za-z0-9+/=\s]+$/;
const NAME = /^[0-9a-f]{64}$/;

/** @param {{content: any, session: string}} props content blocks as the agent sent them */
export function Pictures({ content, session }) {
  const blocks = beside(content);
  if (!blocks.length) return null;
  return html`<div class="pictures">${blocks.map((each) => html`<${Beside} block=${each} session=${session} />`)}</div>`;
}

/** The blocks that are more than text. @param {any} content @returns {any[]} */
export function beside(content) {
  if (!Array.isArray(content)) return [];
  const blocks = content.map((each) => (each?.type === "content" ? each.content : each));
  return blocks.filter((each) => ["image", "audio", "resource", "resource_link"].includes(each?.type));
}

/** @param {{block: any, session: string}} props */
function Beside({ block, session }) {
  const [gone, setGone] = useState(false);
  if (block.type === "resource_link" || block.type === "resource") {
    const name = line(block.name ?? block.uri ?? block.resource?.uri ?? "file");
    const kept = address(block.resource?.text ?? block.resource?.blob, session);
    return kept ? html`<a class="chip" href=${kept} download>@ ${name}</a>` : html`<span class="chip">@ ${name}</span>`;
  }
  const data = block.data ?? block.source?.data;
  const type = block.mimeType ?? block.source?.media_type;
  const source = typeof data === "string" && BASE64.test(data) ? `data:${type};base64,${data}` : address(data, session);
  if (block.type === "image" && SHOWN.test(type) && source && !gone) {
    return html`<img src=${source} alt="A picture in this message" loading="lazy" onError=${() => setGone(true)} />`;
  }
  return html`<span class="chip">${line(block.type)}, not shown</span>`;
}

/** Where the daemon gives out what a reference stands for. @param {any} reference @param {string} session @returns {string | null} */
function address(reference, session) {
  const name = reference?.$attachment;
  return typeof name === "string" && NAME.test(name) ? `/api/v1/sessions/${encodeURIComponent(session)}/attachments/${name}` : null;
}
