"""Policies in virtual time: a day of waiting takes no time, and is right to the millisecond."""

from __future__ import annotations

import itertools
import tomllib
from contextlib import asynccontextmanager, contextmanager
from math import inf
from typing import TYPE_CHECKING, Any

import anyio
import msgspec
import pytest
import trio
from trio.testing import MockClock

from holdfast.adapters.configuration.file import Configuration, policies
from holdfast.adapters.storage.journal import StoreJournal
from holdfast.adapters.storage.opening import open_store
from holdfast.adapters.storage.settings import StoreSettings
from holdfast.adapters.supervision.directory import Directory
from holdfast.adapters.supervision.settings import Settings
from holdfast.adapters.supervision.supervisor import Supervisor
from holdfast.domain.content import of_text
from holdfast.domain.errors import ConflictError, NotFoundError
from holdfast.domain.keeping import Order
from holdfast.domain.link import events as links
from holdfast.domain.policy import LivePolicy, QueuePolicy, ReconnectPolicy, TransportPolicy
from holdfast.domain.policy_table import DEFAULTS
from holdfast.domain.recorded import Actor, StreamId
from holdfast.domain.session import commands as c
from holdfast.domain.session import events as e
from holdfast.domain.transport import ConnectError, Failure, Heard, Joining, Peer, Speech, Transport, Wish, Write

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Sequence
    from pathlib import Path

    from holdfast.adapters.storage.store import Store
    from holdfast.domain.recorded import Recorded
    from holdfast.domain.session.facts import Fact

