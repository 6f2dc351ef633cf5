/** What is being written and not yet sent, for each session, as content blocks when it goes. */
import { forgetCopy, keep, readCopy, recall, saveCopy } from "./keep.js";
import { newId } from "./http.js";

/** A paste above this becomes an attachment: a text field of a megabyte freezes the page with each key. */
export const LARGE_PASTE = 20_000;

/**
 * @typedef {{text: string, id: string, pieces: Piece[], tried?: string, other?: boolean}} Draft  `id` is the client id: the same until it
 *   has arrived, or says something else than what was `tried` by it; then it is an `other`
 * @typedef {{type: "text", text: string} | {type: "image", mimeType: string, data: string, name: string}
 *   | {type: "file", path: string}} Piece
 */

/** Pictures and large pastes, which the small storage of drafts has no room for. @type {Map<string, Piece[]>} */
const held = new Map();

/** @param {string} session @returns {Draft} */
export function draftOf(session) {
  const kept = recall(`draft.${session}`, null);
  return { ...kept, text: kept?.text ?? "", id: kept?.id ?? newId(), pieces: held.get(session) ?? [] };
}

/** The draft as it is sent now. What was sent before may have arrived though nobody said so: by its id nothing else is heard. @param {Draft} draft @returns {Draft} */
export function attempt(draft) {
  const pieces = draft.pieces.map((piece) => (piece.type === "file" ? piece.path : `${piece.type} ${(piece.type === "text" ? piece.text : piece.data).length}`));
  const tried = [draft.text.trim(), ...pieces].join("\n");
  return draft.tried === undefined || draft.tried === tried ? { ...draft, tried } : { ...draft, tried, other: true, id: newId() };
}

/** The pieces of an earlier visit, which `draftOf` does not know. @param {string} session @returns {Promise<Piece[]>} */
export async function piecesOf(session) {
  return held.has(session) ? [] : ((await readCopy(`draft-${session}`))?.value ?? []);
}

/** @param {string} session @param {Draft} draft */
export function keepDraft(session, draft) {
  if (held.get(session) !== draft.pieces) {
    const had = held.get(session)?.length;
    held.set(session, draft.pieces);
    if (draft.pieces.length) void saveCopy(`draft-${session}`, draft.pieces);
    else if (had) void forgetCopy(`draft-${session}`);
  }
  keep(`draft.${session}`, isEmpty(draft) ? null : { text: draft.text, id: draft.id, tried: draft.tried, other: draft.other });
}

/** @param {Draft} draft @param {string | null} cwd */
export function contentOf(draft, cwd) {
  const text = draft.text.trim();
  /** @type {any[]} */
  const blocks = text ? [{ type: "text", text }] : [];
  for (const piece of draft.pieces) {
    if (piece.type === "text") blocks.push({ type: "text", text: piece.text });
    else if (piece.type === "image") blocks.push({ type: "image", mimeType: piece.mimeType, data: piece.data });
    else if (text.includes(`@${piece.path}`)) {
      const full = piece.path.startsWith("/") ? piece.path : `${(cwd ?? "").replace(/\/$/, "")}/${piece.path}`;
      blocks.push({ type: "resource_link", uri: `file://${full.split("/").map(encodeURIComponent).join("/")}`, name: piece.path });
    }
  }
  return blocks.length === 1 && blocks[0].type === "text" ? blocks[0].text : blocks;
}

/** @param {Draft} draft */
export const isEmpty = (draft) => !draft.text.trim() && !draft.pieces.some((piece) => piece.type !== "file");

/** The beginning of a word that can be completed, at the end of what stands before the caret. @param {string} before
 * @returns {{kind: "command" | "file", word: string, from: number} | null} */
export function completing(before) {
  const slash = /^\/([\w:.-]*)$/.exec(before);
  if (slash) return { kind: "command", word: slash[1], from: 0 };
  const at = /(?:^|\s)@([^\s@]*)$/.exec(before);
  return at ? { kind: "file", word: at[1], from: before.length - at[1].length - 1 } : null;
}
