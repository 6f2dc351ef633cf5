"""Telling many small events once more as one that is whole, and reading the small ones from it. Pure; no hash is made.

The payload of every piece of a message can be told exactly, byte by byte, so everything that is folded from the log
stays as it was. Of a use of a tool only what became of it in the end is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, cast

from msgspec import Raw, Struct, field, json

from holdfast.domain.projections.items import Item, Put
from holdfast.domain.projections.transcript import project, touched
from holdfast.domain.recorded import EventId, Recorded, StreamId
from holdfast.domain.session import events as e
from holdfast.domain.session.codec import decode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from holdfast.domain.session.facts import Fact

COMPACTED: Final = ("message-compacted", "tool-compacted")
"""Types of the events that stand for others."""

REDUCIBLE: Final = ("text-appended", "thought-appended", "tool-called", "tool-updated")
"""Types of the events whose payloads may give way to digests while their session is not erased."""

ROW_BYTES: Final = 160
"""What an event takes beside its payload: its header, its hash and its place in the indexes, roughly."""

DIGEST_BYTES: Final = 32

_KIND_TAGS: Final = {"text": "text-appended", "thought": "thought-appended"}
_TAG_KINDS: Final = {tag: kind for kind, tag in _KIND_TAGS.items()}
_SCHEMA: Final = 1
"""The schema version of payloads that are reduced and told again; those of others stay as they are."""


class Stored(Struct, frozen=True, gc=False):
    """An event as it is stored; without data where that was reduced or erased."""

    version: int
    tag: str
    schema: int
    data: str | None


class Merged(Struct, frozen=True):
    """An event to append, still without its digest, and the versions of the events that it stands for.

    Attributes:
        before: Bytes of the payloads that give way.
        after: Bytes of what takes their place, digests and the new event included.
    """

    fact: e.MessageCompacted | e.ToolCompacted
    versions: tuple[int, ...]
    before: int
    after: int


def plan(events: Iterable[Stored]) -> list[Merged]:
    """Return what the ended turns of a session can be merged to, in the order in which the messages began.

    What an open turn has said is left alone, and so is a message that goes on in it. Memory for the session's text.
    """
    groups: dict[str, _Group] = {}
    named: set[str] = set()  # by events that stay as they are, or stand for others already
    turn: str | None = None
    opened = 0
    for event in events:
        if event.tag in REDUCIBLE:
            _collect(groups, event)
            continue
        if event.data is None:
            continue
        match fact := decode(event.tag, event.schema, event.data):
            case e.TurnStarted(turn_id=turn_id):
                turn, opened = turn_id, event.version
            case e.TurnEnded(turn_id=turn_id) | e.TurnInterrupted(turn_id=turn_id) | e.TurnUnknown(turn_id=turn_id) if (
                turn_id == turn
            ):
                turn = None
            case e.SessionEnded():
                turn = None
            case e.ToolCompacted(item_id=item_id):
                named.add(item_id)
            case _:
                if (changed := touched(fact)) is not None:
                    named.add(changed)
    found: list[Merged] = []
    for item_id, group in groups.items():
        if group.odd or (turn is not None and group.events[-1].version >= opened):
            continue
        if group.events[0].tag in _TAG_KINDS:
            merged = _message(group.events)
        else:
            merged = None if item_id in named else _tool(group.events)
        if merged is not None:
            found.append(merged)
    return found


class Compactions:
    """What the compacted events of one session say of those that they stand for.

    Attributes:
        size: Characters that are held.
    """

    def __init__(self) -> None:
        self.size = 0
        self._places: dict[int, _Place] = {}

    def add(self, fact: Fact, version: int) -> None:
        """Take the event of `version`. What cannot be true of any log is passed over: files come from anywhere."""
        if not isinstance(fact, e.MessageCompacted | e.ToolCompacted):
            return
        sizes: list[int] = []
        if isinstance(fact, e.MessageCompacted):
            sizes = [size for run in fact.pieces for size in run.sizes]
            if min(sizes, default=-1) < 0 or sum(sizes) != len(fact.text):
                return
        versions = versions_of(fact, version)
        if versions is None:
            return
        at = 0
        whole = True
        for index, each in enumerate(versions):
            size = sizes[index] if sizes else 0
            first = whole and (size > 0 or not sizes)
            self._places.setdefault(each, _Place(fact, at, at + size, first))
            at += size
            whole = whole and not first
        self.size += len(fact.text) if isinstance(fact, e.MessageCompacted) else len(fact.content) + len(fact.output)

    def covers(self, version: int, tag: str) -> bool:
        """Tell whether an event of this version and type is stood for."""
        place = self._places.get(version)
        return place is not None and place.fits(tag)

    def payload(self, version: int, tag: str) -> str | None:
        """Return the payload that an event had, as a fold needs it; None for one that nothing stands for.

        A piece of a message gets its own bytes back. The first event of a use of a tool gets all that became known.
        """
        place = self._places.get(version)
        return None if place is None or not place.fits(tag) else place.payload(place.start, place.end)

    def whole(self, version: int, tag: str) -> str | None:
        """Return the payload for people: the first piece of a message is all of it, the others are empty."""
        place = self._places.get(version)
        if place is None or not place.fits(tag):
            return None
        return place.payload(0, None) if place.first else place.payload(0, 0)


def versions_of(fact: e.MessageCompacted | e.ToolCompacted, version: int) -> list[int] | None:
    """Return the versions that the event of `version` stands for, ascending; None where they cannot be true."""
    if isinstance(fact, e.MessageCompacted):
        runs = [(run.first, len(run.sizes)) for run in fact.pieces]
    else:
        runs = [(run.first, run.count) for run in fact.runs]
    after = 0
    for first, count in runs:
        if first <= after or count < 1 or first + count > version:
            return None
        after = first + count - 1
    return [first + index for first, count in runs for index in range(count)] or None


class _Place(Struct, frozen=True, gc=False):
    """Where an event stands in the one that stands for it."""

    fact: e.MessageCompacted | e.ToolCompacted
    start: int
    end: int
    first: bool

    def fits(self, tag: str) -> bool:
        if isinstance(self.fact, e.MessageCompacted):
            return tag == _KIND_TAGS[self.fact.kind]
        return tag in REDUCIBLE and tag not in _TAG_KINDS

    def payload(self, start: int, end: int | None) -> str:
        fact = self.fact
        if isinstance(fact, e.MessageCompacted):
            return _piece(fact.item_id, fact.text[start:end], fact.thread)
        return _state(fact) if self.first else _state(e.ToolCompacted(fact.item_id, fact.call_id, (), ""))


class _Group(Struct):
    """The events of one item; `odd` where they are more than one thing, or not written the way they are told again."""

    tag: str
    events: list[Stored] = field(default_factory=list[Stored])
    thread: str | None = None
    odd: bool = False


def _collect(groups: dict[str, _Group], event: Stored) -> None:
    if event.data is None:
        return
    fact = decode(event.tag, event.schema, event.data)
    if not isinstance(fact, e.TextAppended | e.ThoughtAppended | e.ToolCalled | e.ToolUpdated):
        return
    kind = _TAG_KINDS.get(event.tag, "tool")
    group = groups.setdefault(fact.item_id, _Group(kind, thread=fact.thread))
    group.events.append(event)
    if group.tag != kind or event.schema != _SCHEMA:
        group.odd = True
    elif isinstance(fact, e.TextAppended | e.ThoughtAppended):
        same = event.data == _piece(fact.item_id, fact.text, fact.thread)
        group.odd = group.odd or fact.thread != group.thread or not same


def _message(events: Sequence[Stored]) -> Merged | None:
    if len(events) == 1:
        return None
    facts = [decode(event.tag, event.schema, event.data) for event in events]
    texts = [fact.text for fact in facts if isinstance(fact, e.TextAppended | e.ThoughtAppended)]
    first = facts[0]
    assert isinstance(first, e.TextAppended | e.ThoughtAppended)
    runs: list[tuple[int, list[int]]] = []
    for event, text in zip(events, texts, strict=True):
        if runs and runs[-1][0] + len(runs[-1][1]) == event.version:
            runs[-1][1].append(len(text))
        else:
            runs.append((event.version, [len(text)]))
    pieces = tuple(e.Pieces(version, tuple(sizes)) for version, sizes in runs)
    kind: Literal["text", "thought"] = "thought" if isinstance(first, e.ThoughtAppended) else "text"
    return _merged(e.MessageCompacted(first.item_id, kind, "".join(texts), pieces, "", first.thread), events)


def _tool(events: Sequence[Stored]) -> Merged | None:
    """Return the use of a tool as it was in the end, if a fold of that gives the same item and it takes less room."""
    if len(events) == 1:
        return None
    facts = [decode(event.tag, event.schema, event.data) for event in events]
    item = _folded(facts)
    first = facts[0]
    assert isinstance(first, e.ToolCalled | e.ToolUpdated)
    places = [fact.locations for fact in facts if isinstance(fact, e.ToolCalled | e.ToolUpdated) and fact.locations]
    shown_again = bytes(item.output) == bytes(item.content)
    runs: list[e.Run] = []
    for event in events:
        if runs and runs[-1].first + runs[-1].count == event.version:
            runs[-1] = e.Run(runs[-1].first, runs[-1].count + 1)
        else:
            runs.append(e.Run(event.version, 1))
    fact = e.ToolCompacted(
        first.item_id,
        first.call_id,
        tuple(runs),
        "",
        item.title,
        item.tool,
        cast("e.ToolStatus | None", item.status),
        item.input,
        Raw() if shown_again else item.output,
        item.thread,
        item.content,
        places[-1].copy() if places else Raw(),
    )
    compactions = Compactions()
    compactions.add(fact, events[-1].version + 1)
    told = [decode(each.tag, _SCHEMA, compactions.payload(each.version, each.tag)) for each in events]
    merged = _merged(fact, events)
    return merged if _folded(told) == item and merged.after < merged.before else None


def _folded(facts: Sequence[Fact]) -> Item:
    items: dict[str, Item] = {}
    for version, fact in enumerate(facts, 1):
        for change in project(items, Recorded(StreamId(""), version, EventId(b""), 0, fact, position=version)):
            assert isinstance(change, Put)
            items[change.item_id] = change.item
    (item,) = items.values()
    return item


def _merged(fact: e.MessageCompacted | e.ToolCompacted, events: Sequence[Stored]) -> Merged:
    before = sum(len((event.data or "").encode()) for event in events)
    after = len(json.encode(fact)) + 2 * DIGEST_BYTES + ROW_BYTES + DIGEST_BYTES * len(events)
    return Merged(fact, tuple(event.version for event in events), before, after)


def _piece(item_id: str, text: str, thread: str | None) -> str:
    """Return the payload of a piece as schema 1 writes it, whatever later schemas do."""
    fields = {"id": item_id, "text": text} | ({} if thread is None else {"thread": thread})
    return json.encode(fields).decode()


def _state(fact: e.ToolCompacted) -> str:
    """Return the payload of an event about a tool as schema 1 writes it."""
    texts = {"title": fact.title, "kind": fact.kind, "status": fact.status, "thread": fact.thread}
    held = {"input": fact.input, "output": fact.output, "content": fact.content, "locations": fact.locations}
    fields: dict[str, object] = {"item_id": fact.item_id, "call_id": fact.call_id}
    fields |= {name: value for name, value in texts.items() if value is not None}
    fields |= {name: value for name, value in held.items() if value}
    return json.encode(fields).decode()


def of_events(events: Iterable[tuple[int, Fact]]) -> Compactions:
    """Return what the compacted events among these say, each given with its version."""
    compactions = Compactions()
    for version, fact in events:
        compactions.add(fact, version)
    return compactions
