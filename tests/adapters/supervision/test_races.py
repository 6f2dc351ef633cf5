"""What happens to one session at the same moment, in virtual time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest
from trio.testing import MockClock

from holdfast.adapters.storage.journal import StoreJournal
from holdfast.adapters.supervision import keepers
from holdfast.domain.content import of_text
from holdfast.domain.errors import ConflictError
from holdfast.domain.keeping import Order
from holdfast.domain.policy import LivePolicy, QueuePolicy, TransportPolicy
from holdfast.domain.session import commands as c
from holdfast.domain.session import events as e
from tests.adapters.supervision.test_policies import HOUR, ME, lab

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from holdfast.domain.recorded import Recorded, StreamId


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Trio alone has a clock that can be set; the code is the same."""
    return "trio", {"clock": MockClock(autojump_threshold=0)}


async def test_whoever_ends_all_agents_does_not_wait_for_one_that_is_just_refused_its_place(tmp_path: Path) -> None:
    async with lab(tmp_path, policy=TransportPolicy(live=LivePolicy(1), queue=QueuePolicy("queue"))) as it:
        first = await it.new("echo://1")
        await it.keeping.opened(first, within_s=HOUR)
        it.keeping.focus("window", first)
        second = await it.new("echo://2")

        with anyio.fail_after(HOUR):
            await it.keeping.end_agents("enough")

        assert (it.state(first), it.state(second)) == ("offline", "failed")
        it.keeping.focus("window", None)
        await it.keeping.reconnect(second, cause=None, actor=ME)
        await anyio.sleep(60)
        assert it.state(second) == "connected", "what was asked of the link before does not end its next life"


async def test_the_same_client_id_at_the_same_time_is_one_session_that_is_there_for_both(tmp_path: Path) -> None:
    async with lab(tmp_path) as it:
        begun: list[StreamId] = []

        async def begin() -> None:
            session = await it.keeping.create(Order(target="echo://peer"), client_id="once", actor=ME)
            await it.keeping.execute(session, c.Rename("Parrot"), cause=None, actor=ME)
            begun.append(session)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(begin)
            tasks.start_soon(begin)

        assert begun[0] == begun[1]
        assert sum(isinstance(fact, e.SessionCreated) for fact in it.facts(begun[0])) == 1


async def test_a_wish_that_breaks_the_connection_is_answered_at_once(tmp_path: Path) -> None:
    async with lab(tmp_path) as it:
        session = await it.new()
        await it.keeping.opened(session, within_s=HOUR)
        began = anyio.current_time()

        with pytest.raises(ConflictError, match="the connection is over"):
            await it.keeping.set_mode(session, "ask", cause=None, actor=ME)

        assert anyio.current_time() - began < 1
        await anyio.sleep(1)
        assert it.state(session) == "failed"


async def test_a_session_that_makes_room_in_memory_while_it_is_written_to_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keepers, "RESTING", 1)
    policy = TransportPolicy(create="on_attach", queue=QueuePolicy("queue"))
    async with lab(tmp_path, policy=policy) as it:
        one, two = await it.new("echo://1"), await it.new("echo://2")
    async with lab(tmp_path, policy=policy) as it:
        ask = StoreJournal.by_cause

        async def meanwhile(journal: StoreJournal, session_id: StreamId, cause: str) -> Sequence[Recorded]:
            await it.keeping.execute(two, c.Rename("Parrot"), cause=None, actor=ME)
            return await ask(journal, session_id, cause)

        monkeypatch.setattr(StoreJournal, "by_cause", meanwhile)
        await it.keeping.execute(one, c.QueuePrompt("p1", of_text("hello")), cause="first", actor=ME)
        await anyio.sleep(60)
        await it.say(one, "and again")
        await anyio.sleep(60)

        assert sum(isinstance(fact, e.TurnEnded) for fact in it.facts(one)) == 2
