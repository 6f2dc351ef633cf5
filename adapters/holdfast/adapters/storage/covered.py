"""Which payloads of a session may be missing, because an event of a compaction stands for them. It trusts no row."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, column, select, table
from sqlalchemy.types import NULLTYPE

from holdfast.adapters.storage.log_rows import MALFORMED
from holdfast.domain.compaction import COMPACTED, REDUCIBLE, versions_of
from holdfast.domain.errors import StoreDamagedError
from holdfast.domain.session import events as e
from holdfast.domain.session.codec import decode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

_NAMES = ("stream", "version", "type", "schema", "data", "digest")
_EVENTS = table("events", *(column(name, NULLTYPE) for name in _NAMES))
_events = _EVENTS.c
_COMPACTED = (
    select(_events.version, _events.type, _events.schema, _events.data)
    .where(_events.stream == bindparam("stream"), _events.type.in_(COMPACTED))
    .order_by(_events.version)
)
_BETWEEN = (
    select(_events.version, _events.type, _events.data, _events.digest)
    .where(_events.stream == bindparam("stream"), _events.version.between(bindparam("first"), bindparam("last")))
    .order_by(_events.version)
)


def covered(connection: Connection, stream: int, digest: Callable[[bytes], bytes]) -> bytearray:
    """Return a byte for each version, 1 where an event stands for it whose digest is that of what it stands for.

    Args:
        connection: Where the log is read.
        stream: The number of the stream.
        digest: The payload digest under the stream's salt.
    """
    found = bytearray()
    for version, tag, schema, data in connection.execute(_COMPACTED, {"stream": stream}).all():
        try:
            fact = decode(tag, schema, data)
            if not isinstance(fact, e.MessageCompacted | e.ToolCompacted):
                continue
            versions = versions_of(fact, version)
            if versions is None or _total(connection, stream, versions, digest) != fact.digest:
                continue
        except (*MALFORMED, StoreDamagedError):
            continue  # the walk meets the same damage when it comes there
        found.extend(bytes(max(0, versions[-1] + 1 - len(found))))
        for each in versions:
            found[each] = 1
    return found


def _total(
    connection: Connection, stream: int, versions: Sequence[int], digest: Callable[[bytes], bytes]
) -> str | None:
    """Return the digest over the payload digests of some events; None where one of them is none that can be reduced."""
    wanted = set(versions)
    total = sha256()
    seen = 0
    chosen = {"stream": stream, "first": versions[0], "last": versions[-1]}
    for version, tag, data, kept in connection.execute(_BETWEEN, chosen):
        if version not in wanted:
            continue
        if tag not in REDUCIBLE:
            return None
        total.update(digest(data.encode()) if data is not None else kept)
        seen += 1
    return total.hexdigest() if seen == len(versions) else None
