"""Whether the stored views show what the log says: they are built anew beside it and compared by digest."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, insert, select
from sqlalchemy.pool import NullPool

from holdfast.adapters.storage import schema
from holdfast.adapters.storage.views.projector import FOLDS
from holdfast.adapters.storage.views.rebuild import digests, rebuild
from holdfast.adapters.storage.views.tables import tracked
from holdfast.domain.errors import ViewsDifferError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection


def fresh_digests(log: Connection, progress: Callable[[int, int], None] | None = None) -> dict[str, str]:
    """Return a digest for each view as the log alone makes it.

    The views are built in a private database that SQLite keeps on disk when it grows and removes by itself.

    Raises:
        ViewsDifferError: A stored view that is folded as far as the log goes shows something else.
    """
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(""), poolclass=NullPool)
    try:
        with engine.begin() as scratch:
            schema.metadata.create_all(scratch)
            known = log.execute(select(schema.keys.c.stream, schema.keys.c.kind, schema.keys.c.id)).all()
            if known:
                rows = [{"stream": stream, "kind": kind, "id": name} for stream, kind, name in known]
                scratch.execute(insert(schema.keys), rows)
            rebuild(log, scratch, progress)
            fresh = digests(scratch)
            behind = {name for name in FOLDS if tracked(log, name) < tracked(scratch, name)}
    finally:
        engine.dispose()
    stored = digests(log)
    wrong = sorted(name for name in stored if name not in behind and stored[name] != fresh[name])
    if wrong:
        verb = "shows" if len(wrong) == 1 else "show"
        msg = f"{' and '.join(wrong)} {verb} something else than the log: run `holdfast rebuild`"
        raise ViewsDifferError(msg)
    return fresh
