"""What changed in a file, as lines of a screen: numbers, signs, and three lines around each change."""

from __future__ import annotations

from difflib import SequenceMatcher
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from holdfast.frontends.tui.session.highlight import Highlighter
from holdfast.frontends.tui.session.text import Line, Span, hard, source_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_AROUND = 3
_MOST_LINES = 4_000
"""Lines of both sides beyond which they are not compared: that takes the square of their number."""


class Change(NamedTuple):
    """One line of a file before, after, or both.

    Attributes:
        sign: `+`, `-`, a blank where it stayed, `…` where lines are left out.
        number: Its number, after the change unless it is gone.
        text: The line.
    """

    sign: str
    number: int
    text: str


@lru_cache(maxsize=32)
def changes(old: str | None, new: str) -> tuple[Change, ...]:
    """Return what makes `new` of `old`; None for a file that did not exist."""
    before = [] if not old else _lines(old)
    after = _lines(new)
    if not before:
        return tuple(Change("+", number, text) for number, text in enumerate(after, 1))
    if len(before) + len(after) > _MOST_LINES:
        same = _common(before, after)
        tail = _common(before[same:][::-1], after[same:][::-1])
        groups = [_around(same, tail, len(before), len(after))]
    else:
        groups = list(SequenceMatcher(None, before, after, autojunk=False).get_grouped_opcodes(_AROUND))
    found: list[Change] = []
    for group in groups:
        if group[0][3] > 0:
            found.append(Change("…", 0, ""))
        for kind, i, j, k, m in group:
            if kind == "equal":
                found += [Change(" ", k + at + 1, text) for at, text in enumerate(before[i:j])]
                continue
            found += [Change("-", i + at + 1, text) for at, text in enumerate(before[i:j])]
            found += [Change("+", k + at + 1, text) for at, text in enumerate(after[k:m])]
    return tuple(found)


def tally(found: Sequence[Change]) -> tuple[int, int]:
    """Return how many lines came, and how many went."""
    return sum(change.sign == "+" for change in found), sum(change.sign == "-" for change in found)


def drawn(found: Sequence[Change], path: str, width: int) -> Iterator[Line]:
    """Yield changes as lines of a screen, in the colours of the file's language."""
    language = path.rpartition(".")[2] if "." in path else path.rpartition("/")[2]
    size = len(str(max((change.number for change in found), default=1)))
    code = Highlighter(language)
    styles = {"+": "diff.added", "-": "diff.removed"}
    for change in found:
        if change.sign == "…":
            yield Line((Span(f"{'⋯':>{size}}", "diff.skip"),))
            continue
        style = styles.get(change.sign, "diff.same")
        spans = code.peek(source_line(change.text))
        lead: tuple[Span, ...] = (
            Span(f"{change.number:>{size}} ", f"{style} diff.number"),
            Span(f"{change.sign} ", f"{style} diff.sign"),
        )
        for piece in hard(spans, width - size - 3):
            yield Line((*lead, *(Span(text, f"{each} {style}") for text, each in piece)), style)
            lead = (Span(" " * (size + 3), style),)


def _lines(text: str) -> list[str]:
    lines = text.replace("\r\n", "\n").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def _common(one: list[str], other: list[str]) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _around(same: int, tail: int, before: int, after: int) -> list[tuple[str, int, int, int, int]]:
    """Say of large texts what lies between their common beginning and end."""
    head, foot = max(0, same - _AROUND), min(_AROUND, tail)
    return [
        ("equal", head, same, head, same),
        ("replace", same, before - tail, same, after - tail),
        ("equal", before - tail, before - tail + foot, after - tail, after - tail + foot),
    ]
