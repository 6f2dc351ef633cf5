from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from holdfast.domain import errors
from holdfast.frontends.cli.exits import code_of

if TYPE_CHECKING:
    from tests.frontends.cli.conftest import Run
    from tests.frontends.cli.memory import MemoryLibrary

EXPECTED = {
    errors.UsageError: 2,
    errors.SettingsError: 2,
    errors.CursorError: 2,
    errors.NotFoundError: 3,
    errors.ConflictError: 4,
    errors.SessionEndedError: 4,
    errors.SessionErasedError: 4,
    errors.StoreBusyError: 4,
    errors.StoreNewerError: 4,
    errors.StoreForeignError: 4,
    errors.StoreDamagedError: 4,
    errors.StoreFencedError: 4,
    errors.LogRegressedError: 4,
    errors.TranscriptError: 1,
    errors.StoreReadOnlyError: 1,
    errors.StoreFullError: 1,
    errors.StoreUnavailableError: 1,
    errors.StoreClosedError: 1,
    errors.OutcomeUnknownError: 1,
    errors.NotRunningError: 5,
    errors.OccupiedError: 4,
    errors.UnsafeError: 4,
    errors.DaemonError: 1,
    errors.DaemonLostError: 1,
    errors.DeniedError: 1,
    errors.TimedOutError: 1,
}


@pytest.mark.parametrize(("kind", "code"), EXPECTED.items(), ids=lambda value: getattr(value, "__name__", str(value)))
def test_an_error_ends_with_its_code_and_one_line(
    run: Run, library: MemoryLibrary, kind: type[errors.HoldfastError], code: int
) -> None:
    library.broken = kind("log.db is not as it should be\nbecause; do something")

    ran = run("ls", "--json")

    assert ran == (code, "", "holdfast: log.db is not as it should be because; do something\n")


def test_an_ambiguous_name_is_a_conflict_that_names_the_candidates() -> None:
    error = errors.AmbiguousNameError("0199", ("0199a", "0199b"))

    assert code_of(error) == 4
    assert "0199a" in str(error)
