import assert from "node:assert/strict";
import { test } from "node:test";

Object.defineProperty(globalThis, "navigator", { value: { userAgent: "" }, configurable: true });
const lib = (name) => import(`../../../../frontends/holdfast/frontends/web/static/lib/${name}.js`);
const { Geometry } = await lib("geometry");
const { Listing } = await lib("listing");
const { around, diff, tally } = await lib("diff");
const { best, score } = await lib("fuzzy");
const { address, codeIn, parse, withoutCode } = await lib("route");
const { age, amount, block, bytes, folder, line, plain, secondsUntil } = await lib("words");
const { completing, contentOf } = await lib("draft");
const { compare } = await lib("proof");
const { documentTitle, grouped, ordered, statusOf } = await lib("status");
const { fold, NOTHING } = await lib("details");
const { highlight } = await lib("highlight");
const { Notifier, isQuiet, patience, worth } = await lib("notify");
const { lines } = await lib("rows");
const { delay } = await lib("stream");
const { browser } = await lib("http");
const { calmly } = await lib("pace");

const row = (id, more = {}) => ({
  id, title: id, lifecycle: "connected", connection: { state: "connected" }, attention: "none", pinned: false, updated_at: "2026-01-01", ...more,
});
const item = (id, more = {}) => ({ id, kind: "message", role: "assistant", at: "2026-01-01T10:00:00Z", position: 1, text: "x", ...more });

test("the status word is the first that matches", () => {
  const words = [
    [{ lifecycle: "ended", attention: "needs_you" }, "ended"],
    [{ attention: "needs_you", lifecycle: "streaming" }, "needs_you"],
    [{ attention: "failed" }, "failed"],
    [{ connection: { state: "gave_up" }, lifecycle: "streaming" }, "failed"],
    [{ lifecycle: "streaming", connection: { state: "reconnecting" } }, "working"],
    [{ connection: { state: "connecting" }, lifecycle: "unread" }, "reconnecting"],
    [{ lifecycle: "unread", connection: { state: "hibernated" } }, "unread"],
    [{ connection: { state: "hibernated" } }, "hibernated"],
    [{}, "idle"],
  ];
  for (const [state, word] of words) assert.equal(statusOf(row("a", state)), word);
});

test("a list begins with what needs the person, and the title of the tab counts it", () => {
  const rows = [row("idle"), row("busy", { lifecycle: "streaming" }), row("asks", { attention: "needs_you" }), row("mine", { pinned: true }), row("new", { updated_at: "2026-02-02" })];

  assert.deepEqual(ordered(rows).map(({ id }) => id), ["mine", "asks", "busy", "new", "idle"]);
  assert.deepEqual(grouped(ordered(rows)).map(({ name }) => name), ["Pinned", "Needs you", "Working", "Idle"]);
  assert.equal(documentTitle(rows), "1 needs you · Holdfast");
  assert.equal(documentTitle([...rows, row("b", { attention: "needs_you" })]), "2 need you · Holdfast");
  assert.equal(documentTitle([]), "Holdfast");
});

test("words for people", () => {
  const now = Date.parse("2026-01-02T00:00:00Z");
  assert.deepEqual(["2026-01-01T23:59:30Z", "2026-01-01T23:00:00Z", "2025-12-30T00:00:00Z"].map((iso) => age(iso, now)), ["30s", "1h", "3d"]);
  assert.deepEqual([950, 12_345, 1_240_000, 3e9].map(amount), ["950", "12k", "1.2M", "3.0G"]);
  assert.deepEqual([812, 1_049_000].map(bytes), ["812 B", "1.0 MB"]);
  assert.equal(folder("/home/anna/code"), "~/code");
  assert.equal(secondsUntil("2026-01-02T00:00:02.5Z", now), 3);
});

test("what cannot be seen, or turns text around, is shown as an escape", () => {
  assert.equal(line("rm\u202e -rf\n/\u200b"), "rm\\u202e -rf /\\u200b");
  assert.equal(line("a\x1b[31mb"), "a\\x1b[31mb");
  assert.equal(block("a\tb\nc\u2066d"), "a\tb\nc\\u2066d");
  assert.equal(block("👩‍🚀"), "👩‍🚀");
  assert.equal(line("\ud800"), "\\ud800");
});

test("three silent tool calls fold into one line; running and failed ones stay", () => {
  const tool = (id, status = "completed") => item(id, { kind: "tool_call", status });
  const shown = lines([item("u", { role: "user" }), tool("1"), tool("2"), tool("3"), tool("4", "failed"), tool("5"), tool("6"), item("m")]);

  assert.deepEqual(shown.map((each) => each.type), ["day", "item", "tools", "item", "item", "item", "item"]);
  assert.equal(shown[2].items.length, 3);
});

