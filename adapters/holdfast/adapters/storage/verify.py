"""Reading the whole log once and telling whether it is what was written, in one state a stream of memory.

Integrity and completeness are different questions. The chain answers the first; only a witness outside the database
can answer the second. What neither can know is said in words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from sqlalchemy import column, func, select, table
from sqlalchemy.exc import DBAPIError

from holdfast.adapters.storage.diagnosis import Bad
from holdfast.adapters.storage.evidence import Evidence, cannot_know
from holdfast.adapters.storage.walk import Walk
from holdfast.domain.errors import StoreDamagedError, StoreUnavailableError
from holdfast.domain.session.codec import link_events
from holdfast.domain.session.facts import BY_CLASS, BY_TAG

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Connection, Engine

    from holdfast.adapters.storage.attachments.keeping import Attachments

_EVENTS = table("events", *map(column, ("position", "stream", "version", "event_id", "type")))
_KEYS = table("keys", column("stream"), column("kind"), column("id"))
_LINK_TAGS = {each.tag for fact, each in BY_CLASS.items() if fact.__module__ == link_events.__name__}


class Behind(Struct, frozen=True):
    """The log lacks what its witness saw: it was cut short or put back.

    Attributes:
        log: Its last position.
        checkpoint: The last position that a witness saw.
    """

    log: int
    checkpoint: int


class Verdict(Struct, frozen=True):
    """What came of it. Its JSON is what `holdfast verify --json` prints.

    Attributes:
        ok: Whether everything that can be known is well.
        checked: How many events were read and found right.
        first_bad: The first place that is not as it was written.
        behind: Set when the log ends before its witness.
        checkpoints: How many signed checkpoints hold, up to which position, and what is wrong with the others.
        cannot_know: What no verification of this log can tell.
    """

    ok: bool
    checked: int
    first_bad: Bad | None
    behind: Behind | None
    checkpoints: Checkpoints
    cannot_know: tuple[str, ...]


class Checkpoints(Struct, frozen=True):
    """What the signed checkpoints are worth."""

    signed: int
    position: int
    complaints: tuple[str, ...]


def verify(
    engine: Engine,
    folder: Path,
    place: str = "",
    progress: Callable[[int, int], None] | None = None,
    *,
    attachments: Attachments | None = None,
) -> Verdict:
    """Verify a store against itself and against its witnesses. Reads only.

    Args:
        engine: Gives connections to the store on which a transaction is one snapshot.
        folder: The `checkpoints` folder of the home.
        place: The path or address of the store, to notice that it replaced another one.
        progress: Called now and then with how many events were read, and of how many.
        attachments: What events refer to; each is read. None leaves them alone.

    Raises:
        StoreDamagedError: Not even the keys can be read.
        StoreUnavailableError: The database server went away.
    """
    try:
        with engine.connect() as connection:
            store = _store_id(connection)
        # Before the snapshot is taken: a log that is being written is always ahead of what was read here.
        evidence = Evidence(folder, store, place)
        with engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                return _verify(connection, evidence, progress or (lambda _done, _total: None), attachments)
    except DBAPIError as error:
        if engine.dialect.name == "sqlite":
            msg = f"the database cannot be read ({error.orig}): restore it from a backup"
            raise StoreDamagedError(msg) from error
        msg = f"the database server did not answer ({error.orig}): try again when it runs"
        raise StoreUnavailableError(msg) from error


def _verify(
    connection: Connection,
    evidence: Evidence,
    progress: Callable[[int, int], None],
    attachments: Attachments | None,
) -> Verdict:
    last: int = connection.scalar(select(func.max(_EVENTS.c.position))) or 0
    walk = Walk(connection, evidence.witnesses, last, progress)
    first_bad = walk.run()
    if first_bad is None:
        first_bad = walk.beyond_the_end() or _of_another_kind(connection)
    twice = _twice(connection)
    if twice is not None and (first_bad is None or twice.position < first_bad.position):
        first_bad = twice
    if attachments is not None:
        bad = walk.uses.check(attachments, connection.engine, connection, lambda: progress(walk.checked, last))
        if bad is not None and (first_bad is None or bad.position < first_bad.position):
            first_bad = bad
    behind = Behind(last, evidence.reached) if evidence.reached > last or evidence.replaced else None
    return Verdict(
        ok=first_bad is None and behind is None and not evidence.complaints,
        checked=walk.checked,
        first_bad=first_bad,
        behind=behind,
        checkpoints=Checkpoints(len(evidence.signed), evidence.signed_position, evidence.complaints),
        cannot_know=tuple(cannot_know(evidence, last, walk.erased)),
    )


def _twice(connection: Connection) -> Bad | None:
    """Return the second of two events with one id; the chain alone would let a forger write one."""
    query = (
        select(func.min(_EVENTS.c.position), func.max(_EVENTS.c.position))
        .group_by(_EVENTS.c.event_id)
        .having(func.count() > 1)
    )
    try:
        pairs = connection.execute(query).all()
    except DBAPIError:
        return None  # the walk has met the same damage and says so
    if not pairs:
        return None
    first, second = min(pairs, key=lambda pair: pair[1])
    row = connection.execute(
        select(_EVENTS.c.version, _KEYS.c.id)
        .join_from(_EVENTS, _KEYS, _EVENTS.c.stream == _KEYS.c.stream, isouter=True)
        .where(_EVENTS.c.position == second)
    ).one_or_none()
    detail = f"the event of position {first} stands here a second time"
    if row is None:  # in a damaged table, a scan and a look-up need not agree
        return Bad(second, None, None, "tampered", detail)
    return Bad(second, row.id, row.version, "tampered", detail)


def _of_another_kind(connection: Connection) -> Bad | None:
    """Return the first event of a stream that its key calls something else than its events are.

    No hash covers that word, and a session that passes for a link is gone from every view.
    """
    query = (
        select(_KEYS.c.id, _KEYS.c.kind, _EVENTS.c.type, _EVENTS.c.position)
        .join_from(_KEYS, _EVENTS, (_KEYS.c.stream == _EVENTS.c.stream) & (_EVENTS.c.version == 1))
        .order_by(_EVENTS.c.position)
    )
    for name, kind, tag, position in connection.execute(query):
        is_link = tag in _LINK_TAGS if tag in BY_TAG else kind == "link"
        if kind != ("link" if is_link else "session"):
            detail = f"its stream passes for a {kind}, which has no such event"
            return Bad(position, name, 1, "tampered", detail)
    return None


def _store_id(connection: Connection) -> str:
    return connection.scalar(select(_KEYS.c.id).where(_KEYS.c.stream == 0)) or ""
