"""The first schema: the log, the keys, and the views that were there from the beginning.

Frozen: it never imports today's tables, so that it still makes the schema of its day when those have moved on.
"""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from alembic import op

revision = "holdfast_0001"
down_revision = None
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SMALL = sa.SmallInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    op.create_table(
        "events",
        # On Postgres a plain number: a sequence would move without its transaction and leave gaps.
        sa.Column("position", _BIG, primary_key=True, autoincrement=on_sqlite),
        sa.Column("stream", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("event_id", sa.LargeBinary, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("schema", _SMALL, nullable=False),
        sa.Column("recorded_at", _BIG, nullable=False),
        sa.Column("occurred_at", _BIG),
        sa.Column("cause", sa.Text),
        sa.Column("actor", _SMALL, nullable=False),
        sa.Column("device", sa.Text),
        sa.Column("source", sa.LargeBinary),
        sa.Column("source_offset", _BIG),
        sa.Column("data", sa.Text),
        sa.Column("digest", sa.LargeBinary),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("stream", "version", name="events_stream_version"),
        sqlite_autoincrement=True,
    )
    with_cause = sa.text("cause IS NOT NULL")
    op.create_index("events_cause", "events", ["stream", "cause"], sqlite_where=with_cause, postgresql_where=with_cause)
    keys = op.create_table(
        "keys",
        sa.Column("stream", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("salt", sa.LargeBinary),
    )
    op.create_table(
        "store",
        sa.Column("epoch", _BIG, nullable=False),
        sa.Column("position", _BIG, nullable=False),
        sa.Column("log_hash", sa.LargeBinary, nullable=False),
    )
    for name in ("sessions", "links"):
        op.create_table(
            name,
            sa.Column("stream", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("id", sa.Text, nullable=False, unique=True),
            sa.Column("version", sa.Integer, nullable=False),
            sa.Column("hash", sa.LargeBinary, nullable=False),
            sa.Column("position", _BIG, nullable=False),
            sa.Column("ended", sa.Boolean(create_constraint=False), nullable=False),
            sa.Column("rank", _SMALL, nullable=False),
            sa.Column("updated_at", _BIG, nullable=False),
            sa.Column("row", sa.Text, nullable=False),
        )
    op.create_table(
        "items",
        sa.Column("stream", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("ordinal", _BIG, primary_key=True, autoincrement=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("position", _BIG, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.UniqueConstraint("stream", "id", name="items_stream_id"),
    )
    op.create_table(
        "inbox",
        sa.Column("request_id", sa.Text, primary_key=True),
        sa.Column("stream", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("position", _BIG, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "projections",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("position", _BIG, nullable=False),
    )
    op.create_table(
        "snapshots",
        sa.Column("stream", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("fold", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
    )
    # Stream 0 is the store itself: its id names the store in cursors and checkpoints, for ever.
    op.bulk_insert(keys, [{"stream": 0, "kind": "store", "id": uuid.uuid4().hex, "salt": None}])
