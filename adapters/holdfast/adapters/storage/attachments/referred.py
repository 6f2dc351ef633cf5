"""Which session refers to which attachment: a view like any other, made by looking for references in the log.

It only ever lags behind the log, so whoever acts on it brings it up to date first, in the same transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from sqlalchemy import delete, func, inspect, select

from holdfast.adapters.storage import schema
from holdfast.adapters.storage.views.tables import track, tracked, upsert
from holdfast.domain.attachments import KEY, Reference, references

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import ColumnElement, Connection

NAME: Final = "attached"
NOBODY: Final = 0
"""The stream of what an erasure left without a reference, until it is removed. No session has this number."""

_MARK: Final = f'{{"{KEY}":"'
_AT_ONCE: Final = 500
_events = schema.events.c
_attached = schema.attached.c

Use = tuple[int, Reference]
"""The number of a stream, and what one of its events refers to."""


def refresh(connection: Connection, *, most: int | None = None) -> int:
    """Bring the view up to date: one pass over what was appended since, most of which the database passes over.

    Args:
        connection: The writer's, inside a transaction that the caller commits.
        most: How many events are looked at; all by default.

    Returns:
        How many are left.
    """
    head = connection.scalar(select(func.max(_events.position))) or 0
    seen = tracked(connection, NAME)
    if seen >= head:
        return 0
    until = head if most is None else min(head, seen + most)
    _add(connection, _uses(connection, _events.position.between(seen + 1, until)))
    track(connection, NAME, until)
    return head - until


def refill(log: Connection, views: Connection) -> None:
    """Make the view anew."""
    views.execute(delete(schema.attached))
    _add(views, _uses(log, _events.position > 0))
    track(views, NAME, log.scalar(select(func.max(_events.position))) or 0)


def renew(connection: Connection, stream: int) -> None:
    """Look again at one session, some of whose payloads are not there any more."""
    refresh(connection)
    connection.execute(delete(schema.attached).where(_attached.stream == stream))
    _add(connection, _uses(connection, _events.stream == stream))


def let_go(connection: Connection, stream: int) -> list[str]:
    """Take note that a session refers to nothing any more; return what therefore nobody refers to.

    That stays on record as `abandoned`, so that a kill before its removal forgets nothing.
    """
    refresh(connection)
    others = select(_attached.sha256).where(_attached.stream != stream)
    alone = select(_attached.sha256, _attached.size).where(_attached.stream == stream, _attached.sha256.not_in(others))
    found = {bytes(name): {"stream": NOBODY, "size": size, "text": False} for name, size in connection.execute(alone)}
    connection.execute(delete(schema.attached).where(_attached.stream == stream))
    upsert(connection, schema.attached, [{"sha256": name, **row} for name, row in found.items()])
    return [name.hex() for name in found]


def abandoned(connection: Connection) -> list[str]:
    """Return what is to be removed: abandoned, and not referred to again since."""
    refresh(connection)
    used = select(_attached.sha256).where(_attached.stream != NOBODY)
    chosen = select(_attached.sha256).where(_attached.stream == NOBODY, _attached.sha256.not_in(used))
    return [bytes(name).hex() for name in connection.scalars(chosen)]


def removed(connection: Connection) -> None:
    """Take note that what was abandoned is removed."""
    connection.execute(delete(schema.attached).where(_attached.stream == NOBODY))


def is_kept(connection: Connection) -> bool:
    """Tell whether the store has ever been open to a version that knows attachments."""
    return inspect(connection).has_table(schema.attached.name)


def wanted(connection: Connection) -> dict[str, int]:
    """Return every attachment that an event refers to, with its size. Reads only, so the end of the log as well."""
    found: dict[str, int] = {}
    seen = 0
    if is_kept(connection):
        seen = tracked(connection, NAME)
        rows = connection.execute(select(_attached.sha256, _attached.size).where(_attached.stream != NOBODY))
        found = {bytes(name).hex(): size for name, size in rows}
    found.update((use.sha256, use.size) for _, use in _uses(connection, _events.position > seen))
    return found


def bytes_by_stream(connection: Connection) -> dict[int, int]:
    """Return how many bytes of attachments each session refers to, as far as the view goes."""
    if not is_kept(connection):
        return {}
    statement = select(_attached.stream, func.sum(_attached.size)).group_by(_attached.stream)
    return {stream: int(size) for stream, size in connection.execute(statement)}


def uses(connection: Connection, stream: int) -> Iterator[Reference]:
    """Yield what the events of one session refer to, in order, more than once where they do. Reads only."""
    return (use for _, use in _uses(connection, _events.stream == stream))


def refers(connection: Connection, stream: int, name: str) -> Literal["text", "bytes"] | None:
    """Tell whether a session refers to an attachment, and as what. Reads only: the view, and what it lacks yet."""
    if not is_kept(connection):
        return None
    chosen = (_attached.stream == stream) & (_attached.sha256 == bytes.fromhex(name))
    text = connection.scalar(select(_attached.text).where(chosen))
    if text is None:
        since = tracked(connection, NAME)
        found = _uses(connection, (_events.stream == stream) & (_events.position > since))
        text = next((use.encoding == "utf-8" for _, use in found if use.sha256 == name), None)
    if text is None:
        return None
    return "text" if text else "bytes"


def _uses(connection: Connection, chosen: ColumnElement[bool]) -> Iterator[Use]:
    place = func.instr if connection.dialect.name == "sqlite" else func.strpos
    statement = (
        select(_events.stream, _events.data)
        .where(chosen, place(_events.data, _MARK) > 0)
        .order_by(_events.position)
        .execution_options(yield_per=_AT_ONCE)
    )
    with connection.execute(statement) as result:
        for stream, data in result:
            for reference in references(data):
                yield stream, reference


def _add(connection: Connection, found: Iterator[Use]) -> None:
    fresh = {(stream, bytes.fromhex(use.sha256)): use for stream, use in found}
    rows = [
        {"stream": stream, "sha256": name, "size": use.size, "text": use.encoding == "utf-8"}
        for (stream, name), use in fresh.items()
    ]
    upsert(connection, schema.attached, rows)
