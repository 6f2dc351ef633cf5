/** Which addresses from outside may become links, and what a person is told about where they lead. */

const ALLOWED = new Set(["http:", "https:", "mailto:"]);

/**
 * @param {string} address as it was written
 * @returns {{href: string, host: string} | null} null for one that must stay text; `host` is where it really leads
 */
export function link(address) {
  const trimmed = address.trim();
  // The browser skips controls and blanks inside a scheme; what holds any is not an address a person wrote.
  if (/[\u0000-\u0020\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/.test(trimmed)) return null;
  if (!/^(?:https?:\/\/|mailto:)/i.test(trimmed)) return null;
  let url;
  try {
    url = new URL(trimmed);
  } catch {
    return null;
  }
  if (!ALLOWED.has(url.protocol)) return null;
  if (url.protocol === "mailto:") return { href: url.href, host: decoded(url.pathname) };
  return { href: url.href, host: url.host }; // after any user name that imitates another host; punycode as it is
}

/** Whether the words of a link already say where it leads. @param {string} words @param {{href: string, host: string}} target */
export function saysWhere(words, target) {
  const said = words.trim().replace(/\/$/, "").toLowerCase();
  const bare = target.href.replace(/\/$/, "").toLowerCase();
  return said === bare || said === bare.replace(/^https?:\/\/|^mailto:/, "");
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
