"""Bringing a store's schema up to date. Alembic is imported only when there is something to do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import delete, inspect, text

from holdfast.adapters.storage.schema import (
    LASTING,
    REVISION_PREFIX,
    SCHEMA_VERSION,
    attached,
    contents,
    inbox,
    items,
    links,
    metadata,
    passages,
    projections,
    sessions,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection

_FOLDED = {sessions, links, items, inbox, projections}
"""Tables whose rows are made from all events before them."""


def migrate(connection: Connection) -> None:
    """Run what is missing in the transaction of `connection`: killed anywhere, the store is as before or complete."""
    from alembic import command  # noqa: PLC0415 - 150 ms that a store at the current version never pays
    from alembic.config import Config  # noqa: PLC0415 - likewise

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")


def schema_version(connection: Connection) -> int | None:
    """Return the number of the schema, 0 where there is none, None where Alembic's table speaks of something else."""
    if not inspect(connection).has_table("alembic_version"):
        return 0
    revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if revision is None:
        return 0
    digits = str(revision).removeprefix(REVISION_PREFIX)
    return int(digits) if digits.isdigit() and digits != revision else None


def restore_missing(connection: Connection) -> None:
    """Make the tables anew that may be dropped and were. The search index and its rows come and go together.

    A view among them is built again from the log at once: an empty one would look like a log without sessions.
    """
    present = set(inspect(connection).get_table_names())
    if connection.dialect.name == "postgresql" and not present.issuperset(contents.tables):
        contents.create_all(connection, checkfirst=False)
    if connection.dialect.name == "sqlite" and "passage_words" not in present and passages.name in present:
        passages.drop(connection)
        present.remove(passages.name)
    missing = [table for table in metadata.sorted_tables if table.name not in present | LASTING]
    if missing:
        metadata.create_all(connection, tables=missing, checkfirst=False)
    if _FOLDED.intersection(missing):
        from holdfast.adapters.storage.views.rebuild import rebuild  # noqa: PLC0415 - a store that is whole needs none

        rebuild(connection, connection)
        return
    for table, name in ((passages, "search"), (attached, "attached")):
        if table in missing:
            connection.execute(delete(projections).where(projections.c.name == name))
