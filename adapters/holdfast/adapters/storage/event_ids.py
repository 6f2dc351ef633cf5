"""Fresh event ids: UUIDs of version 7 (RFC 9562 §5.7), so that ids made later sort later to the millisecond."""

from __future__ import annotations

import os
import time
from typing import Final

from holdfast.domain.recorded import EventId

_AT_ONCE: Final = 256
_RANDOM_BYTES: Final = 10
_VERSION_AND_VARIANT: Final = 7 << 76 | 2 << 62
_RANDOM_BITS: Final = (1 << 80) - 1 - (15 << 76) - (3 << 62)

_lower_halves: list[int] = []
# A forked process would go on with the same ones.
os.register_at_fork(after_in_child=_lower_halves.clear)


def new_event_id() -> EventId:
    """Return sixteen bytes that no other call anywhere returns. May be called from any thread."""
    try:
        lower = _lower_halves.pop()
    except IndexError:
        lower = _draw()
    return EventId((time.time_ns() // 1_000_000 << 80 | lower).to_bytes(16, "big"))


def _draw() -> int:
    """Fetch randomness for many ids: asking for it gives up the interpreter lock, which a busy writer keeps."""
    drawn = os.urandom(_AT_ONCE * _RANDOM_BYTES)
    _lower_halves.extend(
        int.from_bytes(drawn[start : start + _RANDOM_BYTES], "big") & _RANDOM_BITS | _VERSION_AND_VARIANT
        for start in range(_RANDOM_BYTES, len(drawn), _RANDOM_BYTES)
    )
    return int.from_bytes(drawn[:_RANDOM_BYTES], "big") & _RANDOM_BITS | _VERSION_AND_VARIANT
