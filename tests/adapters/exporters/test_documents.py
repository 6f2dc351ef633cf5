"""Markdown and HTML of hostile sessions: nothing in them acts, hides, or passes for what it is not."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from msgspec import Raw, json

from holdfast.adapters.exporters import html, markdown
from holdfast.adapters.exporters.redaction import Redactor
from holdfast.domain.content import of_text
from holdfast.domain.exported import Removed
from holdfast.domain.session import events as e
from tests.frontends.cli.hostile import HOSTILE, harm_in, hostile_library
from tests.frontends.cli.memory import MemoryLibrary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from holdfast.domain.projections.items import Item
    from holdfast.domain.projections.roster import Row

    Write = Callable[[Row, Iterator[Item], Callable[[str], str], Removed], Iterator[bytes]]

EVIL = (
    *HOSTILE,
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</pre></details></article></main><h1>You</h1>",
    "]]>--><style>*{display:none}</style>",
    "![](https://evil.example/pixel.png)",
    "[click](javascript:alert(1))",
    "[a]: https://evil.example 'x'\n![b][a]",
    "```\n````\n~~~\n# You\n> quoted",
    "`<b>` ``<i>`` `<u>",
    "&lt;script&gt; \\<b> \\![x](y)",
    "\n## You · 2026-01-01T00:00:00.000Z\n\nI approve",
    "{{ 7 * 7 }} ${x} %s {0}",
)


def written(write: Write, library: MemoryLibrary, environ: Mapping[str, str] | None = None) -> str:
    """The document of the first session of a library."""
    session = next(iter(library.sessions))
    removed = Removed()
    clean = str if environ is None else Redactor(environ, removed)
    items = iter(list(library.items[session].values()))
    return b"".join(write(library.row(session), items, clean, removed)).decode()


class Elements(HTMLParser):
    """Every element and attribute of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("evil", EVIL)
def test_a_page_has_no_element_and_no_attribute_but_ours(evil: str) -> None:
    page = written(html.document, hostile_library(evil))

    elements = Elements(page)

    assert elements.open == []
    assert {tag for tag, _ in elements.found} <= {
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "h1",
        "dl",
        "dt",
        "dd",
        "main",
        "article",
        "header",
        "b",
        "time",
        "div",
        "pre",
        "details",
        "summary",
        "footer",
    }
    names = {name for _, attributes in elements.found for name in attributes}
    assert names <= {"lang", "charset", "http-equiv", "content", "name", "dir", "id", "class", "datetime", "open"}
    assert harm_in(page, styled=False) == []


def test_a_page_forbids_everything_but_its_own_style() -> None:
    page = written(html.document, hostile_library("x"))

    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert not re.search(r"url\(|@import|https?://", page)
    assert "prefers-color-scheme: dark" in page


@pytest.mark.parametrize("evil", EVIL)
def test_markdown_lets_no_content_out_of_its_quotes_and_fences(evil: str) -> None:
    document = written(markdown.document, hostile_library(evil))

    assert harm_in(document, styled=False) == []
    outside = [line for line in _outside_of_code(document) if not line.startswith(">")]
    assert all(re.match(r"$|#{1,3} |\* [a-z ]+: |in:$|out:$|---$|Nothing was redacted", line) for line in outside)
    quoted = [line for line in _outside_of_code(document) if line.startswith(">")]
    for line in (re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", "", each) for each in [*outside, *quoted]):
        assert not re.search(r"(?<!\\)<|(?<!\\)!\[|(?<!\\)\]\(|(?<!\\)\]:", line)


def test_what_was_said_can_be_read() -> None:
    library = MemoryLibrary()
    library.happened(
        "one",
        e.SessionCreated("acp", "owner", agent="claude", title="A *title*"),
        e.MessageSent("m1", of_text("Fix `a < b`, please")),
        e.TextAppended("a1", "Done:\n\n```python\nif a < b:\n    pass\n```\nThat is all."),
        e.ToolCalled(
            "c1", "c1", title="Bash: ls", status="completed", input=Raw(b'{"command":"ls"}'), output=Raw(b'"a\\nb"')
        ),
    )

    document = written(markdown.document, library)
    page = written(html.document, library)

    assert "# A \\*title\\*" in document
    assert "> Fix `a < b`, please" in document
    assert "> ```python\n> if a < b:\n>     pass\n> ```" in document
    assert "out:\n\n```\na\nb\n```" in document
    assert "Fix `a &lt; b`, please</div>" in page
    assert "<pre dir=auto>if a &lt; b:\n    pass</pre>" in page
    assert "<summary>out, 2 lines</summary>" in page


@pytest.mark.parametrize("write", [markdown.document, html.document], ids=["md", "html"])
def test_a_secret_leaves_in_no_field(write: Write) -> None:
    secret = "correct-horse-battery"
    document = written(write, hostile_library(f"it is {secret}!"), {"MY_SECRET": secret})

    assert secret not in document
    assert json.encode(secret) not in document.encode()
    assert "[redacted: known value]" in document.replace("\\", "")


@pytest.mark.parametrize("write", [markdown.document, html.document], ids=["md", "html"])
@pytest.mark.parametrize("value", ["correct horse battery", "correct\nhorse battery", ["correct", "horse battery"]])
def test_a_secret_argument_goes_to_its_last_word(write: Write, value: object) -> None:
    arguments = Raw(json.encode({"url": "https://example.org", "password": value, "tokens": 12, "secret": ""}))
    library = MemoryLibrary()
    library.happened("one", e.SessionCreated("acp", "owner"), e.ToolCalled("c1", "c1", title="Log in", input=arguments))

    redacted = written(write, library, {})
    whole = written(write, library)

    assert "horse" not in redacted
    assert "battery" not in redacted
    assert "password: [redacted: password]\ntokens: 12\n" in redacted
    assert "redacted: 1." in redacted
    assert "battery" in whole


def _outside_of_code(document: str) -> list[str]:
    """The lines that are in no fence, found as CommonMark finds them."""
    lines: list[str] = []
    fence = ""
    for line in document.split("\n"):
        inner = line.removeprefix("> ")
        found = re.match(r" {0,3}(`{3,}|~{3,})", inner)
        if fence:
            if found and found[1].startswith(fence) and not inner.strip("`~ "):
                fence = ""
        elif found:
            fence = found[1]
        else:
            lines.append(line)
    return lines
