"""What an export of one session is made from: its rows as they are hashed, and what vouches for them outside."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import func, select

from holdfast.adapters.storage import schema
from holdfast.adapters.storage.attachments import referred
from holdfast.adapters.storage.checkpoints import file_of, read_lines
from holdfast.adapters.storage.mapper import ACTOR_KINDS
from holdfast.adapters.storage.reading import fetch, head_position
from holdfast.adapters.storage.signing import Keyring
from holdfast.domain import enclosed
from holdfast.domain.errors import NotFoundError, SessionErasedError, StoreDamagedError
from holdfast.domain.exported import FORMAT, EventLine, Evidence, Header, Origin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Column, Select

    from holdfast.adapters.storage.store import Store
    from holdfast.domain.attachments import Reference
    from holdfast.domain.recorded import ActorKind, StreamId

_EVENTS = 1_000
_HASHES = 20_000

_events = schema.events.c
_COLUMNS = [_events[name] for name in schema.COLUMNS if name != "stream"]


def origin(store: Store, session_id: StreamId, now: int) -> Origin:
    """Return a session as the log holds it now; what is appended later is not in it.

    Memory for a thousand events; no transaction is held between two chunks, so a slow reader holds nothing up.

    Raises:
        NotFoundError: There is no such session.
        SessionErasedError: While reading: its content was erased meanwhile.
    """
    keys = schema.keys.c
    with store.reading() as connection:
        chosen = (keys.id == session_id) & (keys.kind == "session")
        key = connection.execute(select(keys.stream, keys.salt).where(chosen)).one_or_none()
        last = (
            None
            if key is None
            else connection.scalar(select(func.max(_events.version)).where(_events.stream == key.stream))
        )
    if key is None or last is None:
        msg = f"there is no session {session_id}"
        raise NotFoundError(msg)
    salt: bytes | None = key.salt
    with store.reading() as connection:
        refers = next(referred.uses(connection, key.stream), None) is not None
    header = Header(
        enclosed.FORMAT if refers else FORMAT, session_id, store.id, None if salt is None else salt.hex(), now
    )

    def content(reference: Reference) -> Iterator[bytes]:
        return _content(store, session_id, reference)

    return Origin(header, _lines(store, header, key.stream, last), content)


def evidence(store: Store, folder: Path, first: int, last: int) -> Evidence:
    """Return what vouches for events between two positions: signed checkpoints, and the hashes they were made from.

    The hashes go from the last signed checkpoint before them to the first one after them, as far as there are any.
    """
    path = file_of(folder, store.id)
    found = read_lines(path)
    keyring = Keyring(folder)
    signed = [line.checkpoint.position for line in found if line.checkpoint and line.signed(keyring)]
    after = max((position for position in signed if position < first), default=0)
    with store.reading() as connection:
        head = head_position(connection)
    until = min((position for position in signed if last <= position <= head), default=last)
    keys = {file.name: file.read_bytes() for file in sorted(folder.glob("key*.pub"))}
    return Evidence(after, _hashes(store, after, until), b"".join(line.text + b"\n" for line in found), keys)


def _content(store: Store, session_id: StreamId, reference: Reference) -> Iterator[bytes]:
    total, size = sha256(), 0
    try:
        with store.reading() as connection:
            for piece in store.attachments.pieces(connection, reference.sha256):
                total.update(piece)
                size += len(piece)
                yield piece
    except NotFoundError as error:
        raise StoreDamagedError(str(error)) from error
    if (total.hexdigest(), size) != (reference.sha256, reference.size):
        msg = f"attachment {reference.sha256} of session {session_id} is not as it was written: see `holdfast verify`"
        raise StoreDamagedError(msg)


def _lines(store: Store, header: Header, stream: int, last: int) -> Iterator[EventLine]:
    version = 0
    while version < last:
        statement = _select(*_COLUMNS).where(
            _events.stream == stream, _events.version > version, _events.version <= last
        )
        with store.reading() as connection:
            rows = fetch(connection, statement.order_by(_events.version).limit(_EVENTS))
            salt = connection.scalar(select(schema.keys.c.salt).where(schema.keys.c.stream == stream))
        if salt is None and header.salt is not None:
            msg = f"session {header.session_id} was erased while it was exported; there is nothing left to export"
            raise SessionErasedError(msg)
        yield from (_line(header.session_id, row) for row in rows)
        if not rows:
            return
        version = rows[-1][1]


def _hashes(store: Store, after: int, until: int) -> Iterator[bytes]:
    while after < until:
        statement = _select(_events.position, _events.hash).where(_events.position > after, _events.position <= until)
        with store.reading() as connection:
            rows = fetch(connection, statement.order_by(_events.position).limit(_HASHES))
        yield from (bytes(row[1]) for row in rows)
        if not rows:
            return
        after = rows[-1][0]


def _select(*columns: Column[Any]) -> Select[Any]:
    return select(*columns)


def _line(session_id: str, row: tuple[Any, ...]) -> EventLine:
    (
        position, version, event_id, tag, schema_version, recorded_at, occurred_at, cause, actor, device, source,
        source_offset, data, digest, event_hash,
    ) = row  # fmt: skip
    return EventLine(
        position, session_id, version, str(UUID(bytes=bytes(event_id))), tag, schema_version, recorded_at, occurred_at,
        cause, _kind(actor), device, None if source is None else bytes(source).hex(), source_offset, data,
        None if digest is None else bytes(digest).hex(), bytes(event_hash).hex(),
    )  # fmt: skip


def _kind(actor: int) -> ActorKind:
    return ACTOR_KINDS[actor]
