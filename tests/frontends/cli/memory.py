"""A library in memory: the ports over the domain's own folds, without a store. Nothing in it lasts."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Raw
from msgspec.structs import replace

from holdfast.bootstrap import Doors
from holdfast.domain.answers import (
    Attachment,
    Check,
    Compaction,
    Found,
    Hit,
    ImportReport,
    LogEvent,
    Page,
    Verification,
)
from holdfast.domain.errors import AmbiguousNameError, HoldfastError, NotFoundError, UsageError
from holdfast.domain.exported import Export, Format, Removed
from holdfast.domain.projections import inbox, roster, transcript
from holdfast.domain.projections.items import Item, apply
from holdfast.domain.projections.offers import Offers, offered
from holdfast.domain.recorded import PEER, Actor, EventId, Recorded, StreamId
from holdfast.domain.search.hits import fits, snippet
from holdfast.domain.search.query import Query, admits
from holdfast.domain.search.text import text_of
from holdfast.domain.search.words import words
from holdfast.domain.session import commands
from holdfast.domain.session.codec import encode
from holdfast.domain.session.decide import decide
from holdfast.domain.session.session import Context, Session, record

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from holdfast.domain.daemon import DaemonControl
    from holdfast.domain.keeping import KnownAgent, Order
    from holdfast.domain.ports import Progress
    from holdfast.domain.projections.inbox import Request
    from holdfast.domain.projections.roster import Row
    from holdfast.domain.session.commands import Command
    from holdfast.domain.session.facts import Fact

MIDDAY = 1_763_640_000_000_000
"""2025-11-20 12:00 UTC, in microseconds since the epoch."""


class MemoryLibrary:
    """Fakes what a store answers. A test sets the attributes that no session gives.

    Attributes:
        opened: How often it was opened, for `reading` and for `writing`.
        broken: Raised by whoever opens it.
        asked: Commands that were carried out, as (session, command, actor).
    """

    def __init__(self) -> None:
        self.sessions: dict[StreamId, Session] = {}
        self.items: dict[StreamId, dict[str, Item]] = {}
        self.log: list[Recorded] = []
        self.attachments: dict[tuple[StreamId, str], bytes] = {}
        self.requests: dict[str, Request] = {}
        self.opened: list[str] = []
        self.broken: HoldfastError | None = None
        self.asked: list[tuple[StreamId, Command, Actor, str | None]] = []
        self.erased: list[StreamId] = []
        self.compacted: list[StreamId | None] = []
        self.saved = Compaction(1, 2, 30, 5_000, 4_000, 90_112, 81_920)
        self.verification = Verification(ok=True, checked=0, first_bad=None, behind=None, cannot_know=[])
        self.report: ImportReport | HoldfastError = ImportReport()
        self.imported: list[list[str]] = []
        self.coming: list[ImportReport] = []
        self.health: list[Check] = []
        self.on_machine: list[Found] = []
        self.known: list[KnownAgent] = []
        self.views = {"transcript": "ab12", "inbox": "cd34"}
        self.label = "events"
        self.files: dict[str, list[bytes]] = {"": [b"one\n", b"two\n"]}
        self.removed: dict[str, int] = {}
        self.exported: list[tuple[StreamId, Format, bool | None]] = []
        self.verified: list[str] = []

    def happened(self, session_id: str, *facts: Fact, actor: Actor = PEER, cause: str | None = None) -> StreamId:
        """Put facts at the end of a session's log; each a second after the one before."""
        stream = StreamId(session_id)
        for fact in facts:
            session = self.sessions.get(stream) or Session(stream)
            position = len(self.log) + 1
            context = Context(
                MIDDAY + position * 1_000_000, lambda: EventId(len(self.log).to_bytes(16, "big")), actor, cause
            )
            (recorded,) = record(session, [fact], context)
            self._committed(recorded, session, position)
        return stream

    def _committed(self, recorded: Recorded, session: Session, position: int) -> None:
        recorded = replace(recorded, position=position)
        self.log.append(recorded)
        self.sessions[session.id] = session.after(recorded)
        items = self.items.setdefault(session.id, {})
        for change in transcript.project(items, recorded):
            apply(items, change)
        match inbox.project(recorded):
            case inbox.Arrived(request=request):
                self.requests[request.request_id] = request
            case inbox.Settled(request_id=request_id):
                self.requests.pop(request_id, None)
            case None:
                pass

    @contextmanager
    def reading(self) -> Generator[MemoryLibrary, None, None]:
        self.opened.append("reading")
        if self.broken is not None:
            raise self.broken
        yield self

    @contextmanager
    def writing(self) -> Generator[MemoryLibrary, None, None]:
        self.opened.append("writing")
        if self.broken is not None:
            raise self.broken
        yield self

    def agents(self) -> list[KnownAgent]:
        return self.known

    def found(self) -> list[Found]:
        return self.on_machine

    def check_order(self, order: Order) -> None:
        del order

    def check_sources(self, sources: Sequence[str], *, empty: bool = False) -> None:
        del sources, empty
        if isinstance(self.report, HoldfastError):
            raise self.report

    def resolve(self, name: str) -> StreamId:
        rows = self.rows(ended=True)
        prefixed = [row.id for row in rows if len(name) >= 4 and row.id.startswith(name)]
        fitting = [row.id for row in rows if name in (row.id, row.title)] or prefixed
        if name in fitting:
            return StreamId(name)
        if not fitting:
            msg = f"no session is called {name!r}; `holdfast ls --all` lists them"
            raise NotFoundError(msg)
        if len(fitting) > 1:
            raise AmbiguousNameError(name, tuple(fitting))
        return StreamId(fitting[0])

    def rows(self, *, ended: bool = False) -> list[Row]:
        rows = [self.row(each) for each in self.sessions]
        return [row for row in rows if ended or row.lifecycle != "ended"]

    def row(self, session_id: StreamId) -> Row:
        return roster.row(self.sessions[session_id])

    def page(self, session_id: StreamId, *, before: str | None = None, limit: int = 50) -> Page:
        items = list(self.items[session_id].values())
        if before is not None and not before.isdecimal():
            msg = f"{before!r} is no cursor of this transcript"
            raise UsageError(msg)
        end = len(items) if before is None else int(before)
        start = max(0, end - limit)
        return Page(self.row(session_id), items[start:end], len(self.log), str(start) if start else None)

    def last_turn(self, session_id: StreamId) -> Page:
        items = list(self.items[session_id].values())
        start = max((at for at, item in enumerate(items) if item.role == "user"), default=0)
        return Page(self.row(session_id), items[start:], len(self.log), str(start) if start else None)

    def around(self, session_id: StreamId, item_id: str, *, each_side: int = 3) -> Page:
        items = list(self.items[session_id].values())
        at = next((at for at, item in enumerate(items) if item.id == item_id), None)
        if at is None:
            msg = f"there is no item {item_id!r}"
            raise NotFoundError(msg)
        start = max(0, at - each_side)
        return Page(self.row(session_id), items[start : at + each_side + 1], len(self.log), str(start) or None)

    def offers(self, session_id: StreamId) -> Offers:
        row = self.row(session_id)
        facts = [recorded.event for recorded in self.log if recorded.originator_id == session_id]
        return offered(facts, mode=row.mode, values=row.options)

    def attachment(self, session_id: StreamId, name: str) -> Attachment:
        content = self.attachments.get((session_id, name))
        if content is None:
            raise NotFoundError(name)
        return Attachment(len(content), text=False, pieces=iter([content]))

    def search(self, query: Query, *, limit: int = 20) -> list[Hit]:
        found = [
            Hit(name, item.id, item.position, row.title, snippet(query, text_of(item)), item.kind, item.role, item.at)
            for name, items in self.items.items()
            for row in [self.row(name)]
            for item in items.values()
            if admits(query, name, row.agent, row.cwd) and fits(query, words(text_of(item)))
        ]
        return found[:limit]

    def inbox(self) -> list[Request]:
        return list(self.requests.values())

    def events(
        self, *, since: int = 0, session_id: StreamId | None = None, types: Sequence[str] = (), follow: bool = False
    ) -> Iterator[LogEvent]:
        for recorded in self.log[since:]:
            encoded = encode(recorded.event)
            if session_id in (None, recorded.originator_id) and (not types or encoded.tag in types):
                yield LogEvent(recorded, "session", encoded.tag, Raw(encoded.data) if encoded.data else None)
        if follow:
            self.wait_for_ever()

    def wait_for_ever(self) -> None:
        import threading

        threading.Event().wait()

    def verify(self, progress: Progress | None = None) -> Verification:
        self._report(progress)
        return self.verification

    def verify_file(self, path: str, progress: Progress | None = None) -> Verification:
        self.verified.append(path)
        return self.verify(progress)

    def export(self, session_id: StreamId, kind: Format, *, redact: bool | None = None) -> Export:
        self.exported.append((session_id, kind, redact))
        looked = redact is not False and kind in ("md", "html")
        return Export(((name, iter(pieces)) for name, pieces in self.files.items()), Removed(self.removed, looked))

    def digests(self) -> dict[str, str]:
        return self.views

    def checks(self) -> list[Check]:
        return self.health

    def change(self, session_id: StreamId, command: Command, *, cause: str | None, actor: Actor) -> Row:
        session = self.sessions[session_id]
        self.asked.append((session_id, command, actor, cause))
        self.happened(session_id, *decide(session.state, command, session.version), actor=actor, cause=cause)
        return self.row(session_id)

    def erase(self, session_id: StreamId, *, actor: Actor) -> str | None:
        self.erased.append(session_id)
        self.change(session_id, commands.Erase(), cause=None, actor=actor)
        return None

    def compact(
        self, session_id: StreamId | None = None, *, actor: Actor, progress: Progress | None = None
    ) -> Compaction:
        del actor
        self._report(progress)
        self.compacted.append(session_id)
        return self.saved

    def rebuild(self, progress: Progress | None = None) -> dict[str, str]:
        self._report(progress)
        return self.views

    def import_(self, sources: Sequence[str], progress: Progress | None = None) -> ImportReport:
        self._report(progress)
        self.imported.append(list(sources))
        if isinstance(self.report, HoldfastError):
            raise self.report
        return self.report

    def watch(self, sources: Sequence[str], progress: Progress | None = None) -> Generator[ImportReport]:
        yield self.import_(sources, progress)
        yield from self.coming

    def _report(self, progress: Progress | None) -> None:
        if progress is not None:
            progress(self.label, 1, 2)


NOWHERE = Path("/dev/null/home")
"""A home in which nothing can be, and no daemon can be started."""


class MemoryDoors(Doors):
    """A library in memory, and nothing else of a home."""

    def __init__(self, library: MemoryLibrary) -> None:
        super().__init__()
        self._library = library

    def library(self) -> MemoryLibrary:
        return self._library

    def daemon(self, home: Path | None = None) -> DaemonControl:
        return super().daemon(home or NOWHERE)

    def home(self) -> Path:
        return NOWHERE

    def log(self, place: str | None) -> tuple[str, MemoryLibrary]:
        return place or "memory", self._library
