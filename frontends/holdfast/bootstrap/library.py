"""The library of one user in this process: home, configuration, store and importers put together."""

from __future__ import annotations

import shutil
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.adapters import exporters, importers
from holdfast.adapters.configuration.file import database_url, read_configuration
from holdfast.adapters.configuration.home import close_to_others, find_home, prepare_home
from holdfast.adapters.storage import erase, health
from holdfast.adapters.storage.event_ids import new_event_id
from holdfast.adapters.storage.exported import verify_exported
from holdfast.adapters.storage.guard import last_position
from holdfast.adapters.storage.opening import now_us, open_store
from holdfast.adapters.storage.reader import Reader
from holdfast.adapters.storage.settings import StoreSettings
from holdfast.adapters.storage.verify import verify
from holdfast.adapters.storage.workspace import Workspace
from holdfast.adapters.transports.acp import agents
from holdfast.bootstrap import health as surroundings
from holdfast.bootstrap.exporting import StoreSource
from holdfast.bootstrap.nothing import Nothing
from holdfast.domain import answers, ports
from holdfast.domain.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

    from holdfast.adapters.storage.store import Store
    from holdfast.domain.exported import Export, Format
    from holdfast.domain.keeping import KnownAgent, Order
    from holdfast.domain.projections.roster import Row
    from holdfast.domain.recorded import Actor, Recorded, StreamId
    from holdfast.domain.session.commands import Personal


class LocalLibrary:
    """Opens the user's store in this process."""

    def __init__(self, environ: Mapping[str, str], warn: Callable[[str], None]) -> None:
        """Find out where everything lies.

        Raises:
            SettingsError: Home, configuration or database address cannot be used.
        """
        self._environ = environ
        self._warn = warn
        self.home = find_home(environ)
        self.configuration = read_configuration(self.home.configuration)
        url = database_url(self.configuration, environ) or f"sqlite:///{self.home.log}"
        self.settings = StoreSettings.from_url(url, home=self.home.path, environ=environ)

    @contextmanager
    def reading(self) -> Generator[ports.Reading]:
        """Open what there is for reading; an empty log where there is nothing."""
        if self.home.path.is_dir():
            close_to_others(self.home, self._warn)
        try:
            store = open_store(self.settings, write=False, environ=self._environ)
        except NotFoundError:
            yield Nothing(last_position(self.home.checkpoints, self.settings.label), self.surroundings)
            return
        try:
            yield LocalReading(store, self)
        finally:
            store.close()

    def surroundings(self) -> list[answers.Check]:
        """Return the lines of a health report that need no store."""
        return [
            surroundings.configuration(self.home.configuration, self.configuration),
            surroundings.agents(self.environ),
            surroundings.orphans(self.home.hosts),
        ]

    @contextmanager
    def writing(self) -> Generator[ports.Workspace]:
        """Open for changes, and make home and store where there are none. Views are folded before it is left."""
        prepare_home(self.home, self._warn)
        store = open_store(self.settings, checkpoints=self.home.checkpoints, environ=self._environ)
        try:
            if store.regressed is not None:
                raise store.regressed
            erase.finish(store)
            workspace = LocalWorkspace(store, self)
            yield workspace
            workspace.catch_up()
        finally:
            store.close()

    def verify_file(self, path: str, progress: ports.Progress | None = None) -> answers.Verification:
        """Check an exported file or an evidence bundle against itself."""
        return verify_exported(Path(path), progress)

    def agents(self) -> list[KnownAgent]:
        """Return the agents that are known, and where their programs lie."""
        return agents.listed(lambda command: shutil.which(command, path=self._environ.get("PATH")))

    def found(self) -> list[answers.Found]:
        """Return the transcripts of other tools on this machine."""
        return importers.found(self._environ)

    def check_order(self, order: Order) -> None:
        """Look whether there is whom an order names."""
        from holdfast.bootstrap.daemon import supervising  # it knows every transport, and few verbs need one

        supervising.directory(self.configuration, self._environ).ordered(order)

    def check_sources(self, sources: Sequence[str], *, empty: bool = False) -> None:
        """Look whether each source has something to import."""
        importers.check(sources, self._environ, empty=empty)

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment everything was read from."""
        return self._environ

    def say(self, line: str) -> None:
        """Tell the person something that stops nothing."""
        self._warn(line)


class LocalReading(Reader):
    """The reading side of an open store, with what is checked outside it."""

    def __init__(self, store: Store, library: LocalLibrary) -> None:
        super().__init__(store)
        self._library = library

    def verify(self, progress: ports.Progress | None = None) -> answers.Verification:
        """Check the whole log against itself and against its witnesses."""

        def report(done: int, total: int) -> None:
            if progress is not None:
                progress("events", done, total)

        verdict = verify(
            self._store.readers,
            self._library.home.checkpoints,
            self._library.settings.label,
            report,
            attachments=self._store.attachments,
        )
        bad, behind = verdict.first_bad, verdict.behind
        return answers.Verification(
            ok=verdict.ok,
            checked=verdict.checked,
            first_bad=None if bad is None else answers.FirstBad(bad.position, bad.session_id, bad.version, bad.reason),
            behind=None if behind is None else answers.Behind(behind.log, behind.checkpoint),
            cannot_know=list(verdict.cannot_know),
            notes=[*((bad.detail,) if bad is not None and bad.detail else ()), *verdict.checkpoints.complaints],
        )

    def export(self, session_id: StreamId, kind: Format, *, redact: bool | None = None) -> Export:
        """Return one session in a format that leaves the program."""
        source = StoreSource(self._store, self._library.home.checkpoints)
        return exporters.export(source, session_id, kind, redact=redact, environ=self._library.environ)

    def checks(self) -> list[answers.Check]:
        """Return the state of the store, its folder and its files, and of agents and their processes."""
        home = self._library.home
        return [
            *health.checks(self._store, self._library.settings, home.path, home.checkpoints),
            *self._library.surroundings(),
        ]


class LocalWorkspace(LocalReading, Workspace):
    """An open store that may be changed, importers included."""

    def change(self, session_id: StreamId, command: Personal, *, cause: str | None, actor: Actor) -> Row:
        """Carry out a command and return the row afterwards."""
        self.execute(session_id, command, cause=cause, actor=actor)
        return self.row(session_id)

    def import_(self, sources: Sequence[str], progress: ports.Progress | None = None) -> answers.ImportReport:
        """Import transcripts of other tools.

        Raises:
            NotFoundError: A path does not exist.
            TranscriptError: A named file holds no transcript.
        """
        return importers.import_sources(
            sources,
            self,
            progress,
            now_us,
            new_event_id,
            environ=self._library.environ,
            say=self._library.say,
            check=verify_exported,
        )

    def watch(self, sources: Sequence[str], progress: ports.Progress | None = None) -> Generator[answers.ImportReport]:
        """Import transcripts, then follow them as they grow, until the generator is closed.

        Raises:
            NotFoundError: A path does not exist.
            TranscriptError: A named file holds no transcript.
        """
        library = self._library
        watch = importers.Watch(
            sources, self, now_us, new_event_id, environ=library.environ, say=library.say, check=verify_exported
        )
        try:
            done = watch.begin(progress)
            self.catch_up()
            yield done
            while True:
                time.sleep(watch.pause_s)  # no file tells that it was written to
                done = watch.look()
                if done.events:
                    self.catch_up()
                    yield done
        finally:
            watch.close_turns()

    def history(self, session_id: StreamId) -> Iterator[Recorded]:
        """Yield the events of a session, each with its payload as it is stored."""
        return (logged.recorded for logged in self.events(session_id=session_id))
