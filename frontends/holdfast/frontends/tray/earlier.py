"""What was asked before the tray was there: the log is read again for what the questions are about."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Final

from holdfast.domain.notifying.standing import Standing, evolve
from holdfast.domain.session import events as e
from holdfast.domain.session.facts import BY_CLASS
from holdfast.frontends.tray.decoding import decoded

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from holdfast.domain.recorded import Recorded
    from holdfast.domain.session.facts import Fact
    from holdfast.frontends.client.stream import Stream


def _tags(*facts: type[Fact]) -> tuple[str, ...]:
    return tuple(BY_CLASS[fact].tag for fact in facts)


_TURNS: Final = _tags(e.TurnStarted, e.PermissionRequested)
_TOOLS: Final = _tags(e.ToolCalled, e.ToolUpdated, e.PermissionRequested)


async def kind_of(stream: Stream, session_id: str, request_id: str) -> str | None:
    """Return the kind of the tool that a question of the log is about, None where that is not known.

    Reads the turns of the session and the tools of one turn, and ends with the question.

    Raises:
        CursorError: Another log has taken the place of this one.
    """
    begin = 0
    async with aclosing(_until(stream, session_id, request_id, 0, _TURNS)) as turns:
        async for recorded in turns:
            if isinstance(recorded.event, e.TurnStarted):
                begin = recorded.position or 0
    known = Standing()
    async with aclosing(_until(stream, session_id, request_id, begin, _TOOLS)) as tools:
        async for recorded in tools:
            known = evolve(known, recorded)
            if isinstance(recorded.event, e.PermissionRequested) and recorded.event.request_id == request_id:
                return known.tool(recorded.event.item_id)
    return None


async def _until(
    stream: Stream, session_id: str, request_id: str, after: int, types: Sequence[str]
) -> AsyncGenerator[Recorded]:
    """Yield events of a session, the question as the last one, or what there is where the log has it no more."""
    async with aclosing(stream.events(after, session=session_id, types=types)) as deliveries:
        async for delivery in deliveries:
            if delivery.caught_up:
                return
            for event in delivery.events:
                recorded = decoded(event)
                if recorded is None:
                    continue
                yield recorded
                if isinstance(recorded.event, e.PermissionRequested) and recorded.event.request_id == request_id:
                    return
