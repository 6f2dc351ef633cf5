"""What the gateway may do with the store as a whole: imports, rebuilding, health."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.adapters.importers import Watch
from holdfast.adapters.storage.event_ids import new_event_id
from holdfast.adapters.storage.exported import verify_exported
from holdfast.adapters.storage.opening import now_us
from holdfast.adapters.storage.views.roster import open_sessions
from holdfast.bootstrap.library import LocalWorkspace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from holdfast.adapters.storage.store import Store
    from holdfast.bootstrap.library import LocalLibrary
    from holdfast.domain.answers import Check, Compaction, Found, ImportReport
    from holdfast.domain.ports import Progress
    from holdfast.domain.recorded import Actor, StreamId


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

    def sessions(self) -> int:
        """Return how many sessions have not ended."""
        with self._store.reading() as connection:
            return open_sessions(connection)

    def compact(
        self,
        session_id: StreamId | None,
        *,
        actor: Actor,
        held: Callable[[StreamId], bool],
        progress: Progress | None = None,
    ) -> Compaction:
        """Tell the messages of ended turns as wholes; sessions that are held are left alone."""
        workspace = LocalWorkspace(self._store, self._library)
        return workspace.compact(session_id, actor=actor, progress=progress, held=held)

    def checks(self) -> list[Check]:
        """Return the state of the store, of its folder and of its files."""
        return LocalWorkspace(self._store, self._library).checks()
