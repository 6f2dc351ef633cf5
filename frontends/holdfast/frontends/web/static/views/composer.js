/** Where a person writes: one message after the other, queued while the agent is busy, never lost. */
import { html, useEffect, useMemo, useRef, useState } from "../lib/html.js";
import { LARGE_PASTE, attempt, completing, contentOf, draftOf, isEmpty, keepDraft, piecesOf } from "../lib/draft.js";
import { best } from "../lib/fuzzy.js";
import { get, newId } from "../lib/http.js";
import { command, send } from "../lib/commands.js";
import { complain, store } from "../lib/model.js";
import { useStore } from "../lib/store.js";
import { NOTHING } from "../lib/details.js";
import { Lazy } from "./lazy.js";
import { Choices } from "./pick.js";
import { amount, bytes, lastOf, line } from "../lib/words.js";

const PICTURES = /^image\/(?:png|jpeg|gif|webp)$/;
const MOST_BYTES = 15_000_000;

/** @param {{id: string}} props */
export function Composer({ id }) {
  const row = useStore(store, (state) => state.rows.find((each) => each.id === id));
  const details = useStore(store, (state) => state.details.get(id));
  const live = useStore(store, (state) => state.link.state === "live");
  const busy = row?.lifecycle === "streaming";
  const submit = async (/** @type {any} */ draft) => void (await send(id, contentOf(draft, row?.cwd ?? null), draft.id));
  return html`<footer class="foot">
    ${row?.queued ? html`<${Lazy} from=${() => import("./queue.js")} name="Queue" id=${id} held=${details?.held ?? false} queued=${row.queued} />` : null}
    <${Editor} key=${id} id=${id} cwd=${row?.cwd ?? null} commands=${details?.offers.commands ?? NOTHING.offers.commands} images=${details?.images ?? false} blocked=${!live} submit=${submit}
      placeholder=${busy ? "Queue a message" : `Message ${row?.agent ?? "the agent"}`} sends=${busy || (row?.queued ?? 0) > 0 ? "Queue" : "Send"}>
      <${Choices} offers=${details?.offers ?? NOTHING.offers} mode=${row?.mode ?? null} live=${live} tell=${(/** @type {string} */ verb, /** @type {any} */ body) => command(id, verb, body)} />
      <${Usage} details=${details} />
      ${busy ? html`<button type="button" class="stop" disabled=${!live} onClick=${() => command(id, "cancel")}>■ Stop</button>` : null}
    <//>
  </footer>`;
}

/**
 * @param {{id: string, cwd: string | null, commands: any[], images: boolean, blocked: boolean, submit: (draft: any) => Promise<string | void>,
 *   placeholder: string, sends: string, children?: any, autofocus?: boolean}} props  `submit` tells in which session it goes on, if in another one
 */
