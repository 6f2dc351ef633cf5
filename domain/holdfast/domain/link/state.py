"""Where a link stands after all its events so far. A pure fold; the policies decide what comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct
from msgspec.structs import replace

from holdfast.domain.link import events as e

if TYPE_CHECKING:
    from holdfast.domain.session.facts import Fact

Standing = Literal["offline", "connecting", "connected", "reconnecting", "gave_up", "failed", "hibernated"]


class LinkState(Struct, frozen=True):
    """One link.

    Attributes:
        standing: The word that every frontend shows.
        attempt: The attempt that runs or comes next, 0 while connected or at rest.
        due_at: When it comes, microseconds since the epoch.
        error: Why the link is not there, in the words of whoever knew.
        ever_opened: Whether it was ready before, so that an attempt is one to get back.
    """

    standing: Standing = "offline"
    transport: str = ""
    target: str = ""
    attempt: int = 0
    due_at: int | None = None
    error: str | None = None
    ever_opened: bool = False


def evolve(state: LinkState, fact: Fact) -> LinkState:
    """Return the state after `fact`. Total: a fact that means nothing to a link changes nothing."""
    match fact:
        case e.ConnectionRequested(transport=transport, target=target, attempt=attempt):
            standing: Standing = "reconnecting" if state.ever_opened or attempt > 1 else "connecting"
            return replace(state, standing=standing, transport=transport, target=target, attempt=attempt, due_at=None)
        case e.ConnectionOpened():
            return replace(state, standing="connected", attempt=0, due_at=None, error=None, ever_opened=True)
        case e.ConnectionLost(reason=reason, classified="retryable"):
            return replace(state, standing="reconnecting", due_at=None, error=reason)
        case e.ConnectionLost(reason=reason, classified="terminal"):
            return replace(state, standing="failed", attempt=0, due_at=None, error=reason)
        case e.ConnectionLost(reason=reason):
            return replace(state, standing="offline", attempt=0, due_at=None, error=reason)
        case e.ConnectionRetryScheduled(attempt=attempt, due_at=due_at):
            return replace(state, standing="reconnecting", attempt=attempt, due_at=due_at)
        case e.ConnectionGaveUp(reason=reason):
            return replace(state, standing="gave_up", due_at=None, error=reason)
        case e.ConnectionHibernated():
            return replace(state, standing="hibernated", attempt=0, due_at=None, error=None)
        case e.ConnectionClosed():
            return replace(state, standing="offline", attempt=0, due_at=None, error=None)
        case _:
            return state
