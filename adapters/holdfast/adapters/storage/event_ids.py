"""Fresh event ids: UUIDs of version 7 (RFC 9562 §5.7), so that ids made later sort later to the millisecond."""

from __future__ import annotations

import os
import time

from holdfast.domain.recorded import EventId


def new_event_id() -> EventId:
    """Return sixteen bytes that no other call anywhere returns."""
    milliseconds = time.time_ns() // 1_000_000
    random = bytearray(os.urandom(10))
    random[0] = 0x70 | (random[0] & 0x0F)
    random[2] = 0x80 | (random[2] & 0x3F)
    return EventId(milliseconds.to_bytes(6, "big") + bytes(random))
