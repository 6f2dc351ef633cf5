"""How wide text is on a terminal, and how it is cut, padded and wrapped to fit. Expects text without controls."""

from __future__ import annotations

from unicodedata import category, east_asian_width

_NO_CELLS = frozenset(("Mn", "Me"))  # marks upon the character before


def width(text: str) -> int:
    """Return how many cells `text` takes."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def clip(text: str, limit: int, mark: str = "…") -> str:
    """Return `text` in at most `limit` cells; what is cut off leaves `mark`."""
    if len(text) <= limit and width(text) <= limit:
        return text
    kept, room = 0, limit - width(mark)
    for character in text:
        room -= _cells(character)
        if room < 0:
            break
        kept += 1
    return text[:kept].rstrip() + mark if limit >= width(mark) else text[:kept]


def pad(text: str, size: int, *, right: bool = False) -> str:
    """Return `text` filled up with spaces to `size` cells."""
    gap = " " * (size - width(text))
    return gap + text if right else text + gap


def wrap(text: str, limit: int | None) -> list[str]:
    """Return the lines of `text`, broken at spaces to `limit` cells, each continued at its own indentation.

    Without a limit, lines stay as they are.
    """
    lines = text.expandtabs(4).split("\n")
    if limit is None:
        return lines
    return [piece for line in lines for piece in _wrap_line(line.rstrip(), max(limit, 8))]


def _wrap_line(line: str, limit: int) -> list[str]:
    if len(line) * 2 <= limit or width(line) <= limit:
        return [line]
    indent = line[: len(line) - len(line.lstrip(" "))]
    indent = indent if len(indent) * 2 <= limit else ""
    pieces: list[str] = []
    current, used, empty = indent, len(indent), True
    for word in line[len(indent) :].split(" "):
        size = width(word)
        if not empty and used + 1 + size <= limit:
            current, used = f"{current} {word}", used + 1 + size
            continue
        if not empty:
            pieces.append(current.rstrip())
        current, used, empty = indent + word, len(indent) + size, False
        while used > limit:
            piece = head(current, limit)
            pieces.append(piece)
            current = indent + current[len(piece) :]
            used = width(current)
    pieces.append(current.rstrip())
    return pieces


def head(text: str, limit: int) -> str:
    """Return as much of the beginning of `text` as fits into `limit` cells."""
    room = limit
    for index, character in enumerate(text):
        room -= _cells(character)
        if room < 0:
            return text[:index]
    return text


def _cells(character: str) -> int:
    if character.isascii():
        return 1
    if category(character) in _NO_CELLS:
        return 0
    return 2 if east_asian_width(character) in "WF" else 1
