"""Text that comes in pieces, laid out as a transcript is: indented and wrapped, each word shown once it is whole."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from holdfast.frontends.cli.cells import head, width
from holdfast.frontends.cli.escaping import block
from holdfast.frontends.cli.markdown import FENCE, HEADING, INLINE, PROSE, inline
from holdfast.frontends.cli.terminal import Span

if TYPE_CHECKING:
    from holdfast.frontends.cli.terminal import Terminal

_TOKEN: Final = re.compile(r"\r?\n|[ \t]+|(?:[^ \t\r\n]|\r(?!\n))+")
_MARGIN: Final = "  "
_TAB: Final = "    "
_NARROW: Final = 8


class Flow:
    """One text on its way to a terminal. Blanks and ends of lines are shown once something follows them."""

    def __init__(self, terminal: Terminal) -> None:
        """Begin on an empty line."""
        self._terminal = terminal
        self._room = None if terminal.width is None else max(_NARROW, terminal.width - len(_MARGIN))
        self._limit = self._room
        self._word = ""
        self._gap = ""
        self._ends = 0
        self._begun = False
        self._used = 0
        self._hang = ""
        self._style = ""
        self._fence = ""

    def add(self, text: str) -> None:
        """Take the next piece, which may end anywhere: within a word, or between the two signs of a line's end."""
        text, self._word = self._word + text, ""
        for found in _TOKEN.finditer(text):
            token = found[0]
            if token.endswith("\n"):
                self._gap = ""
                self._ends += 1
            elif token[0] in " \t":
                self._gap += token.replace("\t", _TAB)
            elif found.end() == len(text):
                self._word = token
            else:
                self._show(block(token))

    def close(self) -> None:
        """Show what is left, and end the line."""
        if self._word:
            self._show(block(self._word))
        if self._begun:
            self._terminal.line()

    def _show(self, word: str) -> None:
        gap, self._gap = self._gap, ""
        if not self._begun or self._ends:
            self._break(self._ends if self._begun else 0)
            self._begin(gap, word)
        elif self._limit is not None and self._used + len(gap) + width(word) > self._limit:
            self._break(1)
        else:
            self._put(gap)
        while self._limit is not None and self._used + width(word) > self._limit:
            piece = head(word, self._limit - self._used)
            self._put(piece, self._style)
            self._break(1)
            word = word[len(piece) :]
        self._put(word, self._style)

    def _begin(self, indent: str, word: str) -> None:
        """Begin a line of the text: its first word tells what it is."""
        self._begun, self._ends = True, 0
        fence = FENCE.match(word)
        code = bool(self._fence)
        if fence is not None and not code:
            self._fence, self._style = fence[1], "dim"
        elif code:
            closes = fence is not None and fence[1].startswith(self._fence) and not word.strip("`~")
            self._style = "dim" if closes else "cyan"
            self._fence = "" if closes else self._fence
        else:
            self._style = "bold" if HEADING.match(f"{word} ") else ""
        wide = code or fence is not None or self._room is None
        self._limit = self._room if wide or self._room is None else min(self._room, PROSE)
        self._hang = indent if self._limit is None or len(indent) * 2 <= self._limit else ""
        self._put(self._hang)

    def _break(self, lines: int) -> None:
        """End the line, leave empty ones, and stand where the next one goes on."""
        for _ in range(lines):
            self._terminal.line()
        self._terminal.text(_MARGIN)
        self._used = 0
        if self._begun and not self._ends:
            self._put(self._hang)

    def _put(self, text: str, style: str = "") -> None:
        if text:
            parts = (Span(text, style),) if style else map(inline, INLINE.split(text))
            self._terminal.text(*parts)
            self._used += width(text)
