/** One line of a transcript. */
import { html, useMemo } from "../lib/html.js";
import { Markdown } from "../lib/markdown/render.js";
import { address } from "../lib/route.js";
import { block, clock, count, dateAndTime, dayOf, line as oneLine } from "../lib/words.js";
import { Copy } from "./code.js";
import { Pictures } from "./pictures.js";
import { Permission } from "./permission.js";
import { Tool } from "./tool.js";

/**
 * @param {{line: import("../lib/rows.js").Line, item: any, session: string, agent: string | null, streaming: boolean, marked: boolean,
 *   open: boolean, toggle: (key: string) => void, live: boolean}} props
 */
export function Line({ line, item, session, agent, streaming, marked, open, toggle, live }) {
  return useMemo(() => {
    switch (line.type) {
      case "day":
        return html`<div class="divider" role="separator"><span>${dayOf(line.at)}</span></div>`;
      case "unread":
        return html`<div class="divider new" role="separator" data-unread-line><span>New since you were here</span></div>`;
      case "tools":
        return html`<${Folded} line=${line} session=${session} open=${open} toggle=${toggle} />`;
      default:
        return html`<article class=${`item ${item.kind} ${item.role ?? ""} ${marked ? "marked" : ""}`} id=${item.id} data-item=${item.id}>
          ${line.speaks ? html`<${Speaker} item=${item} agent=${agent} />` : null}
          <${Body} item=${item} streaming=${streaming} open=${open} toggle=${toggle} live=${live} session=${session} />
          <${Actions} item=${item} session=${session} />
        </article>`;
    }
  }, [line, item, agent, streaming, marked, open, live]);
}

/** @param {{item: any, agent: string | null}} props */
function Speaker({ item, agent }) {
  const person = item.role === "user";
  return html`<header class="speaker"><b dir="auto">${oneLine(item.author || (person ? "You" : agent || "Agent"))}</b>
    ${item.thread ? html`<span>side chain</span>` : null}
    <time datetime=${item.at} title=${dateAndTime(item.at)}>${clock(item.at)}</time></header>`;
}

/** @param {{item: any, streaming: boolean, open: boolean, toggle: (key: string) => void, live: boolean, session: string}} props */
function Body({ item, streaming, open, toggle, live, session }) {
  switch (item.kind) {
    case "message":
      return html`<div class="said">
        <${Markdown} text=${spoken(item)} streaming=${streaming && item.role !== "user"} />
        <${Pictures} content=${item.content} session=${session} />
        ${item.status && item.role === "user" && item.status !== "accepted" ? html`<p class=${`delivery ${item.status}`}>${item.status}${item.reason ? `: ${oneLine(REASONS[item.reason] ?? item.reason)}` : ""}${item.status === "failed" && live && spoken(item) ? html` <button type="button" class="quiet small" onClick=${() => dispatchEvent(new CustomEvent("holdfast-write", { detail: { session, text: spoken(item) } }))}>Write it again</button>` : null}</p>` : null}
      </div>`;
    case "thought":
      return html`<details class="thought" open=${open || streaming}>
        <summary onClick=${(/** @type {Event} */ event) => { event.preventDefault(); toggle(item.id); }}><span>${streaming ? "Thinking" : "Thought"}</span> ${open || streaming ? "" : oneLine((item.text ?? "").slice(0, 140))}</summary>
        ${open || streaming ? html`<${Markdown} text=${item.text ?? ""} streaming=${streaming} />` : null}
      </details>`;
    case "tool_call":
      return html`<${Tool} item=${item} open=${open} toggle=${() => toggle(item.id)} session=${session} />`;
    case "permission":
      return html`<${Permission} item=${item} live=${live} />`;
    case "plan":
      return html`<${Plan} item=${item} open=${open} toggle=${() => toggle(item.id)} />`;
    case "notice":
      return html`<${Notice} item=${item} open=${open} toggle=${() => toggle(item.id)} session=${session} />`;
    default:
      return html`<details class="raw"><summary>${oneLine(item.title ?? "unknown")}</summary><pre tabindex="0">${block(item.text || JSON.stringify(item.content, null, 2) || "")}</pre></details>`;
  }
}

/** The words of a message; what stands beside them is shown as what it is. @param {any} item */
function spoken(item) {
  if (!Array.isArray(item.content)) return item.text ?? "";
  return item.content.filter((/** @type {any} */ each) => each?.type === "text").map((/** @type {any} */ each) => each.text).join("\n");
}

