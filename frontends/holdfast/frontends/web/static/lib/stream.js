/** The WebSocket to the daemon: hello, subscriptions that outlive it, and coming back by itself. */

const PROTOCOL = "holdfast.v1";
const SIGNED_OUT = 4401;
const LOOK_MS = 1_000;
const ASK_AFTER_MS = 2_000;
const LOST_AFTER_MS = 5_000;
const ASK_AGAIN_MS = 1_000;

/** How long to wait before an attempt: quick at first, never more than ten seconds. @param {number} attempt from 1 */
export function delay(attempt, random = Math.random()) {
  return Math.min(10_000, 250 * 2 ** Math.min(attempt, 6)) * (0.75 + random / 2);
}

/**
 * @typedef {object} Handlers  What a subscription does with what comes; `reset` asks whether to begin anew at once.
 * @property {(frame: any) => void} [snapshot]
 * @property {(frame: any) => boolean} [patch]  false where something is missing
 * @property {(frame: any) => void} [events]
 * @property {(frame: any) => void} [frames]
 * @property {(frame: any) => void} [caughtUp]
 * @property {() => void} [gone]  what it is of is not there, or not any more
 * @typedef {{state: "connecting" | "live" | "down" | "signed_out", attempt: number, retryAt: number | null, heardAt: number}} Link
 */

export class Stream {
  /** @type {WebSocket | null} */ #socket = null;
  /** @type {Map<string, {spec: any, handlers: Handlers}>} */ #subscriptions = new Map();
  #count = 0;
  #attempt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer;
  /** @type {ReturnType<typeof setInterval> | undefined} */ #pulse;
  #heardAt = 0;
  #quietSince = 0;
  #lookedAt = 0;
  /** @type {{session: string | null, newest: boolean}} */ #focus = { session: null, newest: false };

  /**
   * @param {{url: string, client: string, onLink: (link: Link) => void, allowed: () => Promise<boolean>,
   *   onFrame?: (way: "in" | "out", frame: any) => void}} options
   *   `allowed` tells, after an attempt that failed, whether the browser is still signed in.
   */
  constructor(options) {
    this.options = options;
  }

  connect() {
    clearTimeout(this.#timer);
    this.#socket?.close();
    this.#tell("connecting");
    const socket = new WebSocket(this.options.url, PROTOCOL);
    this.#socket = socket;
    let live = false;
    socket.onopen = () => {
      this.#listen(socket);
      this.#send({ type: "hello", client: this.options.client });
      for (const sub of this.#subscriptions.keys()) this.#subscribe(sub);
      this.#sayFocus();
    };
    socket.onmessage = ({ data }) => {
      if (socket !== this.#socket) return;
      this.#heardAt = this.#quietSince = Date.now();
      if (!live) {
        live = true;
        this.#attempt = 0;
        this.#tell("live");
      }
      this.#receive(JSON.parse(data));
    };
    socket.onclose = (event) => {
      if (socket === this.#socket) void this.#closed(event.code);
    };
  }

  /** Ask for a sign of life when nothing is said, and give a daemon up that gives none: a frozen one never closes. @param {WebSocket} socket */
  #listen(socket) {
    clearInterval(this.#pulse);
    this.#quietSince = this.#lookedAt = Date.now();
    this.#pulse = setInterval(() => {
      const now = Date.now();
      const slept = now - this.#lookedAt > 2 * LOOK_MS; // this page itself was frozen: what came meanwhile is not read yet
      this.#lookedAt = now;
      if (socket !== this.#socket) return clearInterval(this.#pulse);
      if (slept) this.#quietSince = now;
      const silent = now - this.#quietSince;
      if (silent > LOST_AFTER_MS) this.#giveUp(socket);
      else if (silent > ASK_AFTER_MS) this.#send({ type: "ping" });
    }, LOOK_MS);
  }

  /** @param {WebSocket} socket */
  #giveUp(socket) {
    socket.onclose = null; // which comes only when the other side agrees
    socket.close();
    this.#tell("down"); // it may hear the question whether this browser is still signed in, and not answer that either
    void this.#closed(0);
  }

  /** @param {number} code */
  async #closed(code) {
    clearInterval(this.#pulse);
    this.#socket = null;
    const allowed = code !== SIGNED_OUT && (await this.options.allowed());
    if (this.#socket) return; // somebody was quicker
    if (!allowed) {
      this.#tell("signed_out");
      return;
    }
    this.#attempt += 1;
    const wait = delay(this.#attempt);
    this.#tell("down", Date.now() + wait);
    this.#timer = setTimeout(() => this.connect(), wait);
  }

  /** Do not wait for the next attempt. */
  retryNow() {
    if (!this.#socket) this.connect();
  }

  /** @param {any} spec as in the `subscribe` frame @param {Handlers} handlers @returns {() => void} ends it */
  subscribe(spec, handlers) {
    const entry = { spec, handlers };
    this.#begin(entry);
    return () => {
      for (const [sub, each] of this.#subscriptions) if (each === entry) this.#end(sub); // its name may be another one by now
    };
  }

  /** Say which session the person looks at, and whether its newest output is in sight: only then it counts as read. @param {string | null} session @param {boolean} newest */
  focus(session, newest) {
    if (session === this.#focus.session && newest === this.#focus.newest) return;
    this.#focus = { session, newest };
    this.#sayFocus();
  }

  #sayFocus() {
    const { session, newest } = this.#focus;
    this.#send({ type: "focus", session, ...(newest ? {} : { seen: null }) });
  }

  /** @param {{spec: any, handlers: Handlers}} entry */
  #begin(entry) {
    this.#count += 1;
    const sub = `s${this.#count}`;
    this.#subscriptions.set(sub, entry);
    this.#subscribe(sub);
  }

  /** @param {string} sub */
  #end(sub) {
    this.#subscriptions.delete(sub);
    this.#send({ type: "unsubscribe", sub });
  }

  /** @param {string} sub */
  #subscribe(sub) {
    const { spec } = /** @type {{spec: any}} */ (this.#subscriptions.get(sub));
    this.#send({ type: "subscribe", sub, ...(typeof spec === "function" ? spec() : spec) });
  }

  /** @param {any} frame */
  #send(frame) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    this.options.onFrame?.("out", frame);
    this.#socket.send(JSON.stringify(frame));
  }

  /** @param {any} frame */
  #receive(frame) {
    this.options.onFrame?.("in", frame);
    const entry = this.#subscriptions.get(frame.sub);
    if (!entry) return;
    const { handlers } = entry;
    if (frame.type === "snapshot") handlers.snapshot?.(frame);
    else if (frame.type === "events") handlers.events?.(frame);
    else if (frame.type === "frames") handlers.frames?.(frame);
    else if (frame.type === "caught_up") handlers.caughtUp?.(frame);
    else if (frame.type === "error" && frame.code === "not_found") handlers.gone?.();
    else if (frame.type === "error" && frame.code !== "usage") setTimeout(() => this.#again(frame.sub), ASK_AGAIN_MS); // such as of a store that is busy
    else if (frame.type === "patch" && handlers.patch && !handlers.patch(frame)) this.#again(frame.sub);
    else if (frame.type === "reset") this.#again(frame.sub);
  }

  /** @param {string} sub */
  #again(sub) {
    const entry = this.#subscriptions.get(sub);
    if (!entry) return;
    this.#end(sub);
    this.#begin(entry);
  }

  /** @param {Link["state"]} state @param {number | null} [retryAt] */
  #tell(state, retryAt = null) {
    this.options.onLink({ state, attempt: this.#attempt, retryAt, heardAt: this.#heardAt });
  }
}