test("the unread line stands after the last that was read, also inside a run of tools", () => {
  const tools = ["1", "2", "3", "4", "5", "6"].map((id) => item(id, { kind: "tool_call", status: "completed" }));

  assert.deepEqual(lines([item("a"), item("b")], { unreadAfter: "a" }).map((each) => each.key).slice(1), ["a", "unread", "b"]);
  assert.deepEqual(lines(tools, { unreadAfter: "3" }).map((each) => each.type), ["day", "tools", "unread", "tools"]);
  assert.ok(!lines([item("a")], { unreadAfter: "a" }).some((each) => each.type === "unread"));
});

test("heights are guesses until they are measured", () => {
  const geometry = new Geometry();
  geometry.set(["a", "b", "c", "d"], [10, 10, 10, 10]);
  assert.equal(geometry.total, 40);

  assert.ok(geometry.measure("b", 30));
  assert.ok(!geometry.measure("b", 30.2));
  assert.ok(!geometry.measure("gone", 5));

  assert.equal(geometry.total, 60);
  assert.deepEqual([0, 9, 10, 39, 40, 1_000].map((y) => geometry.at(y)), [0, 0, 1, 1, 2, 3]);
  geometry.set(["x", "a", "b"], [5, 10, 10]);
  assert.equal(geometry.offset(2), 15);
  assert.equal(geometry.total, 45, "a measured height outlives the list it was measured in");
});

test("a listing takes what has no position over its entry, and forgets what is dropped", () => {
  const listing = new Listing();
  listing.snapshot({ items: [{ id: "a", position: 5, title: "A" }, { request_id: "b", position: 5 }], position: 5 });

  assert.ok(listing.patch({ from: 5, position: 9, ops: [{ op: "set", id: "a", fields: { attempt: 2 } }, { op: "drop", id: "b" }, { op: "put", item: { id: "a", position: 4, title: "old" } }] }));

  assert.deepEqual([...listing.entries.values()], [{ id: "a", position: 5, title: "A", attempt: 2 }]);
  assert.equal(listing.patch({ from: 5, position: 10, ops: [] }), false);
});

test("a change is told in lines", () => {
  const changes = diff("a\nb\nc\n", "a\nx\nc\nd\n");
  assert.deepEqual(changes.map(({ sign, text }) => sign + text), [" a", "-b", "+x", " c", "+d"]);
  assert.deepEqual(tally(changes), { added: 2, removed: 1 });
  assert.deepEqual(diff(null, "new").map(({ sign }) => sign), ["+"]);
  const long = Array.from({ length: 50 }, (_, n) => `l${n}`).join("\n");
  assert.deepEqual(around(diff(long, long.replace("l25", "X")), 1).map((change) => change && change.sign + change.text), [null, " l24", "-l25", "+X", " l26", null]);
});

test("coloured code is the code", () => {
  const code = 'def f(x):\n    """Say "it"."""\n    return x + 0x1F  # done\n';
  for (const language of ["python", "js", "sql", "diff", "bash", "nothing", ""]) {
    assert.equal(highlight(code, language).map((part) => part.text).join(""), code);
  }
  assert.deepEqual(highlight("x = 'a' # b", "py").filter((part) => part.kind).map((part) => part.kind), ["string", "comment"]);
});

test("addresses lead to screens and back", () => {
  for (const route of [{ screen: "home" }, { screen: "session", id: "a b/c", item: "t1/call#2" }, { screen: "new", id: "x" }, { screen: "inbox" }, { screen: "search", query: "a & b" }, { screen: "replay", id: "y" }]) {
    const url = new URL(address(route), "http://localhost");
    assert.deepEqual(parse(url), route);
  }
  assert.deepEqual(parse(new URL("http://localhost/sessions/%E0%A4%A")), { screen: "session", id: "%E0%A4%A", item: null });
  assert.equal(codeIn("#code=abcdefgh12"), "abcdefgh12");
  assert.equal(codeIn("#t1/call"), null);
  assert.equal(codeIn("#code=abcdefgh12&item=t1%2Fcall"), "abcdefgh12");
  assert.equal(withoutCode("#code=abcdefgh12&item=t1%2Fcall"), "#t1%2Fcall");
  assert.equal(withoutCode("#code=abcdefgh12"), "");
});

test("a few letters find what is meant", () => {
  assert.equal(score("xyz", "holdfast"), 0);
  assert.deepEqual(best("rel", ["parallel", "release notes", "x"], (each) => each), ["release notes", "parallel"]);
});

test("a slash begins a command only at the start; an at sign names a file", () => {
  assert.deepEqual(completing("/rev"), { kind: "command", word: "rev", from: 0 });
  assert.equal(completing("see /rev"), null);
  assert.deepEqual(completing("look at @src/a"), { kind: "file", word: "src/a", from: 8 });
  assert.equal(completing("mail a@b"), null);
});

