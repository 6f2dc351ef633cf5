"""The search index as it answers quickly, and rows of the roster that say what their peers offer.

Neither was there in the first stores. The index finds by the beginnings of words on SQLite, by time on PostgreSQL;
SQLite cannot change the one it has. What goes here is folded from the log when the store is opened, once: the roster
holds the state of every session, and nothing may be decided on one that lacks a part.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "holdfast_0002"
down_revision = "holdfast_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    tables = set(sa.inspect(connection).get_table_names())
    if "sessions" in tables:
        op.drop_table("sessions")
    if "passages" not in tables:
        return  # it is made when the store is opened, as it is made in that version
    if connection.dialect.name == "postgresql":
        op.execute("CREATE INDEX IF NOT EXISTS passages_at ON passages (at)")
        return
    made = connection.scalar(sa.text("SELECT sql FROM sqlite_master WHERE name = 'passage_words'"))
    if made is not None and "prefix" in made:
        return
    op.execute("DROP TABLE IF EXISTS passage_words")
    op.execute("DROP TABLE passages")
    if "projections" in tables:
        op.execute("DELETE FROM projections WHERE name = 'search'")
