"""One session as lines of JSON: a header, every event with all that enters its hash, and a last line that counts."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from holdfast.domain.exported import encode_line, last_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.domain.exported import Origin


def lines(origin: Origin) -> Iterator[bytes]:
    """Yield the lines of `origin`, in memory for one of them."""
    header = encode_line(origin.header) + b"\n"
    so_far = sha256(header)
    yield header
    count = 0
    for event in origin.events:
        line = encode_line(event) + b"\n"
        so_far.update(line)
        count += 1
        yield line
    yield last_line(count, so_far.hexdigest())
