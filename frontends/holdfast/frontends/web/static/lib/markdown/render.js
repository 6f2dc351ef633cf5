/** Markdown as nodes of the page. What an agent writes becomes text in elements of ours, and nothing else. */
import { html, useRef } from "../html.js";
import { block } from "../words.js";
import { parse, pieces } from "./blocks.js";
import { inline, plainText } from "./inline.js";
import { link, saysWhere } from "./links.js";
import { CodeBlock } from "../../views/code.js";

/** @type {Map<string, any[]>} parsed pieces, the latest last */
const known = new Map();
const MOST_KNOWN = 600;
const NODE_LENGTH = 1_000;

/** @param {string} piece */
function parsed(piece) {
  let blocks = known.get(piece);
  if (!blocks) {
    blocks = parse(piece);
    known.set(piece, blocks);
    if (known.size > MOST_KNOWN) known.delete(/** @type {string} */ (known.keys().next().value));
  }
  return blocks;
}

/** A text of an agent or a person. `streaming` shows the cursor at its end. @param {{text: string, streaming?: boolean}} props */
export function Markdown({ text, streaming = false }) {
  const parts = pieces(block(text));
  const made = useRef(/** @type {any[]} */ ([]));
  made.current = parts.map((piece, at) => {
    const before = made.current[at];
    const growing = streaming && at === parts.length - 1;
    if (before?.props.piece === piece && before.props.growing === growing) return before; // the very same node is not looked at again
    return html`<${Piece} key=${at} piece=${piece} growing=${growing} />`;
  });
  return html`<div class=${streaming ? "md streaming" : "md"}>
    ${made.current}
    ${streaming && !parts.length ? html`<p></p>` : null}
  </div>`;
}

/** @param {{piece: string, growing: boolean}} props */
function Piece({ piece, growing }) {
  return all(growing ? parse(piece) : parsed(piece), growing);
}

/** @param {import("./blocks.js").Block[]} blocks @param {boolean} growing @returns {any[]} */
function all(blocks, growing) {
  return blocks.map((item, at) => shown(item, growing && at === blocks.length - 1));
}

/** @param {import("./blocks.js").Block} item @param {boolean} growing whether more will come at its end */
function shown(item, growing) {
  switch (item.type) {
    case "paragraph":
      return html`<p dir="auto">${words(item.text, growing)}</p>`;
    case "heading":
      // The page has its own headings; those of a message stand below them.
      return html`<p class=${`h h${item.level}`} role="heading" aria-level=${Math.min(6, item.level + 2)} dir="auto">${words(item.text, growing)}</p>`;
    case "rule":
      return html`<hr />`;
    case "code":
      return html`<${CodeBlock} text=${item.text} language=${item.language} />`;
    case "quote":
      return html`<blockquote dir=${side(item)}>${all(item.blocks, growing)}</blockquote>`;
    case "list": {
      const last = growing ? item.items.at(-1)?.blocks.at(-1) : null;
      const items = item.items.map((each) => html`<li class=${each.checked === null ? "" : "task"}>
        ${each.checked === null ? null : html`<span class="check" role="img" aria-label=${each.checked ? "done" : "to do"}>${each.checked ? "☑" : "☐"}</span>`}
        ${each.blocks.map((inner) => (inner.type === "paragraph" && !item.loose ? html`<span dir="auto">${words(inner.text, inner === last)}</span>` : shown(inner, inner === last)))}
      </li>`);
      return item.ordered ? html`<ol start=${item.start} dir=${side(item)}>${items}</ol>` : html`<ul dir=${side(item)}>${items}</ul>`;
    }
    case "table":
      return html`<div class="table" tabindex="0" role="region" aria-label="table"><table>
        <thead><tr>${item.head.map((cell, at) => html`<th class=${item.align[at] ?? ""} scope="col" dir="auto">${words(cell)}</th>`)}</tr></thead>
        <tbody>${item.rows.map((row) => html`<tr>${row.map((cell, at) => html`<td class=${item.align[at] ?? ""} dir="auto">${words(cell)}</td>`)}</tr>`)}</tbody>
      </table></div>`;
    default:
      return null;
  }
}

const FROM_THE_RIGHT = /^\P{L}*[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/u;

/** Where the marks of a list or a quotation stand: a browser does not look into what finds its own direction. @param {any} item */
function side(item) {
  return FROM_THE_RIGHT.test(beginning(item)) ? "rtl" : undefined;
}

/** @param {any} item @returns {string} its first words */
function beginning(item) {
  if (typeof item.text === "string") return item.text;
  for (const each of item.blocks ?? item.items ?? []) {
    const words = beginning(each);
    if (words) return words;
  }
  return "";
}

/** @param {string} text @param {boolean} [growing] */
function words(text, growing = false) {
  const list = inline(text);
  const last = list.at(-1);
  if (!growing || typeof last !== "string" || last.length < NODE_LENGTH) return nodes(list);
  return [...nodes(list.slice(0, -1)), ...stretches(last)];
}

/** A long text in several nodes, of which only the last one grows: letters are shaped anew in the nodes that changed. @param {string} text @returns {string[]} */
export function stretches(text) {
  const found = [];
  let begin = 0;
  for (let end = text.indexOf(" ", NODE_LENGTH); end >= 0; end = text.indexOf(" ", begin + NODE_LENGTH)) {
    found.push(text.slice(begin, end));
    begin = end;
  }
  return [...found, text.slice(begin)];
}

/** @param {import("./inline.js").Node[]} list @returns {any} */
function nodes(list) {
  return list.map((node) => {
    if (typeof node === "string") return node;
    switch (node.type) {
      case "em":
        return html`<em>${nodes(node.children)}</em>`;
      case "strong":
        return html`<strong>${nodes(node.children)}</strong>`;
      case "del":
        return html`<del>${nodes(node.children)}</del>`;
      case "code":
        return html`<code>${node.text}</code>`;
      case "break":
        return html`<br />`;
      case "link":
        return html`<${Link} target=${node.target} text=${plainText(node.children)}>${nodes(node.children)}<//>`;
      default: {
        // Fetching it would tell its server that somebody looks, so it is named and not loaded.
        const target = link(node.address);
        const name = `picture: ${node.alt || node.address}`;
        return target ? html`<${Link} target=${target} text=${name}>${name}<//>` : html`<span class="unloaded">${name}</span>`;
      }
    }
  });
}

/** @param {{target: {href: string, host: string}, text: string, children?: any}} props */
function Link({ target, text, children }) {
  return html`<a href=${target.href} target="_blank" rel="noopener noreferrer nofollow" title=${target.href}>${children}</a>${saysWhere(text, target) ? null : html`<span class="host"> ${target.host}</span>`}`;
}
