"""Everything that can be asked without changing anything, asked of a daemon."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import quote

from msgspec import Struct, json

from holdfast.domain.answers import Attachment, Check, Verification
from holdfast.domain.errors import DaemonLostError, NotRunningError
from holdfast.domain.keeping import KnownAgent
from holdfast.domain.recorded import StreamId
from holdfast.frontends.client import shapes
from holdfast.frontends.client.shapes import read

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from holdfast.domain.answers import Hit, LogEvent, Page
    from holdfast.domain.exported import Export, Format, Removed
    from holdfast.domain.ports import Progress
    from holdfast.domain.projections.inbox import Request
    from holdfast.domain.projections.offers import Offers
    from holdfast.domain.projections.roster import Row
    from holdfast.domain.search import query as search
    from holdfast.frontends.client.exchange import Exchange, Query


class _Resolved(Struct):
    id: StreamId


class _Checks(Struct):
    items: list[Check]


class _Agents(Struct):
    items: list[KnownAgent]


class _ExportStep(Struct):
    file: str | None = None
    text: str | None = None
    data: bytes | None = None
    removed: dict[str, int] | None = None
    looked: bool = False
    left_out: int = 0


_agents = json.Decoder(_Agents)
_resolved = json.Decoder(_Resolved)
_checks = json.Decoder(_Checks)
_verification = json.Decoder(Verification)
_export_step = json.Decoder(_ExportStep)
_digests = json.Decoder(dict[str, str])


class DaemonReading:
    """What can be asked of a daemon; everything raises what `Exchange.get` does."""

    def __init__(self, exchange: Exchange) -> None:
        """Ask by `exchange`."""
        self._exchange = exchange

    def resolve(self, name: str) -> StreamId:
        """Return the session that an id, a prefix of it, or a title names."""
        return read(_resolved, self._exchange.get("/resolve", {"name": name})).id

    def rows(self, *, ended: bool = False) -> list[Row]:
        """Return the roster in the order every frontend shows it; ended sessions only when asked for."""
        state = "all" if ended else None
        found, after = shapes.rows(self._exchange.get("/sessions", {"state": state}))
        while after is not None:
            more, after = shapes.rows(self._exchange.get("/sessions", {"state": state, "after": after}))
            found += more
        return found

    def row(self, session_id: StreamId) -> Row:
        """Return one session's row."""
        return shapes.row(self._exchange.get(of(session_id)))

    def page(self, session_id: StreamId, *, before: str | None = None, limit: int = 50) -> Page:
        """Return the newest items, or those before a cursor."""
        where: Query = {"before": before, "limit": limit, "attachments": "reference"}
        return shapes.page(self._exchange.get(f"{of(session_id)}/transcript", where))

    def last_turn(self, session_id: StreamId) -> Page:
        """Return the items since the person spoke last."""
        return shapes.page(self._exchange.get(f"{of(session_id)}/last-turn", {"attachments": "reference"}))

    def around(self, session_id: StreamId, item_id: str, *, each_side: int = 3) -> Page:
        """Return one item with those before and after it."""
        where: Query = {"item": item_id, "each_side": each_side, "attachments": "reference"}
        return shapes.page(self._exchange.get(f"{of(session_id)}/around", where))

    def offers(self, session_id: StreamId) -> Offers:
        """Return what the session's peer offers a person to choose from."""
        from holdfast.domain.projections.offers import Offers  # nobody else asks that

        return read(json.Decoder(Offers), self._exchange.get(f"{of(session_id)}/offers"))

    def attachment(self, session_id: StreamId, name: str) -> Attachment:
        """Return what an event of a session refers to by this SHA-256."""
        kind, content = self._exchange.get_typed(f"{of(session_id)}/attachments/{quote(name, safe='')}")
        return Attachment(len(content), kind.startswith("text/"), iter([content]))

    def search(self, query: search.Query, *, limit: int = 20) -> list[Hit]:
        """Return the items that fit, the best first."""
        from holdfast.domain.search.written import written  # nobody else asks that

        return shapes.hits(self._exchange.get("/search", {"q": written(query), "limit": limit}))

    def inbox(self) -> list[Request]:
        """Return what waits for a person, the oldest first."""
        return shapes.requests(self._exchange.get("/inbox"))

    def events(
        self, *, since: int = 0, session_id: StreamId | None = None, types: Sequence[str] = (), follow: bool = False
    ) -> Iterator[LogEvent]:
        """Yield events with positions above `since`, in order; with `follow` for ever, as they are committed."""
        if follow:
            return self._followed(since, session_id, types, None)
        wanted: Query = {"after": since, "session": session_id, "type": tuple(types)}
        return map(shapes.event, self._exchange.lines("/events", wanted))

    def _followed(
        self, since: int, session_id: StreamId | None, types: Sequence[str], deadline: float | None
    ) -> Iterator[LogEvent]:
        """Yield events for ever, and go on where a daemon left off that went away."""
        lost = False
        while True:
            wanted: Query = {"after": since, "session": session_id, "type": tuple(types), "follow": "true"}
            try:
                for line in self._exchange.lines("/events", wanted, deadline=deadline):
                    event = shapes.event(line)
                    since = event.recorded.position or since
                    yield event
            except DaemonLostError:
                pass  # it is waited for below, as one that ended in order is
            except NotRunningError:
                if not (lost or self._exchange.met):
                    raise
            lost = True
            self._exchange.come_back(deadline)

    def verify(self, progress: Progress | None = None) -> Verification:
        """Check the whole log."""
        return read(_verification, self._exchange.worked("GET", "/verify", None, progress))

    def digests(self) -> dict[str, str]:
        """Return a digest for every view as it would be built anew from the log."""
        return read(_digests, self._exchange.get("/digests", timeout_s=None))

    def export(self, session_id: StreamId, kind: Format, *, redact: bool | None = None) -> Export:
        """Return one session in a format that leaves the program; errors may come while it is read."""
        from holdfast.domain.exported import Export, Removed  # nobody else asks that

        wanted = f"format={kind}&steps=true" + ("" if redact is None else f"&redact={str(redact).lower()}")
        removed = Removed()
        return Export(self._files(f"{of(session_id)}/export?{wanted}", removed), removed)

    def _files(self, path: str, removed: Removed) -> Iterator[tuple[str, Iterator[bytes]]]:
        with closing(self._exchange.results("GET", path, None, None)) as results:
            steps = (read(_export_step, result) for result in results)
            ahead = [next(steps)]
            while (step := ahead.pop()).removed is None:
                yield step.file or "", _text(steps, ahead)
            removed.kinds, removed.looked, removed.left_out = step.removed, step.looked, step.left_out

    def agents(self) -> list[KnownAgent]:
        """Return the agents that the daemon knows, found or not."""
        return read(_agents, self._exchange.get("/agents")).items

    def checks(self) -> list[Check]:
        """Return the state of the store, its folder, its files, and of the daemon."""
        return read(_checks, self._exchange.get("/doctor")).items


def of(session_id: str) -> str:
    """Return the path of a session."""
    return f"/sessions/{quote(session_id, safe='')}"


def _text(steps: Iterator[_ExportStep], ahead: list[_ExportStep]) -> Iterator[bytes]:
    """Yield the pieces of one file; the step that ends it goes into `ahead`."""
    for step in steps:
        if step.data is not None:
            yield step.data
        elif step.text is not None:
            yield step.text.encode()
        else:
            ahead.append(step)
            return
