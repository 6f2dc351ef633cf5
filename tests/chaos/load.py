"""What sessions under load are asked next: every kind of command and observation, in an order the domain accepts."""

from __future__ import annotations

import random as randomness
from base64 import b64encode
from typing import TYPE_CHECKING, Final

from msgspec import Raw, json

from holdfast.adapters.storage.event_ids import new_event_id
from holdfast.adapters.storage.opening import now_us
from holdfast.domain.content import of_text
from holdfast.domain.recorded import Actor, StreamId
from holdfast.domain.session import commands as c
from holdfast.domain.session import events as e
from holdfast.domain.session.session import Context, Session, fold, handle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from holdfast.adapters.storage.store import Store
    from holdfast.domain.recorded import Recorded

PICTURES: Final = 6
"""So few that sessions share them."""

_WORDS = ("red", "green", "blue", "häßlich", "long " * 25, "\n", "{}", "🙂")
_OPTIONS = (e.Option("allow", "allow_once", "Allow"), e.Option("deny", "reject_once", "Deny"))


def picture(number: int) -> bytes:
    """Return something large enough to be kept beside its event, and compressible by nobody."""
    return randomness.Random(number).randbytes(50_000)


def shown(*numbers: int) -> Raw:
    """Return a message with pictures."""
    blocks = [{"type": "image", "data": b64encode(picture(number)).decode()} for number in numbers]
    return Raw(json.encode(blocks))


def name_of(number: int) -> StreamId:
    """Return the session of this number."""
    return StreamId(f"00000000-0000-4000-8000-{number:012d}")


def loaded(store: Store, session_id: StreamId) -> Session:
    """Return a session as the log has it."""
    return fold(Session(session_id), store.events(session_id))


def recovery(session: Session) -> c.Command | None:
    """What a restarted daemon says of a turn that was open when it died."""
    turn = session.state.turn
    return None if turn is None else c.Observe((e.TurnInterrupted(turn.turn_id, "restarted"),))


def next_events(session: Session, random: Random, *, pictures: bool = True) -> tuple[Recorded, ...]:
    """Return the events of one more command, with an id of the command that is used once.

    Now and then there is a picture among them, which is kept beside the log.
    """
    while True:
        command = _next_command(session, random, pictures=pictures)
        context = Context(now_us(), new_event_id, Actor("human", "chaos"), new_event_id().hex())
        events = handle(session, command, context)
        if events:
            return events


def history(session_id: StreamId, random: Random, length: int) -> Iterator[tuple[Session, tuple[Recorded, ...]]]:
    """Yield a session's requests, each with the session after it, until it has `length` events; no pictures."""
    session = Session(session_id)
    while session.version < length:
        events = next_events(session, random, pictures=False)
        session = fold(session, events)
        yield session, events


def _next_command(session: Session, random: Random, *, pictures: bool) -> c.Command:
    state = session.state
    fresh = new_event_id().hex()
    if not state.created:
        return c.Create(transport="acp", agent="chaos", cwd="/srv", title=random.choice(_WORDS))
    if random.random() < 0.06:
        return random.choice(
            (
                c.Rename(fresh),
                c.Pin(not state.pinned),
                c.MarkRead(),
                c.MarkUnread(),
                c.Configure({"model": fresh}),
            )
        )
    if state.held:
        return c.ResumeQueue()
    if state.turn is None:
        return c.StartTurn(f"turn-{fresh}") if state.queued else c.QueuePrompt(f"prompt-{fresh}", of_text(fresh))
    if state.pending:
        return c.Answer(state.pending[0].request_id, random.choice(("allow", "deny")))
    count = random.choice((1, 1, 1, 2, 5))
    return c.Observe(tuple(_said(state.turn.turn_id, fresh, random, pictures=pictures) for _ in range(count)))


def _said(turn_id: str, fresh: str, random: Random, *, pictures: bool) -> e.Fact:
    dice = random.random()
    item = f"item-{turn_id}"
    if dice < 0.6:
        return e.TextAppended(item, random.choice(_WORDS))
    if dice < 0.7:
        return e.ThoughtAppended(f"thought-{turn_id}", random.choice(_WORDS))
    if dice < 0.8:
        return e.ToolCalled(f"tool-{fresh}", fresh, "ls", "execute", "completed", Raw(b'{"command":"ls"}'), Raw(b'"a"'))
    if pictures and dice < 0.82:
        return e.MessageReceived(f"picture-{fresh}", shown(random.randrange(PICTURES)))
    if dice < 0.85:
        return e.UsageReported("message", fresh, 10, 20)
    if dice < 0.9:
        return e.PermissionRequested(f"ask-{fresh}", turn_id, "ls", Raw(b'{"command":"ls"}'), _OPTIONS, "hash")
    return e.TurnEnded(turn_id, "end_turn")
