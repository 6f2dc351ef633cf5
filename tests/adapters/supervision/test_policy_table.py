"""Row by row: what `config.toml` says of a kind of peer is what happens, in virtual time; the rest is refused."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import anyio
import msgspec
import pytest
from trio.testing import MockClock

from holdfast.adapters.configuration.file import Configuration, policies
from holdfast.adapters.transports.acp.transport import AcpTransport
from holdfast.domain.errors import ConflictError, SettingsError
from holdfast.domain.policy import ReconnectPolicy, TransportPolicy
from holdfast.domain.policy_table import DEFAULTS
from holdfast.domain.session import events as e
from holdfast.domain.transport import Failure
from tests.adapters.supervision.test_policies import HOUR, ME, Lab, lab, waits

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Trio alone has a clock that can be set; the code is the same."""
    return "trio", {"clock": MockClock(autojump_threshold=0)}


def echo(group: str, *cells: str) -> str:
    """Return what a person writes into `config.toml`."""
    return f"[transports.echo{group and '.' + group}]\n" + "\n".join(cells)


async def lost(it: Lab, for_s: float) -> list[float]:
    """Let a peer go away for some time; return the pauses between the attempts, that before the first included."""
    session = await it.new()
    await it.keeping.opened(session, within_s=HOUR)
    it.wires.refuses = OSError("nobody there")
    it.wires.dialled[:] = [anyio.current_time()]
    await it.wires.cut()
    await anyio.sleep(for_s)
    return waits(it.wires.dialled)


# backoff, jitter, limits


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["base_s = 3"], [3, 6, 12, 24, 30, 30]),
        (["factor = 1"], [1, 1, 1, 1, 1, 1]),
        (["cap_s = 5"], [1, 2, 4, 5, 5, 5]),
        (["first_exponent = 2"], [4, 8, 16, 30, 30, 30]),
        (["jitter_s = 2", 'jitter_kind = "additive"'], [2, 3, 5, 9, 17, 31]),
        (["jitter_s = 0.5", 'jitter_kind = "proportional"'], [1, 2, 4, 8, 16, 30]),
    ],
)
async def test_backoff_and_jitter(tmp_path: Path, cells: list[str], expected: list[float]) -> None:
    async with lab(tmp_path, configured=echo("reconnect", *cells), random=lambda: 0.5) as it:
        assert (await lost(it, sum(expected) + 0.5)) == expected


@pytest.mark.parametrize(
    ("cells", "attempts"), [(["max_attempts = 3"], 3), (["max_window_s = 10"], 4), (["max_attempts = 0"], 0)]
)
async def test_the_most_attempts_and_the_window(tmp_path: Path, cells: list[str], attempts: int) -> None:
    async with lab(tmp_path, configured=echo("reconnect", *cells)) as it:
        assert len(await lost(it, 100)) == attempts
        (session, *_) = it.store.log()
        assert it.state(session.originator_id) == "gave_up"


async def test_a_limit_that_is_shipped_is_lifted(tmp_path: Path) -> None:
    limited = TransportPolicy(reconnect=ReconnectPolicy(max_attempts=2))
    async with lab(tmp_path, policy=limited, configured=echo("reconnect", "max_attempts = inf")) as it:
        assert len(await lost(it, 100)) == 7


# ready when


@pytest.mark.parametrize(
    ("cells", "pauses"),
    [
        ([], [3, 4, 6, 10]),  # never attached, so never ready
        (['when = "open"', "settle_s = 60"], [3, 4, 6, 10]),  # closed before that was over
        (['when = "open"', "settle_s = 1"], [3, 3, 3, 3]),
    ],
)
async def test_what_counts_as_a_connection(tmp_path: Path, cells: list[str], pauses: list[int]) -> None:
    """A peer that takes every connection, says nothing, and closes it two seconds later."""
    shipped = TransportPolicy(ready=DEFAULTS["acp"].ready)
    async with lab(tmp_path, policy=shipped, configured=echo("ready", *cells)) as it:
        it.echo.mute = True
        await it.new()
        await anyio.sleep(60)

        assert waits(it.wires.dialled)[:4] == pauses


# terminal


@pytest.mark.parametrize(("cells", "attempts"), [([], True), (['terminal = ["moved"]'], False)])
async def test_reasons_that_end_it(tmp_path: Path, cells: list[str], attempts: bool) -> None:
    async with lab(tmp_path, configured=echo("reconnect", *cells)) as it:
        it.wires.refuses = Failure("moved", "it is elsewhere")
        session = await it.new()
        await anyio.sleep(HOUR)

        assert (len(it.wires.dialled) > 1) is attempts
        assert it.state(session) == ("reconnecting" if attempts else "failed")


