import assert from "node:assert/strict";
import { test } from "node:test";
import { Transcript, points } from "../../../../frontends/holdfast/frontends/web/static/lib/transcript.js";

const said = (id, ordinal, text = id, position = ordinal) => ({ id, ordinal, position, kind: "message", at: "2026-01-01T00:00:00Z", text });
const texts = (model) => model.items.map((item) => item.text);

const opened = (items, before = null, position = 100) => {
  const model = new Transcript();
  model.snapshot({ items, before, position });
  return model;
};

test("an append counts once, however often it comes", () => {
  const model = opened([said("a", 1, "Hel", 3)], null, 3);
  const op = { op: "append", id: "a", at: 3, text: "lo", position: 4 };

  assert.ok(model.patch({ from: 3, position: 4, ops: [op] }));
  assert.ok(model.patch({ from: 4, position: 5, ops: [op] }));

  assert.deepEqual(texts(model), ["Hello"]);
});

test("a place in a text is counted in code points, as the log counts", () => {
  const model = opened([said("a", 1, "👩‍🚀 né", 3)], null, 3);

  model.patch({ from: 3, position: 4, ops: [{ op: "append", id: "a", at: points("👩‍🚀 né"), text: "e 🎉", position: 4 }] });
  model.patch({ from: 4, position: 5, ops: [{ op: "append", id: "a", at: 5, text: "!", position: 5 }] });

  assert.deepEqual(texts(model), ["👩‍🚀 n!"]);
  assert.equal(points("a\ud83d"), 2);
});

test("a patch that does not begin where the page stands is refused", () => {
  const model = opened([said("a", 1)], null, 3);

  assert.equal(model.patch({ from: 5, position: 6, ops: [{ op: "drop", id: "a" }] }), false);
  assert.deepEqual(texts(model), ["a"]);
});

test("an older version of an item never replaces a newer one", () => {
  const model = opened([said("a", 1, "new", 9)], null, 9);

  model.patch({ from: 9, position: 10, ops: [{ op: "put", item: said("a", 1, "old", 5) }] });

  assert.deepEqual(texts(model), ["new"]);
});

test("items stand in the order of their first appearance whatever order they come in", () => {
  const model = opened([said("b", 5), said("d", 9)], null, 9);

  model.patch({ from: 9, position: 12, ops: [{ op: "put", item: said("e", 12) }, { op: "put", item: said("c", 7, "c", 11) }] });

  assert.deepEqual(texts(model), ["b", "c", "d", "e"]);
  assert.equal(model.placeOf("e"), 3);
});

test("a change of an item that a page on its way brings is not lost", () => {
  const model = opened([said("c", 9)], "9", 9);
  model.loading = true;

  model.patch({ from: 9, position: 11, ops: [{ op: "append", id: "a", at: 1, text: "!", position: 11 }] });
  model.older({ items: [said("a", 1), said("b", 2)], before: null });

  assert.deepEqual(texts(model), ["a!", "b", "c"]);
});

test("an unknown item of a page that is not loaded is left to that page", () => {
  const model = opened([said("c", 9)], "9", 9);

  model.patch({ from: 9, position: 11, ops: [{ op: "put", item: said("a", 1, "changed", 11) }] });

  assert.deepEqual(texts(model), ["c"]);
});

test("a new snapshot keeps older items that are loaded, until their page comes again", () => {
  const model = opened([said("a", 1), said("b", 2), said("c", 3)], null, 3);

  model.snapshot({ items: [said("c", 3), said("d", 4)], before: "3", position: 20 });
  assert.deepEqual(texts(model), ["a", "b", "c", "d"]);
  assert.equal(model.freshFrom, 2);

  model.older({ items: [said("b", 2, "b, edited", 15)], before: "2" });
  assert.deepEqual(texts(model), ["a", "b, edited", "c", "d"]);
  model.older({ items: [], before: null });
  assert.deepEqual(texts(model), ["b, edited", "c", "d"], "what the log does not have any more is gone");
});