ME = Actor("human", "test")
HOUR = 3600.0


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Trio alone has a clock that can be set; the code is the same."""
    return "trio", {"clock": MockClock(autojump_threshold=0)}


class Wires:
    """What a dialled peer does: `refuses` while it is set, else it answers; `cut` ends every connection."""

    def __init__(self) -> None:
        self.refuses: Failure | OSError | None = None
        self.dialled: list[float] = []
        self.heartbeats: list[float] = []
        self.open: list[Line] = []

    async def cut(self) -> None:
        lines, self.open = self.open, []
        for line in lines:
            line.end()


class Line:
    """A connection in memory: every word that is sent comes back, for so long as it lasts."""

    def __init__(self, lasts_s: float = inf) -> None:
        self._lasts_s = lasts_s
        self._send, self._receive = anyio.create_memory_object_stream[bytes](100)

    async def receive(self) -> bytes:
        with anyio.move_on_after(self._lasts_s):
            return await self._receive.receive()
        raise anyio.EndOfStream

    async def send(self, item: bytes) -> None:
        await self._send.send(item)

    async def aclose(self) -> None:
        self._send.close()
        self._receive.close()

    def end(self) -> None:
        self._send.close()


class Echo(Transport):
    """A peer that says everything back; `turn` decides when it is done with a prompt."""

    schemes = ("echo",)

    def __init__(self, wires: Wires, policy: TransportPolicy) -> None:
        self.name = "echo"
        self.policy = policy
        self.wires = wires
        self.bears_after_s = 0
        self.mute = False  # it takes every connection, says nothing, and closes it two seconds later

    def peer(self, target: str, cwd: str | None) -> Peer:
        return Peer(transport="echo", target=target, address=target, cwd=cwd)

    async def dial(self, peer: Peer, *, heartbeat_s: float, limit_bytes: int) -> Line:
        self.wires.dialled.append(anyio.current_time())
        self.wires.heartbeats.append(heartbeat_s)
        match self.wires.refuses:
            case Failure() as failure:
                raise ConnectError(failure)
            case OSError() as error:
                raise error
            case None:
                pass
        self.wires.open.append(Line(2.0 if self.mute else inf))
        return self.wires.open[-1]

    def speech(self, peer: Peer, link_id: str, incarnation: bytes, offset: int, limit_bytes: int) -> Speech:
        return Repeats(link_id, mute=self.mute)

    def not_before(self, peer: Peer, opened_at: Sequence[int]) -> int:
        return max(opened_at, default=0) + self.bears_after_s * 1_000_000


class Repeats(Speech):
    def __init__(self, link_id: str, *, mute: bool = False) -> None:
        self.link_id = link_id
        self.mute = mute
        self.session = StreamId("")
        self.turn = ""

    def attach(self, joining: Joining) -> list[Write]:
        self.session = joining.session.id
        return [] if self.mute else [Write(joining.key, b"hello\n")]

    def committed(self, session_id: StreamId, recorded: Recorded) -> list[Write]:
        match recorded.event:
            case e.TurnStarted(turn_id=turn_id):
                self.turn = turn_id
                return [Write(turn_id, b"turn\n")]
            case _:
                return []

    def wish(self, session_id: StreamId, key: str, wish: Wish) -> list[Write]:
        return [Write(key, b"wish\n")]

    def receive(self, data: bytes) -> Iterator[Heard]:
        if data == b"wish\n":
            raise RuntimeError("a transport with a defect")
        for word in data.decode().split():
            if word == "hello":
                yield Heard(self.session, (e.Attached(self.link_id, "remote"),))
            elif word == "turn":
                yield Heard(self.session, (e.TurnEnded(self.turn, "end_turn"),))


class Lab:
    """A supervisor in virtual time."""

    def __init__(self, store: Store, supervisor: Supervisor, wires: Wires, echo: Echo) -> None:
        self.store = store
        self.echo = echo
        self.keeping = supervisor
        self.wires = wires

    async def new(self, name: str = "echo://peer") -> StreamId:
        return await self.keeping.create(Order(target=name), client_id=None, actor=ME)

    async def say(self, session: StreamId, text: str = "hello") -> None:
        command = c.QueuePrompt(f"p{anyio.current_time()}{text}", of_text(text))
        await self.keeping.execute(session, command, cause=None, actor=ME)

    def facts(self, session: StreamId) -> list[Fact]:
        return [recorded.event for recorded in self.store.events(session)]

    def link(self, kind: type[Fact]) -> list[Recorded]:
        return [each for each in self.store.log() if isinstance(each.event, kind)]

    def state(self, session: StreamId) -> str:
        shown = self.keeping.connection(session)
        assert shown is not None
        return shown.state


@asynccontextmanager
async def lab(
    tmp_path: Path,
    reconnect: ReconnectPolicy | None = None,
    *,
    policy: TransportPolicy | None = None,
    random: Callable[[], float] = lambda: 0.0,
    suspended_s: Callable[[], float] = lambda: 0.0,
    online: Callable[[], bool] = lambda: True,
    configured: str = "",
    refuses: OSError | None = None,
) -> AsyncGenerator[Lab]:
    wires = Wires()
    wires.refuses = refuses
    echo = Echo(wires, policy or TransportPolicy(reconnect=reconnect or ReconnectPolicy(), queue=QueuePolicy("queue")))

    def now() -> int:
        return round(trio.current_time() * 1_000_000)

    told = msgspec.convert(tomllib.loads(configured), Configuration)
    settings = Settings(
        hosts=tmp_path / "hosts",
        runtime=tmp_path,
        environ={},
        policies=policies(told, {"echo": echo.policy}),
        random=random,
        suspended_s=suspended_s,
        online=online,
    )
    with open_store(StoreSettings.from_url(f"sqlite:///{tmp_path}/log.db"), inline=True, now=now, environ={}) as store:
        supervisor = Supervisor(StoreJournal(store, now=now), Directory({"echo": echo}), settings)
        async with anyio.create_task_group() as nursery:
            with standing_still():
                await nursery.start(supervisor.run)
                await recovered(supervisor)
            yield Lab(store, supervisor, wires, echo)
            nursery.cancel_scope.cancel()


@contextmanager
def standing_still() -> Generator[None]:
    """Let no virtual time pass: its clock does not wait for worker threads, and what they do would come too late."""
    clock = trio.lowlevel.current_clock()
    assert isinstance(clock, MockClock)
    clock.autojump_threshold = inf
    try:
        yield
    finally:
        clock.autojump_threshold = 0


async def recovered(supervisor: Supervisor) -> None:
    """Return once everything was read from the log: sooner nobody can say that a question was never asked."""
    with pytest.raises(NotFoundError):
        await supervisor.answer("never asked", None, None, cause=None, actor=ME)


def waits(dialled: list[float]) -> list[float]:
    return [round(after - before, 3) for before, after in itertools.pairwise(dialled)]


async def test_a_day_of_backoff_is_right_to_the_millisecond(tmp_path: Path) -> None:
    async with lab(tmp_path, DEFAULTS["acp"].reconnect, random=lambda: 0.25) as it:
        session = await it.new()
        await it.keeping.opened(session, within_s=HOUR)
        it.wires.dialled.clear()
        it.wires.refuses = OSError("nobody there")
        lost_at = anyio.current_time()
        await it.wires.cut()
        await anyio.sleep(24 * HOUR)

        assert round(it.wires.dialled[0] - lost_at, 3) == 2.25
        assert waits(it.wires.dialled)[:5] == [4.25, 8.25, 16.25, 30.25, 30.25]
        assert set(waits(it.wires.dialled)[4:]) == {30.25}
        assert len(it.wires.dialled) == 4 + int((24 * HOUR - 30.75) / 30.25)
        assert it.state(session) == "reconnecting"
        detached = [fact for fact in it.facts(session) if isinstance(fact, e.Detached)]
        assert [fact.reason for fact in detached] == ["lost"]


async def test_the_count_begins_anew_only_when_the_peer_is_ready(tmp_path: Path) -> None:
    async with lab(tmp_path) as it:
        session = await it.new()
        await it.keeping.opened(session, within_s=HOUR)
        it.wires.refuses = OSError("nobody there")
        await it.wires.cut()
        await anyio.sleep(60)
        it.wires.refuses = None
        await anyio.sleep(60)
        assert it.state(session) == "connected"
        before = len(it.wires.dialled)
        lost_at = anyio.current_time()
        await it.wires.cut()
        await anyio.sleep(5)

        assert it.wires.dialled[before] - lost_at == 1.0


async def test_at_the_limit_it_gives_up_until_a_person_asks(tmp_path: Path) -> None:
    async with lab(tmp_path, DEFAULTS["agentflow"].reconnect) as it:
        session = await it.new()
        await it.keeping.opened(session, within_s=HOUR)
        it.wires.refuses = OSError("nobody there")
        it.wires.dialled.clear()
        await it.wires.cut()
        await anyio.sleep(HOUR)

        assert waits(it.wires.dialled) == [2.0, 4.0, 8.0, 16.0]
        assert it.state(session) == "gave_up"
        assert len(it.link(links.ConnectionGaveUp)) == 1
        it.wires.refuses = None
        await it.keeping.reconnect(session, cause=None, actor=ME)
        await it.keeping.opened(session, within_s=HOUR)
        assert it.state(session) == "connected"


async def test_no_attempt_starts_after_the_window(tmp_path: Path) -> None:
    async with lab(tmp_path, ReconnectPolicy(base_s=10, factor=1, max_window_s=60)) as it:
        session = await it.new()
        await it.keeping.opened(session, within_s=HOUR)
        it.wires.refuses = OSError("nobody there")
        it.wires.dialled.clear()
        await it.wires.cut()
        await anyio.sleep(HOUR)

        assert len(it.wires.dialled) == 6
        assert it.state(session) == "gave_up"


async def test_what_cannot_get_better_is_not_tried_again(tmp_path: Path) -> None:
    async with lab(tmp_path, ReconnectPolicy(terminal=("unauthorized",))) as it:
        it.wires.refuses = Failure("unauthorized", "wrong token: sign in")
        session = await it.new()
        await anyio.sleep(HOUR)

        assert len(it.wires.dialled) == 1
        assert it.state(session) == "failed"
        shown = it.keeping.connection(session)
        assert shown is not None
        assert shown.error == "wrong token: sign in"


async def test_a_server_that_says_when_is_not_asked_before(tmp_path: Path) -> None:
    async with lab(tmp_path) as it:
        it.wires.refuses = Failure("refused", "slow down", retry_after_s=120)
        await it.new()
        await anyio.sleep(HOUR)

        assert set(waits(it.wires.dialled)) == {120.0}


async def test_the_peers_own_end_is_no_reason_to_come_back(tmp_path: Path) -> None:
    async with lab(tmp_path) as it:
        it.wires.refuses = Failure("gone", "the peer ended the session", "ended")
        session = await it.new()
        await anyio.sleep(HOUR)

        assert len(it.wires.dialled) == 1
        assert it.state(session) == "offline"


async def test_a_hurry_makes_one_attempt_and_not_two(tmp_path: Path) -> None:
    async with lab(tmp_path, ReconnectPolicy(base_s=600)) as it:
        it.wires.refuses = OSError("nobody there")
        session = await it.new()
        await anyio.sleep(1)
        async with anyio.create_task_group() as nursery:
            for _ in range(10):
                nursery.start_soon(lambda: it.keeping.reconnect(session, cause=None, actor=ME))
        await anyio.sleep(1)

        assert len(it.wires.dialled) == 2


async def test_a_machine_that_wakes_from_sleep_does_not_wait_on(tmp_path: Path) -> None:
    asleep = 0.0
    async with lab(tmp_path, ReconnectPolicy(base_s=3000, cap_s=3000), suspended_s=lambda: asleep) as it:
        it.wires.refuses = OSError("nobody there")
        await it.new()
        await anyio.sleep(100)
        asleep = 7200.0
        await anyio.sleep(30)

        assert len(it.wires.dialled) == 2


async def test_a_session_is_not_taken_up_before_its_agent_can_bear_it(tmp_path: Path) -> None:
    async with lab(tmp_path) as it:
        it.echo.bears_after_s = 90
        session = await it.new()
        await it.keeping.opened(session, within_s=HOUR)
        opened_at = anyio.current_time()
        await it.wires.cut()
        await anyio.sleep(2)
        await it.keeping.reconnect(session, cause=None, actor=ME)
        await anyio.sleep(HOUR)

        assert it.state(session) == "connected"
        assert [at - opened_at for at in it.wires.dialled] == [0, 90]


class TestTheLiveCap:
    async def test_the_oldest_idle_one_makes_room_and_wakes_when_it_is_needed(self, tmp_path: Path) -> None:
        async with lab(tmp_path, policy=TransportPolicy(live=LivePolicy(2), queue=QueuePolicy("queue"))) as it:
            sessions: list[StreamId] = []
            for number in range(3):
                sessions.append(await it.new(f"echo://{number}"))
                await it.keeping.opened(sessions[-1], within_s=HOUR)
                await anyio.sleep(1)

            assert [it.state(each) for each in sessions] == ["hibernated", "connected", "connected"]
            await it.say(sessions[0])
            await anyio.sleep(60)
            assert [it.state(each) for each in sessions] == ["connected", "hibernated", "connected"]
            assert any(isinstance(fact, e.TurnEnded) for fact in it.facts(sessions[0]))

    async def test_one_that_is_looked_at_stays(self, tmp_path: Path) -> None:
        async with lab(tmp_path, policy=TransportPolicy(live=LivePolicy(1), queue=QueuePolicy("queue"))) as it:
            first = await it.new("echo://1")
            await it.keeping.opened(first, within_s=HOUR)
            it.keeping.focus("window", first)
            second = await it.new("echo://2")
            await anyio.sleep(60)
            assert (it.state(first), it.state(second)) == ("connected", "failed")

            it.keeping.focus("window", None)
            await it.keeping.reconnect(second, cause=None, actor=ME)
            await anyio.sleep(60)
            assert (it.state(first), it.state(second)) == ("hibernated", "connected")

    async def test_where_all_are_at_work_the_next_is_refused_and_one_that_is_there_takes_no_place(
        self, tmp_path: Path
    ) -> None:
        async with lab(tmp_path, policy=TransportPolicy(live=LivePolicy(2), queue=QueuePolicy("queue"))) as it:
            sessions = [await it.new(f"echo://{number}") for number in range(2)]
            for session in sessions:
                await it.keeping.opened(session, within_s=HOUR)
                it.keeping.focus(f"window of {session}", session)
            third = await it.new("echo://3")
            await anyio.sleep(60)
            shown = it.keeping.connection(third)
            assert shown is not None
            assert "Maximum concurrent connections reached" in (shown.error or "")

            await it.wires.cut()
            await anyio.sleep(60)

            assert [it.state(each) for each in sessions] == ["connected", "connected"]


class TestTheQueue:
    async def test_a_transport_that_keeps_nothing_refuses(self, tmp_path: Path) -> None:
        async with lab(tmp_path, policy=TransportPolicy(queue=QueuePolicy("reject"))) as it:
            it.wires.refuses = OSError("nobody there")
            session = await it.new()
            with pytest.raises(ConflictError):
                await it.say(session)
            it.wires.refuses = None
            await anyio.sleep(60)
            await it.say(session)

    async def test_no_more_wait_than_the_policy_says(self, tmp_path: Path) -> None:
        async with lab(tmp_path, policy=TransportPolicy(queue=QueuePolicy("queue", max_items=2))) as it:
            it.wires.refuses = OSError("nobody there")
            session = await it.new()
            await it.say(session, "1")
            await it.say(session, "2")
            with pytest.raises(ConflictError):
                await it.say(session, "3")


async def test_every_change_of_the_connection_is_told_to_whoever_listens(tmp_path: Path) -> None:
    async with lab(tmp_path) as it:
        told: list[str] = []
        it.wires.refuses = OSError("nobody there")
        stop = it.keeping.listen(lambda session: told.append(it.state(session)))
        session = await it.new()
        await anyio.sleep(10)
        it.wires.refuses = None
        await anyio.sleep(60)
        stop()
        heard = len(told)
        await it.wires.cut()
        await anyio.sleep(10)

        assert "reconnecting" in told
        assert told[-1] == "connected"
        assert len(told) == heard
        assert it.state(session) == "connected"
