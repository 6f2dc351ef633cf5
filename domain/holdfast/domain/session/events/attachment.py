"""Facts about being connected to a peer, as far as they belong to the conversation.

Attempts, delays and authentication stand in the stream of the link.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Raw

from holdfast.domain.content import NOTHING
from holdfast.domain.session.facts import Fact, registered

DetachReason = Literal["closed", "lost", "failed", "gone", "hibernated", "exited"]


@registered("attach-requested")
class AttachRequested(Fact, frozen=True):
    """Somebody wants the session connected."""

    link_id: str


@registered("attached")
class Attached(Fact, frozen=True):
    """The session is connected to its peer.

    Attributes:
        link_id: The connection that carries it.
        remote_id: The peer's own name of the session.
        resumed: Whether the peer took up an earlier session.
        capabilities: What the peer said it can do, verbatim.
    """

    link_id: str
    remote_id: str | None = None
    resumed: bool = False
    capabilities: Raw = NOTHING


@registered("detached")
class Detached(Fact, frozen=True):
    """The session is not connected any more.

    Attributes:
        reason: `closed` on purpose, `lost` and to be connected again, `failed` and given up, `gone` where the
            peer has no such session any more, `hibernated` until the next prompt, `exited` when the agent's process
            did.
    """

    link_id: str
    reason: DetachReason
    error: str | None = None
