import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createContext, runInContext } from "node:vm";

const SOURCE = readFileSync(new URL("../../../../frontends/holdfast/frontends/web/static/sw.js", import.meta.url), "utf8");

/** The service worker of the page in a browser whose shelf and network are the test's. @param {{put?: Function, fetch: Function}} browser */
function worker({ put = async () => undefined, fetch }) {
  const heard = new Map();
  const shelf = { put, match: async () => undefined };
  const scope = { self: { addEventListener: (name, listener) => heard.set(name, listener) }, caches: { open: async () => shelf }, fetch, URL, location: { origin: "http://here" } };
  runInContext(SOURCE, createContext(scope));
  return (path) => new Promise((done) => heard.get("fetch")({ request: { method: "GET", mode: "no-cors", url: `http://here${path}` }, respondWith: done }));
}

test("a file that there is no room to keep is shown all the same", async () => {
  const ask = worker({ put: async () => { throw new Error("QuotaExceededError"); }, fetch: async () => new Response("the file") });

  assert.equal(await (await ask("/static/app.js")).text(), "the file");
});

test("what was asked for is kept by its path", async () => {
  const kept = [];
  const ask = worker({ put: async (key) => void kept.push(key), fetch: async () => new Response("the file") });
  await ask("/static/app.js?x=1");

  assert.deepEqual(kept, ["/static/app.js"]);
});
