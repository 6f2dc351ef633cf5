"""What the gateway may do with the store as a whole: imports, rebuilding, health."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
from anyio import to_thread

from holdfast.adapters.importers import Watch
from holdfast.adapters.storage.event_ids import new_event_id
from holdfast.adapters.storage.exported import verify_exported
from holdfast.adapters.storage.opening import now_us
from holdfast.bootstrap.library import LocalWorkspace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.adapters.storage.store import Store
    from holdfast.bootstrap.library import LocalLibrary
    from holdfast.domain.ports import Check, Found, ImportReport, Progress
    from holdfast.domain.recorded import Actor, Recorded, StreamId
    from holdfast.domain.session.commands import Command


class StoreUpkeep:
    """The daemon's own store. Blocks; called on worker threads."""

    def __init__(self, store: Store, library: LocalLibrary) -> None:
        """Work on `store`, which the daemon keeps open."""
        self._store = store
        self._library = library

    def import_(self, sources: Sequence[str], progress: Progress | None = None) -> ImportReport:
        """Import transcripts.

        Raises:
            NotFoundError: A path does not exist.
            TranscriptError: A named file holds no transcript.
        """
        self._library.check_sources(sources)
        return LocalWorkspace(self._store, self._library).import_(sources, progress)

    def watching(self, sources: Sequence[str]) -> Watch:
        """Return what follows these sources; nothing is read yet."""
        library = self._library
        return Watch(
            sources,
            LocalWorkspace(self._store, library),
            now_us,
            new_event_id,
            environ=library.environ,
            say=library.say,
            check=verify_exported,
        )

    def found(self) -> list[Found]:
        """Return the transcripts of other tools on this machine."""
        return self._library.found()

    def rebuild(self, progress: Progress | None = None) -> dict[str, str]:
        """Build every view anew from the log and return a digest of each."""
        return LocalWorkspace(self._store, self._library).rebuild(progress)

    def checks(self) -> list[Check]:
        """Return the state of the store, of its folder and of its files."""
        return LocalWorkspace(self._store, self._library).checks()


class StoredMarks:
    """Changes to sessions as they are stored."""

    def __init__(self, store: Store, library: LocalLibrary) -> None:
        """Change the sessions of `store`."""
        self._workspace = LocalWorkspace(store, library)
        self._one_at_a_time = anyio.Lock()

    async def execute(
        self, session_id: StreamId, command: Command, *, cause: str | None, actor: Actor
    ) -> Sequence[Recorded]:
        """Carry out a command and return what it led to."""

        def work() -> Sequence[Recorded]:
            return self._workspace.execute(session_id, command, cause=cause, actor=actor)

        async with self._one_at_a_time:
            return await to_thread.run_sync(work)

    async def erase(self, session_id: StreamId, *, actor: Actor) -> str | None:
        """Erase the content of a session for good."""

        def work() -> str | None:
            return self._workspace.erase(session_id, actor=actor)

        async with self._one_at_a_time:
            return await to_thread.run_sync(work)
