"""What tests of the domain say `given`, `when` and `then` with."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import msgspec
from msgspec import Raw

from holdfast.domain.content import of_text
from holdfast.domain.recorded import PEER, Actor, EventId, Recorded, StreamId
from holdfast.domain.session import events as e
from holdfast.domain.session.decide import decide
from holdfast.domain.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from holdfast.domain.session.commands import Command
    from holdfast.domain.session.facts import Fact

NAME = StreamId("5f0c8d7e-1b1e-4a53-9a3c-52f4bb7a1c11")
CREATED = e.SessionCreated(transport="acp", owner="owner", target="opencode acp", agent="opencode", cwd="/srv/shop")
START = 1_700_000_000_000_000
"""When the first event of every scene was written, in microseconds since the epoch."""

HELLO = of_text("hello")
ALLOW = e.Option("allow", "allow_once", "Allow")
DENY = e.Option("deny", "reject_once", "Deny")


def asks(request_id: str = "r1", turn_id: str | None = "t1") -> e.PermissionRequested:
    """A permission to list files, with two answers to choose from."""
    return e.PermissionRequested(
        request_id, turn_id, "List files", Raw(b'{"command":"ls"}'), (ALLOW, DENY), "hash-of-ls"
    )


def recorded(
    fact: Fact, version: int = 1, *, actor: Actor = PEER, at: int | None = None, occurred_at: int | None = None
) -> Recorded:
    """`fact` as event number `version`, one second after the event before it, in a log that holds nothing else."""
    return Recorded(
        NAME,
        version,
        EventId(version.to_bytes(16, "big")),
        START + (version - 1) * 1_000_000 if at is None else at,
        fact,
        actor=actor,
        occurred_at=occurred_at,
        position=version,
    )


def given(*facts: Fact) -> Session:
    """A session to which this happened after it was created."""
    return replay(CREATED, *facts)


def replay(*facts: Fact) -> Session:
    """A session that these facts make, from its very first."""
    session = Session(NAME)
    for version, fact in enumerate(facts, 1):
        session = session.after(recorded(fact, version))
    return session


def when(session: Session, command: Command) -> tuple[Fact, ...]:
    """What `command` leads to."""
    return decide(session.state, command, session.version)


def then(session: Session, *facts: Fact) -> Session:
    """The session after some more facts."""
    for fact in facts:
        session = session.after(recorded(fact, session.version + 1))
    return session


def event_ids() -> Callable[[], EventId]:
    """Event ids that count."""
    numbers = itertools.count(1)
    return lambda: EventId(next(numbers).to_bytes(16, "big"))


def dump(*things: object) -> bytes:
    """One text for equal things, whatever way they came about."""
    return msgspec.json.encode(things, order="sorted")


def tags(facts: Iterable[Fact]) -> list[str]:
    """The names of the facts' classes, for tests in which the rest says nothing."""
    return [type(fact).__name__ for fact in facts]
