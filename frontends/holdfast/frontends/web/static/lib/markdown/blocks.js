/**
 * Cuts Markdown into blocks, in time that grows with its length and no faster. HTML is text here: there is no block of
 * it, so nothing that an agent writes can become an element of the page.
 */

/**
 * @typedef {{type: "paragraph", text: string} | {type: "heading", level: number, text: string} | {type: "rule"}
 *   | {type: "code", language: string, text: string, open: boolean} | {type: "quote", blocks: Block[]}
 *   | {type: "list", ordered: boolean, start: number, loose: boolean, items: ListItem[]}
 *   | {type: "table", align: (string | null)[], head: string[], rows: string[][]}} Block
 * @typedef {{checked: boolean | null, blocks: Block[]}} ListItem
 */

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([^`]*)$/;
const HEADING = /^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$/;
const RULE = /^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$/;
const BULLET = /^( {0,3})([-*+]|\d{1,9}[.)])(?:([ \t]+)(.*)|$)/;
const QUOTE = /^ {0,3}> ?/;
const TABLE_RULE = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;
const DEEPEST = 8;

/**
 * The top-level pieces of a text, each parsed by itself later, so that a growing text only parses its last piece anew.
 * @param {string} text @returns {string[]}
 */
export function pieces(text) {
  /** @type {string[]} */
  const found = [];
  /** @type {string[]} */
  let piece = [];
  let fence = "";
  let list = false;
  const end = () => {
    if (piece.length) found.push(piece.join("\n"));
    piece = [];
    list = false;
  };
  for (const line of text.split("\n")) {
    if (fence) {
      piece.push(line);
      if (closes(line, fence)) {
        fence = "";
        if (!list) end();
      }
      continue;
    }
    const opened = FENCE.exec(line) ?? (list ? FENCE.exec(line.trimStart()) : null);
    if (opened) {
      if (!list) end();
      else if (!/^\s/.test(line)) end();
      fence = opened[1];
      piece.push(line);
    } else if (!line.trim()) {
      if (list) piece.push(line);
      else end();
    } else {
      const inList = BULLET.test(line) || (list && /^[ \t]{2,}/.test(line));
      if (list && !inList && !(piece.at(-1) ?? "").trim()) end();
      if (!list && BULLET.test(line) && !RULE.test(line)) {
        end();
        list = true;
      }
      piece.push(line);
    }
  }
  end();
  return found;
}

/** @param {string} text @param {number} [depth] @returns {Block[]} */
export function parse(text, depth = 0) {
  const lines = text.split("\n");
  /** @type {Block[]} */
  const blocks = [];
  /** @type {string[]} */
  let paragraph = [];
  const flush = () => {
    const joined = paragraph.join("\n").trim();
    if (joined) blocks.push({ type: "paragraph", text: joined });
    paragraph = [];
  };
  let at = 0;
  while (at < lines.length) {
    const line = lines[at];
    const fence = FENCE.exec(line);
    if (fence) {
      flush();
      at = code(lines, at, fence, blocks);
    } else if (!line.trim()) {
      flush();
      at += 1;
    } else if (HEADING.test(line)) {
      flush();
      const [, marks, words] = /** @type {RegExpExecArray} */ (HEADING.exec(line));
      blocks.push({ type: "heading", level: marks.length, text: words ?? "" });
      at += 1;
    } else if (RULE.test(line)) {
      flush();
      blocks.push({ type: "rule" });
      at += 1;
    } else if (QUOTE.test(line) && depth < DEEPEST) {
      flush();
      at = quote(lines, at, depth, blocks);
    } else if (BULLET.test(line) && depth < DEEPEST && (!paragraph.length || beginsAnywhere(line))) {
      flush();
      at = list(lines, at, depth, blocks);
    } else if (line.includes("|") && TABLE_RULE.test(lines[at + 1] ?? "") && (lines[at + 1] ?? "").includes("-") && !paragraph.length) {
      at = table(lines, at, blocks);
    } else if (!paragraph.length && /^(?: {4}|\t)/.test(line)) {
      at = indented(lines, at, blocks);
    } else {
      paragraph.push(line);
      at += 1;
    }
  }
  flush();
  return blocks;
}

/** Only a list that begins with 1 interrupts a paragraph: "in\n2026. It was" is no list. @param {string} line */
function beginsAnywhere(line) {
  const found = BULLET.exec(line);
  return found !== null && Boolean(found[4]) && (!/\d/.test(found[2]) || /^1[.)]/.test(found[2]));
}

/** @param {string} line @param {string} fence */
function closes(line, fence) {
  const trimmed = line.trim();
  return trimmed.length >= fence.length && trimmed === fence[0].repeat(trimmed.length);
}

/** @param {string[]} lines @param {number} at @param {RegExpExecArray} fence @param {Block[]} blocks */
function code(lines, at, fence, blocks) {
  const inset = /^ */.exec(lines[at])?.[0].length ?? 0;
  let end = at + 1;
  while (end < lines.length && !closes(lines[end], fence[1])) end += 1;
  const body = lines.slice(at + 1, end).map((line) => (inset ? line.replace(new RegExp(`^ {0,${inset}}`), "") : line));
  blocks.push({ type: "code", language: fence[2].trim().split(/\s/)[0] ?? "", text: body.join("\n"), open: end >= lines.length });
  return end + 1;
}

/** @param {string[]} lines @param {number} at @param {Block[]} blocks */
function indented(lines, at, blocks) {
  let end = at;
  while (end < lines.length && (/^(?: {4}|\t)/.test(lines[end]) || !lines[end].trim())) end += 1;
  const body = lines.slice(at, end).map((line) => line.replace(/^(?: {4}|\t)/, ""));
  blocks.push({ type: "code", language: "", text: body.join("\n").trimEnd(), open: false });
  return end;
}

/** @param {string[]} lines @param {number} at @param {number} depth @param {Block[]} blocks */
function quote(lines, at, depth, blocks) {
  /** @type {string[]} */
  const inner = [];
  while (at < lines.length && (QUOTE.test(lines[at]) || (lines[at].trim() && inner.at(-1)?.trim() && !FENCE.test(lines[at]) && !BULLET.test(lines[at])))) {
    inner.push(lines[at].replace(QUOTE, ""));
    at += 1;
  }
  blocks.push({ type: "quote", blocks: parse(inner.join("\n"), depth + 1) });
  return at;
}

/** @param {string[]} lines @param {number} at @param {number} depth @param {Block[]} blocks */
function list(lines, at, depth, blocks) {
  const first = /** @type {RegExpExecArray} */ (BULLET.exec(lines[at]));
  const kind = first[2].at(-1);
  /** @type {ListItem[]} */
  const items = [];
  let loose = false;
  while (at < lines.length) {
    const bullet = BULLET.exec(lines[at]);
    if (!bullet || bullet[2].at(-1) !== kind || (RULE.test(lines[at]) && kind !== "." && kind !== ")")) break;
    const inset = bullet[1].length + bullet[2].length + Math.min((bullet[3] ?? " ").length, 4);
    const inner = [bullet[4] ?? ""];
    at += 1;
    let blank = false;
    let fence = "";
    while (at < lines.length) {
      const line = lines[at];
      const inside = /^[ \t]*/.exec(line)?.[0].replace(/\t/g, "    ").length ?? 0;
      if (fence) {
        if (closes(line, fence)) fence = "";
      } else if (!line.trim()) {
        blank = true;
        inner.push("");
        at += 1;
        continue;
      } else if (inside < Math.min(inset, 2)) {
        if (blank || BULLET.test(line) || FENCE.test(line) || HEADING.test(line) || QUOTE.test(line)) break;
      } else {
        fence = FENCE.exec(line.trimStart())?.[1] ?? "";
      }
      if (blank && inner.some((each) => each)) loose = true;
      blank = false;
      inner.push(inside >= 2 ? unindented(line, inset) : line);
      at += 1;
    }
    if (blank && at < lines.length && BULLET.test(lines[at])) loose = true;
    const task = /^\[([ xX])\][ \t]+/.exec(inner[0]);
    if (task) inner[0] = inner[0].slice(task[0].length);
    items.push({ checked: task ? task[1] !== " " : null, blocks: parse(inner.join("\n"), depth + 1) });
  }
  const ordered = kind === "." || kind === ")";
  blocks.push({ type: "list", ordered, start: ordered ? Number.parseInt(first[2], 10) : 1, loose, items });
  return at;
}

/** @param {string} line @param {number} columns */
function unindented(line, columns) {
  let at = 0;
  let column = 0;
  while (column < columns && at < line.length && (line[at] === " " || line[at] === "\t")) {
    column += line[at] === "\t" ? 4 : 1;
    at += 1;
  }
  return line.slice(at);
}

/** @param {string[]} lines @param {number} at @param {Block[]} blocks */
function table(lines, at, blocks) {
  const head = cells(lines[at]);
  const align = cells(lines[at + 1]).map((cell) =>
    cell.startsWith(":") ? (cell.endsWith(":") ? "center" : "left") : cell.endsWith(":") ? "right" : null,
  );
  /** @type {string[][]} */
  const rows = [];
  at += 2;
  while (at < lines.length && lines[at].trim() && lines[at].includes("|")) {
    const row = cells(lines[at]);
    rows.push(head.map((_, column) => row[column] ?? ""));
    at += 1;
  }
  blocks.push({ type: "table", align, head, rows });
  return at;
}

/** @param {string} line */
function cells(line) {
  const inner = line.trim().replace(/^\|/, "").replace(/(?<!\\)\|$/, "");
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replace(/\\\|/g, "|"));
}
