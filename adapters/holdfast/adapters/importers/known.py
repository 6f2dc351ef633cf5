"""What a log has of a session, item by item, for sources that are rewritten: only what differs is news.

Texts are kept as digests: the memory that this takes grows with the number of items, not with their size.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from msgspec import Struct

from holdfast.adapters.importers.recent import RecentItems
from holdfast.domain.session import events as e

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.domain.session.facts import Fact


class KnownItems(RecentItems):
    """All items of a session, and the tokens of its messages."""

    def __init__(self, facts: Iterable[Fact] = ()) -> None:
        self._items: set[str] = set()
        self._texts: dict[str, _Text] = {}
        self._tools: dict[str, _Tool] = {}
        self._tokens: dict[str, int] = {}
        super().__init__(facts)

    def has(self, item_id: str) -> bool:
        """Tell whether there is such an item, or a turn of this name that was interrupted."""
        return item_id in self._items

    def rest(self, item_id: str, words: str) -> str:
        """Return what is new at the end of a text that can only grow; one that was rewritten stays as it was."""
        known = self._texts.get(item_id)
        if known is None:
            return words
        return words[known.length :] if known.begins(words) else ""

    def tool_says(self, item_id: str, status: str | None, *, output: bool) -> bool:
        """Tell whether this is known of a use of a tool. An output stays: tools shorten old ones to save tokens."""
        known = self._tools.get(item_id, _Tool())
        return known.status == status and (known.output or not output)

    def tokens(self, message: str) -> int:
        """Return how many tokens a message took, as far as was reported."""
        return self._tokens.get(message, 0)

    def note(self, fact: Fact) -> None:
        """Take note of one more fact."""
        super().note(fact)
        match fact:
            case e.TextAppended(item_id=item_id, text=text) | e.ThoughtAppended(item_id=item_id, text=text):
                self._items.add(item_id)
                self._texts.setdefault(item_id, _Text()).grow(text)
            case e.ToolCalled() | e.ToolUpdated():
                self._items.add(fact.item_id)
                before = self._tools.get(fact.item_id, _Tool())
                output = before.output or bool(fact.output)
                self._tools[fact.item_id] = _Tool(fact.status or before.status, output=output)
            case e.UsageReported(message_id=str(message)):
                self._tokens[message] = fact.total
            case e.TurnInterrupted(turn_id=turn_id):
                self._items.add(turn_id)
            case e.MessageSent() | e.NoticeAdded() | e.RawReceived() | e.MessageReceived() | e.PlanChanged():
                self._items.add(fact.item_id)
            case _:
                pass


class _Text:
    """A text that grows."""

    def __init__(self) -> None:
        self.length = 0
        self._hash = blake2b()

    def grow(self, more: str) -> None:
        """Append to it."""
        self.length += len(more)
        self._hash.update(more.encode())

    def begins(self, words: str) -> bool:
        """Tell whether `words` begin with it."""
        return blake2b(words[: self.length].encode()).digest() == self._hash.digest()


class _Tool(Struct, frozen=True):
    status: str | None = None
    output: bool = False
