"""What an error on the writer's connection means. The dialects name it; the writer acts on it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from holdfast.adapters.storage.schema import LASTING
from holdfast.domain import errors

if TYPE_CHECKING:
    from collections.abc import Callable

Failure = Literal["full", "busy", "read-only", "damaged", "refused", "foreign", "lost", "broken"]
"""`refused`: these rows, not the store. `foreign`: not an error of the database at all. `lost`: the connection is gone.
`broken`: nothing on it can be trusted."""

STOPPING: frozenset[Failure] = frozenset({"damaged", "broken", "foreign", "read-only"})
"""Failures after which this process writes nothing more to the store."""

_ERRORS: dict[Failure, tuple[Callable[[str], errors.StoreError], str]] = {
    "full": (errors.StoreFullError, "no space is left where the store lies: free some; nothing was written"),
    "busy": (errors.StoreBusyError, "another program holds the store's write lock: nothing was written"),
    "read-only": (errors.StoreReadOnlyError, "the store does not allow writing any more"),
    "damaged": (errors.StoreDamagedError, "the database reports damage: run holdfast verify, restore a backup"),
    "refused": (errors.StoreError, "the database refuses these events"),
    "foreign": (errors.StoreClosedError, "the store stopped after an error of its own: open it again"),
    "lost": (errors.StoreUnavailableError, "the database server cannot be reached"),
    "broken": (errors.StoreClosedError, "the store stopped after an input/output error: open it again"),
}


_NO_TABLE = re.compile(r'no such table: (?:main\.)?(\w+)|relation "(\w+)" does not exist')
"""How the two databases say it."""


def lost_view(label: str, cause: BaseException) -> errors.StoreDamagedError | None:
    """Return what is told of a table that is gone and can be made anew; None where something else is wrong."""
    found = _NO_TABLE.search(str(cause))
    table = None if found is None else found[1] or found[2]
    if table is None or table in LASTING:
        return None
    return errors.StoreDamagedError(f"{label} lacks its table {table}: run holdfast rebuild, the log has all of it")


def line_of(cause: BaseException) -> str:
    """Return what a driver says, in one line and without what SQLAlchemy adds to it."""
    return str(getattr(cause, "orig", None) or cause).strip().partition("\n")[0]


def store_error(failure: Failure, cause: BaseException) -> errors.StoreError:
    """Return what those who wait are told."""
    kind, text = _ERRORS[failure]
    error = kind(f"{text} ({line_of(cause)})")
    error.__cause__ = cause
    return error
