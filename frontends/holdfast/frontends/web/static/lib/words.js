/** Numbers, times and text from outside, in the few words and harmless characters that a person wants to read. */

const SPANS = [[31_557_600, "y"], [604_800, "w"], [86_400, "d"], [3_600, "h"], [60, "m"]];

/** How long ago it was: `12s`, `5m`, `3h`, `2d`. @param {string} iso @param {number} now milliseconds */
export function age(iso, now) {
  const seconds = Math.max(0, Math.floor((now - Date.parse(iso)) / 1000));
  const span = SPANS.find(([size]) => seconds >= size);
  return span ? `${Math.floor(seconds / span[0])}${span[1]}` : seconds < 10 ? "now" : `${seconds}s`;
}

/** Whole seconds until a time, never below 0. @param {string | number} when @param {number} now */
export function secondsUntil(when, now) {
  return Math.max(0, Math.ceil(((typeof when === "number" ? when : Date.parse(when)) - now) / 1000));
}

/** `950`, `12k`, `1.2M`. @param {number} number */
export function amount(number) {
  if (number < 1_000) return String(number);
  if (number < 1_000_000) return `${Math.floor(number / 1_000)}k`;
  const [size, unit] = number < 1e9 ? [1e6, "M"] : [1e9, "G"];
  const value = number / size;
  return `${value < 9.95 ? value.toFixed(1) : Math.floor(value)}${unit}`;
}

/** `1 event`, `1,204 events`. @param {number} number @param {string} one @param {string} [many] */
export function count(number, one, many = `${one}s`) {
  return `${NUMBER.format(number)} ${number === 1 ? one : many}`;
}

/** `812 B`, `1.4 MB`. @param {number} size */
export function bytes(size) {
  if (size < 1_000) return `${size} B`;
  if (size < 1_000_000) return `${Math.round(size / 1_000)} kB`;
  return size < 1e9 ? `${(size / 1e6).toFixed(1)} MB` : `${(size / 1e9).toFixed(1)} GB`;
}

/** A folder as people say it: `~` for a home. @param {string | null} path */
export function folder(path) {
  return (path ?? "").replace(/^(?:\/root|\/home\/[^/]+|\/Users\/[^/]+)(?=\/|$)/, "~");
}

/** A folder in little room: its last two parts where there are many. @param {string | null} path */
export function brief(path) {
  const parts = folder(path).split("/");
  return parts.length > 4 ? `…/${parts.slice(-2).join("/")}` : parts.join("/");
}

/** The last part of a folder. @param {string | null} path */
export function lastOf(path) {
  return folder(path).split("/").filter(Boolean).at(-1) ?? "";
}

// To make one of these takes longer than to use it a hundred times.
const NUMBER = new Intl.NumberFormat("en");
const CLOCK = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit" });
const MOMENT = new Intl.DateTimeFormat([], { dateStyle: "medium", timeStyle: "short" });
const DAY = new Intl.DateTimeFormat([], { weekday: "long", day: "numeric", month: "long", year: "numeric" });

/** @param {string} iso */
export const clock = (iso) => written(CLOCK, iso);

/** @param {string} iso */
export const dateAndTime = (iso) => written(MOMENT, iso);

/** @param {string} iso */
export const dayOf = (iso) => written(DAY, iso);

/** @param {Intl.DateTimeFormat} format @param {string} iso */
function written(format, iso) {
  const time = Date.parse(iso);
  return Number.isNaN(time) ? "" : format.format(time);
}

// What shows nothing, or reorders what stands around it. Joiners (200C, 200D) and emoji variations stay in plain text.
const HIDDEN =
  "\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f" +
  "\\u3164\\ufeff\\uffa0\\ufff0-\\ufffb\\u{e0000}-\\u{e0fff}\\ud800-\\udfff";
const IN_BLOCK = new RegExp(`[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f${HIDDEN}]`, "gu");
const IN_LINE = new RegExp(`[\\u0000-\\u001f\\u007f-\\u009f\\u200c\\u200d${HIDDEN}]`, "gu");
const PLAIN = /^[\x20-\x7e\n]*$/;

const escape = (/** @type {string} */ character) => {
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  return code < 0x100 ? `\\x${hex.padStart(2, "0")}` : code < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\u{${hex}}`;
};

/** Text with its lines; other controls and bidirectional characters become escapes that can be seen. @param {string} text */
export function block(text) {
  if (PLAIN.test(text)) return text;
  return text.replace(/\r\n?/g, "\n").replace(IN_BLOCK, escape);
}

/** Text on one line, everything unseen escaped: for titles, names and commands. @param {unknown} text */
export function line(text) {
  const words = String(text ?? "");
  if (/^[\x20-\x7e]*$/.test(words)) return words;
  return words.replace(/[ \t\r\n]*[\t\r\n][ \t\r\n]*/g, " ").replace(IN_LINE, escape);
}

/** Markdown in little room: without the marks that only make it bold, code or a heading. @param {string} text */
export const unmarked = (text) => text.replace(/\*\*|`+|(?<=^|\s)#{1,6} /g, "");

/** The same on one line, for previews. @param {unknown} text */
export const plain = (text) => line(unmarked(String(text ?? "")));
