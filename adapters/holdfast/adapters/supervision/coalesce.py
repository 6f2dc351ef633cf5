"""Facts that wait to be appended: pieces of one text that follow each other become one, and nothing is overtaken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Raw, Struct, json

from holdfast.domain.recorded import Source, StreamId
from holdfast.domain.session import events as e
from holdfast.domain.session.facts import Fact

if TYPE_CHECKING:
    from collections.abc import Iterable

PIECE_LIMIT: Final = 64 * 1024
"""Characters of one fact that pieces are gathered into."""


_decode_text = json.Decoder(str).decode
_encode_text = json.Encoder().encode


class Entry(Struct):
    """Facts of one session, or of the link itself, that must be appended together, and where the last of them ends."""

    session_id: StreamId | None
    facts: list[Fact]
    source: Source | None = None


class Coalescer:
    """What one link has to append, in the order in which it came.

    While an append is in flight more comes in; `take` gives all of it at once. Only the newest entry grows: so what is
    committed of a link is always a prefix of what it sent, and its greatest offset says how much.
    """

    def __init__(self, limit_bytes: int = 4 * 1024 * 1024) -> None:
        """Make an empty queue that is `full` from this much text on."""
        self._limit = limit_bytes
        self._entries: list[Entry] = []
        self._pieces: list[str] = []
        self._gathered = 0
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def full(self) -> bool:
        """Whether the caller should stop reading from the agent until something was taken."""
        return self._bytes >= self._limit

    @property
    def sole(self) -> StreamId | None:
        """The session that everything is about and that can be appended at once; None where it is not so."""
        return self._entries[0].session_id if len(self._entries) == 1 else None

    def add(self, session_id: StreamId | None, facts: Iterable[Fact], source: Source | None = None) -> None:
        """Put the facts of one frame at the end."""
        added = list(facts)
        if len(added) == 1 and self._entries and self._continues(session_id, added[0], source):
            return
        if not added:
            return
        self._bytes += _weight(added)
        last = self._entries[-1] if self._entries else None
        if last is not None and last.session_id == session_id and _origin(last.source) == _origin(source):
            first = added[0]
            if self._joins(last.facts[-1], first):
                self._gather(first)
                added = added[1:]
            last.source = source
            if added:
                self._settle()
                last.facts += added
        else:
            self._settle()
            self._entries.append(Entry(session_id, added, source))

    def _continues(self, session_id: StreamId | None, fact: Fact, source: Source | None) -> bool:
        """Take in one more piece of the text at the end, which is what nearly everything is; tell whether it was."""
        if not isinstance(fact, e.TextAppended | e.ThoughtAppended | e.RawReceived):
            return False
        last = self._entries[-1]
        if last.session_id != session_id or _origin(last.source) != _origin(source):
            return False
        if not self._joins(last.facts[-1], fact):
            return False
        before = self._gathered
        self._gather(fact)
        self._bytes += _OVERHEAD + self._gathered - before
        last.source = source
        return True

    def take(self) -> list[Entry]:
        """Return everything, the oldest first; nothing is left."""
        self._settle()
        entries, self._entries = self._entries, []
        self._bytes = 0
        return entries

    def _joins(self, last: Fact, fact: Fact) -> bool:
        match last, fact:
            case ((e.TextAppended() | e.ThoughtAppended()), (e.TextAppended() | e.ThoughtAppended())):
                return (
                    type(last) is type(fact)
                    and last.item_id == fact.item_id
                    and last.thread == fact.thread
                    and self._gathered + len(fact.text) <= PIECE_LIMIT
                )
            case e.RawReceived(label=label, body=body), e.RawReceived(label=same, body=more):
                # Lines that are no messages: an agent that is none may say millions of them.
                both = bytes(body)[:1] == bytes(more)[:1] == b'"'
                return both and label == same and self._gathered + len(more) <= PIECE_LIMIT
            case _:
                return False

    def _gather(self, fact: Fact) -> None:
        """Keep the pieces apart until they are wanted: joining them one by one would copy them again and again."""
        if isinstance(fact, e.RawReceived):
            self._pieces.append(_decode_text(fact.body))
        else:
            assert isinstance(fact, e.TextAppended | e.ThoughtAppended)
            self._pieces.append(fact.text)
        self._gathered += len(self._pieces[-1])

    def _settle(self) -> None:
        if self._pieces:
            facts = self._entries[-1].facts
            last = facts[-1]
            if isinstance(last, e.RawReceived):
                body = _encode_text("\n".join([_decode_text(last.body), *self._pieces]))
                facts[-1] = e.RawReceived(last.item_id, last.label, Raw(body))
            else:
                assert isinstance(last, e.TextAppended | e.ThoughtAppended)
                facts[-1] = type(last)(last.item_id, last.text + "".join(self._pieces), last.thread)
            self._pieces.clear()
        self._gathered = 0


def _origin(source: Source | None) -> bytes | None:
    return None if source is None else source.id


def _weight(facts: Iterable[Fact]) -> int:
    weight = 0
    for fact in facts:
        weight += _OVERHEAD
        match fact:
            case e.TextAppended(text=text) | e.ThoughtAppended(text=text):
                weight += len(text)
            case e.ToolCalled() | e.ToolUpdated():
                weight += len(fact.input) + len(fact.output) + len(fact.content)
            case (
                e.RawReceived(body=body)
                | e.CommandsChanged(commands=body)
                | e.ModesOffered(modes=body)
                | e.OptionsOffered(options=body)
                | e.PermissionRequested(input=body)
            ):
                weight += len(body)
            case _:
                pass
    return weight


_OVERHEAD: Final = 200
