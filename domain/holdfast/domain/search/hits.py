"""What is found: whether words fit a query, and the place in the text that shows why."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Final

from holdfast.domain.search.text import PASSAGE, first_word
from holdfast.domain.search.words import places

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from holdfast.domain.search.query import Query, Term
    from holdfast.domain.search.words import Place

OPEN: Final = "⟦"
CLOSE: Final = "⟧"
"""What stands around each hit in a snippet. Where the text itself has these signs, they become [ and ]."""

_BEFORE = 60
_LENGTH = 240
_EDGE = 20
"""Signs before the first and after the last word of a text that are shown with it."""
_MOST = 40
"""Hits in a passage that are looked at to find the place where most of them stand together."""

_SPACE = re.compile(r"\s+")
_HARMLESS = str.maketrans({OPEN: "[", CLOSE: "]"})


def fits(query: Query, words: Sequence[str]) -> bool:
    """Tell whether a passage of these words fits the query. Its conditions on session and time are not looked at."""
    return all(_first(term, words) is not None for term in query.wanted) and not any(
        _first(term, words) is not None for term in query.unwanted
    )


def snippet(query: Query, text: str, part: int = 0) -> str:
    """Return what surrounds the hits in a passage of `text`, on one line, each hit between `OPEN` and `CLOSE`."""
    start = first_word(part)
    found = list(islice(places(text), start, start + PASSAGE))
    if not found:
        return ""
    spans = list(islice(_spans(query, found), _MOST))
    begin, end = _best(spans) if spans else found[0][1:]
    limit = begin + _LENGTH - _BEFORE
    left = next(place.start for place in found if place.start >= begin - _BEFORE)
    right = max((place.end for place in found if begin < place.end <= limit), default=limit)
    right = max(right, min(end, begin + _LENGTH))
    if left == found[0].start:
        left = max(0, left - _EDGE)
    last = min(len(text), right + _EDGE) if right == found[-1].end else right
    pieces = ["…" if left > 0 else ""]
    at = left
    for first, end in spans:
        if at <= first < right:
            at = min(end, right)
            pieces += [_plain(text[left:first]), OPEN, _plain(text[first:at]), CLOSE]
            left = at
    pieces += [_plain(text[at:last]), "…" if last < len(text) else ""]
    return "".join(pieces).strip()


def _first(term: Term, words: Sequence[str]) -> int | None:
    return next(_starts(term, words), None)


def _starts(term: Term, words: Sequence[str]) -> Iterator[int]:
    """Yield where in `words` the term begins."""
    *others, last = term.words
    size = len(term.words)
    for at in range(len(words) - size + 1):
        end = words[at + size - 1]
        if (end == last or (term.prefix and end.startswith(last))) and list(words[at : at + size - 1]) == others:
            yield at


def _spans(query: Query, found: Sequence[Place]) -> Iterator[tuple[int, int]]:
    words = [place.word for place in found]
    spans = {
        (found[at].start, found[at + len(term.words) - 1].end)
        for term in query.wanted
        for at in islice(_starts(term, words), _MOST)
    }
    end = 0
    for span in sorted(spans, key=lambda span: (span[0], -span[1])):
        if span[0] >= end:
            end = span[1]
            yield span


def _best(spans: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Return the hit behind which most others stand within sight."""
    sight = _LENGTH - _BEFORE
    return max(spans, key=lambda span: (sum(span[0] <= other[0] < span[0] + sight for other in spans), -span[0]))


def _plain(text: str) -> str:
    return _SPACE.sub(" ", text.translate(_HARMLESS))
