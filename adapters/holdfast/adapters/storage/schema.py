"""The tables, one definition for both dialects. What a column means is told in `docs/reference/schema.md`.

`events`, `keys` and `alembic_version` are the truth. Everything else can be dropped and is made anew.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    event,
)

from holdfast.adapters.storage.postgres_types import TSVECTOR

APPLICATION_ID: Final = 0x484F4C44
"""`HOLD`, in the header of every SQLite file of ours."""

SCHEMA_VERSION: Final = 2
"""Number of the newest migration; SQLite keeps it as `user_version` too, so that opening needs no Alembic."""

REVISION_PREFIX: Final = "holdfast_"

metadata = MetaData()

# SQLite gives only INTEGER primary keys to the rowid, and stores every integer in as few bytes as it needs.
_Big = BigInteger().with_variant(Integer(), "sqlite")
_Small = SmallInteger().with_variant(Integer(), "sqlite")

events = Table(
    "events",
    metadata,
    # Assigned from a counter that moves only after COMMIT. AUTOINCREMENT keeps the high-water mark on SQLite. On
    # Postgres the migration makes it a plain number, since a sequence would move without its transaction.
    Column("position", _Big, primary_key=True, autoincrement=True),
    Column("stream", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("event_id", LargeBinary, nullable=False),
    Column("type", Text, nullable=False),
    Column("schema", _Small, nullable=False),
    Column("recorded_at", _Big, nullable=False),
    Column("occurred_at", _Big),
    Column("cause", Text),
    Column("actor", _Small, nullable=False),
    Column("device", Text),
    Column("source", LargeBinary),
    Column("source_offset", _Big),
    Column("data", Text),
    Column("digest", LargeBinary),
    Column("hash", LargeBinary, nullable=False),
    UniqueConstraint("stream", "version", name="events_stream_version"),
    sqlite_autoincrement=True,
)
with_cause = events.c.cause.is_not(None)
events_cause = Index("events_cause", events.c.stream, events.c.cause, sqlite_where=with_cause)
"""On Postgres it is of the same rows; its own module says so, since naming an option loads the dialect."""

keys = Table(
    "keys",
    metadata,
    Column("stream", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("id", Text, nullable=False, unique=True),
    Column("salt", LargeBinary),
)

store = Table(
    "store",
    metadata,
    Column("epoch", _Big, nullable=False),
    Column("position", _Big, nullable=False),
    Column("log_hash", LargeBinary, nullable=False),
)


def _roster(name: str) -> Table:
    return Table(
        name,
        metadata,
        Column("stream", Integer, primary_key=True, autoincrement=False),
        Column("id", Text, nullable=False, unique=True),
        Column("version", Integer, nullable=False),
        Column("hash", LargeBinary, nullable=False),
        Column("position", _Big, nullable=False),
        Column("ended", Boolean(create_constraint=False), nullable=False),
        Column("rank", _Small, nullable=False),  # where every list puts it, the most pressing first
        Column("updated_at", _Big, nullable=False),
        Column("row", Text, nullable=False),
    )


sessions = _roster("sessions")
links = _roster("links")

items = Table(
    "items",
    metadata,
    Column("stream", Integer, primary_key=True, autoincrement=False),
    Column("ordinal", _Big, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False),
    Column("position", _Big, nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("stream", "id", name="items_stream_id"),
)

inbox = Table(
    "inbox",
    metadata,
    Column("request_id", Text, primary_key=True),
    Column("stream", Integer, primary_key=True, autoincrement=False),
    Column("position", _Big, nullable=False),
    Column("body", Text, nullable=False),
)

projections = Table(
    "projections",
    metadata,
    Column("name", Text, primary_key=True),
    Column("position", _Big, nullable=False),
)

snapshots = Table(
    "snapshots",
    metadata,
    Column("stream", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("fold", Integer, nullable=False),
    Column("state", Text, nullable=False),
)

passages = Table(
    "passages",
    metadata,
    Column("id", _Big, primary_key=True, autoincrement=False),
    Column("stream", Integer, nullable=False),
    Column("ordinal", _Big, nullable=False),
    Column("part", _Small, nullable=False),
    Column("at", _Big, nullable=False),
    # SQLite: compressed, to take them out of the index again. Postgres: what the index is made of.
    Column("words", LargeBinary().with_variant(TSVECTOR(), "postgresql"), nullable=False),
    UniqueConstraint("stream", "ordinal", "part", name="passages_item"),
)


attached = Table(
    "attached",
    metadata,
    Column("stream", Integer, primary_key=True, autoincrement=False),  # 0: nobody's any more, to be removed
    Column("sha256", LargeBinary, primary_key=True),
    Column("size", _Big, nullable=False),
    Column("text", Boolean(create_constraint=False), nullable=False),
)
Index("attached_sha256", attached.c.sha256)

contents = MetaData()
"""What only PostgreSQL stores hold, and as lasting as the events; beside a SQLite file there are files."""

attachments = Table(
    "attachments",
    contents,
    Column("sha256", LargeBinary, primary_key=True),
    Column("size", _Big, nullable=False),
    Column("content", LargeBinary, nullable=False),
)


@event.listens_for(attachments, "after_create")
def _uncompressed(target: Table, connection: Connection, **options: object) -> None:
    """Pictures are compressed already, and only uncompressed values can be read in slices."""
    del target, options
    connection.exec_driver_sql("ALTER TABLE attachments ALTER COLUMN content SET STORAGE EXTERNAL")


def make_index(connection: Connection) -> None:
    """Make the full-text index over `passages` anew, empty; it has the same name on both dialects."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("DROP TABLE IF EXISTS passage_words")
        # Words come ready-made, so the tokenizer has only to part them at spaces. `scope` names session and month.
        # Two letters may begin thousands of words, too many to put their lists together for each search.
        connection.exec_driver_sql(
            "CREATE VIRTUAL TABLE passage_words USING fts5(words, scope, content='', tokenize='ascii', prefix='2')"
        )
    else:
        connection.exec_driver_sql("CREATE INDEX passage_words ON passages USING gin (words)")
        connection.exec_driver_sql("CREATE INDEX IF NOT EXISTS passages_at ON passages (at)")


@event.listens_for(passages, "after_create")
def _index(target: Table, connection: Connection, **options: object) -> None:
    del target, options
    make_index(connection)


LASTING = frozenset({"events", "keys", "alembic_version", "attachments"})
"""What must survive; all other tables are made again when they are missing."""

COLUMNS = tuple(column.name for column in events.columns)
"""The columns of an event in the order in which rows are written."""
