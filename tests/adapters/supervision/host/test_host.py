"""A host keeps its agent and what it says, whoever comes, goes or is killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from holdfast.adapters.supervision.host import folder
from holdfast.adapters.supervision.host.client import Remains, connect
from holdfast.adapters.supervision.host.delivery import place
from holdfast.adapters.supervision.host.launch import Limits
from holdfast.adapters.supervision.host.protocol import Decoder, encode
from holdfast.adapters.supervision.host.reader import Lines, Reader
from holdfast.domain.errors import (
    AgentExitedError,
    HostFencedError,
    HostFullError,
    HostGoneError,
    HostProtocolError,
)
from tests.adapters.supervision.host.support import WITHIN_S, death_of, driving, is_running, proc

if TYPE_CHECKING:
    from tests.adapters.supervision.host.support import Driven, House

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


async def test_what_is_written_reaches_the_agent_and_what_it_says_comes_back(house: House) -> None:
    host = await house.launch()

    async with driving(host) as driven:
        assert await driven.ask("echo hello") == "hello"


async def test_the_same_key_is_delivered_once(house: House) -> None:
    host = await house.launch()

    async with driving(host) as driven:
        accepted = [await driven.connection.write("one", b"echo first\n") for _ in range(3)]

        assert accepted == [True, False, False]
        assert await driven.line() == "first"
        assert await driven.ask("echo second") == "second"


async def test_an_agent_goes_on_without_a_daemon_and_is_read_on_from_the_offset(house: House) -> None:
    host = await house.launch()
    async with driving(host) as driven:
        await driven.tell("lines 1000 100")
        seen = [await driven.lines.next() for _ in range(10)]
    assert seen[-1] is not None

    async with driving(host, epoch=2, offset=seen[-1].offset) as driven:
        numbers = [int((await driven.line())[:8]) for _ in range(990)]

    assert numbers == list(range(10, 1000))


async def test_the_agent_leads_its_own_session_and_sees_only_what_it_was_given(house: House) -> None:
    host = await house.launch("an argument; not a $(shell)")

    async with driving(host) as driven:
        told = json.loads(await driven.ask("where"))

    assert told["pid"] == told["session"] == told["group"] == host.agent.pid
    assert told["arguments"] == ["an argument; not a $(shell)"]
    assert told["cwd"] == str(house.hosts.parent)
    assert told["files"][:3] == [0, 1, 2]
    assert len(told["files"]) == 4, "standard streams and the folder that is being listed"
    names = set(told["environment"]) - {name for name in told["environment"] if name.startswith("LC_")}
    assert names <= {"PATH", "HOME", "USER", "LANG", "TERM", "TMPDIR", "SHELL", "HOLDFAST_HOST"}
    assert told["environment"]["HOLDFAST_HOST"] == host.incarnation
    current = os.umask(0o22)
    os.umask(current)
    assert told["umask"] == current


async def test_the_host_is_in_a_session_of_its_own_and_nobodys_child(house: House) -> None:
    host = await house.launch()

    assert os.getsid(host.host.pid) == host.host.pid
    assert os.getsid(host.host.pid) != os.getsid(0)
    assert f"PPid:\t{os.getpid()}\n".encode() not in proc(host.host.pid, "status")


async def test_files_and_socket_are_for_this_user_alone(house: House) -> None:
    host = await house.launch()

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in host.folder.iterdir()}
    assert modes.keys() == {"host.json", "keys", "stderr", "exit.json.new", "spool-0000000000000000"}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(host.folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in house.runtime.iterdir()] == [0o600]


async def test_the_newest_daemon_wins_and_the_older_one_is_told(house: House) -> None:
    host = await house.launch()
    async with driving(host, epoch=1) as old:
        assert await old.ask("echo mine") == "mine"
        async with driving(host, epoch=2, offset=5) as new:
            assert await new.ask("echo taken") == "taken"

            with pytest.raises(HostFencedError):
                await old.tell("echo stale")
            with pytest.raises(HostFencedError):
                await _read_for_ever(old)
            with pytest.raises(HostFencedError):
                await connect(host, epoch=1)

            assert await new.ask("echo still") == "still"


async def _read_for_ever(driven: Driven) -> None:
    while True:
        await driven.line()


async def test_a_daemon_stopped_and_continued_writes_nothing_any_more(house: House) -> None:
    host = await house.launch()
    async with driving(host, epoch=1) as old:
        async with driving(host, epoch=7) as new:
            assert await new.ask("echo mine") == "mine"
        # The new one is gone again, and its epoch is remembered all the same. Whether the old one has heard why its
        # connection was closed before it runs into that is a matter of who is first; it is refused when it asks again.
        with pytest.raises((HostFencedError, HostGoneError)):
            await old.tell("echo stale")
        with pytest.raises(HostFencedError):
            await connect(host, epoch=6)

    async with driving(host, epoch=7, offset=5) as driven:
        assert await driven.ask("echo once more") == "once more", "nothing else was written in between"


async def test_who_only_asks_drives_nothing(house: House) -> None:
    host = await house.launch()

    async with driving(host) as driven:
        stream = await anyio.connect_unix(host.socket)
        async with stream:
            decoder, told = Decoder(), list[dict[str, Any]]()
            await stream.send(encode({"id": 1, "verb": "status"}) + encode({"id": 2, "verb": "stop"}))
            while len(told) < 2:
                told += [header for header, _ in decoder.feed(await stream.receive())]

        assert told[0]["ok"]["incarnation"] == host.incarnation
        assert told[1]["error"] == "stale"
        assert await driven.ask("echo undisturbed") == "undisturbed"


@pytest.mark.parametrize("nonsense", [b"GET / HTTP/1.1\r\n\r\n", b"\0\0\0\4\0\0\0\0oops", b"\0\0\0\2\0\0\0\0[]"])
async def test_nonsense_on_the_socket_harms_nobody(house: House, nonsense: bytes) -> None:
    host = await house.launch()

    async with driving(host) as driven:
        async with await anyio.connect_unix(host.socket) as stream:
            await stream.send(nonsense)
            with pytest.raises(anyio.EndOfStream), anyio.fail_after(WITHIN_S):
                await stream.receive()

        assert await driven.ask("echo undisturbed") == "undisturbed"


async def test_the_status_tells_how_far_a_key_came(house: House) -> None:
    host = await house.launch()
    async with driving(host) as driven:
        assert await driven.ask("deaf") == "deaf"
        await driven.connection.write("small", b"x" * 100)
        await driven.connection.write("large", b"x" * (1 << 20))
        await driven.connection.write("last", b"x" * 100)

        status = await driven.connection.status(["key of deaf", "small", "large", "last", "never"])

        places = {key: place(status, key) for key in status.keys}
        assert places == {"key of deaf": "read", "small": "unread", "large": "unread", "last": "queued", "never": None}
        assert status.unread == status.piped - len("deaf\n")
        assert status.piped + status.queued == len("deaf\n") + 200 + (1 << 20)


@pytest.mark.parametrize("killed", [True, False], ids=["killed", "by itself"])
async def test_what_a_dead_agent_never_read_is_known(house: House, killed: bool) -> None:
    host = await house.launch()
    keys = ["key of deaf", "unread", "queued", "never"]
    async with driving(host) as driven:
        assert await driven.ask("deaf") == "deaf"
        await driven.connection.write("unread", b"x" * 100)
        await driven.connection.write("queued", b"x" * (1 << 20))
        os.kill(host.agent.pid, signal.SIGKILL if killed else signal.SIGTERM)

        assert await driven.lines.next() is None
        with pytest.raises((AgentExitedError, HostGoneError)):
            await driven.connection.write("never", b"too late\n")

    ending = folder.ending(host.folder, keys)
    assert ending is not None
    assert ending.exit == folder.Exit(None, signal.SIGKILL if killed else signal.SIGTERM)
    assert ending.reason == "exited"
    places = {key: place(ending, key) for key in keys}
    assert places["queued"] in {"unread", "queued"}, "as far as the host came before the agent was dead"
    assert places == {"key of deaf": "read", "unread": "unread", "queued": places["queued"], "never": None}
    await death_of(host.host.pid)
    assert not folder.is_alive(host.folder)


async def test_the_exit_code_is_told_and_the_last_words_are_kept(house: House) -> None:
    host = await house.launch()
    async with driving(host) as driven:
        await driven.tell("half without a newline")
        await driven.tell("echo: and then")
        await driven.tell("exit 7")

        assert await driven.line() == "without a newlinewhat is echo:?"
        assert await driven.lines.next() is None
        assert driven.connection.exit == folder.Exit(7, None)


async def test_half_a_line_is_dropped_when_the_agent_dies(house: House) -> None:
    host = await house.launch()
    async with driving(host) as driven:
        assert await driven.ask("echo whole") == "whole"
        await driven.tell("half and this is cut")
        await driven.tell("die")

        assert await driven.lines.next() is None
    with Reader(host.folder, 0, Remains()) as reader:
        assert await reader.read() == b"whole\nand this is cut"
        assert await reader.read() == b""


async def test_after_the_host_was_killed_all_it_had_spooled_is_read_and_the_agent_is_dead(house: House) -> None:
    host = await house.launch()
    async with driving(host) as driven:
        await driven.tell("lines 100 50")
        await driven.tell("echo done")
        with driven.connection.reader(100 * 51) as reader:
            assert await reader.read() == b"done\n"
        os.kill(host.host.pid, signal.SIGKILL)

        told = [await driven.line() for _ in range(101)]
        assert await driven.lines.next() is None
        with pytest.raises(HostGoneError):
            await driven.tell("echo anybody")

    assert told[-1] == "done"
    assert folder.ending(host.folder) is None
    assert not folder.is_alive(host.folder)
    await death_of(host.agent.pid)
    with pytest.raises(HostGoneError):
        await connect(host, epoch=2)


async def test_stop_ends_an_agent_that_heeds_the_end_of_its_input(house: House) -> None:
    host = await house.launch()
    async with driving(host) as driven:
        ending = await driven.connection.stop("the session has ended")

    assert (ending.reason, ending.detail, ending.exit) == ("stopped", "the session has ended", folder.Exit(0, None))
    await death_of(host.host.pid)
    assert list(house.runtime.iterdir()) == []


async def test_stop_ends_an_agent_that_heeds_only_sigterm(house: House) -> None:
    host = await house.launch(limits=Limits(eof_s=0.05))
    async with driving(host) as driven:
        assert await driven.ask("deaf") == "deaf"
        ending = await driven.connection.stop("enough")

    assert ending.exit == folder.Exit(None, signal.SIGTERM)


async def test_stop_ends_an_agent_that_heeds_nothing_with_all_it_started(house: House) -> None:
    host = await house.launch(limits=Limits(eof_s=0.05, term_s=0.05))
    async with driving(host) as driven:
        family = [int(await driven.ask(kind)) for kind in ("child", "stray", "forgetful")]
        assert await driven.ask("stubborn") == "stubborn"
        assert all(map(is_running, family))
        ending = await driven.connection.stop("enough")

    assert ending.exit == folder.Exit(None, signal.SIGKILL)
    assert not any(map(is_running, family))
    assert ending.left == []


async def test_what_an_agent_that_ended_by_itself_left_running_is_ended(house: House) -> None:
    host = await house.launch()
    async with driving(host) as driven:
        family = [int(await driven.ask(kind)) for kind in ("child", "stray", "forgetful")]
        await driven.tell("exit 0")

        assert await driven.lines.next() is None
    assert not any(map(is_running, family))


async def test_an_agent_without_a_daemon_for_too_long_is_ended_and_the_reason_kept(house: House) -> None:
    host = await house.launch(limits=Limits(abandon_after_s=0.05))

    await death_of(host.host.pid)

    ending = folder.ending(host.folder)
    assert ending is not None
    assert (ending.reason, ending.detail) == ("abandoned", "no daemon came for 0.05 s")
    assert not is_running(host.agent.pid)


async def test_an_agent_whose_daemon_is_there_is_not_abandoned(house: House) -> None:
    host = await house.launch(limits=Limits(abandon_after_s=3))
    async with driving(host) as driven:
        other = await house.launch(limits=Limits(abandon_after_s=3.5))
        await death_of(other.host.pid)

        assert await driven.ask("echo here") == "here"


async def test_a_host_told_to_end_ends_its_agent_first(house: House) -> None:
    host = await house.launch()

    os.kill(host.host.pid, signal.SIGTERM)
    await death_of(host.host.pid)

    ending = folder.ending(host.folder)
    assert ending is not None
    assert (ending.reason, ending.exit) == ("terminated", folder.Exit(0, None))


async def test_settled_keys_are_still_known_and_only_their_place_is_forgotten(house: House) -> None:
    host = await house.launch()
    async with driving(host) as driven:
        assert await driven.ask("echo a") == "a"
        assert await driven.ask("echo b") == "b"
        await driven.connection.ack(4, settled=["key of echo a", "unheard of"])

        status = await driven.connection.status(["key of echo a", "key of echo b", "unheard of"])

        assert status.keys == {"key of echo a": (0, 0), "key of echo b": (7, 14), "unheard of": None}
        assert place(status, "key of echo a") == "read"
        assert await driven.connection.write("key of echo a", b"echo again\n") is False
        assert await driven.ask("echo c") == "c"


async def test_what_finds_no_room_in_the_queue_is_refused_and_may_come_again(house: House) -> None:
    host = await house.launch(limits=Limits(queue_bytes=1000))
    async with driving(host) as driven:
        assert await driven.ask("deaf") == "deaf"
        await driven.connection.write("large", b"x" * (1 << 17))

        with pytest.raises(HostFullError, match="wait for the agent to read"):
            await driven.connection.write("more", b"x" * 1001)

        assert (await driven.connection.status(["more"])).keys == {"more": None}


async def test_a_message_beyond_what_the_wire_takes_is_refused_before_it_is_sent(house: House) -> None:
    host = await house.launch()
    async with driving(host) as driven:
        with pytest.raises(HostProtocolError, match="too long"):
            await driven.connection.write("huge", bytes((1 << 26) + 1))

        assert await driven.ask("echo undisturbed") == "undisturbed"


async def test_a_request_that_was_cancelled_leaves_the_connection_whole(house: House) -> None:
    host = await house.launch()
    async with driving(host) as driven:
        for _ in range(20):
            with anyio.CancelScope() as scope:
                scope.cancel()
                await driven.connection.write("cancelled", b"echo once\n")
        await driven.connection.write("cancelled", b"echo once\n")

        assert await driven.line() == "once"
        assert await driven.ask("echo next") == "next"


async def test_a_socket_that_was_removed_is_made_again(house: House) -> None:
    host = await house.launch()
    shutil.rmtree(house.runtime)

    async with driving(host) as driven:
        assert await driven.ask("echo here") == "here"
    assert [stat.S_IMODE(path.stat().st_mode) for path in (house.runtime, *house.runtime.iterdir())] == [0o700, 0o600]


async def test_what_is_larger_than_a_pipe_arrives_whole(house: House) -> None:
    host = await house.launch()
    text = "".join(f"{number:08d}" for number in range(1 << 18))
    async with driving(host) as driven:
        await driven.tell(f"echo {text}", key="large")
        assert await driven.line() == text


async def test_spooled_lines_read_again_have_the_same_offsets(house: House) -> None:
    host = await house.launch(limits=Limits(segment_bytes=1000))
    async with driving(host) as driven:
        await driven.tell("lines 200 40")
        first = [await driven.lines.next() for _ in range(200)]
        with driven.connection.reader(0) as reader:
            lines = Lines(reader, 100)
            again = [await lines.next() for _ in range(200)]

    assert first == again
    assert [line.offset for line in first if line] == [41 * (number + 1) for number in range(200)]
