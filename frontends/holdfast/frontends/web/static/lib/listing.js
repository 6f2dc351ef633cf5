/** A view of the stream that is a set of entries by id: the roster, the inbox. The same position rule as transcripts. */

/** @template {{position?: number}} T */
export class Listing {
  /** @type {Map<string, T>} */ entries = new Map();
  position = 0;
  ready = false;
  /** Whether its first content has been seen: what is there from the start is no news. */ told = false;

  /** @param {{items: any[], position: number}} snapshot */
  snapshot({ items, position }) {
    this.entries = new Map(items.map((item) => [idOf(item), item]));
    this.position = position;
    this.ready = true;
  }

  /** False where something is missing in between. @param {{from: number, position: number, ops: any[]}} patch */
  patch({ from, position, ops }) {
    if (!this.ready || from !== this.position) return false;
    for (const op of ops) {
      if (op.op === "drop") this.entries.delete(op.id);
      else if (op.op === "put") this.#put(op.item);
      else if (op.op === "set") this.#set(op);
    }
    this.position = position;
    return true;
  }

  /** What no event says, such as a countdown: laid over the entry until its next one. @param {{id: string, fields: any}} op */
  #set({ id, fields }) {
    const known = this.entries.get(id);
    if (known) this.entries.set(id, { ...known, ...fields });
  }

  /** @param {any} item */
  #put(item) {
    const id = idOf(item);
    const known = this.entries.get(id);
    // How a session is connected is told between events, with the position of the latest one: equal is newer here.
    if (known && (item.position ?? 0) < (known.position ?? 0)) return;
    this.entries.set(id, item);
  }
}

/** @param {any} item @returns {string} */
function idOf(item) {
  return item.id ?? item.request_id;
}
