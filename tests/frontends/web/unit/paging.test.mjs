import assert from "node:assert/strict";
import { test } from "node:test";

Object.defineProperty(globalThis, "navigator", { value: { userAgent: "" }, configurable: true });
globalThis.location = { protocol: "http:", host: "here", pathname: "/", search: "", hash: "" };
const lib = (name) => import(`../../../../frontends/holdfast/frontends/web/static/lib/${name}.js`);
const { store } = await lib("model");
const { loadOlder, publish } = await lib("paging");
const { Transcript } = await lib("transcript");

const said = (id, ordinal) => ({ id, ordinal, position: ordinal, kind: "message", at: "2026-01-01T00:00:00Z", text: id });

test("a page that comes after its session was left does not bring the session back", async () => {
  const model = new Transcript();
  model.snapshot({ items: [said("b", 5)], before: "5", position: 9 });
  publish("x", model);
  let answer;
  globalThis.fetch = () => new Promise((done) => (answer = done));
  const loaded = loadOlder("x");
  store.set({ transcripts: new Map() });
  answer(Response.json({ items: [said("a", 1)], before: null }));

  assert.equal(await loaded, false);
  assert.equal(store.get().transcripts.size, 0);
});
