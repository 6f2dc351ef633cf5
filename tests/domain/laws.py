"""What holds for every history of a session, told from its facts alone and then compared with its state.

Nothing here calls `decide`, `admit` or `evolve`: a law that used the code under test would bend with it.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from holdfast.domain.session import events as e
from holdfast.domain.session.lifecycle import attention, lifecycle
from tests.domain.histories import facts_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from holdfast.domain.session.facts import Fact
    from holdfast.domain.session.state import SessionState
    from tests.domain.histories import Step

CLOSING = (e.TurnEnded, e.TurnInterrupted, e.TurnUnknown)


def every_law_holds(steps: Sequence[Step]) -> None:
    """All of them, for the end of the history and, where time is in it, for each step on the way."""
    the_lifecycle_is_defined_and_follows_its_precedence(steps)
    an_ended_session_stays_ended(steps)
    a_permission_is_asked_once_and_settled_once(steps)
    a_turn_opens_once_and_closes_once(steps)
    a_prompt_is_never_lost_and_never_handed_over_twice(steps)
    every_unit_counts_once(steps)
    every_use_of_a_tool_ends_with_its_turn(steps)


def _prefixes(steps: Sequence[Step]) -> Iterator[tuple[list[Fact], SessionState]]:
    """What had happened after each step since the last erasure, and the state then."""
    facts: list[Fact] = []
    for step in steps:
        facts += step.facts
        if any(isinstance(fact, e.SessionErased) for fact in step.facts):
            assert step.state.erased
            assert lifecycle(step.state) == "ended"
            return  # what comes before is gone, and nothing may come after
        yield facts, step.state


def the_lifecycle_is_defined_and_follows_its_precedence(steps: Sequence[Step]) -> None:
    for facts, state in _prefixes(steps):
        shown = lifecycle(state)
        if any(isinstance(fact, e.SessionEnded) for fact in facts):
            assert shown == "ended"
        elif _open_turns(facts):
            assert shown == "streaming"
        elif _unread(facts, state.owner):
            assert shown == "unread"
        elif any(isinstance(fact, e.Attached) for fact in facts):
            assert shown == "connected"
        else:
            assert shown == "created"
        wanted = attention(state)
        assert (wanted == "needs_you") == bool(_waiting(facts))
        assert wanted != "none" or not state.unread()


def an_ended_session_stays_ended(steps: Sequence[Step]) -> None:
    ends = [fact for fact in facts_of(steps) if isinstance(fact, e.SessionEnded)]
    assert len(ends) <= 1
    ended: str | None = None
    for step in steps:
        if ended is not None:
            assert step.state.ended in (ended, "erased")
            assert step.state.turn is None
            assert not step.state.queue
            assert not step.state.pending
        ended = step.state.ended


def a_permission_is_asked_once_and_settled_once(steps: Sequence[Step]) -> None:
    waiting: set[str] = set()
    seen: set[str] = set()
    for fact in facts_of(steps):
        match fact:
            case e.PermissionRequested(request_id=request_id):
                assert request_id not in seen
                seen.add(request_id)
                waiting.add(request_id)
            case e.PermissionAnswered(request_id=request_id) | e.PermissionExpired(request_id=request_id):
                assert request_id in waiting
                waiting.remove(request_id)
            case _:
                pass
    for facts, state in _prefixes(steps):
        assert [pending.request_id for pending in state.pending] == _waiting(facts)
        assert not isinstance(facts[-1], CLOSING) or not state.pending


def a_turn_opens_once_and_closes_once(steps: Sequence[Step]) -> None:
    facts = facts_of(steps)
    started = Counter(fact.turn_id for fact in facts if isinstance(fact, e.TurnStarted))
    closed = Counter(fact.turn_id for fact in facts if isinstance(fact, CLOSING))
    assert all(count == 1 for count in started.values())
    assert all(count == 1 for count in closed.values())
    assert set(closed) <= set(started)
    for happened, state in _prefixes(steps):
        open_turns = _open_turns(happened)
        assert len(open_turns) <= 1
        assert open_turns == ([] if state.turn is None else [state.turn.turn_id])


def a_prompt_is_never_lost_and_never_handed_over_twice(steps: Sequence[Step]) -> None:
    for facts, state in _prefixes(steps):
        queued = [fact.prompt_id for fact in facts if isinstance(fact, e.PromptQueued)]
        sent = [fact.prompt_id for fact in facts if isinstance(fact, e.PromptSent)]
        withdrawn = [fact.prompt_id for fact in facts if isinstance(fact, e.PromptWithdrawn)]
        failed = [fact.prompt_id for fact in facts if isinstance(fact, e.PromptFailed)]
        for fates in (queued, sent, withdrawn, failed):
            assert len(set(fates)) == len(fates)
        assert {*sent, *withdrawn, *failed} <= set(queued)
        assert not set(withdrawn) & {*sent, *failed}
        waiting = [prompt_id for prompt_id in queued if prompt_id not in {*sent, *withdrawn, *failed}]
        assert [prompt.prompt_id for prompt in state.queued] == waiting
        assert state.ended is None or not waiting
    words: dict[str, bytes] = {}
    for fact in facts_of(steps):
        if isinstance(fact, e.PromptQueued | e.PromptEdited):
            words[fact.prompt_id] = bytes(fact.content)
        elif isinstance(fact, e.PromptSent):
            assert bytes(fact.content) == words[fact.prompt_id]


def every_unit_counts_once(steps: Sequence[Step]) -> None:
    for facts, state in _prefixes(steps):
        units = _units(facts)
        assert state.units == len(units)
        assert list(state.unit_versions) == units
        for reader in ("owner", "guest"):
            assert state.unread(reader) == _unread(facts, reader)
        assert state.failure is None or state.unread() > 0


def every_use_of_a_tool_ends_with_its_turn(steps: Sequence[Step]) -> None:
    for facts, state in _prefixes(steps):
        assert list(state.tools) == _open_tools(facts)
        assert not state.tools or not (isinstance(facts[-1], CLOSING) or state.ended)


def _open_tools(facts: Sequence[Fact]) -> list[str]:
    at_work: dict[str, None] = {}
    for fact in facts:
        match fact:
            case (
                e.ToolCalled(status=None | "pending" | "in_progress") | e.ToolUpdated(status="pending" | "in_progress")
            ):
                at_work[fact.item_id] = None
            case e.ToolCalled() | e.ToolUpdated(status="completed" | "failed") | e.ToolAbandoned():
                at_work.pop(fact.item_id, None)
            case _:
                pass
    return list(at_work)


def _open_turns(facts: Sequence[Fact]) -> list[str]:
    closed = {fact.turn_id for fact in facts if isinstance(fact, CLOSING)}
    return [fact.turn_id for fact in facts if isinstance(fact, e.TurnStarted) and fact.turn_id not in closed]


def _waiting(facts: Sequence[Fact]) -> list[str]:
    settled = {fact.request_id for fact in facts if isinstance(fact, e.PermissionAnswered | e.PermissionExpired)}
    return [
        fact.request_id for fact in facts if isinstance(fact, e.PermissionRequested) and fact.request_id not in settled
    ]


def _units(facts: Sequence[Fact]) -> list[int]:
    """Versions of what a person counts: a turn at its first output, a message, a question, a failure.

    The end of a turn, and of a connection, is no second failure for who has not seen the first of the turn.
    """
    units: list[int] = []
    owner = next((fact.owner for fact in facts if isinstance(fact, e.SessionCreated)), "")
    told, in_turn, failed_at = False, False, 0
    for version, fact in enumerate(facts, 1):
        counts = False
        match fact:
            case e.TurnStarted():
                told, in_turn, failed_at = False, True, 0
            case e.TextAppended(text=text, thread=None) if text.strip() and not told:
                told = counts = True
            case e.MessageReceived():
                counts = not (in_turn and told)
                told = told or in_turn
            case e.PermissionRequested():
                counts = True
            case e.PromptFailed(reason="not_delivered" | "refused" | "error"):
                counts, failed_at = True, version
            case e.TurnInterrupted() | e.TurnUnknown() | e.Detached(reason="failed" | "gone"):
                counts = not failed_at
                failed_at = failed_at or version
            case e.ReadUpTo(reader=reader, version=seen) if reader == owner and min(seen, version) >= failed_at:
                failed_at = 0
            case _:
                pass
        in_turn = in_turn and not isinstance(fact, (*CLOSING, e.SessionEnded))
        if counts:
            units.append(version)
    return units


def _unread(facts: Sequence[Fact], reader: str) -> int:
    seen = 0
    marked = False
    for version, fact in enumerate(facts, 1):
        if isinstance(fact, e.ReadUpTo) and fact.reader == reader:
            seen = max(seen, min(fact.version, version))
            marked = False
        elif isinstance(fact, e.MarkedUnread) and fact.reader == reader:
            marked = True
    return max(sum(unit > seen for unit in _units(facts)), int(marked))