test("what is sent holds the text, what was pasted, and the files that are still named", () => {
  const draft = { text: " see @src/a b.py ", id: "1", pieces: [{ type: "file", path: "src/a b.py" }, { type: "file", path: "gone.py" }, { type: "text", text: "long" }] };

  assert.deepEqual(contentOf(draft, "/w/"), [
    { type: "text", text: "see @src/a b.py" },
    { type: "resource_link", uri: "file:///w/src/a%20b.py", name: "src/a b.py" },
    { type: "text", text: "long" },
  ]);
  assert.equal(contentOf({ text: "hi", id: "1", pieces: [] }, null), "hi");
});

test("what a session's events say of it is folded", () => {
  const told = (type, data, position = 1) => ({ type, data, position, recorded_at: "t" });
  const events = [
    told("usage-reported", { context_used: 5, context_size: 10, cost: "1 USD" }),
    told("prompt-queued", {}), told("read-up-to", { version: 2 }, 44), told("turn-started", {}), told("turn-interrupted", {}), told("of-the-future", null),
  ];
  const details = events.reduce(fold, NOTHING);

  assert.deepEqual([details.context, details.cost, details.queueVersion, details.readPosition, details.held], [{ used: 5, size: 10 }, "1 USD", 1, 44, true]);
});

test("the proof finds what was lost and what was doubled", () => {
  const event = (version, id = `e${version}`) => ({ event_id: id, version });
  assert.deepEqual(compare([event(1), event(2)], [event(1), event(2), event(3)]), { events: 3, lost: 0, doubled: 0 });
  assert.equal(compare([event(1), event(2)], [event(1), event(3)]).lost, 1);
  assert.equal(compare([event(1)], [event(2)]).lost, 1);
  assert.equal(compare([event(1)], [event(1), event(1)]).doubled, 1);
  assert.equal(compare([event(1)], [event(1), event(1, "twin")]).doubled, 1);
});

test("attempts to come back are quick at first and never more than some seconds apart", () => {
  assert.ok(delay(1) < 1_000);
  assert.ok(delay(50, 1) <= 12_500);
});

test("a browser is named in words that a header may hold", () => {
  assert.equal(browser("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/150 Safari/537.36"), "Chrome, Linux");
  assert.equal(browser("Mozilla/5.0 (iPhone; CPU) Version/18 Mobile Safari/604.1"), "Safari, iOS");
});

test("a compacted session is replayed with its texts and tools where they stood", async () => {
  const { expanded, take } = await lib("fold");
  const event = (version, type, data) => ({ version, position: version, type, data, recorded_at: "t", actor: {} });
  const events = [
    event(1, "session-created", {}),
    event(2, "text-appended", null),
    event(3, "text-appended", null),
    event(4, "tool-called", null),
    event(5, "text-appended", { id: "later", text: "after" }),
    event(6, "message-compacted", { item_id: "m", kind: "text", text: "one two", pieces: [{ first: 2, sizes: [4, 3] }], digest: "" }),
    event(7, "tool-compacted", { item_id: "t", call_id: "1", title: "Read", status: "completed", runs: [{ first: 4, count: 1 }], digest: "" }),
  ];
  const items = new Map();

  for (const each of expanded(events)) take(items, each);

  assert.deepEqual([...items.values()].map((item) => item.text ?? item.title), ["one two", "Read", "after"]);
});

test("a person is told of what became pressing or finished, and of nothing else", () => {
  const row = (more) => ({ id: "1", lifecycle: "created", attention: "none", pending: 0, connection: { state: "connected" }, muted_until: null, focused: [], position: 1, ...more });
  const idle = row({});
  const asks = row({ attention: "needs_you", pending: 1, position: 2 });

  assert.equal(worth(undefined, asks, 0), null, "what is there from the start");
  assert.equal(worth(idle, asks, 0), "needs_you");
  assert.equal(worth(asks, { ...asks, position: 3 }, 0), null, "the same question");
  assert.equal(worth(asks, { ...asks, pending: 2, position: 3 }, 0), "needs_you", "one more");
  assert.equal(worth(idle, { ...asks, focused: ["tui"] }, 0), null, "somebody looks");
  assert.equal(worth(idle, { ...asks, muted_until: "2030-01-01T00:00:00Z" }, 0), null, "muted");
  assert.equal(worth(idle, { ...asks, muted_until: "2000-01-01T00:00:00Z" }, Date.now()), "needs_you", "not any more");
  assert.equal(worth(row({ lifecycle: "streaming" }), row({ lifecycle: "unread", unread: 1, position: 2 }), 0), "unread");
  assert.equal(worth(idle, row({ attention: "failed", position: 2 }), 0), "failed");
  assert.equal(worth(idle, row({ lifecycle: "streaming", position: 2 }), 0), null);
  assert.equal(worth(asks, { ...asks, position: 1 }, 0), null, "nothing new in the log");
});

