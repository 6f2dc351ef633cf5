/** What a message holds beside its text: pictures that came inside it, and the names of everything else. */
import { html } from "../lib/html.js";
import { line } from "../lib/words.js";

const SHOWN = /^image\/(?:png|jpeg|gif|webp)$/;
const BASE64 = /^[A-Za-z0-9+/=\s]+$/;

/** @param {{content: any}} props content blocks as the agent sent them */
export function Pictures({ content }) {
  if (!Array.isArray(content)) return null;
  const blocks = content.map((each) => (each?.type === "content" ? each.content : each)).filter((each) => each && each.type !== "text");
  if (!blocks.length) return null;
  return html`<div class="pictures">${blocks.map((each) => {
    if (each.type === "image" && SHOWN.test(each.mimeType) && typeof each.data === "string" && BASE64.test(each.data)) {
      return html`<img src=${`data:${each.mimeType};base64,${each.data}`} alt="A picture in this message" loading="lazy" />`;
    }
    if (each.type === "resource_link" || each.type === "resource") return html`<span class="chip">@ ${line(each.name ?? each.uri ?? each.resource?.uri ?? "file")}</span>`;
    if (each.type === "image" || each.type === "audio") return html`<span class="chip">${line(each.type)}, not shown</span>`;
    return null;
  })}</div>`;
}
