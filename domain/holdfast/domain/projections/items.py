"""The entries of a transcript, and the few ways in which they change."""

from __future__ import annotations

from typing import Literal, assert_never

from msgspec import Raw, Struct, field

from holdfast.domain.content import NOTHING
from holdfast.domain.session.events import Option

ItemKind = Literal["message", "thought", "tool_call", "plan", "permission", "notice", "raw"]


class Item(Struct, omit_defaults=True):
    """One entry of a transcript. Mutable, because text grows by pieces; `apply` alone changes it.

    Attributes:
        id: Unique in the session.
        ordinal: Its place in the transcript: items ascend in order of first appearance.
        position: Position of the event that changed it last.
        at: When it first appeared, microseconds since the epoch.
        text: What was said, without the pieces in `tail`.
        decided_at: When a permission was answered, microseconds since the epoch. No view stores it: it is the time of
            the event at `position`, and whoever reads an item looks it up there.
        tail: Pieces that were added since; `settled` joins them.
        length: Characters of text and tail together.
    """

    id: str
    kind: ItemKind
    ordinal: int = 0
    position: int = 0
    at: int = 0
    role: str | None = None
    author: str | None = None
    text: str = ""
    status: str | None = None
    title: str | None = None
    tool: str | None = None
    input: Raw = NOTHING
    output: Raw = NOTHING
    content: Raw = NOTHING
    options: tuple[Option, ...] = ()
    decision: str | None = None
    decided_by: str | None = None
    decided_at: int | None = None
    reason: str | None = None
    thread: str | None = None
    turn_id: str | None = None
    tail: list[str] = field(default_factory=list[str])
    length: int = 0

    def settled(self) -> Item:
        """Return the item itself with its text in one piece."""
        if self.tail:
            self.text += "".join(self.tail)
            self.tail.clear()
        return self


class Put(Struct, frozen=True):
    """The item is now this one: a new item, or one that takes the place of the item with its id."""

    item: Item

    @property
    def item_id(self) -> str:
        """The item that changes."""
        return self.item.id


class Append(Struct, frozen=True, gc=False):
    """The text of an item grew: it is now `text[:at] + text`."""

    item_id: str
    at: int
    text: str
    position: int


class Clear(Struct, frozen=True):
    """Every item of the session is gone."""


Change = Put | Append | Clear


def apply(items: dict[str, Item], change: Change) -> None:
    """Make `change` to `items`, which are in order of first appearance."""
    if isinstance(change, Append):
        item = items[change.item_id]
        item.tail.append(change.text)
        item.length += len(change.text)
        item.position = change.position
        return
    match change:
        case Put(item=item):
            items[item.id] = item
        case Clear():
            items.clear()
        case _:
            assert_never(change)
