/** The inside of a line of Markdown as a tree: emphasis, code, links. Linear in its length; never HTML. */
import { link } from "./links.js";

/**
 * @typedef {string | {type: "em" | "strong" | "del", children: Node[]} | {type: "code", text: string}
 *   | {type: "link", target: {href: string, host: string}, children: Node[]}
 *   | {type: "image", alt: string, address: string} | {type: "break"}} Node
 */

const PUNCTUATION = /[!-/:-@[-`{-~]/;
const ADDRESS = /https?:\/\/[^\s<>"'`]+/y;
const DEEPEST = 12;

/** @param {string} text @param {number} [depth] @returns {Node[]} */
export function inline(text, depth = 0) {
  /** @type {Node[]} */
  const nodes = [];
  let plain = "";
  let at = 0;
  /** Ends of code spans and brackets that were looked for in vain: not looked for again. @type {Set<string>} */
  const missing = new Set();
  const flush = () => {
    if (plain) nodes.push(plain);
    plain = "";
  };
  while (at < text.length) {
    const character = text[at];
    /** @type {[Node, number] | null} */
    let found = null;
    if (character === "\\" && at + 1 < text.length && PUNCTUATION.test(text[at + 1])) {
      plain += text[at + 1];
      at += 2;
      continue;
    }
    if (character === "\n") {
      const hard = / {2,}$/.test(plain);
      plain = plain.replace(/ +$/, "");
      if (hard) found = [{ type: "break" }, at + 1];
    } else if (character === "`") found = code(text, at, missing);
    else if (character === "!" && text[at + 1] === "[") found = bracket(text, at + 1, depth, missing, true);
    else if (character === "[") found = bracket(text, at, depth, missing, false);
    else if (character === "<") found = angle(text, at);
    else if (character === "*" || character === "_" || character === "~") found = emphasis(text, at, depth, missing);
    else if (character === "h" && (at === 0 || !/\w/.test(text[at - 1]))) found = bare(text, at);
    if (found) {
      flush();
      nodes.push(found[0]);
      at = found[1];
    } else if (character === "`") {
      const run = runAt(text, at);
      plain += text.slice(at, at + run);
      at += run;
    } else {
      plain += character;
      at += 1;
    }
  }
  flush();
  return nodes;
}

/** @param {Node[]} nodes @returns {string} */
export function plainText(nodes) {
  return nodes
    .map((node) => (typeof node === "string" ? node : node.type === "code" ? node.text : node.type === "image" ? node.alt : node.type === "break" ? "\n" : plainText(node.children)))
    .join("");
}

/** How often the character at `at` repeats. @param {string} text @param {number} at */
function runAt(text, at) {
  let end = at;
  while (text[end] === text[at]) end += 1;
  return end - at;
}

/** @param {string} text @param {number} at @param {Set<string>} missing @returns {[Node, number] | null} */
function code(text, at, missing) {
  const run = runAt(text, at);
  if (missing.has(`\`${run}`)) return null;
  let end = text.indexOf("`".repeat(run), at + run);
  while (end >= 0 && runAt(text, end) !== run) end = text.indexOf("`".repeat(run), end + runAt(text, end));
  if (end < 0) {
    missing.add(`\`${run}`);
    return null;
  }
  const inner = text.slice(at + run, end).replace(/\n/g, " ");
  const trimmed = /^ .*[^ ].* $|^ [^ ] $/.test(inner) ? inner.slice(1, -1) : inner;
  return [{ type: "code", text: trimmed }, end + run];
}

/** `[words](address)` and `![words](address)`. @param {string} text @param {number} at @param {number} depth @param {Set<string>} missing @param {boolean} image @returns {[Node, number] | null} */
function bracket(text, at, depth, missing, image) {
  if (depth >= DEEPEST || missing.has("]")) return null;
  let level = 0;
  let close = at;
  for (; close < text.length; close += 1) {
    if (text[close] === "\\") close += 1;
    else if (text[close] === "[") level += 1;
    else if (text[close] === "]" && (level -= 1) === 0) break;
  }
  if (close >= text.length) {
    missing.add("]");
    return null;
  }
  if (text[close + 1] !== "(") return null;
  const target = /^\(\s*(?:<([^<>\n]*)>|((?:[^\s()\\]|\\.|\([^\s()]*\))*))(?:\s+(?:"[^"]*"|'[^']*'|\([^()]*\)))?\s*\)/.exec(text.slice(close + 1, close + 4_000));
  if (!target) return null;
  const address = (target[1] ?? target[2]).replace(/\\([!-/:-@[-`{-~])/g, "$1");
  const words = text.slice(at + 1, close);
  const end = close + 1 + target[0].length;
  if (image) return [{ type: "image", alt: words, address }, end];
  const allowed = link(address);
  const children = inline(words, depth + 1);
  if (!allowed) return [{ type: "em", children: [...children, ` (${address})`] }, end]; // not followed, not hidden
  return [{ type: "link", target: allowed, children }, end];
}

/** `<https://…>`. Anything else in angle brackets is text. @param {string} text @param {number} at @returns {[Node, number] | null} */
function angle(text, at) {
  const found = /^<((?:https?:\/\/|mailto:)[^\s<>]{1,2000})>/i.exec(text.slice(at, at + 2_100));
  const target = found && link(found[1]);
  return target ? [{ type: "link", target, children: [found[1]] }, at + found[0].length] : null;
}

/** An address in the middle of a sentence, without the punctuation after it. @param {string} text @param {number} at @returns {[Node, number] | null} */
function bare(text, at) {
  ADDRESS.lastIndex = at;
  const found = ADDRESS.exec(text);
  if (!found) return null;
  let address = found[0].slice(0, 2_000).replace(/[.,;:!?*_~'")\]}]+$/, (tail) => (tail.startsWith(")") && found[0].includes("(") ? ")" : ""));
  if (!link(address)) return null;
  return [{ type: "link", target: /** @type {any} */ (link(address)), children: [address] }, at + address.length];
}

/** @param {string} text @param {number} at @param {number} depth @param {Set<string>} missing @returns {[Node, number] | null} */
function emphasis(text, at, depth, missing) {
  const sign = text[at];
  const run = runAt(text, at);
  const size = sign === "~" ? 2 : Math.min(run, 2);
  if (depth >= DEEPEST || (sign === "~" && run !== 2)) return null;
  const after = text[at + run] ?? " ";
  if (/\s/.test(after)) return null;
  if (sign === "_" && at > 0 && /\w/.test(text[at - 1])) return null;
  for (const wanted of size === 2 ? [2, 1] : [1]) {
    const mark = sign.repeat(wanted);
    if (missing.has(mark) || (sign === "~" && wanted === 1)) continue;
    const end = closing(text, at + wanted, mark);
    if (end < 0) {
      missing.add(mark);
      continue;
    }
    const children = inline(text.slice(at + wanted, end), depth + 1);
    return [{ type: sign === "~" ? "del" : wanted === 2 ? "strong" : "em", children }, end + wanted];
  }
  return null;
}

/** @param {string} text @param {number} from @param {string} mark @returns {number} */
function closing(text, from, mark) {
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === "\\") {
      at += 1;
    } else if (text[at] === "`") {
      const run = runAt(text, at);
      const end = text.indexOf("`".repeat(run), at + run);
      at = end < 0 ? at + run - 1 : end + run - 1;
    } else if (text[at] === mark[0]) {
      const run = runAt(text, at);
      const fits = run === mark.length || run >= 3;
      const word = mark[0] === "_" && /\w/.test(text[at + run] ?? " ");
      if (fits && at > from && !/\s/.test(text[at - 1]) && !word) return run >= 3 && mark.length < run ? at + run - mark.length : at;
      at += run - 1;
    }
  }
  return -1;
}