export function Editor({ id, cwd, commands, images, blocked, submit, placeholder, sends, children, autofocus = true }) {
  const draft = useRef(draftOf(id));
  const field = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const asking = useRef(/** @type {{timer?: ReturnType<typeof setTimeout>}} */ ({}));
  const known = useRef(commands);
  known.current = commands; // what waits for an answer must not go on with those of its beginning
  const [, again] = useState(0);
  const [sending, setSending] = useState(false);
  const [offer, setOffer] = useState(/** @type {any} */ (null));
  const redraw = () => again((n) => n + 1);

  useEffect(() => {
    const area = field.current;
    if (!area) return;
    area.value = draft.current.text;
    fit(area);
    if (autofocus && matchMedia("(pointer: fine)").matches) area.focus({ preventScroll: true });
    void piecesOf(id).then((kept) => { // those of an earlier visit, before what was added since
      const more = kept.filter((piece) => !draft.current.pieces.includes(piece));
      if (!more.length || field.current !== area) return;
      draft.current = { ...draft.current, pieces: [...more, ...draft.current.pieces] };
      keepDraft(id, draft.current);
      redraw();
    });
  }, []);

  useEffect(() => {
    const write = (/** @type {any} */ { detail }) => {
      const area = field.current;
      if (!area || detail.session !== id) return;
      area.value = area.value.trim() ? `${area.value}\n\n${detail.text}` : detail.text; // what stands there is not lost
      changed();
      area.focus();
    };
    addEventListener("holdfast-write", write);
    return () => removeEventListener("holdfast-write", write);
  });

  useEffect(() => { // what the agent offers may come after the letters that ask for it
    const area = field.current;
    const wanted = area && document.activeElement === area ? completing(area.value.slice(0, area.selectionStart)) : null;
    if (wanted?.kind === "command") look(wanted);
  }, [commands.map((each) => each.name).join("\n")]);

  const changed = () => {
    const area = /** @type {HTMLTextAreaElement} */ (field.current);
    const wasEmpty = isEmpty(draft.current);
    draft.current = { ...draft.current, text: area.value };
    keepDraft(id, draft.current);
    fit(area);
    const wanted = completing(area.value.slice(0, area.selectionStart));
    if (wanted || offer) look(wanted);
    if (wasEmpty !== isEmpty(draft.current)) redraw();
  };
  const look = (/** @type {any} */ wanted) => {
    if (!wanted) return setOffer(null);
    if (wanted.kind === "command") {
      const list = best(wanted.word, known.current, (/** @type {any} */ each) => each.name, 8).map((each) => ({ insert: `/${each.name} `, label: `/${each.name}`, note: each.description || each.hint }));
      return setOffer(list.length ? { ...wanted, list, at: 0 } : null);
    }
    const seen = filesSeen(id, wanted.word);
    offerFiles(wanted, seen);
    clearTimeout(asking.current.timer);
    asking.current.timer = setTimeout(async () => {
      const found = await filesIn(id, wanted.word);
      const area = field.current;
      const still = area && document.activeElement === area ? completing(area.value.slice(0, area.selectionStart)) : null;
      if (still?.kind === "file" && still.word === wanted.word) offerFiles(wanted, [...new Set([...seen.slice(0, 3), ...found])].slice(0, 10));
    }, 60);
  };
  const offerFiles = (/** @type {any} */ wanted, /** @type {string[]} */ paths) => {
    const list = paths.map((path) => ({ insert: `@${path} `, label: lastOf(path), note: path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "", path }));
    setOffer((/** @type {any} */ before) => list.length ? { ...wanted, list, at: before?.word === wanted.word ? Math.min(before.at, list.length - 1) : 0 } : null);
  };
  const take = (/** @type {any} */ choice) => {
    const area = /** @type {HTMLTextAreaElement} */ (field.current);
    const end = area.selectionStart;
    area.setRangeText(choice.insert, offer.from, end, "end");
    if (choice.path) draft.current.pieces = [...draft.current.pieces, { type: "file", path: choice.path }];
    setOffer(null);
    changed();
  };
  const add = (/** @type {any} */ piece) => {
    draft.current = { ...draft.current, pieces: [...draft.current.pieces, piece] };
    keepDraft(id, draft.current);
    redraw();
  };
  const go = async () => {
    const area = /** @type {HTMLTextAreaElement} */ (field.current);
    if (sending || blocked || isEmpty(draft.current)) return;
    setSending(true);
    try {
      const sent = (draft.current = attempt(draft.current));
      keepDraft(id, sent);
      const session = (await submit(sent)) ?? id;
      dispatchEvent(new CustomEvent("holdfast-sent", { detail: { session: id } }));
      // What was typed while it was on its way stays.
      const rest = area.value.startsWith(sent.text) ? area.value.slice(sent.text.length) : area.value;
      draft.current = { text: rest, id: newId(), pieces: draft.current.pieces.filter((piece) => !sent.pieces.includes(piece)) };
      area.value = rest;
      keepDraft(session, draft.current);
      fit(area);
      look(completing(rest.slice(0, area.selectionStart)));
    } catch (problem) {
      complain(problem); // the text stays, and so does its id: sending again cannot say it twice
    }
    setSending(false);
  };
  const press = (/** @type {KeyboardEvent} */ event) => {
    if (event.isComposing) return;
    if (offer && stillFor(offer, /** @type {HTMLTextAreaElement} */ (field.current))) {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        const size = offer.list.length;
        return setOffer({ ...offer, at: (offer.at + (event.key === "ArrowDown" ? 1 : size - 1)) % size });
      }
      if (event.key === "Tab" || event.key === "Enter") {
        event.preventDefault();
        return take(offer.list[offer.at]);
      }
      if (event.key === "Escape") {
        event.preventDefault();
        return setOffer(null);
      }
    }
    if (event.key === "Enter" && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      void go();
    } else if (event.key === "Tab" && !event.shiftKey && !event.ctrlKey) {
      const card = /** @type {HTMLElement | null} */ (document.querySelector(".transcript [data-request]"));
      if (!card) return;
      event.preventDefault();
      card.focus();
    }
  };
  const paste = (/** @type {ClipboardEvent} */ event) => {
    const data = event.clipboardData;
    const pictures = [...(data?.files ?? [])].filter((file) => PICTURES.test(file.type));
    if (pictures.length) {
      event.preventDefault();
      for (const file of pictures) void picture(file, images, add);
      return;
    }
    const text = data?.getData("text/plain") ?? "";
    if (text.length > LARGE_PASTE) {
      event.preventDefault();
      if (text.length > MOST_BYTES) complain(`That is ${bytes(text.length)}: more than one message can carry.`);
      else add({ type: "text", text });
    }
  };
  const empty = isEmpty(draft.current);
  return html`<form class="composer" onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); void go(); }}>
    ${offer ? html`<ul class="offer" role="listbox" id=${`offer-${id}`} aria-label=${offer.kind === "command" ? "Commands" : "Files"}>
      ${offer.list.map((/** @type {any} */ each, /** @type {number} */ at) => html`<li id=${`offer-${id}-${at}`} role="option" aria-selected=${at === offer.at} onMouseDown=${(/** @type {Event} */ event) => { event.preventDefault(); take(each); }}><b>${line(each.label)}</b> <span class="dim">${line(each.note)}</span></li>`)}
    </ul>` : null}
    <${Pieces} pieces=${draft.current.pieces} remove=${(/** @type {any} */ piece) => { draft.current.pieces = draft.current.pieces.filter((each) => each !== piece); keepDraft(id, draft.current); redraw(); }} />
    <textarea ref=${field} rows="1" aria-label="Message" placeholder=${placeholder} onInput=${changed} onKeyDown=${press} onPaste=${paste} onBlur=${() => setOffer(null)} dir="auto" enterkeyhint="send"
      aria-autocomplete="list" aria-controls=${offer ? `offer-${id}` : undefined} aria-activedescendant=${offer ? `offer-${id}-${offer.at}` : undefined}></textarea>
    <div class="bar">${children}<span class="space"></span>
      ${blocked ? html`<span class="dim">cannot be sent now</span>` : null}
      <button type="submit" class="primary" disabled=${blocked || sending || empty}>${sending ? "Sending …" : sends}</button></div>
  </form>`;
}

