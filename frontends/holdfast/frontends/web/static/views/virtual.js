/** A long list of which only the lines in sight exist. It keeps its place while lines around it come, go and grow. */
import { Component } from "../vendor/preact.js";
import { Geometry } from "../lib/geometry.js";
import { html } from "../lib/html.js";

const BEYOND = 700; // pixels above and below the sight that exist as well
const CLOSE = 1_500; // this close to the first or last line is time to load more
const NEAR = 30; // this close to the end counts as the end

/**
 * @typedef {object} Props
 * @property {{key: string}[]} lines
 * @property {(line: any) => any} show
 * @property {(line: any, width: number) => number} guess
 * @property {string} label
 * @property {() => void} [onTop]  called when the reader comes near the first line
 * @property {() => void} [onBottom]  called when the reader comes near the last line
 * @property {boolean} [more]  whether something follows the last line, so that it is not the end
 * @property {(atEnd: boolean) => void} [onEnd]  called when the reader reaches or leaves the end
 * @property {{current: VirtualList | null}} [handle]  gets the list itself, to be sent somewhere
 * @property {number} version  changes whenever a line may look otherwise
 */

export class VirtualList extends Component {
  geometry = new Geometry();
  /** @type {HTMLElement | null} */ scroller = null;
  /** @type {HTMLElement | null} */ canvas = null;
  /** @type {HTMLElement | null} */ sight = null;
  follow = true;
  /** Whether the end was in sight when that was last told. */ atEnd = true;
  /** @type {{key: string, delta: number} | null} the line at the upper edge, and how far it is above it */ anchor = null;
  top = 0;
  height = 800;
  width = 700;
  first = 0;
  last = -1;
  /** @type {any} */ lines = null;
  settling = false;
  /** @type {ResizeObserver | null} */ observer = null;

  componentDidMount() {
    if (this.props.handle) this.props.handle.current = this;
    this.observer = new ResizeObserver(() => this.resized());
    if (this.scroller) this.observer.observe(this.scroller);
    if (this.sight) this.observer.observe(this.sight);
    this.resized();
    this.settle();
  }

  componentWillUnmount() {
    this.observer?.disconnect();
  }

  componentDidUpdate() {
    this.settle();
  }

  resized() {
    const box = this.scroller;
    if (!box) return;
    if (box.clientWidth !== this.width) {
      this.width = box.clientWidth;
      this.geometry.forget();
      this.take(this.props.lines);
    }
    this.height = box.clientHeight;
    this.settle();
  }

  /** @param {{key: string}[]} lines */
  take(lines) {
    this.lines = lines;
    this.geometry.set(
      lines.map((line) => line.key),
      lines.map((line) => this.props.guess(line, this.width)),
    );
  }

  /** Show a line near the upper edge. @param {string} key */
  jump(key) {
    if (this.geometry.placeOf(key) < 0) return;
    this.follow = false;
    this.anchor = { key, delta: -Math.round(this.height * 0.2) };
    this.forceUpdate();
  }

  toEnd() {
    this.follow = true;
    this.forceUpdate();
  }

  toTop() {
    this.follow = false;
    this.anchor = null; // lines that are yet to be drawn may come before those that are
    this.top = 0;
    this.forceUpdate();
  }

  /** Where the list should stand now. */
  wanted() {
    const most = Math.max(0, this.geometry.total - this.height);
    if (this.follow) return most;
    if (!this.anchor) return Math.min(this.top, most);
    const place = this.geometry.placeOf(this.anchor.key);
    if (place < 0) return Math.min(this.top, most);
    return Math.max(0, Math.min(most, this.geometry.offset(place) + this.anchor.delta));
  }

  /** Measure what is there, and put everything where that says it belongs. */
  settle() {
    const { scroller, canvas, sight } = this;
    if (!scroller || !canvas || !sight || this.settling) return;
    this.settling = true;
    let changed = false;
    for (const child of /** @type {Iterable<HTMLElement>} */ (sight.children)) {
      if (child.dataset.key && this.geometry.measure(child.dataset.key, child.getBoundingClientRect().height)) changed = true;
    }
    const total = this.geometry.total;
    canvas.style.height = `${total}px`;
    sight.style.transform = `translateY(${this.geometry.offset(this.first)}px)`;
    const top = this.wanted();
    if (Math.abs(scroller.scrollTop - top) > 0.5) scroller.scrollTop = top;
    this.top = top;
    this.settling = false;
    this.tellEnd(this.follow || (!this.props.more && top + this.height >= total - NEAR));
    if (changed || !this.covers()) this.renderIfNeeded();
  }

  /** @param {boolean} end */
  tellEnd(end) {
    if (end === this.atEnd) return;
    this.atEnd = end;
    this.props.onEnd?.(end);
  }

  covers() {
    const { geometry } = this;
    if (!geometry.keys.length) return true;
    const above = this.first === 0 || geometry.offset(this.first) <= this.top - 100;
    const below = this.last >= geometry.keys.length - 1 || geometry.offset(this.last + 1) >= this.top + this.height + 100;
    return above && below;
  }

  renderIfNeeded() {
    if (!this.covers()) this.forceUpdate();
  }

  scrolled = () => {
    const box = this.scroller;
    if (!box || this.settling) return;
    if (Math.abs(box.scrollTop - this.top) < 1) return; // our own doing
    this.top = box.scrollTop;
    const left = this.geometry.total - this.top - this.height;
    const end = !this.props.more && left <= NEAR;
    this.follow = end;
    this.tellEnd(end);
    const place = this.geometry.at(this.top);
    const key = this.geometry.keys[place];
    this.anchor = key === undefined ? null : { key, delta: this.top - this.geometry.offset(place) };
    if (this.top < CLOSE) this.props.onTop?.();
    if (left < CLOSE) this.props.onBottom?.();
    this.renderIfNeeded();
  };

  render() {
    const { lines, show, label } = /** @type {Props} */ (this.props);
    if (lines !== this.lines) this.take(lines);
    this.top = this.wanted();
    this.first = this.geometry.at(Math.max(0, this.top - BEYOND));
    this.last = Math.min(lines.length - 1, this.geometry.at(this.top + this.height + BEYOND));
    return html`<div class="scroller" role="log" aria-label=${label} aria-live="off" tabindex="0" ref=${(/** @type {any} */ element) => (this.scroller = element)} onScroll=${this.scrolled}>
      <div class="canvas" ref=${(/** @type {any} */ element) => (this.canvas = element)}>
        <div class="sight" ref=${(/** @type {any} */ element) => (this.sight = element)}>
          ${lines.slice(this.first, this.last + 1).map((line) => html`<div class="line" key=${line.key} data-key=${line.key}>${show(line)}</div>`)}
        </div>
      </div>
    </div>`;
  }
}
