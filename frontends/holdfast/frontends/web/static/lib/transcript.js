/**
 * One transcript as far as it is loaded, and the rule by which the stream changes it: an operation counts only where its
 * position is greater than the item's, so that pages, snapshots and patches may overlap in any order.
 */

/**
 * @typedef {object} Item  An entry, as the contract has it. `ordinal` is its place: items ascend by first appearance.
 * @property {string} id
 * @property {number} position
 * @property {"message" | "thought" | "tool_call" | "plan" | "permission" | "notice" | "raw"} kind
 * @property {string} at
 * @property {number} [ordinal]
 * @property {string} [text]
 * @typedef {{op: "put", item: Item} | {op: "append", id: string, at: number, text: string, position: number}
 *   | {op: "drop", id: string}} Op
 */

export class Transcript {
  /** @type {Item[]} */ items = [];
  /** @type {Map<string, number>} place of each item in `items` */ #places = new Map();
  /** @type {Map<string, number>} characters of texts that grow, counted as the log counts them */ #lengths = new Map();
  /** @type {Op[]} operations on items that a page on its way may bring */ #early = [];
  /** The log as far as it is shown. */ position = 0;
  /** @type {string | null} gets the page before the first item; null at the beginning */ before = null;
  /** Grows with every change. */ version = 0;
  /** Grows when an item comes, goes or changes otherwise than by more text. */ shape = 0;
  /** Whether the server has answered yet. */ ready = false;
  /** Whether older items are on their way. */ loading = false;
  /** Where what the server vouched for since the last connection begins; what is above may be older than it seems. */
  freshFrom = 0;

  /** @param {string} id @returns {Item | undefined} */
  get(id) {
    const place = this.#places.get(id);
    return place === undefined ? undefined : this.items[place];
  }

  /** @param {string} id */
  placeOf(id) {
    return this.#places.get(id) ?? -1;
  }

  /** Begin anew with what the server shows, keeping older items where the two meet. @param {{items: Item[], before: string | null, position: number}} snapshot */
  snapshot({ items, before, position }) {
    const meet = items.length ? this.placeOf(items[0].id) : -1;
    this.items = meet > 0 ? this.items.slice(0, meet).concat(items) : items.slice();
    this.freshFrom = meet > 0 ? meet : 0;
    this.before = before;
    this.position = position;
    this.ready = true;
    this.#lengths.clear();
    this.#reindex();
  }

  /** Take a page of older items. @param {{items: Item[], before: string | null}} page */
  older({ items, before }) {
    const known = new Set(items.map((item) => item.id));
    const fresh = items.map((item) => {
      const mine = this.get(item.id);
      return mine && mine.position > item.position ? mine : item;
    });
    const above = this.items.slice(0, this.freshFrom).filter((item) => !known.has(item.id));
    const first = fresh[0];
    const kept = first === undefined ? above : above.filter((item) => comesBefore(item, first));
    const below = this.items.slice(this.freshFrom).filter((item) => !known.has(item.id));
    this.items = [...(before === null ? [] : kept), ...fresh, ...below];
    this.freshFrom = before === null ? 0 : kept.length;
    this.before = before;
    this.loading = false;
    this.#lengths.clear();
    this.#reindex();
    const early = this.#early;
    this.#early = [];
    this.change(early);
  }

  /** Take a stretch of the past: the first one, or one that goes on below what is there. @param {{items: Item[], before: string | null, position: number}} page */
  follow({ items, before, position }) {
    const last = this.items.at(-1);
    if (!last) this.before = before;
    this.items = this.items.concat(last ? items.filter((item) => !this.#places.has(item.id) && comesBefore(last, item)) : items);
    this.position = position;
    this.ready = true;
    this.loading = false;
    this.#reindex();
    const early = this.#early;
    this.#early = [];
    this.change(early);
  }

  /** Take operations on items that are here, and keep the others where a page on its way may bring them. @param {Op[]} ops */
  change(ops) {
    for (const op of ops) {
      if (this.#places.has(op.op === "put" ? op.item.id : op.id)) this.#apply(op);
      else if (this.loading) this.#early.push(op);
    }
    this.version += 1;
  }

  /** Take a stretch of the past that has come down to here. False where something is missing in between. @param {Transcript} past */
  join(past) {
    const fresh = this.items.slice(this.freshFrom);
    const meet = fresh.length ? past.placeOf(fresh[0].id) : -1;
    if (meet < 0) return false;
    this.items = past.items.slice(0, meet).concat(fresh);
    this.freshFrom = 0;
    this.before = past.before;
    this.#lengths.clear();
    this.#reindex();
    return true;
  }

  /**
   * Take a patch. False where something is missing in between: then subscribe again.
   * @param {{from: number, position: number, ops: Op[]}} patch
   */
  patch({ from, position, ops }) {
    if (!this.ready || from !== this.position) return false;
    for (const op of ops) this.#apply(op);
    this.position = position;
    this.version += 1;
    return true;
  }

  /** @param {Op} op */
  #apply(op) {
    if (op.op === "put") return this.#put(op.item);
    if (op.op === "drop") return this.#drop(op.id);
    if (op.op !== "append") return undefined; // of a later version
    const place = this.#places.get(op.id);
    if (place === undefined) {
      if (this.loading) this.#early.push(op);
      return undefined;
    }
    const item = this.items[place];
    if (op.position <= item.position) return undefined;
    const text = item.text ?? "";
    const length = this.#lengths.get(op.id) ?? points(text);
    if (op.at > length) { // pieces before it are missing: the item is above what the server vouched for, and its page will bring them
      if (this.loading) this.#early.push(op);
      return undefined;
    }
    const kept = op.at >= length ? text : [...text].slice(0, op.at).join("");
    this.items[place] = { ...item, text: kept + op.text, position: op.position };
    this.#lengths.set(op.id, Math.min(op.at, length) + points(op.text));
    return undefined;
  }

  /** @param {Item} item */
  #put(item) {
    const place = this.#places.get(item.id);
    this.#lengths.delete(item.id);
    if (place !== undefined) {
      if (item.position <= this.items[place].position) return;
      this.items[place] = item;
      this.shape += 1;
      return;
    }
    if (this.before !== null && this.items.length && comesBefore(item, this.items[0])) {
      if (this.loading) this.#early.push({ op: "put", item });
      return; // of a page that is not loaded
    }
    let at = this.items.length;
    while (at > 0 && comesBefore(item, this.items[at - 1])) at -= 1;
    this.items.splice(at, 0, item);
    if (at === this.items.length - 1) this.#places.set(item.id, at);
    else this.#reindex();
    this.shape += 1;
  }

  /** @param {string} id */
  #drop(id) {
    const place = this.#places.get(id);
    if (place === undefined) return;
    this.items.splice(place, 1);
    if (place < this.freshFrom) this.freshFrom -= 1;
    this.#reindex();
  }

  #reindex() {
    this.#places = new Map(this.items.map((item, place) => [item.id, place]));
    this.version += 1;
    this.shape += 1;
  }
}

/** Only a server that tells no places leaves the times to decide. @param {Item} one @param {Item} other */
function comesBefore(one, other) {
  if (one.ordinal !== undefined && other.ordinal !== undefined) return one.ordinal < other.ordinal;
  return one.at < other.at;
}

/** Characters as the log counts them: one for each code point. @param {string} text */
export function points(text) {
  let pairs = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit >= 0xd800 && unit < 0xdc00 && at + 1 < text.length) {
      const next = text.charCodeAt(at + 1);
      if (next >= 0xdc00 && next < 0xe000) {
        pairs += 1;
        at += 1;
      }
    }
  }
  return text.length - pairs;
}
