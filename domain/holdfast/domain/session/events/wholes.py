"""Facts about how the history of a session is stored: many small events, told once more by one that is whole."""

from __future__ import annotations

from typing import Literal

from msgspec import Raw, Struct

from holdfast.domain.content import NOTHING
from holdfast.domain.session.events.output import ToolStatus
from holdfast.domain.session.facts import Fact, registered


class Pieces(Struct, frozen=True, omit_defaults=True):
    """Events one after the other: `first` is the version of the first, `sizes` how many characters each one added."""

    first: int
    sizes: tuple[int, ...]


class Run(Struct, frozen=True, omit_defaults=True):
    """Events one after the other: `first` is the version of the first, `count` how many they are."""

    first: int
    count: int


@registered("message-compacted")
class MessageCompacted(Fact, frozen=True):
    """The pieces of a message, or of a thought, stand here as one text; their own payloads gave way to digests.

    Attributes:
        kind: Whether they were `text-appended` or `thought-appended`.
        text: All of their texts, in order.
        pieces: Which events it stands for, and where one text ends and the next begins.
        digest: SHA-256 over the payload digests of those events, in order, hexadecimal.
    """

    item_id: str
    kind: Literal["text", "thought"]
    text: str
    pieces: tuple[Pieces, ...]
    digest: str
    thread: str | None = None


@registered("tool-compacted")
class ToolCompacted(Fact, frozen=True):
    """What became known of a use of a tool, all together; the payloads of its events gave way to digests.

    Attributes:
        call_id: The peer's own id.
        runs: Which events it stands for.
        digest: SHA-256 over the payload digests of those events, in order, hexadecimal.
        kind: The peer's class of tool.
        status: Where it stood in the end.
        input: Arguments as the peer sent them.
        output: What came of it, as the peer sent it.
        content: What there was to show of it in the end.
        locations: The places in files it is about, as the peer sent them.
    """

    item_id: str
    call_id: str
    runs: tuple[Run, ...]
    digest: str
    title: str | None = None
    kind: str | None = None
    status: ToolStatus | None = None
    input: Raw = NOTHING
    output: Raw = NOTHING
    thread: str | None = None
    content: Raw = NOTHING
    locations: Raw = NOTHING