/** @param {HTMLTextAreaElement} area */
function fit(area) {
  if (CSS.supports("field-sizing", "content")) return; // the browser does it, without a layout for each key
  area.style.height = "auto";
  area.style.height = `${Math.min(area.scrollHeight, 320)}px`;
}

/** @param {File} file @param {boolean} taken @param {(piece: any) => void} add */
async function picture(file, taken, add) {
  if (!taken) return complain("This agent does not take pictures.");
  if (file.size > MOST_BYTES * 0.7) return complain(`That picture has ${bytes(file.size)}: more than one message can carry.`);
  const url = await new Promise((done) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result);
    reader.readAsDataURL(file);
  });
  add({ type: "image", mimeType: file.type, data: String(url).split(",")[1], name: file.name || "picture" });
}

/** @param {{pieces: any[], remove: (piece: any) => void}} props */
function Pieces({ pieces, remove }) {
  const shown = pieces.filter((piece) => piece.type !== "file");
  if (!shown.length) return null;
  return html`<ul class="pieces">${shown.map((piece) => html`<li class="chip">
    ${piece.type === "image" ? html`<img src=${`data:${piece.mimeType};base64,${piece.data}`} alt="" /> ${line(piece.name)}` : html`Pasted text, ${bytes(piece.text.length)}`}
    <button type="button" class="quiet small" aria-label="Remove" onClick=${() => remove(piece)}>✕</button></li>`)}</ul>`;
}

/** Tell whether an offer is for what stands there now: it may be on the screen a moment longer. @param {any} offer @param {HTMLTextAreaElement} area */
function stillFor(offer, area) {
  const wanted = completing(area.value.slice(0, area.selectionStart));
  return wanted?.kind === offer.kind && wanted?.from === offer.from;
}

/** Files below the session's folder; none where there is no session yet. @param {string} id @param {string} word @returns {Promise<string[]>} */
async function filesIn(id, word) {
  if (!store.get().transcripts.has(id)) return [];
  const found = await get(`/sessions/${id}/files`, { q: word, limit: 10 }).catch(() => null);
  return (found?.items ?? []).filter((/** @type {string} */ path) => !/\s/.test(path));
}

/** Files that the conversation has been about: those that tools read, wrote or pointed at. @param {string} id @param {string} word */
function filesSeen(id, word) {
  /** @type {Set<string>} */
  const seen = new Set();
  const cwd = store.get().rows.find((row) => row.id === id)?.cwd;
  for (const item of store.get().transcripts.get(id)?.model.items.slice(-400) ?? []) {
    const { input, content } = /** @type {any} */ (item);
    for (const path of [input?.path, input?.file_path, input?.abs_path, ...(Array.isArray(content) ? content.map((each) => each?.path) : [])]) {
      if (typeof path !== "string" || path.length > 300 || /\s/.test(path)) continue;
      seen.add(cwd && path.startsWith(`${cwd}/`) ? path.slice(cwd.length + 1) : path);
    }
  }
  return best(word, [...seen], (path) => path, 8);
}

/** @param {{details: any}} props */
function Usage({ details }) {
  const context = details?.context;
  return useMemo(() => {
    if (!context && !details?.cost) return null;
    const share = context ? Math.min(100, Math.round((100 * context.used) / context.size)) : 0;
    return html`<span class="usage">${context ? html`<meter min="0" max="100" high="85" value=${share} aria-label="Context used"></meter><span title=${`${context.used} of ${context.size} tokens`}>${share}% of ${amount(context.size)}</span>` : null}${details.cost ? html`<span>${line(details.cost)}</span>` : null}</span>`;
  }, [context, details?.cost]);
}
