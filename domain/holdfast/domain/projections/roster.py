"""The row of a session in every list, in the shape of the public contract. Derived from state and summary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, assert_never

from msgspec import UNSET, Struct, UnsetType

from holdfast.domain.session.lifecycle import Attention, Lifecycle, attention, lifecycle
from holdfast.domain.session.state import OWNER
from holdfast.domain.timestamps import to_text

if TYPE_CHECKING:
    from holdfast.domain.session.session import Session
    from holdfast.domain.session.state import SessionState

ConnectionState = Literal["offline", "connecting", "connected", "reconnecting", "gave_up", "failed", "hibernated"]
StatusWord = Literal["ended", "needs_you", "failed", "working", "reconnecting", "unread", "hibernated", "idle"]


class Connection(Struct, frozen=True, gc=False):
    """Whether the session is connected now, and when the next attempt is due.

    Attributes:
        code: `gone` where the peer has no such session any more: trying again seldom helps. Not there otherwise.
    """

    state: ConnectionState = "offline"
    attempt: int = 0
    next_retry_at: str | None = None
    error: str | None = None
    code: Literal["gone"] | UnsetType = UNSET


class Metadata(Struct, frozen=True, gc=False):
    """Counts over the whole session."""

    total_tokens: int = 0
    message_count: int = 0
    last_message_at: str | None = None
    first_message_preview: str | None = None


class Offers(Struct, frozen=True, gc=False):
    """In which events of the session its peer offered what there is to choose from, by their versions; 0 for none."""

    modes: int = 0
    options: int = 0
    commands: int = 0


class Row(Struct, frozen=True, gc=False):
    """One session in a list. Times are ISO 8601 in UTC."""

    id: str
    title: str
    transport: str
    target: str
    agent: str | None
    cwd: str | None
    lifecycle: Lifecycle
    connection: Connection
    attention: Attention
    unread: int
    pending: int
    queued: int
    mode: str | None
    pinned: bool
    muted_until: str | None
    preview: str
    created_at: str
    updated_at: str
    ended: str | None
    metadata: Metadata
    position: int = 0
    model: str | None = None
    imported_from: str | None = None
    owner: str = OWNER
    options: dict[str, str] = {}
    offers: Offers = Offers()
    remote_id: str | None = None


FOREVER = "9999-12-31T23:59:59.999Z"
"""What `muted_until` says for a session that is muted for good."""


def row(session: Session) -> Row:
    """Return the session's row. Its position is that of its latest event, which the log alone knows: 0 here."""
    state, summary = session.state, session.summary
    muted_until = None
    if state.muted:
        muted_until = FOREVER if state.muted_until is None else to_text(state.muted_until)
    return Row(
        id=session.id,
        title=state.title or summary.first_message or "",
        transport=summary.transport,
        target=summary.target,
        agent=summary.agent,
        cwd=summary.cwd,
        lifecycle=lifecycle(state),
        connection=connection(state),
        attention=attention(state),
        unread=state.unread(),
        pending=len(state.pending),
        queued=len(state.queued),
        mode=state.mode,
        pinned=state.pinned,
        muted_until=muted_until,
        preview=summary.preview.rstrip(),
        created_at=to_text(summary.created_at),
        updated_at=to_text(summary.updated_at),
        ended=None if summary.ended_at is None else to_text(summary.ended_at),
        metadata=Metadata(
            total_tokens=summary.tokens,
            message_count=summary.messages,
            last_message_at=None if summary.last_message_at is None else to_text(summary.last_message_at),
            first_message_preview=summary.first_message,
        ),
        model=summary.model,
        imported_from=summary.imported_from,
        owner=state.owner,
        options=state.options,
        remote_id=state.remote_id,
        offers=Offers(**{kind: offer.version for kind, offer in state.offers.items()}),
    )


def connection(state: SessionState) -> Connection:
    """Return what the session's own stream says of its connection; its link knows of attempts and delays."""
    if state.ended is not None:
        return Connection("offline", error=state.detach_error)
    match state.attachment:
        case "never":
            return Connection("offline")
        case "requested":
            return Connection("connecting")
        case "attached":
            return Connection("connected")
        case "detached":
            return _detached(state)
        case _:
            assert_never(state.attachment)


def _detached(state: SessionState) -> Connection:
    match state.detached_because:
        case "failed":
            return Connection("failed", error=state.detach_error)
        case "gone":
            return Connection("failed", error=state.detach_error, code="gone")
        case "hibernated":
            return Connection("hibernated")
        case "lost":
            return Connection("reconnecting", error=state.detach_error)
        case _:
            return Connection("offline", error=state.detach_error)


def status(listed: Row) -> StatusWord:
    """Return the one word that every frontend shows for a row, the most pressing first."""
    if listed.lifecycle == "ended":
        return "ended"
    if listed.attention == "needs_you":
        return "needs_you"
    if listed.attention == "failed" or listed.connection.state in ("failed", "gave_up"):
        return "failed"
    if listed.lifecycle == "streaming":
        return "working"
    if listed.connection.state in ("reconnecting", "connecting"):
        return "reconnecting"
    if listed.lifecycle == "unread":
        return "unread"
    return "hibernated" if listed.connection.state == "hibernated" else "idle"