test("a person is told by one frontend, and by this one where no other does", async (t) => {
  const told = [];
  globalThis.Notification = class { static permission = "granted"; constructor(title) { told.push(title); } close() {} };
  globalThis.localStorage = { getItem: () => JSON.stringify({ on: true }), setItem: () => undefined };
  t.after(() => { delete globalThis.Notification; delete globalThis.localStorage; });
  const row = (more) => ({ id: "1", title: "T", lifecycle: "streaming", attention: "none", pending: 0, connection: { state: "connected" }, muted_until: null, focused: [], position: 1, ...more });
  const finished = row({ lifecycle: "unread", attention: "unread", position: 5 });
  const asks = row({ attention: "needs_you", pending: 1, position: 5 });
  const notified = (position, item_id) => [{ session_id: "1", position, data: { item_id } }];
  const settle = () => new Promise((done) => setImmediate(done));

  /** What is told and recorded of a change during which `meanwhile` happens. */
  const after = async (changed, meanwhile = () => undefined) => {
    const recorded = [];
    let go = () => undefined;
    told.length = 0;
    const notifier = new Notifier({
      question: () => (changed === asks ? { id: "q2", title: "May I?" } : undefined),
      newest: async () => "m1",
      open: () => undefined,
      record: async (_session, item) => recorded.push(item),
      pause: () => new Promise((done) => { go = done; }),
    });
    notifier.look([row({})]);
    notifier.look([changed]);
    meanwhile(notifier);
    assert.deepEqual(told, [], "it waits for the tray");
    go();
    await settle();
    return [told.length, recorded];
  };

  assert.deepEqual(await after(finished), [1, ["m1"]]);
  assert.deepEqual(await after(asks), [1, ["q2"]]);
  assert.deepEqual(await after(finished, (notifier) => notifier.heard(notified(6, "m1"))), [0, []], "the tray told it");
  assert.deepEqual(await after(finished, (notifier) => notifier.heard(notified(6, "turn-9"))), [0, []], "by another name");
  assert.deepEqual(await after(finished, (notifier) => notifier.heard(notified(1, "m0"))), [1, ["m1"]], "of an earlier turn");
  assert.deepEqual(await after(asks, (notifier) => notifier.heard(notified(6, "q2"))), [0, []]);
  assert.deepEqual(await after(asks, (notifier) => notifier.heard(notified(6, "q1"))), [1, ["q2"]], "another question");
  assert.deepEqual(await after(asks, (notifier) => notifier.look([row({ position: 6 })])), [0, []], "answered by then");
  assert.deepEqual(await after(asks, (notifier) => notifier.look([{ ...asks, focused: ["tui"] }])), [0, []], "somebody looks by then");
  assert.ok(patience(0) >= 1_000 && patience(1) <= 2_000);
});

test("what changes all the time is told at once, and then at an even pace with its last state", (t) => {
  let now = 0;
  let state = 0;
  const told = [];
  t.mock.timers.enable({ apis: ["setTimeout"] });
  t.mock.method(performance, "now", () => now);
  const pass = (ms) => {
    now += ms;
    t.mock.timers.tick(ms);
  };
  const tell = calmly(() => told.push(state), 100);
  const change = () => {
    state += 1;
    tell();
  };

  change();
  assert.deepEqual(told, [1]);
  for (let each = 0; each < 9; each += 1) {
    pass(10);
    change();
  }
  assert.deepEqual(told, [1]);
  pass(10);
  assert.deepEqual(told, [1, 10]);
  pass(1_000);
  assert.deepEqual(told, [1, 10]);
  change();
  assert.deepEqual(told, [1, 10, 11]);
});

test("quiet hours go over midnight", () => {
  const at = (hours, minutes = 0) => new Date(2026, 0, 1, hours, minutes);

  assert.deepEqual([at(21, 59), at(22), at(3), at(7)].map((now) => isQuiet({ from: "22:00", to: "07:00" }, now)), [false, true, true, false]);
  assert.deepEqual([at(11), at(12), at(13)].map((now) => isQuiet({ from: "12:00", to: "13:00" }, now)), [false, true, false]);
  assert.equal(isQuiet({ from: "12:00", to: "" }, at(12)), false);
  assert.equal(isQuiet(null, at(12)), false);
});

test("a preview has none of the marks that Markdown makes bold, code or headings of", () => {
  assert.equal(plain("## What\n**two** `snake_case` and 2 * 3 # 4"), "What two snake_case and 2 * 3 4");
  assert.equal(plain(null), "");
});
