/** Lines that came and went between two texts, as a person reads a change. */

const MOST_LINES = 2_000;

/** @typedef {{sign: " " | "+" | "-", text: string}} Change */

/** @param {string | null | undefined} before @param {string} after @returns {Change[]} */
export function diff(before, after) {
  const old = split(before ?? "");
  const now = split(after);
  let head = 0;
  while (head < old.length && head < now.length && old[head] === now[head]) head += 1;
  let tail = 0;
  while (tail < old.length - head && tail < now.length - head && old.at(-1 - tail) === now.at(-1 - tail)) tail += 1;
  const middle = between(old.slice(head, old.length - tail), now.slice(head, now.length - tail));
  return [
    ...old.slice(0, head).map(same),
    ...middle,
    ...(tail ? old.slice(-tail).map(same) : []),
  ];
}

/** Only the changes, with a few lines around each; null stands for lines that were left out. @param {Change[]} changes @returns {(Change | null)[]} */
export function around(changes, context = 3) {
  const near = new Array(changes.length).fill(false);
  changes.forEach(({ sign }, at) => {
    if (sign === " ") return;
    for (let near_ = Math.max(0, at - context); near_ <= Math.min(changes.length - 1, at + context); near_ += 1) near[near_] = true;
  });
  /** @type {(Change | null)[]} */
  const shown = [];
  changes.forEach((change, at) => {
    if (near[at]) shown.push(change);
    else if (shown.length === 0 || shown.at(-1) !== null) shown.push(null);
  });
  return shown;
}

/** @param {Change[]} changes */
export function tally(changes) {
  let added = 0;
  let removed = 0;
  for (const { sign } of changes) {
    if (sign === "+") added += 1;
    else if (sign === "-") removed += 1;
  }
  return { added, removed };
}

/** @param {string} text @returns {Change} */
const same = (text) => ({ sign: " ", text });

/** @param {string} text */
function split(text) {
  return text === "" ? [] : text.replace(/\n$/, "").split("\n");
}

/** The longest common lines; where that would take too long, everything old and then everything new. @param {string[]} old @param {string[]} now @returns {Change[]} */
function between(old, now) {
  const out = /** @type {Change[]} */ (old.map((text) => ({ sign: "-", text })));
  const come = /** @type {Change[]} */ (now.map((text) => ({ sign: "+", text })));
  if (!old.length || !now.length || old.length * now.length > MOST_LINES * MOST_LINES) return [...out, ...come];
  const width = now.length + 1;
  const common = new Uint32Array((old.length + 1) * width);
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = now.length - 1; j >= 0; j -= 1) {
      common[i * width + j] =
        old[i] === now[j] ? common[(i + 1) * width + j + 1] + 1 : Math.max(common[(i + 1) * width + j], common[i * width + j + 1]);
    }
  }
  /** @type {Change[]} */
  const changes = [];
  let i = 0;
  let j = 0;
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      changes.push(same(old[i]));
      i += 1;
      j += 1;
    } else if (i < old.length && (j >= now.length || common[(i + 1) * width + j] >= common[i * width + j + 1])) {
      changes.push(out[i]);
      i += 1;
    } else {
      changes.push(come[j]);
      j += 1;
    }
  }
  return changes;
}
