"""A log made by hand, and the ways to damage one. Rows are written past the store, as an intruder would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import StaticPool, create_engine, insert, select, text

from holdfast.adapters.storage import schema
from holdfast.adapters.storage.chain import GENESIS, extend, keyed
from holdfast.adapters.storage.chain import link as real_link

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine

STORE = "5" * 32
SESSIONS = ("alpha", "beta", "gamma")
ERASED = "gamma"


def memory() -> Engine:
    """Return an engine over one database in memory."""
    return create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})


def write_log(engine: Engine, events: int = 12, link: Callable[..., bytes] = real_link) -> list[dict[str, Any]]:
    """Write a log whose sessions take turns, the last of them erased, and return the rows of `events`."""
    schema.metadata.create_all(engine)
    rows = list(_rows(events, link))
    log_hash = extend(GENESIS, [row["hash"] for row in rows])
    salts = [(number, name, None if name == ERASED else _salt(name)) for number, name in enumerate(SESSIONS, 1)]
    with engine.begin() as connection:
        keys = [{"stream": number, "kind": "session", "id": name, "salt": salt} for number, name, salt in salts]
        keys.append({"stream": 0, "kind": "store", "id": STORE, "salt": b"s" * 32})
        connection.execute(insert(schema.keys), keys)
        connection.execute(insert(schema.events), rows)
        connection.execute(insert(schema.store).values(epoch=1, position=len(rows), log_hash=log_hash))
        for number, name in enumerate(SESSIONS, 1):
            last = [row for row in rows if row["stream"] == number][-1]
            roster = {key: last[key] for key in ("stream", "version", "hash", "position")}
            shown = {"ended": False, "rank": 0, "updated_at": 0, "row": "{}"}
            connection.execute(insert(schema.sessions).values(id=name, **roster, **shown))
    return rows


def _salt(name: str) -> bytes:
    return name.encode().ljust(32, b"!")


def _rows(count: int, link: Callable[..., bytes]) -> Iterator[dict[str, Any]]:
    heads: dict[str, tuple[int, bytes]] = dict.fromkeys(SESSIONS, (0, GENESIS))
    for position in range(1, count + 1):
        stream = (position - 1) % len(SESSIONS) + 1
        name = SESSIONS[stream - 1]
        version, before = heads[name]
        version += 1
        is_last = position > count - len(SESSIONS)
        erasure = name == ERASED and is_last
        data = "{}" if erasure else f'{{"text":"é what was said at {position}"}}'
        digest = keyed(b"" if erasure else _salt(name))(data.encode())
        header: dict[str, Any] = {
            "version": version,
            "event_id": position.to_bytes(16),
            "type": "session-erased" if erasure else "text-appended",
            "schema": 1,
            "recorded_at": 1_700_000_000_000_000 + position,
            "occurred_at": None if position % 2 else 1_600_000_000_000_000,
            "cause": None if position % 2 else f"command-{position}",
            "actor": position % 3,
            "device": None if position % 2 else "phone",
            "source": None if position % 2 else b"incarnat",
            "source_offset": None if position % 2 else 400 + position,
        }
        event_hash = link(before, position=position, stream=name, digest=digest, **header)
        heads[name] = (version, event_hash)
        gone = name == ERASED and not erasure
        yield {
            "position": position,
            "stream": stream,
            **header,
            "data": None if gone else data,
            "digest": digest if gone else None,
            "hash": event_hash,
        }


def change(engine: Engine, position: int, **values: Any) -> None:
    """Overwrite columns of one event. Bytes for a text column go in as they are, whatever they spell."""
    texts = {"type", "cause", "device", "data"}
    with engine.begin() as connection:
        for name, value in values.items():
            is_raw = name in texts and isinstance(value, bytes) and engine.dialect.name == "sqlite"
            new = "CAST(:value AS TEXT)" if is_raw else ":value"
            connection.execute(
                text(f'UPDATE events SET "{name}" = {new} WHERE "position" = :position'),
                {"value": value, "position": position},
            )


def execute(engine: Engine, statement: str, **values: Any) -> None:
    """Run any statement."""
    with engine.begin() as connection:
        connection.execute(text(statement), values)


def row_at(engine: Engine, position: int) -> dict[str, Any]:
    """Return one event's row."""
    with engine.connect() as connection:
        query = select(schema.events).where(schema.events.c.position == position)
        return dict(connection.execute(query).mappings().one())


def swap(engine: Engine, left: int, right: int, columns: tuple[str, ...]) -> None:
    """Exchange columns of two events."""
    a, b = row_at(engine, left), row_at(engine, right)
    if {"stream", "version"} & set(columns):  # one stream has no version twice, not even for a moment
        change(engine, left, version=-1)
    change(engine, right, **{name: a[name] for name in columns})
    change(engine, left, **{name: b[name] for name in columns})


def move(engine: Engine, position: int, to: int) -> None:
    """Give an event another position."""
    execute(engine, "UPDATE events SET position = :to WHERE position = :at", to=to, at=position)


def log_hash(engine: Engine, last: int) -> bytes:
    """Return the log hash up to a position."""
    with engine.connect() as connection:
        hashes = select(schema.events.c.hash).where(schema.events.c.position <= last)
        return extend(GENESIS, list(connection.scalars(hashes.order_by(schema.events.c.position))))