test("snapshots, pages and patches in any order lead to what the log has", () => {
  let seed = 7;
  const random = (below) => (seed = (seed * 48271) % 2147483647) % below;
  for (let round = 0; round < 200; round += 1) {
    const log = [];
    const history = [];
    for (let position = 1; position <= 40; position += 1) {
      const grows = log.length && random(3) > 0 ? log[random(log.length)] : null;
      if (grows) {
        history.push({ op: "append", id: grows.id, at: grows.text.length, text: `${position};`, position });
        grows.text += `${position};`;
        grows.position = position;
      } else {
        const item = said(`i${position}`, position, `${position}:`);
        log.push(item);
        history.push({ op: "put", item: { ...item } });
      }
    }
    const at = (position) => {
      const items = new Map();
      for (const op of history.slice(0, position)) {
        if (op.op === "put") items.set(op.item.id, { ...op.item });
        else {
          const item = items.get(op.id);
          items.set(op.id, { ...item, text: item.text + op.text, position: op.position });
        }
      }
      return [...items.values()];
    };
    const page = (position, before, limit) => {
      const older = at(position).filter((item) => before === null || item.ordinal < before);
      const items = older.slice(-limit);
      return { items, before: items.length && items.length < older.length ? String(items[0].ordinal) : null, position };
    };
    const model = new Transcript();
    let now = 5 + random(20);
    model.snapshot(page(now, null, 3));
    while (now < 40 || model.before !== null) {
      if (random(2) && model.before !== null) {
        model.loading = true;
        const asked = Number(model.before);
        const readAt = now + random(41 - now); // the page may be newer than what the stream has told
        const answer = page(readAt, asked, 4);
        const ahead = now + random(41 - now);
        model.patch({ from: now, position: ahead, ops: history.slice(now, ahead) });
        now = ahead;
        model.older(answer);
      } else if (random(5) === 0) {
        model.snapshot(page(now, null, 3));
      } else {
        const ahead = Math.min(40, now + 1 + random(4));
        model.patch({ from: now, position: ahead, ops: history.slice(now, ahead) });
        now = ahead;
      }
    }
    assert.deepEqual(model.items.map(({ id, text }) => [id, text]), at(40).map(({ id, text }) => [id, text]));
  }
});

test("a stretch of the past grows down to the end and becomes a part of it", () => {
  const model = opened([said("y", 9), said("z", 11)], "9", 11);
  const past = new Transcript();
  past.follow({ items: [said("b", 3), said("c", 5)], before: "3", position: 11 });

  assert.equal(model.join(past), false);
  past.follow({ items: [said("b", 3), said("c", 5), said("x", 7), said("y", 9)], before: "3", position: 11 });

  assert.ok(model.join(past));
  assert.deepEqual(texts(model), ["b", "c", "x", "y", "z"]);
  assert.equal(model.before, "3");
});

test("a stretch of the past follows what changes in it, and takes nothing that came elsewhere", () => {
  const past = new Transcript();
  past.loading = true;
  past.change([{ op: "put", item: said("c", 5, "answered", 12) }]);
  past.follow({ items: [said("b", 3), said("c", 5)], before: "3", position: 11 });

  past.change([{ op: "put", item: said("new", 13) }, { op: "append", id: "b", at: 1, text: "!", position: 14 }]);

  assert.deepEqual(texts(past), ["b!", "answered"]);
});

test("a piece of text waits for the pieces before it", () => {
  const model = opened([said("a", 1, "one"), said("b", 2)], null, 5);
  model.snapshot({ items: [said("b", 2)], before: "2", position: 20 }); // "a" went on meanwhile, above what the server shows

  model.patch({ from: 20, position: 21, ops: [{ op: "append", id: "a", at: 7, text: " three", position: 21 }] });
  assert.deepEqual(texts(model), ["one", "b"]);
  model.loading = true;
  model.patch({ from: 21, position: 22, ops: [{ op: "append", id: "a", at: 13, text: " four", position: 22 }] });
  model.older({ items: [said("a", 1, "one two three", 21)], before: null });

  assert.deepEqual(texts(model), ["one two three four", "b"]);
});

test("a piece of text that a page holds in part is not said twice", () => {
  const model = opened([said("a", 1, "o", 1), said("b", 2)], "1", 5);
  model.patch({ from: 5, position: 6, ops: [{ op: "append", id: "a", at: 1, text: "ne", position: 6 }] });
  model.older({ items: [said("a", 1, "one two", 8)], before: null });

  model.patch({ from: 6, position: 9, ops: [{ op: "append", id: "a", at: 3, text: " two three", position: 9 }] });

  assert.deepEqual(texts(model), ["one two three", "b"]);
});

test("what changes while a page is on its way is kept over a connection that is made anew", () => {
  const model = opened([said("c", 9)], "9", 9);
  model.loading = true;
  model.snapshot({ items: [said("c", 9)], before: "9", position: 10 });
  model.patch({ from: 10, position: 11, ops: [{ op: "put", item: said("a", 1, "new", 11) }] });
  model.older({ items: [said("a", 1, "old", 1)], before: null });

  assert.deepEqual(texts(model), ["new", "c"]);
});
