"""Two processes want one store: the second is refused, and should it get in all the same, the first one stops."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from holdfast.adapters.storage.opening import open_store
from holdfast.domain.errors import StoreBusyError
from tests.chaos.invariants import check
from tests.chaos.mutants import mutated
from tests.chaos.writer import STOPPED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.chaos.conftest import Place
    from tests.chaos.processes import Zygote


def test_a_second_writer_is_refused(zygote: Zygote, places: Iterator[Place]) -> None:
    place = next(places)
    run = zygote.start("writer", *place.options)
    run.listen_to_acks(20)

    with pytest.raises(StoreBusyError, match=str(run.pid)):
        open_store(replace(place.settings, wait_s=0))

    assert run.kill().status == -9


def test_a_writer_whose_store_was_taken_over_writes_nothing_more(zygote: Zygote, places: Iterator[Place]) -> None:
    place = next(places)
    run = zygote.start("writer", *place.options)
    run.listen_to_acks(20)

    with mutated("no-lock"), open_store(place.settings, checkpoints=place.home / "checkpoints"):
        words = run.wait()

    assert words.status == STOPPED
    assert words.stopped is not None
    assert words.stopped.startswith("StoreFencedError")
    assert check(place.settings, place.home, [words], views=False).violations == []
