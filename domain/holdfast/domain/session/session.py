"""A session as its keeper holds it: state, version and summary together, and the envelopes of what happens next."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from holdfast.domain.projections.summary import Summary, is_only_news, summarize
from holdfast.domain.recorded import PEER, Actor, EventId, Recorded, Source, StreamId
from holdfast.domain.session.decide import decide
from holdfast.domain.session.evolve import evolve
from holdfast.domain.session.state import SessionState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.domain.session.commands import Command
    from holdfast.domain.session.facts import Fact


class Session(Struct, frozen=True):
    """One session in memory: everything needed to decide, and to write its row of the roster.

    Attributes:
        id: Its name.
        version: Version of its latest event, 0 before the first.
        state: What `decide` needs.
        summary: What a list shows beside the state.
    """

    id: StreamId
    version: int = 0
    state: SessionState = SessionState()
    summary: Summary = Summary()

    def after(self, recorded: Recorded) -> Session:
        """Return the session after one more event."""
        version = recorded.originator_version
        return Session(
            self.id,
            version,
            evolve(self.state, recorded.event, version),
            summarize(self.summary, recorded),
        )


class Context(Struct, frozen=True):
    """Who acts, why, and when; the same for all events of one command.

    Attributes:
        now: Microseconds since the epoch, UTC.
        new_event_id: Gives a fresh event id at each call.
        actor: Who acts.
        cause: The client id of the command.
        occurred_at: When it happened, for imported history.
        source: Where the bytes came from.
    """

    now: int
    new_event_id: Callable[[], EventId]
    actor: Actor = PEER
    cause: str | None = None
    occurred_at: int | None = None
    source: Source | None = None


def handle(session: Session, command: Command, context: Context) -> tuple[Recorded, ...]:
    """Return the events that `command` leads to, ready to be appended after the session's latest.

    Raises:
        ConflictError: The command contradicts the session's state.
        NotFoundError: The session, or what the command names, does not exist.
    """
    return record(session, decide(session.state, command, session.version), context)


def record(session: Session, facts: Iterable[Fact], context: Context) -> tuple[Recorded, ...]:
    """Put facts into envelopes that follow the session's latest event."""
    return tuple(
        Recorded(
            session.id,
            version,
            context.new_event_id(),
            context.now,
            fact,
            context.cause,
            context.actor,
            context.occurred_at,
            context.source,
        )
        for version, fact in enumerate(facts, session.version + 1)
    )


def fold(session: Session, events: Iterable[Recorded]) -> Session:
    """Return the session after all of `events`, which must follow its latest one.

    The same as `after` for each of them, without a session in between, and without a summary for each of those that
    only say when something happened last: a long one is read in half the time.
    """
    version, state, summary = session.version, session.state, session.summary
    latest = 0
    for recorded in events:
        version = recorded.originator_version
        fact = recorded.event
        state = evolve(state, fact, version)
        if is_only_news(summary, fact):
            if recorded.at > latest:  # noqa: PLR1730 - `max` takes three times as long
                latest = recorded.at
            continue
        summary = summarize(_until(summary, latest), recorded)
        latest = 0
    return Session(session.id, version, state, _until(summary, latest))


def _until(summary: Summary, latest: int) -> Summary:
    return replace(summary, updated_at=latest) if latest > summary.updated_at else summary
