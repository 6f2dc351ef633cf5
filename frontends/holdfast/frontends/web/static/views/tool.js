/** The use of a tool: one line, and below it what went in, what came out, and what changed in files. */
import { html, useEffect, useMemo, useState } from "../lib/html.js";
import { block, count, line } from "../lib/words.js";
import { Pictures, beside } from "./pictures.js";

/** @type {Record<string, [string, string]>} */
const SHAPES = { completed: ["✓", "done"], failed: ["✗", "failed"], in_progress: ["◐", "running"], pending: ["∙", "waiting"] };

/** Fetched with the first change of a file. @type {null | typeof import("../lib/diff.js")} */
let differ = null;

/** @param {{item: any, open?: boolean, toggle?: () => void, session: string}} props */
export function Tool({ item, open: opened, toggle, session }) {
  const urgent = item.status === "failed" || item.status === "in_progress";
  const [mine, setMine] = useState(/** @type {boolean | null} */ (null));
  const open = toggle ? (urgent ? !opened : Boolean(opened)) : (mine ?? urgent);
  const [shape, word] = SHAPES[item.status] ?? ["∙", String(item.status ?? "")];
  const [able, enable] = useState(differ !== null);
  const files = Array.isArray(item.content) ? item.content.filter((/** @type {any} */ each) => each?.type === "diff" && typeof each.newText === "string") : [];
  useEffect(() => {
    if (!files.length || able) return;
    import("../lib/diff.js").then((module) => {
      differ = module;
      enable(true);
    }, () => undefined); // then the tool is shown without
  }, [files.length]);
  const changes = useMemo(() => (able && differ ? diffsIn(files, differ.diff) : []), [item.content, able]);
  const totals = changes.map((each) => /** @type {any} */ (differ).tally(each.changes)).reduce((sum, each) => ({ added: sum.added + each.added, removed: sum.removed + each.removed }), { added: 0, removed: 0 });
  return html`<div class=${`tool ${item.status}`}>
    <button type="button" class="fold" aria-expanded=${open} onClick=${toggle ?? (() => setMine(!open))}>
      <span class="shape" role="img" aria-label=${word}>${shape}</span>
      <span class="title" dir="auto">${line(item.title || item.tool || "Tool")}</span>
      ${changes.length ? html`<span class="tally"><ins>+${totals.added}</ins> <del>−${totals.removed}</del></span>` : null}
      <span class="dim">${[line(item.tool && item.tool !== item.title ? item.tool : ""), item.status === "completed" ? "" : word].filter(Boolean).join(" · ")}</span>
    </button>
    ${open ? html`<div class="tool-body">
      ${item.input !== null && item.input !== undefined && !changes.length ? html`<p class="label">Input</p><${Value} value=${item.input} />` : null}
      ${changes.map((each) => html`<${Change} path=${each.path} changes=${each.changes} />`)}
      <${Output} item=${item} shown=${changes.length > 0} session=${session} />
    </div>` : null}
  </div>`;
}

/** @param {any[]} files @param {typeof import("../lib/diff.js").diff} diff */
function diffsIn(files, diff) {
  return files.map((each) => ({ path: String(each.path ?? ""), changes: diff(typeof each.oldText === "string" ? each.oldText : null, each.newText) }));
}

/** What was over before an agent told how its tool ended. @type {Record<string, string>} */
const UNTOLD = { "turn-ended": "its turn was over", cancelled: "its turn was stopped", interrupted: "its turn was interrupted", unknown: "what became of its turn is not known", unrecorded: "the transcript does not say", "session-ended": "its session ended", detached: "its agent was gone", crowded: "too many were open at once" };

/** @param {{item: any, shown: boolean, session: string}} props `shown`: whether there is something to look at already */
function Output({ item, shown, session }) {
  const text = textOf(item.output) || textOf(item.content);
  const blocks = [item.content, item.output].find((each) => beside(each).length) ?? [];
  if (!text && !blocks.length) return shown || item.status === "in_progress" || item.status === "pending" ? null : html`<p class="dim">${item.reason ? `How it ended was never told: ${UNTOLD[item.reason] ?? line(item.reason)}.` : "No output."}</p>`;
  return html`<p class="label">Output</p>${text ? html`<${Long} text=${text} />` : null}<${Pictures} content=${blocks} session=${session} />`;
}

/** What a person would read of an output. @param {any} value @returns {string} */
function textOf(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  if (Array.isArray(value)) {
    return value
      .map((each) => (typeof each === "string" ? each : each?.type === "text" ? each.text : each?.type === "content" ? textOf([each.content]) : each?.type === "resource" ? textOf(each.resource?.text?.$attachment ? null : each.resource?.text) : each?.type === "diff" || each?.type === "image" ? "" : JSON.stringify(each, null, 2)))
      .filter(Boolean)
      .join("\n");
  }
  return JSON.stringify(value, null, 2);
}

/** Arguments of a tool, each under its name. @param {{value: any}} props */
export function Value({ value }) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return html`<${Long} text=${textOf(value)} />`;
  return html`<dl class="arguments">${Object.entries(value).map(([name, each]) => html`<dt>${line(name)}</dt><dd><${Long} text=${typeof each === "string" ? each : JSON.stringify(each, null, 2)} /></dd>`)}</dl>`;
}

/** A text that folds where it is long, and says so. @param {{text: string, lines?: number, letters?: number}} props */
export function Long({ text, lines = 24, letters = 6_000 }) {
  const [whole, setWhole] = useState(false);
  const safe = useMemo(() => block(text), [text]);
  const all = useMemo(() => safe.split("\n"), [safe]);
  const cut = !whole && (all.length > lines || safe.length > letters);
  const shown = cut ? all.slice(0, lines).join("\n").slice(0, letters) : safe;
  return html`<div class="long"><pre tabindex="0">${shown}</pre>
    ${cut ? html`<button type="button" class="quiet small more" onClick=${() => setWhole(true)}>… show all ${all.length > lines ? count(all.length, "line") : count(safe.length, "letter")}</button>` : null}</div>`;
}

/** @param {{path: string, changes: import("../lib/diff.js").Change[]}} props */
function Change({ path, changes }) {
  const [whole, setWhole] = useState(false);
  const shown = useMemo(() => /** @type {any} */ (differ).around(changes), [changes]);
  const cut = !whole && shown.length > 60;
  const kinds = { "+": "added", "-": "removed", " ": "" };
  return html`<figure class="diff"><figcaption>${line(path)}</figcaption>
    <pre tabindex="0">${(cut ? shown.slice(0, 60) : shown).map((/** @type {import("../lib/diff.js").Change | null} */ change) => (change ? html`<span class=${/** @type {any} */ (kinds)[change.sign]}>${change.sign} ${block(change.text)}\n</span>` : html`<span class="skip">⋯\n</span>`))}</pre>
    ${cut ? html`<button type="button" class="quiet small more" onClick=${() => setWhole(true)}>… show all ${count(shown.length, "line")}</button>` : null}</figure>`;
}

