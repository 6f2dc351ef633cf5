/** Notifications of this browser: only of what became pressing or finished while nobody looked, and withdrawn once somebody did. */
import { keep, recall } from "./keep.js";
import { isMuted, nameOf, statusOf } from "./status.js";
import { line } from "./words.js";

/**
 * @typedef {{on: boolean, sound: boolean, preview: boolean, quiet: {from: string, to: string} | null}} Wishes
 * @typedef {import("./status.js").Row & {focused?: string[]}} Row
 */

/** @type {Wishes} */
const PLAIN = { on: false, sound: false, preview: true, quiet: null };

/** @returns {Wishes} */
export const wishes = () => ({ ...PLAIN, ...recall("notify", {}) });

/** @param {Partial<Wishes>} change */
export const wish = (change) => keep("notify", { ...wishes(), ...change });

/** Whether this browser can, and may. @returns {"none" | "default" | "granted" | "denied"} */
export const able = () => (typeof Notification === "undefined" ? "none" : Notification.permission);

/** Whether a moment lies in the quiet hours, which may go over midnight. @param {{from: string, to: string} | null} quiet @param {Date} now */
export function isQuiet(quiet, now) {
  if (!quiet?.from || !quiet.to) return false;
  const time = `${String(now.getHours()).padStart(2, "0")}:${String(now.getMinutes()).padStart(2, "0")}`;
  return quiet.from <= quiet.to ? quiet.from <= time && time < quiet.to : quiet.from <= time || time < quiet.to;
}

/** What a person has to be told of, when a row becomes another one. @param {Row | undefined} before @param {Row} after @param {number} now @returns {"needs_you" | "failed" | "unread" | null} */
export function worth(before, after, now) {
  if (!before || after.position <= before.position || isMuted(after, now) || after.focused?.length) return null;
  const status = statusOf(after);
  if (status !== "needs_you" && status !== "failed" && status !== "unread") return null;
  if (status === "needs_you") return after.pending > before.pending ? status : null;
  return status === statusOf(before) ? null : status;
}

/**
 * How long to wait for another frontend that tells it: the tray, which does so at once, or another window. Not equally long in all windows.
 * @param {number} random
 */
export const patience = (random = Math.random()) => 1_000 + 1_000 * random;

const WORDS = { needs_you: "needs you", failed: "failed", unread: "has finished" };

export class Notifier {
  /** @type {Map<string, Row> | null} what was known; nothing yet: what is there from the start is no news */ #known = null;
  /** @type {Map<string, {why: string, told: Notification}>} */ #shown = new Map();

  /** @type {Map<string, {item: string, position: number}[]>} what any frontend has told people of lately, by session */ #told = new Map();

  /**
   * @param {{question: (session: string) => {id: string, title: string} | undefined, open: (session: string, item: string | null) => void,
   *   newest: (session: string, why: string) => Promise<string | null>, record: (session: string, item: string) => Promise<unknown>,
   *   pause?: () => Promise<unknown>}} options
   *   `newest` finds the item of the transcript that tells why; `record` says in the log that this page tells of it.
   */
  constructor(options) {
    this.options = options;
  }

  /** The roster is unknown again: what changes until it is known is no news either. */
  forget() {
    this.#known = null;
  }

  /** Somebody was told, by whichever frontend. @param {{session_id: string, position: number, data: {item_id: string} | null}[]} events */
  heard(events) {
    for (const { session_id: session, position, data } of events) {
      if (data) this.#told.set(session, [...(this.#told.get(session) ?? []), { item: data.item_id, position }].slice(-16));
    }
  }

  /** @param {Row[]} rows */
  look(rows) {
    const now = Date.now();
    const known = this.#known;
    this.#known = new Map(rows.map((row) => [row.id, row]));
    for (const [id, { why, told }] of this.#shown) {
      const row = this.#known.get(id);
      if (!row || row.focused?.length || statusOf(row) !== why) {
        told.close();
        this.#shown.delete(id);
      }
    }
    const { on, quiet } = wishes();
    if (!known || !on || able() !== "granted" || isQuiet(quiet, new Date(now))) return;
    for (const row of rows) {
      const before = known.get(row.id);
      const why = worth(before, row, now);
      if (before && why) void this.#consider(row.id, why, before.position);
    }
  }

  /** Tell of it unless another frontend does, or it is over by then. @param {string} id @param {"needs_you" | "failed" | "unread"} why @param {number} since the position before it */
  async #consider(id, why, since) {
    await (this.options.pause?.() ?? new Promise((done) => setTimeout(done, patience())));
    const question = why === "needs_you" ? this.options.question(id) : undefined;
    const item = question?.id ?? (await this.options.newest(id, why).catch(() => null));
    const row = this.#known?.get(id);
    if (!row || statusOf(row) !== why || row.focused?.length || isMuted(row, Date.now())) return;
    // Of questions there may be several at once; of anything else only the latest counts, whatever its item is called.
    if (this.#told.get(id)?.some((told) => told.item === item || (!question && told.position > since))) return;
    this.#tell(row, why, question, item);
    if (item) await this.options.record(id, item).catch(() => null); // a daemon that is away for the moment keeps nobody from being told
  }

  /** @param {Row} row @param {"needs_you" | "failed" | "unread"} why @param {{id: string, title: string} | undefined} question @param {string | null} item */
  #tell(row, why, question, item) {
    const { sound, preview } = wishes();
    const words = why === "failed" ? (row.connection.error ?? row.preview) : (question?.title ?? row.preview);
    const told = new Notification(`${line(nameOf(row))} ${WORDS[why]}`, { body: preview ? line(words ?? "").slice(0, 300) : "", tag: `holdfast-${row.id}`, icon: "/static/icon-192.png", silent: !sound });
    told.onclick = () => {
      focus();
      told.close();
      this.options.open(row.id, item);
    };
    this.#shown.set(row.id, { why, told });
  }
}
