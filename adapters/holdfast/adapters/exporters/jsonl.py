"""One session as lines of JSON: a header, every event with all that enters its hash, and a last line that counts."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from holdfast.domain import enclosed
from holdfast.domain.attachments import references
from holdfast.domain.exported import encode_line, last_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.domain.exported import Origin


def lines(origin: Origin, *, enclose: bool = True) -> Iterator[bytes]:
    """Yield the lines of `origin`, in memory for one of them.

    With `enclose`, what an event refers to stands before the first one that does.
    """
    header = encode_line(origin.header) + b"\n"
    so_far = sha256(header)
    yield header
    count = 0
    there: set[str] = set()
    for event in origin.events:
        for reference in references(event.data or "") if enclose else ():
            if reference.sha256 not in there:
                there.add(reference.sha256)
                for piece in enclosed.lines(reference.sha256, reference.size, origin.content(reference)):
                    so_far.update(piece)
                    yield piece
        line = encode_line(event) + b"\n"
        so_far.update(line)
        count += 1
        yield line
    yield last_line(count, so_far.hexdigest())
