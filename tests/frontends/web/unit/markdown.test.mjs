import assert from "node:assert/strict";
import { test } from "node:test";
import { parse, pieces } from "../../../../frontends/holdfast/frontends/web/static/lib/markdown/blocks.js";
import { inline, plainText } from "../../../../frontends/holdfast/frontends/web/static/lib/markdown/inline.js";
import { link, saysWhere } from "../../../../frontends/holdfast/frontends/web/static/lib/markdown/links.js";
import { stretches } from "../../../../frontends/holdfast/frontends/web/static/lib/markdown/render.js";

const kinds = (text) => pieces(text).flatMap((piece) => parse(piece)).map((block) => block.type);
const links = (nodes) => nodes.flatMap((node) => (typeof node === "string" ? [] : node.type === "link" ? [node.target.href] : node.children ? links(node.children) : []));

test("what agents write is understood", () => {
  assert.deepEqual(kinds("# A\n\ntext\n\n- a\n- b\n\n1. c\n\n```py\nx\n```\n\n> q\n\n---\n\n| a | b |\n|--|:-:|\n| 1 | 2 |"), [
    "heading", "paragraph", "list", "list", "code", "quote", "rule", "table",
  ]);
  assert.deepEqual(inline("a **b _c_** `d` ~~e~~ snake_case_name 2 * 3 * 4"), [
    "a ", { type: "strong", children: ["b ", { type: "em", children: ["c"] }] }, " ", { type: "code", text: "d" }, " ",
    { type: "del", children: ["e"] }, " snake_case_name 2 * 3 * 4",
  ]);
});

test("a list holds paragraphs, code and lists of its own", () => {
  const [list] = parse("1. one\n\n   more\n   ```sh\n   make\n   ```\n2. two\n   - inner\n- [x] other");

  assert.equal(list.items.length, 2);
  assert.deepEqual(list.items[0].blocks.map((block) => block.type), ["paragraph", "paragraph", "code"]);
  assert.equal(list.items[0].blocks[2].text, "make");
  assert.equal(list.items[1].blocks[1].items[0].blocks[0].text, "inner");
});

test("HTML of every kind stays text", () => {
  for (const text of [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg><script>1</script></svg>", "<!-- --><b>", "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<a href=javascript:alert(1)>x</a>", "&lt;script&gt;", "<div\nonclick=x>",
  ]) {
    const [block] = pieces(text).flatMap((piece) => parse(piece));
    assert.equal(block.type, "paragraph");
    assert.equal(plainText(inline(block.text)).replaceAll("\n", " "), text.replaceAll("\n", " "));
  }
});

test("only http, https and mail become links", () => {
  for (const address of [
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "\u0001javascript:alert(1)", "data:text/html,<script>1</script>", "vbscript:x", "file:///etc/passwd",
    "//evil.example", "/api/v1/sessions", "#x", "https://", "http:evil.example", "https://a\u202eb.example",
  ]) {
    assert.equal(link(address), null, address);
    assert.deepEqual(links(inline(`[click](${address})`)), [], address);
    assert.deepEqual(links(inline(`<${address}>`)), [], address);
  }
  assert.deepEqual(links(inline("[a](https://a.example/x_(y)) <mailto:b@c.example> see https://d.example/e, or (http://f.example/g).")), [
    "https://a.example/x_(y)", "mailto:b@c.example", "https://d.example/e", "http://f.example/g",
  ]);
});

test("the host of a link is the true one", () => {
  assert.equal(link("https://bank.example@evil.example/").host, "evil.example");
  assert.equal(link("https://bank.example\\@evil.example/")?.host, "bank.example");
  assert.equal(link("https://аpple.example/").host, "xn--pple-43d.example");
  assert.ok(saysWhere("a.example/b", link("https://a.example/b/")));
  assert.ok(!saysWhere("https://bank.example", link("https://evil.example")));
});

test("a picture is named and never an address to load", () => {
  assert.deepEqual(inline("![logo](https://evil.example/track.png)"), [{ type: "image", alt: "logo", address: "https://evil.example/track.png" }]);
});

test("the pieces of a text join to the text, so that nothing disappears while it grows", () => {
  const text = "# A\n\npara\nmore\n\n```js\na\n\nb\n```\nafter\n\n- x\n\n  y\n- z\n\nend\n\n~~~\nopen\n\nfence";
  for (let end = 0; end <= text.length; end += 1) {
    const shown = text.slice(0, end);
    assert.equal(pieces(shown).join("\n").replace(/\s+/g, ""), shown.replace(/\s+/g, ""));
  }
  assert.equal(pieces(text).length, 7);
});

test("a long text that grows is the same text in several nodes, of which only the last one changes", () => {
  const text = "some words and more ".repeat(400);
  const before = stretches(text);
  const after = stretches(`${text}and one more`);

  assert.ok(before.length > 2);
  assert.equal(before.join(""), text);
  assert.equal(after.join(""), `${text}and one more`);
  assert.deepEqual(after.slice(0, before.length - 1), before.slice(0, -1));
  assert.deepEqual(stretches("x".repeat(5_000)), ["x".repeat(5_000)]);
});

test("hostile text takes time that grows with its length and no faster", () => {
  const work = (text) => {
    for (const piece of pieces(text)) for (const block of parse(piece)) inline(block.text ?? "");
  };
  // Quadratic time would need minutes here: the timeout of the run is the limit, not a stopwatch.
  for (const part of ["[", "*a ", "`", "![", "**a*", "<", "> ", "- ", "_a", "~~a~", "[a](", "*_", "https://a", "|a", "\\", "a\n- ", "[a](b \""]) {
    work(part.repeat(60_000));
  }
  work("`a``b```c".repeat(20_000));
});
