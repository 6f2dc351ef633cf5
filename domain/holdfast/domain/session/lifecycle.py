"""The words every frontend shows for a session, derived from its state by pure functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from holdfast.domain.session.state import SessionState

Lifecycle = Literal["created", "connected", "streaming", "unread", "ended"]
Attention = Literal["needs_you", "failed", "unread", "none"]


def lifecycle(state: SessionState) -> Lifecycle:
    """Return where the session stands for its owner; the first that holds, from the strongest down.

    `connected` is a milestone: the session was attached at least once. Whether it is attached now is another question.
    """
    if state.ended is not None:
        return "ended"
    if state.turn is not None:
        return "streaming"
    if state.unread():
        return "unread"
    if state.ever_attached:
        return "connected"
    return "created"


def attention(state: SessionState) -> Attention:
    """Return what the session wants of its owner, the most urgent first."""
    if state.pending:
        return "needs_you"
    if state.failure is not None:
        return "failed"
    if state.unread():
        return "unread"
    return "none"
