/** Finds what a few typed letters mean: every letter in order, better at the beginnings of words and side by side. */

/** @param {string} query @param {string} text @returns {number} 0 for no match, more for a better one */
export function score(query, text) {
  const wanted = query.toLowerCase().replace(/\s+/g, "");
  if (!wanted) return 1;
  const lower = text.toLowerCase();
  let total = 0;
  let from = 0;
  let last = -2;
  for (const letter of wanted) {
    const at = lower.indexOf(letter, from);
    if (at < 0) return 0;
    total += 1;
    if (at === last + 1) total += 3;
    if (at === 0 || /[\s/_.:-]/.test(lower[at - 1])) total += 2;
    last = at;
    from = at + letter.length;
  }
  return total + (lower.includes(query.toLowerCase().trim()) ? 6 : 0) - Math.min(lower.length, 200) / 400;
}

/** The best first. @template T @param {string} query @param {T[]} list @param {(each: T) => string} text @param {number} [limit] */
export function best(query, list, text, limit = 50) {
  if (!query.trim()) return list.slice(0, limit);
  return list
    .map((each, order) => ({ each, order, score: score(query, text(each)) }))
    .filter((found) => found.score > 0)
    .sort((a, b) => b.score - a.score || a.order - b.order)
    .slice(0, limit)
    .map((found) => found.each);
}
