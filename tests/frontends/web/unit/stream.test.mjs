import assert from "node:assert/strict";
import { test } from "node:test";
import { Stream } from "../../../../frontends/holdfast/frontends/web/static/lib/stream.js";

/** The browser's end of a connection, whose other end is the test. */
class Wire {
  static OPEN = 1;
  static made = [];
  readyState = 0;
  sent = [];

  constructor() {
    Wire.made.push(this);
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.readyState = 3;
  }

  open() {
    this.readyState = Wire.OPEN;
    this.onopen();
  }

  say(frame) {
    this.onmessage({ data: JSON.stringify(frame) });
  }

  lose(code = 1006) {
    this.readyState = 3;
    this.onclose({ code });
  }
}
globalThis.WebSocket = Wire;

const turns = async () => { for (let turn = 0; turn < 10; turn += 1) await Promise.resolve(); };

const connected = (t, allowed = async () => true) => {
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"] });
  Wire.made = [];
  const told = [];
  const stream = new Stream({ url: "ws://here", client: "test", onLink: (link) => told.push(link.state), allowed });
  stream.connect();
  return { stream, told };
};

test("a view that the daemon could not read is asked for again", (t) => {
  const { stream } = connected(t);
  const shown = [];
  stream.subscribe({ view: "roster" }, { snapshot: (frame) => shown.push(frame.position) });
  const [wire] = Wire.made;
  wire.open();
  const asked = () => wire.sent.filter((frame) => frame.type === "subscribe");
  wire.say({ type: "error", sub: asked()[0].sub, code: "store-busy", detail: "the store is busy" });

  assert.equal(asked().length, 1, "not at once: it is busy");
  t.mock.timers.tick(2_000);
  assert.equal(asked().length, 2);
  wire.say({ type: "snapshot", sub: asked()[1].sub, position: 7 });

  assert.deepEqual(shown, [7]);
});

test("a view that was left meanwhile is not asked for again", (t) => {
  const { stream } = connected(t);
  const leave = stream.subscribe({ view: "roster" }, {});
  const [wire] = Wire.made;
  wire.open();
  wire.say({ type: "error", sub: "s1", code: "store-busy", detail: "the store is busy" });
  leave();
  t.mock.timers.tick(10_000);

  assert.equal(wire.sent.filter((frame) => frame.type === "subscribe").length, 1);
});

test("a subscription that began anew by itself can still be left", (t) => {
  const { stream } = connected(t);
  const shown = [];
  const leave = stream.subscribe({ view: "roster" }, { patch: () => false, snapshot: (frame) => shown.push(frame) });
  const [wire] = Wire.made;
  wire.open();
  wire.say({ type: "patch", sub: "s1" });
  assert.deepEqual(wire.sent.slice(-2), [{ type: "unsubscribe", sub: "s1" }, { type: "subscribe", sub: "s2", view: "roster" }]);
  leave();

  assert.deepEqual(wire.sent.at(-1), { type: "unsubscribe", sub: "s2" });
  wire.say({ type: "snapshot", sub: "s2", position: 1 });
  assert.deepEqual(shown, []);
});

test("who signed in again while that was asked stays signed in", async (t) => {
  let answer;
  const { stream, told } = connected(t, () => new Promise((done) => (answer = done)));
  Wire.made[0].open();
  Wire.made[0].lose();
  stream.connect();
  Wire.made[1].open();
  Wire.made[1].say({ type: "pong" });
  answer(false);
  await turns();

  assert.equal(told.at(-1), "live");
});
