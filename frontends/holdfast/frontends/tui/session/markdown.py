"""Markdown in lines of a screen, one line of the source after the other: what is finished is never looked at again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from holdfast.frontends.tui.session.highlight import Highlighter
from holdfast.frontends.tui.session.inline import inline
from holdfast.frontends.tui.session.tables import cells_of, is_rule, table
from holdfast.frontends.tui.session.text import Line, Span, clip, flow, hard, source_line

if TYPE_CHECKING:
    from collections.abc import Iterator

PROSE = 100
"""Cells of a line of prose; code and tables take the whole width."""

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})[ \t]*([^`]*)$")
_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$")
_RULE = re.compile(r" {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$")
_ITEM = re.compile(r"([ ]*)([-*+]|\d{1,9}[.)])[ ]+(?:\[([ xX])\][ ]+)?(.*)$")
_QUOTE = re.compile(r" {0,3}((?:>[ ]?)+)(.*)$")
_DEEPEST = 4
"""How deep quotes are drawn as such."""


class Markdown:
    """Turns a text into lines while it comes in."""

    def __init__(self, width: int, style: str = "") -> None:
        """Begin a text.

        Args:
            width: For what it is drawn.
            style: The style of its prose.
        """
        self._width = width
        self._style = style
        self._prose = min(width, PROSE)
        self._fence = ""
        self._code = Highlighter("")
        self._table: list[str] = []
        self._blank = True

    def feed(self, source: str) -> Iterator[Line]:
        """Yield what is certain after the next line of the source, which must not hold a line end."""
        text = source_line(source)
        if self._fence:
            yield from self._in_fence(text)
            return
        if self._table and not _in_table(text):
            yield from self._end_table()
        if _in_table(text):
            self._table.append(text)
            return
        yield from self._block(text)

    def rest(self, source: str = "") -> Iterator[Line]:
        """Yield what may still change: a table that may go on, and the beginning of the next line; changes nothing."""
        text = source_line(source)
        if self._fence:
            if text and not self._closes(text):
                yield from self._code_line(self._code.peek(text))
            return
        if self._table:
            if _in_table(text):
                yield from self._drawn([*self._table, text])
                return
            yield from self._drawn(self._table)
        if text.strip() and not _FENCE.match(text):
            blank = self._blank
            yield from self._block(text)
            self._blank = blank

    def _block(self, text: str) -> Iterator[Line]:
        if not text.strip():
            if not self._blank:
                yield Line()
            self._blank = True
            return
        begun, self._blank = self._blank, False
        if found := _FENCE.match(text):
            self._fence, language = found[1], found[2].split(" ")[0].strip("{}.")
            self._code = Highlighter(language)
            yield from self._fence_head(found[2].strip())
        elif found := _HEADING.match(text):
            if not begun:
                yield Line()
            style = "heading top" if len(found[1]) == 1 else "heading"
            yield from self._flowed(found[2], style)
        elif _RULE.match(text):
            yield Line((Span("─" * self._prose, "rule"),))
        elif found := _QUOTE.match(text):
            depth = min(_DEEPEST, found[1].count(">"))
            bar = (Span("▎ " * depth, "quote.bar"),)
            yield from self._flowed(found[2], f"{self._style} quote", bar, bar)
        elif found := _ITEM.match(text):
            yield from self._item(found)
        else:
            indent = (Span(" " * min(len(text) - len(text.lstrip(" ")), self._prose // 2)),)
            yield from self._flowed(text.strip(" "), self._style, indent, indent)

    def _item(self, found: re.Match[str]) -> Iterator[Line]:
        indent, mark, task, text = found.groups()
        lead = " " * min(len(indent), self._prose // 2)
        if task is not None:
            done = task in "xX"
            sign = "☑" if done else "☐"
        elif mark in "-*+":
            sign = "•" if len(indent) < 2 else "◦"
        else:
            sign = mark
        first = (Span(f"{lead}{sign} ", "bullet"),)
        yield from self._flowed(text, self._style, first, (Span(" " * len(first[0].text)),))

    def _flowed(
        self, text: str, style: str, first: tuple[Span, ...] = (), rest: tuple[Span, ...] = ()
    ) -> Iterator[Line]:
        for spans in flow(list(inline(text, style)), self._prose, first, rest):
            yield Line(spans)

    def _in_fence(self, text: str) -> Iterator[Line]:
        if self._closes(text):
            self._fence = ""
            return
        yield from self._code_line(self._code.line(text))

    def _closes(self, text: str) -> bool:
        bare = text.strip()
        return bare.startswith(self._fence) and not bare.strip(self._fence[0])

    def _fence_head(self, label: str) -> Iterator[Line]:
        if label:
            text = clip(label, self._width - 2)
            yield Line((Span(f" {text}", "code.label"),), "code.block")

    def _code_line(self, spans: list[Span]) -> Iterator[Line]:
        lead = Span(" ", "code.block")
        for piece in hard(spans, self._width - 2):
            yield Line((lead, *(Span(text, f"code.block {style}") for text, style in piece)), "code.block")

    def _end_table(self) -> Iterator[Line]:
        rows, self._table = self._table, []
        self._blank = False
        yield from self._drawn(rows)

    def _drawn(self, rows: list[str]) -> Iterator[Line]:
        """Draw a table; what only width like one is prose."""
        if len(rows) > 1 and is_rule(rows[1]) and len(cells_of(rows[0])) > 1:
            yield from table(rows, self._width, self._style)
            return
        for row in rows:
            yield from self._flowed(row.strip(), self._style)


def markdown(text: str, width: int, style: str = "") -> list[Line]:
    """Return a whole text in lines, without empty ones at its end."""
    writer = Markdown(width, style)
    lines: list[Line] = []
    for source in text.split("\n"):
        lines += writer.feed(source)
    lines += writer.rest()
    while lines and not lines[-1].spans and not lines[-1].fill:
        lines.pop()
    return lines


def _in_table(text: str) -> bool:
    return text.lstrip(" ").startswith("|")
