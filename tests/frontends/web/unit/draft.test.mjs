import assert from "node:assert/strict";
import { test } from "node:test";

Object.defineProperty(globalThis, "navigator", { value: { userAgent: "" }, configurable: true });
const kept = new Map();
globalThis.localStorage = {
  getItem: (key) => kept.get(key) ?? null,
  setItem: (key, value) => void kept.set(key, value),
  removeItem: (key) => void kept.delete(key),
};
const { attempt, draftOf, keepDraft } = await import("../../../../frontends/holdfast/frontends/web/static/lib/draft.js");

/** Sends what stands there, without an answer that says whether it arrived. */
const send = (session) => {
  const sent = attempt(draftOf(session));
  keepDraft(session, sent);
  return sent;
};
const write = (session, text) => keepDraft(session, { ...draftOf(session), text });

test("what is sent again has the id that it had", () => {
  write("a", "hello");
  const first = send("a");

  assert.equal(send("a").id, first.id);
});

test("what says something else by now has an id of its own: by the first one it would be taken for said", () => {
  write("b", "hello");
  const first = send("b");
  write("b", "hello world");
  const second = send("b");

  assert.notEqual(second.id, first.id);
  assert.ok(second.other);
  assert.equal(send("b").id, second.id);
  assert.ok(send("b").other, "also when it is sent once more");
});

test("a picture that was added makes it another message", () => {
  write("c", "look");
  const first = send("c");
  keepDraft("c", { ...draftOf("c"), pieces: [{ type: "image", mimeType: "image/png", data: "AAAA", name: "x" }] });

  assert.notEqual(send("c").id, first.id);
});

test("what was not sent yet keeps its id while it is written", () => {
  write("d", "h");
  const { id } = draftOf("d");
  write("d", "hello");

  assert.equal(send("d").id, id);
});
