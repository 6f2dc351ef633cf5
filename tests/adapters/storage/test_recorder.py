"""The recorders keep the contracts of `eventsourcing`, by its own test cases, on both databases.

The cases make up their streams' ids as UUIDs; ours are strings, so they are made up as such here. Everything else is
the library's, warnings being errors.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest
from eventsourcing.tests.persistence import (
    AggregateRecorderTestCase,
    ApplicationRecorderTestCase,
    NonInterleavingNotificationIDsBaseCase,
    TrackingRecorderTestCase,
)

from holdfast.adapters.storage.application import Factory, Log
from holdfast.adapters.storage.recorder import LogRecorder, ProjectionRecorder, StreamRecorder
from holdfast.domain.errors import SettingsError
from tests.adapters.storage.given import said

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.adapters.storage.store import Store
    from holdfast.domain.recorded import Recorded


class _WithStore:
    # unittest's classes take no parametrised fixtures: the tests below make and run them, once on each database.
    __test__ = False
    _store: Store

    def new_originator_id(self) -> str:
        return str(uuid.uuid4())


class OurStreamRecorder(_WithStore, AggregateRecorderTestCase):
    def create_recorder(self) -> StreamRecorder:
        return StreamRecorder(self._store)


class OurLogRecorder(_WithStore, ApplicationRecorderTestCase[LogRecorder]):
    def create_recorder(self) -> LogRecorder:
        return LogRecorder(self._store)

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class OurPositions(_WithStore, NonInterleavingNotificationIDsBaseCase):
    def create_recorder(self) -> LogRecorder:
        return LogRecorder(self._store)


class OurProjectionRecorder(_WithStore, TrackingRecorderTestCase):
    def create_recorder(self) -> ProjectionRecorder:
        return ProjectionRecorder(self._store)


def _contract() -> list[tuple[type[Any], str]]:
    cases: list[type[Any]] = [OurStreamRecorder, OurLogRecorder, OurPositions, OurProjectionRecorder]
    return [(case, name) for case in cases for name in dir(case) if name.startswith("test")]


@pytest.mark.slow
@pytest.mark.parametrize(("case", "name"), _contract(), ids=lambda value: getattr(value, "__name__", value))
def test_the_librarys_own_case_passes(case: type[Any], name: str, store: Store) -> None:
    test = case(name)
    test._store = store

    getattr(test, name)()


def test_a_repository_folds_a_stream_with_a_plain_function(store: Store) -> None:
    store.append_now([said("s", 1, "one"), said("s", 2, "two")])

    def count(total: int | None, events: Iterable[Recorded]) -> int:
        return (total or 0) + len(list(events))

    assert Log(store).repository.get("s", projector_func=count) == 2  # type: ignore[type-var]  # the fold is ours


def test_an_application_saves_events_and_reads_its_notification_log(store: Store) -> None:
    log = Log(store)

    recordings = log.events.put([said("s", 1), said("s", 2)])

    assert [recording.notification.id for recording in recordings] == [1, 2]
    assert [n.originator_version for n in log.notification_log.select(start=1, limit=10)] == [1, 2]


def test_nothing_of_the_environment_chooses_a_module(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PERSISTENCE_MODULE", "MAPPER_TOPIC", "TRANSCODER_TOPIC", "APPLICATION_RECORDER_TOPIC"):
        monkeypatch.setenv(name, "no.such:module")

    assert isinstance(Log(store).recorder, LogRecorder)


def test_snapshots_and_process_recorders_are_refused_by_the_factory(store: Store) -> None:
    factory = Factory(store)

    with pytest.raises(SettingsError):
        factory.aggregate_recorder("snapshots")
    with pytest.raises(SettingsError):
        factory.process_recorder()