/** @param {{item: any, session: string}} props */
export function Actions({ item, session }) {
  const link = address({ screen: "session", id: session, item: item.id });
  return html`<div class="actions">
    <${Copy} text=${() => item.text ?? item.title ?? ""} what="this text" />
    <${Copy} label="Link" text=${() => location.origin + link} what="a link to this" />
    <button type="button" class="quiet small" onClick=${() => dispatchEvent(new CustomEvent("holdfast-inspect", { detail: item }))}>Inspect</button>
  </div>`;
}

/** @param {{line: any, session: string, open: boolean, toggle: (key: string) => void}} props */
function Folded({ line, session, open, toggle }) {
  const kinds = [...new Set(line.items.map((/** @type {any} */ item) => item.tool).filter(Boolean))].slice(0, 4);
  return html`<div class="tools">
    <button type="button" class="fold" aria-expanded=${open} onClick=${() => toggle(line.key)}><span aria-hidden="true">✓</span> ${count(line.items.length, "tool call")} <span class="dim">${oneLine(kinds.join(", "))}</span></button>
    ${open ? line.items.map((/** @type {any} */ item) => html`<${Unfolded} key=${item.id} item=${item} session=${session} />`) : null}
  </div>`;
}

/** @param {{item: any, session: string}} props */
function Unfolded({ item, session }) {
  return html`<article class="item tool_call" id=${item.id}><${Tool} item=${item} session=${session} /><${Actions} item=${item} session=${session} /></article>`;
}

/** @param {{item: any, open: boolean, toggle: () => void}} props */
function Plan({ item, open, toggle }) {
  const entries = planEntries(item);
  const done = entries.filter((entry) => entry.status === "completed").length;
  return html`<div class="plan-line"><button type="button" class="fold" aria-expanded=${open} onClick=${toggle}>Plan <span class="dim">${done} of ${entries.length} done</span></button>
    ${open ? html`<${PlanList} entries=${entries} />` : null}</div>`;
}

/** @param {any} item @returns {{status: string, content: string}[]} */
export function planEntries(item) {
  return (Array.isArray(item?.content) ? item.content : []).map((/** @type {any} */ entry) => ({
    status: String(entry?.status ?? "pending"),
    content: typeof entry?.content === "string" ? entry.content : JSON.stringify(entry),
  }));
}

/** @param {{entries: {status: string, content: string}[]}} props */
export function PlanList({ entries }) {
  const shapes = /** @type {Record<string, string>} */ ({ completed: "✓", in_progress: "◐" });
  return html`<ol class="plan">${entries.map((entry) => html`<li class=${entry.status}><span role="img" aria-label=${entry.status.replace("_", " ")}>${shapes[entry.status] ?? "∙"}</span> <span dir="auto">${block(entry.content)}</span></li>`)}</ol>`;
}

/** Why a message failed, where the log has a word for it. @type {Record<string, string>} */
const REASONS = { not_delivered: "it did not reach the agent", unknown: "whether it reached the agent is not known" };

/** @type {Record<string, string>} */
const NOTICES = {
  resumed: "Resumed",
  interrupted: "Interrupted",
  unknown: "How this turn ended is not known",
  gap: "Something may be missing here",
  ended: "Ended",
  failed: "Failed",
  error: "The turn ended with an error",
  cancelled: "Cancelled",
  restarted: "Restarted",
  max_tokens: "Stopped: the limit of tokens was reached",
  max_turn_requests: "Stopped: the limit of requests was reached",
  refusal: "The agent refused",
};

/** @param {{item: any, open: boolean, toggle: () => void, session: string}} props */
function Notice({ item, open, toggle, session }) {
  const words = NOTICES[item.status] ?? (item.status ?? "Notice");
  const text = item.text && item.text !== item.status && !(item.status === "ended" && item.text === "user") ? item.text : "";
  const long = text.length > 160 || text.includes("\n");
  if ((item.status in NOTICES && (item.status !== "error" || !text)) || !text) {
    return html`<div class=${`divider ${item.status}`} role="separator"><span>${oneLine(words)}${text ? ` · ${oneLine(text.slice(0, 300))}` : ""}</span></div>`;
  }
  return html`<div class=${`notice ${item.status}`}>
    ${long ? html`<button type="button" class="fold" aria-expanded=${open} onClick=${toggle}><b>${oneLine(words)}</b> <span class="dim">${oneLine(text.slice(0, 140))}</span></button>` : html`<p><b>${oneLine(words)}</b> <span dir="auto">${block(text)}</span></p>`}
    ${long && open ? html`<${Markdown} text=${text} />` : null}
  </div>`;
}

