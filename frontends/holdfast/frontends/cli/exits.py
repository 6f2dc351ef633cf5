"""Exit codes, and which error ends with which."""

from __future__ import annotations

from typing import Final

from holdfast.domain.errors import (
    ConflictError,
    CursorError,
    HoldfastError,
    LogRegressedError,
    NotFoundError,
    NotRunningError,
    StoreBusyError,
    StoreDamagedError,
    StoreFencedError,
    StoreForeignError,
    StoreNewerError,
    UsageError,
)

DONE: Final = 0
FAILED: Final = 1
USAGE: Final = 2
NOT_FOUND: Final = 3
REFUSED: Final = 4
NO_DAEMON: Final = 5
INTERRUPTED: Final = 130

_CODES: tuple[tuple[type[HoldfastError], int], ...] = (
    (UsageError, USAGE),
    (CursorError, USAGE),
    (NotFoundError, NOT_FOUND),
    (ConflictError, REFUSED),
    (StoreBusyError, REFUSED),
    (StoreNewerError, REFUSED),
    (StoreForeignError, REFUSED),
    (StoreDamagedError, REFUSED),
    (StoreFencedError, REFUSED),
    (LogRegressedError, REFUSED),
    (NotRunningError, NO_DAEMON),
)


def code_of(error: HoldfastError) -> int:
    """Return the exit code that `error` ends with: the first class of the table that it is one of, else 1."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), FAILED)
