"""The transcript of one session while somebody looks at it: the fold of the domain over the items that change."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from holdfast.domain import wire
from holdfast.domain.errors import StoreDamagedError
from holdfast.domain.projections.items import Append, Clear, apply
from holdfast.domain.projections.transcript import project, touched
from holdfast.domain.session.codec import decode
from holdfast.domain.session.facts import Unknown
from holdfast.frontends.gateway.views.view import View

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from holdfast.domain.answers import LogEvent
    from holdfast.domain.projections.items import Change, Item
    from holdfast.domain.recorded import Recorded, StreamId
    from holdfast.domain.tail import Tail

_HELD: Final = 128
_HELD_BYTES: Final = 4 * 1024 * 1024


class TranscriptView(View):
    """Items that changed lately, and what became of them. All others stay in the store.

    An item that is fetched may be of a later state than the event that asks for it. Then events up to its position
    are in it already: it is sent as it is, and they are skipped.
    """

    name = "transcript"

    def __init__(self, session_id: StreamId, tail: Tail) -> None:
        """Show one session of the log behind `tail`."""
        super().__init__()
        self.session_id = session_id
        self._session = session_id
        self._tail = tail
        self._items: OrderedDict[str, Item] = OrderedDict()
        self._whole = False
        self._sizes: dict[str, int] = {}
        self._size = 0
        self._position = 0

    async def read(self, limit: int, *, ended: bool) -> tuple[int, bytes]:
        """Read the newest items."""
        del ended
        page = await self._tail.page(self._session, limit=limit)
        body = wire.encode(
            {"items": [shape(item) for item in page.items], "before": page.before, "session": page.session}
        )
        if page.position >= self._position:  # else the fold is ahead of what was read
            self._hold(page.items[-_HELD:])
            self._whole = self._whole or (page.before is None and len(page.items) <= _HELD)
            self._let_go()
        return page.position, body[1:]

    async def follow(self, events: Sequence[LogEvent], end: int) -> None:
        """Fold what happened in this session."""
        happened = [decoded(event) for event in events]
        if happened:
            await self._fetch(happened)
            self._fold(happened, end)
        self._position = end

    async def _fetch(self, happened: Sequence[Recorded]) -> None:
        if self._whole:
            return  # what is not held is new, and made by these events
        wanted = {item_id for recorded in happened if (item_id := touched(recorded.event)) is not None}
        missing = wanted - self._items.keys()
        if missing:
            self._hold(await self._tail.items(self._session, missing))

    def _hold(self, items: Iterable[Item]) -> None:
        for item in items:
            if item.id not in self._items:
                self._items[item.id] = item
                self._weigh(item)

    def _weigh(self, item: Item) -> None:
        """Note what an item takes. What all of them take is never counted anew: it is asked after every change."""
        size = _size(item)
        self._size += size - self._sizes.get(item.id, 0)
        self._sizes[item.id] = size

    def _fold(self, happened: Sequence[Recorded], end: int) -> None:
        ops = Ops()
        for recorded in happened:
            for change in project(self._items, recorded):
                if isinstance(change, Clear):
                    self._items.clear()
                    self._sizes.clear()
                    self._size = 0
                    self.patches.broken = "erased"
                    return
                known = self._items.get(change.item_id)
                if known is not None and known.position >= (recorded.position or 0):
                    ops.put(known.id)
                else:
                    apply(self._items, change)
                    ops.note(change)
                self._items.move_to_end(change.item_id)
                if isinstance(change, Append):
                    self._sizes[change.item_id] += len(change.text)
                    self._size += len(change.text)
                else:
                    self._weigh(self._items[change.item_id])
        self.patches.add(end, ops.encoded(self._items))
        self._let_go()

    def _let_go(self) -> None:
        while self._items and (len(self._items) > _HELD or (self._size > _HELD_BYTES and len(self._items) > 8)):
            gone, _ = self._items.popitem(last=False)
            self._whole = False
            self._size -= self._sizes.pop(gone)


class Ops:
    """The changes of one batch, those of one item put together."""

    def __init__(self) -> None:
        self._changed: dict[str, list[Append] | None] = {}

    def put(self, item_id: str) -> None:
        """Send the whole item."""
        self._changed[item_id] = None

    def note(self, change: Change) -> None:
        """Send a change; pieces of text that follow each other become one."""
        if isinstance(change, Append):
            pieces = self._changed.setdefault(change.item_id, [])
            if pieces is not None:
                pieces.append(change)
        elif not isinstance(change, Clear):
            self.put(change.item_id)

    def encoded(self, items: OrderedDict[str, Item]) -> list[bytes]:
        """Return the operations as JSON, in the order in which their items changed first."""
        ops: list[bytes] = []
        for item_id, pieces in self._changed.items():
            if pieces is None:
                ops.append(wire.encode({"op": "put", "item": shape(items[item_id])}))
                continue
            text = "".join(piece.text for piece in pieces)
            at, position = pieces[0].at, pieces[-1].position
            ops.append(wire.encode({"op": "append", "id": item_id, "at": at, "text": text, "position": position}))
        return ops


def shape(item: Item) -> wire.Shape:
    """Return an item as the stream shows it: as everywhere, and its place in the order."""
    return {**wire.item(item), "ordinal": item.ordinal}


def decoded(event: LogEvent) -> Recorded:
    """Return an event with its payload understood; one that is damaged stays as it is."""
    fact = event.recorded.event
    if not isinstance(fact, Unknown):
        return event.recorded
    try:
        return replace(event.recorded, event=decode(fact.tag, fact.schema, fact.data))
    except StoreDamagedError:
        return event.recorded


def _size(item: Item) -> int:
    return 1_000 + item.length + sum(len(bytes(part)) for part in (item.input, item.output, item.content))
