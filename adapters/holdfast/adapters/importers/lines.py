"""Lines of a growing file in constant memory, and JSON objects out of lines that anybody may have written."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, TypeGuard

from msgspec import MsgspecError, Struct, json

from holdfast.domain.surrogates import without_halves

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK = 256 * 1024

LINE_LIMIT = 64 * 1024 * 1024
"""Bytes of the longest line that is read; a longer one is passed over without being held in memory."""

DEPTH_LIMIT = 128
"""How deep the JSON of a line may be nested, so that no reader of the log ever runs out of stack."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_decode = json.Decoder(object).decode

JsonObject = dict[str, object]


class Line(Struct, frozen=True, gc=False):
    """One line of a file.

    Attributes:
        data: Its bytes without the newline and white space around them, mended; None for a line that is too long.
        start: Offset of its first byte.
        end: Offset of the byte after it, and after its newline where it has one.
        ended: Whether the newline is there. Without it the writer may not be done.
    """

    data: bytes | None
    start: int
    end: int
    ended: bool


def read_lines(file: BinaryIO, start: int = 0, *, limit: int = LINE_LIMIT) -> Iterator[Line]:
    """Yield the lines of `file` from the byte `start` on.

    Args:
        file: Open for reading.
        start: Offset of the first byte of a line, or of the newline that ends the line before it.
        limit: Bytes of the longest line that is held in memory.

    Raises:
        OSError: The file cannot be read.
    """
    file.seek(start)
    pieces: list[bytes] = []
    held = 0
    while chunk := file.read(CHUNK):
        begin = 0
        while (newline := chunk.find(b"\n", begin)) >= 0:
            held += newline - begin
            end = start + held + 1
            pieces.append(chunk[begin:newline])
            yield Line(_joined(pieces) if held <= limit else None, start, end, ended=True)
            pieces.clear()
            start = end
            held = 0
            begin = newline + 1
        held += len(chunk) - begin
        if held <= limit:
            pieces.append(chunk[begin:])
        else:
            pieces.clear()
    if held:
        yield Line(_joined(pieces) if held <= limit else None, start, start + held, ended=False)


def json_object(line: bytes) -> JsonObject | None:
    """Return the JSON object that `line` holds; None for anything else.

    Invalid UTF-8, lone surrogates, numbers without a value and absurd nesting are not taken: no later reader of the log
    has to expect them.
    """
    try:
        value = _decode(line)
    except (MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if not is_object(value):
        return None
    if line.count(b"{") + line.count(b"[") > DEPTH_LIMIT and _too_deep(value):
        return None
    return value


def mended(data: bytes) -> bytes:
    """Return JSON with U+FFFD for each half of a surrogate pair: a text that was cut inside an emoji is not lost."""
    return without_halves(data) if b"\\ud" in data or b"\\uD" in data else data


def is_object(value: object) -> TypeGuard[JsonObject]:
    """Tell whether a decoded JSON value is an object."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[object]]:
    """Tell whether a decoded JSON value is an array."""
    return isinstance(value, list)


def _joined(pieces: list[bytes]) -> bytes:
    return mended(b"".join(pieces).strip().removeprefix(_BYTE_ORDER_MARK))


def _too_deep(value: object) -> bool:
    level = [value]
    for _ in range(DEPTH_LIMIT):
        below: list[object] = []
        for each in level:
            if is_object(each):
                below.extend(each.values())
            elif is_array(each):
                below.extend(each)
        if not below:
            return False
        level = below
    return True
