/** Where the lines of a long list are, when only those in sight exist: heights as measured, guesses for the rest. */

export class Geometry {
  /** @type {string[]} */ keys = [];
  /** @type {Map<string, number>} */ #measured = new Map();
  /** @type {Map<string, number>} */ #places = new Map();
  /** @type {number[]} */ #guesses = [];
  #offsets = new Float64Array(1);
  /** Offsets up to here are right. */ #sure = 0;

  /** @param {string[]} keys @param {number[]} guesses */
  set(keys, guesses) {
    this.keys = keys;
    this.#guesses = guesses;
    this.#places = new Map(keys.map((key, place) => [key, place]));
    if (this.#offsets.length < keys.length + 1) this.#offsets = new Float64Array(Math.ceil((keys.length + 1) * 1.5));
    this.#sure = 0;
  }

  /** @param {string} key @param {number} height @returns {boolean} whether that was news */
  measure(key, height) {
    const place = this.#places.get(key);
    if (place === undefined || Math.abs((this.#measured.get(key) ?? -1) - height) < 0.5) return false;
    this.#measured.set(key, height);
    this.#sure = Math.min(this.#sure, place);
    return true;
  }

  /** Forget every height: the width has changed. */
  forget() {
    this.#measured.clear();
    this.#sure = 0;
  }

  /** @param {string} key */
  isMeasured(key) {
    return this.#measured.has(key);
  }

  /** @param {string} key */
  placeOf(key) {
    return this.#places.get(key) ?? -1;
  }

  get total() {
    return this.offset(this.keys.length);
  }

  /** The upper edge of a line. @param {number} place */
  offset(place) {
    for (let at = this.#sure; at < place; at += 1) {
      this.#offsets[at + 1] = this.#offsets[at] + (this.#measured.get(this.keys[at]) ?? this.#guesses[at]);
    }
    this.#sure = Math.max(this.#sure, place);
    return this.#offsets[place];
  }

  /** The line at a height. @param {number} y */
  at(y) {
    let low = 0;
    let high = this.keys.length - 1;
    this.offset(this.keys.length);
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#offsets[middle] <= y) low = middle;
      else high = middle - 1;
    }
    return Math.max(0, low);
  }
}
