"""The library's application, repository and notification log on a store of ours, built without its environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eventsourcing import persistence
from eventsourcing.application import Application

from holdfast.adapters.storage.mapper import Mapper
from holdfast.adapters.storage.recorder import LogRecorder, ProjectionRecorder, StreamRecorder
from holdfast.domain.errors import SettingsError

if TYPE_CHECKING:
    from eventsourcing.utils import Environment

    from holdfast.adapters.storage.store import Store


class Factory(persistence.InfrastructureFactory[ProjectionRecorder]):
    """Hands out recorders of one store. The library's own factory would import what the environment names."""

    def __init__(self, store: Store) -> None:
        super().__init__(None)
        self._store = store

    def mapper(self, transcoder: persistence.Transcoder | None = None, mapper_class: Any = None) -> Any:
        """Return our mapper, whatever else is asked for."""
        del transcoder, mapper_class
        return Mapper()

    def aggregate_recorder(self, purpose: str = "events") -> StreamRecorder:
        """Return the recorder of single streams.

        Raises:
            SettingsError: For anything but events: keepers hold the state of their session in memory.
        """
        if purpose != "events":
            msg = f"the library keeps no {purpose} here: only events"
            raise SettingsError(msg)
        return StreamRecorder(self._store)

    def application_recorder(self) -> LogRecorder:
        """Return the recorder of the whole log."""
        return LogRecorder(self._store)

    def tracking_recorder(self, tracking_recorder_class: type[ProjectionRecorder] | None = None) -> ProjectionRecorder:
        """Return the recorder of projections' positions."""
        del tracking_recorder_class
        return ProjectionRecorder(self._store)

    def process_recorder(self) -> persistence.ProcessRecorder:
        """Refuse: projections write through the store's own transactions.

        Raises:
            SettingsError: Always.
        """
        msg = "there is no process recorder: a projection writes with Store.write"
        raise SettingsError(msg)

    def is_snapshotting_enabled(self) -> bool:
        """Return False: automatic snapshots want the aggregate in `save`, which a keeper does not pass."""
        return False


class Log(Application[str]):
    """A store as an application of `eventsourcing`: `repository.get(id, projector_func=fold)`, `notification_log`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        super().__init__()

    def construct_factory(self, env: Environment) -> persistence.InfrastructureFactory[Any]:
        """Return the factory of our store; the environment chooses nothing."""
        del env
        return Factory(self._store)