# heartbeat


@pytest.mark.parametrize(
    ("cells", "every_s"), [([], 20.0), (["interval_s = 7"], 7.0), (['kind = "none"'], 0.0), (["interval_s = 0"], 0.0)]
)
async def test_the_heartbeat(tmp_path: Path, cells: list[str], every_s: float) -> None:
    shipped = TransportPolicy(heartbeat=DEFAULTS["acp"].heartbeat)
    async with lab(tmp_path, policy=shipped, configured=echo("heartbeat", *cells)) as it:
        await it.keeping.opened(await it.new(), within_s=HOUR)

        assert it.wires.heartbeats == [every_s]


# when down


async def test_what_is_said_while_nobody_is_there(tmp_path: Path) -> None:
    async with lab(tmp_path, configured=echo("queue", 'when_down = "reject"')) as it:
        it.wires.refuses = OSError("nobody there")
        session = await it.new()
        with pytest.raises(ConflictError, match="keeps no prompts"):
            await it.say(session)


async def test_how_many_may_wait(tmp_path: Path) -> None:
    async with lab(tmp_path, configured=echo("queue", "max_items = 1")) as it:
        it.wires.refuses = OSError("nobody there")
        session = await it.new()
        await it.say(session, "1")
        with pytest.raises(ConflictError, match="prompts wait already"):
            await it.say(session, "2")


class TestHowLongOneMayWait:
    async def test_one_that_waited_too_long_fails_and_says_why(self, tmp_path: Path) -> None:
        async with lab(tmp_path, configured=echo("queue", "ttl_s = 100")) as it:
            it.wires.refuses = OSError("nobody there")
            session = await it.new()
            await it.say(session, "1")
            await anyio.sleep(99)
            assert not [fact for fact in it.facts(session) if isinstance(fact, e.PromptFailed)]
            await anyio.sleep(2)

            (failed,) = [fact for fact in it.facts(session) if isinstance(fact, e.PromptFailed)]
            assert failed.reason == "not_delivered"
            assert "it waited for 100 s" in (failed.detail or "")
            it.wires.refuses = None
            await anyio.sleep(HOUR)
            assert not any(isinstance(fact, e.PromptSent) for fact in it.facts(session))

    async def test_one_that_is_sent_in_time_is_sent(self, tmp_path: Path) -> None:
        async with lab(tmp_path, configured=echo("queue", "ttl_s = 100")) as it:
            it.wires.refuses = OSError("nobody there")
            session = await it.new()
            await it.say(session, "1")
            await anyio.sleep(50)
            it.wires.refuses = None
            await anyio.sleep(HOUR)

            assert any(isinstance(fact, e.TurnEnded) for fact in it.facts(session))
            assert not any(isinstance(fact, e.PromptFailed) for fact in it.facts(session))

    async def test_the_time_goes_on_over_a_restart(self, tmp_path: Path) -> None:
        configured = echo("queue", "ttl_s = 100")
        async with lab(tmp_path, configured=configured, refuses=OSError("nobody there")) as it:
            session = await it.new()
            await it.say(session, "1")
            await anyio.sleep(60)
        async with lab(tmp_path, configured=configured, refuses=OSError("nobody there")) as it:
            await anyio.sleep(39)
            assert not any(isinstance(fact, e.PromptFailed) for fact in it.facts(session))
            await anyio.sleep(3)
            assert any(isinstance(fact, e.PromptFailed) for fact in it.facts(session))

    async def test_it_waits_for_ever_by_default(self, tmp_path: Path) -> None:
        async with lab(tmp_path) as it:
            it.wires.refuses = OSError("nobody there")
            session = await it.new()
            await it.say(session, "1")
            await anyio.sleep(HOUR)
            it.wires.refuses = None
            await anyio.sleep(HOUR)

            assert any(isinstance(fact, e.TurnEnded) for fact in it.facts(session))


# create


@pytest.mark.parametrize(
    ("create", "dialled"),
    [("eager", [1, 1, 1]), ("on_connect", [1, 1, 1]), ("on_attach", [0, 1, 1]), ("on_first_send", [0, 0, 1])],
)
async def test_when_a_session_comes_into_being(tmp_path: Path, create: str, dialled: list[int]) -> None:
    async with lab(tmp_path, configured=echo("", f'create = "{create}"')) as it:
        session = await it.new()
        await anyio.sleep(10)
        after_new = len(it.wires.dialled)
        it.keeping.focus("window", session)
        await anyio.sleep(10)
        after_look = len(it.wires.dialled)
        await it.say(session)
        await anyio.sleep(10)

        assert [after_new, after_look, len(it.wires.dialled)] == dialled
        assert any(isinstance(fact, e.TurnEnded) for fact in it.facts(session))


