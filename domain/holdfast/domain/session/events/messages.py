"""Facts about messages of chats, and of people in imported transcripts."""

from __future__ import annotations

from typing import Literal

from msgspec import Raw

from holdfast.domain.session.facts import Fact, registered


@registered("message-sent")
class MessageSent(Fact, frozen=True):
    """The person said this through another program, or before the session was imported."""

    item_id: str
    content: Raw
    author: str | None = None
    thread: str | None = None


@registered("message-received")
class MessageReceived(Fact, frozen=True):
    """Somebody else said this."""

    item_id: str
    content: Raw
    author: str | None = None


@registered("message-edited")
class MessageEdited(Fact, frozen=True):
    """A message got other words."""

    item_id: str
    content: Raw


@registered("message-acknowledged")
class MessageAcknowledged(Fact, frozen=True):
    """The server or the other side has a message that we sent.

    Attributes:
        kind: `stored` by a server, `delivered` to a device of the other side, or `displayed` there.
    """

    item_id: str
    kind: Literal["stored", "delivered", "displayed"]
