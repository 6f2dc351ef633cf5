/** A request for leave. Keys act only while it has the focus, which it never takes by itself, and not at once. */
import { html, useEffect, useRef, useState } from "../lib/html.js";
import { answer } from "../lib/commands.js";
import { clock, line } from "../lib/words.js";
import { Long, Value } from "./tool.js";

const NOT_BEFORE_MS = 300;

/** @param {{item: any, live?: boolean, where?: any}} props `where` stands above the question, in the inbox */
export function Permission({ item, live = true, where = null }) {
  const [deny, setDeny] = useState(false);
  const [sending, setSending] = useState(false);
  const [focus, setFocus] = useState(false);
  const card = useRef(/** @type {HTMLElement | null} */ (null));
  const since = useRef(Infinity);
  const asked = useRef(performance.now());
  useEffect(() => void (asked.current = performance.now()), [item.id]);
  if (item.status !== "pending") return html`<${Settled} item=${item} />`;

  const options = /** @type {{option_id: string, kind: string, name: string}[]} */ (item.options ?? []);
  const of = (/** @type {string} */ kind) => options.find((option) => option.kind === kind)?.option_id;
  const settle = async (/** @type {string | null} */ option, /** @type {string} */ reason = "") => {
    setSending(true);
    await answer(item.id, option, reason);
    setSending(false);
    setDeny(false);
  };
  const later = () => {
    card.current?.blur();
    /** @type {HTMLElement | null} */ (document.querySelector(".composer textarea"))?.focus();
  };
  const press = (/** @type {KeyboardEvent} */ event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target instanceof HTMLInputElement) return;
    if (!"aAdz".includes(event.key) || event.key.length !== 1) return;
    event.preventDefault();
    event.stopPropagation();
    const soon = performance.now() - Math.max(since.current, asked.current) < NOT_BEFORE_MS;
    if (soon || event.repeat || sending || !live) return; // a key that was meant for something else
    if (event.key === "a") { const option = of("allow_once"); if (option) void settle(option); }
    else if (event.key === "A") { const option = of("allow_always"); if (option) void settle(option); }
    else if (event.key === "d") setDeny(true);
    else later();
  };
  const input = item.input;
  const title = line(item.title);
  const commandText = typeof input?.command === "string" ? input.command : Array.isArray(input?.command) ? input.command.join(" ") : null;
  return html`<section class="permission-card" role="group" data-request=${item.id} tabindex="0" aria-label=${`Needs you: ${line(item.title)}`} ref=${card} onKeyDown=${press}
    onFocusIn=${(/** @type {FocusEvent} */ event) => { if (!card.current?.contains(/** @type {Node | null} */ (event.relatedTarget))) since.current = performance.now(); setFocus(true); }}
    onFocusOut=${(/** @type {FocusEvent} */ event) => { if (!card.current?.contains(/** @type {Node | null} */ (event.relatedTarget))) { since.current = Infinity; setFocus(false); } }}>
    <header><span class="dot needs_you" aria-hidden="true">●</span> <b dir="auto">${title && title === line(commandText ?? "") ? "May it run this?" : title}</b></header>
    ${where}
    ${commandText === null ? (input === null || input === undefined ? null : html`<${Value} value=${input} />`) : html`<${Long} text=${commandText} lines=${10} letters=${500} />${Object.keys(input).length > 1 ? html`<${Value} value=${Object.fromEntries(Object.entries(input).filter(([name]) => name !== "command"))} />` : null}`}
    ${deny
      ? html`<form class="reason" onSubmit=${(/** @type {any} */ event) => { event.preventDefault(); void settle(of("reject_once") ?? of("reject_always") ?? null, event.target.elements.reason.value.trim()); }}>
          <input name="reason" aria-label="Why not" placeholder="Why not? (may be empty)" autocomplete="off" ref=${(/** @type {any} */ field) => field?.focus()} onKeyDown=${(/** @type {KeyboardEvent} */ event) => { if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); setDeny(false); card.current?.focus(); } }} />
          <button type="submit" disabled=${sending}>Deny</button>
        </form>`
      : html`<div class="options">
          ${options.map((option) => html`<button type="button" class=${option.kind.startsWith("allow") ? (option.kind === "allow_once" ? "primary" : "") : "deny"} disabled=${sending || !live} onClick=${() => settle(option.option_id)}>${line(option.name)}</button>`)}
          ${options.some((option) => option.kind.startsWith("reject")) ? null : html`<button type="button" class="deny" disabled=${sending || !live} onClick=${() => settle(null)}>Deny</button>`}
          <button type="button" class="quiet" disabled=${sending || !live} onClick=${() => setDeny(true)}>Deny with a reason</button>
        </div>`}
    ${live ? html`<p class="hint" aria-hidden="true">${focus ? html`${of("allow_once") ? html`<kbd>a</kbd> once ` : null}${of("allow_always") ? html`<kbd>A</kbd> always ` : null}<kbd>d</kbd> deny <kbd>z</kbd> later` : html`<kbd>Tab</kbd> to answer with keys`}</p>` : null}
  </section>`;
}

/** Why nobody answered it. @type {Record<string, string>} */
const EXPIRED = { "turn-closed": "its turn was over", cancelled: "its turn was stopped", "session-ended": "its session ended", "agent-gone": "its agent was gone", withdrawn: "its agent took it back" };

/** @param {{item: any}} props */
function Settled({ item }) {
  const option = (item.options ?? []).find((/** @type {any} */ each) => each.option_id === item.decision);
  const allowed = option?.kind?.startsWith("allow");
  const words = item.status === "expired" ? "Expired" : option ? line(option.name) : item.decision === "cancelled" ? "Denied" : "Answered";
  return html`<div class=${`settled ${allowed ? "allowed" : ""}`}><span aria-hidden="true">${item.status === "expired" ? "∙" : allowed ? "✓" : "✗"}</span>
    <span><b>${words}</b> <span dir="auto">${line(item.title)}</span>${item.status === "expired" ? html`<span class="dim">: ${EXPIRED[item.reason] ?? line(item.reason ?? "")}</span>` : item.reason ? html` <span class="dim" dir="auto">“${line(item.reason)}”</span>` : null}</span>
    ${item.decided_by ? html`<span class="dim">in ${line(item.decided_by)}${item.decided_at ? ` at ${clock(item.decided_at)}` : ""}</span>` : null}</div>`;
}