# live cap


@pytest.mark.parametrize(
    ("cells", "states"),
    [
        (["cap = inf"], ["connected", "connected"]),
        (["cap = 1"], ["connected", "failed"]),  # the first is looked at
        (["cap = 1", 'full = "replace"'], ["hibernated", "connected"]),
    ],
)
async def test_how_many_are_connected_at_once(tmp_path: Path, cells: list[str], states: list[str]) -> None:
    async with lab(tmp_path, configured=echo("live", *cells)) as it:
        first = await it.new("echo://1")
        await it.keeping.opened(first, within_s=HOUR)
        it.keeping.focus("window", first)
        await anyio.sleep(1)
        second = await it.new("echo://2")
        await anyio.sleep(60)

        assert [it.state(first), it.state(second)] == states


# on network loss


class TestTheNetwork:
    async def test_no_attempt_is_made_without_one_where_that_is_wanted(self, tmp_path: Path) -> None:
        up = True
        async with lab(tmp_path, configured=echo("network", 'on_loss = "pause"'), online=lambda: up) as it:
            session = await it.new()
            await it.keeping.opened(session, within_s=HOUR)
            up = False
            it.wires.dialled.clear()
            await it.wires.cut()
            await anyio.sleep(HOUR)
            assert it.wires.dialled == []
            up, back_at = True, anyio.current_time()
            await anyio.sleep(HOUR)

            assert [round(at - back_at) for at in it.wires.dialled] in ([5], [6])
            assert it.state(session) == "connected"

    async def test_its_return_cuts_a_long_pause_short(self, tmp_path: Path) -> None:
        up = True
        cells = echo("network", 'on_loss = "pause"', "retry_after_return_s = 2")
        async with lab(tmp_path, ReconnectPolicy(base_s=3000, cap_s=3000), configured=cells, online=lambda: up) as it:
            it.wires.refuses = OSError("nobody there")
            await it.new()
            await anyio.sleep(10)
            up = False
            await anyio.sleep(100)
            up, back_at = True, anyio.current_time()
            await anyio.sleep(60)

            assert [round(at - back_at) for at in it.wires.dialled[1:]] in ([2], [3])

    async def test_else_attempts_go_on(self, tmp_path: Path) -> None:
        async with lab(tmp_path, online=lambda: False) as it:
            assert (await lost(it, 8)) == [1, 2, 4]

    async def test_a_person_in_a_hurry_is_not_kept_waiting(self, tmp_path: Path) -> None:
        async with lab(tmp_path, configured=echo("network", 'on_loss = "pause"'), online=lambda: False) as it:
            session = await it.new()
            await anyio.sleep(60)
            assert it.wires.dialled == []
            await it.keeping.reconnect(session, cause=None, actor=ME)
            await anyio.sleep(1)
            assert len(it.wires.dialled) == 1


# backfill, missing remotely, and all that a transport goes by itself


@pytest.mark.parametrize(
    ("group", "cell"),
    [
        ("", 'backfill = "archive"'),
        ("", 'missing = "new-draft"'),
        ("", 'create = "never"'),
        ("reconnect", "idempotent_only = true"),
        ("ready", 'when = "bound"'),
        ("heartbeat", 'kind = "xmpp-ping"'),
        ("heartbeat", "background_interval_s = 300"),
        ("heartbeat", "attached_only = true"),
        ("queue", 'until = "acked"'),
        ("live", 'per = "account"'),
    ],
)
def test_what_its_transport_does_not_heed_cannot_be_set(group: str, cell: str) -> None:
    transport = AcpTransport({})
    text = f"[transports.acp{group and '.' + group}]\n{cell}"
    told = msgspec.convert(tomllib.loads(text), Configuration)

    with pytest.raises(SettingsError, match=r"config\.toml sets .* for acp, which peers of acp have no use for"):
        policies(told, {"acp": transport.policy}, {"acp": transport.heeds})


@pytest.mark.parametrize("cell", ['missing = "error"', 'missing = "recreate-once"', 'backfill = "none"'])
def test_what_its_transport_heeds_can_be_set(cell: str) -> None:
    transport = AcpTransport({})
    told = msgspec.convert(tomllib.loads(f"[transports.acp]\n{cell}"), Configuration)

    assert policies(told, {"acp": transport.policy}, {"acp": transport.heeds})
