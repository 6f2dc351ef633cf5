"""Agents that flood, hang, fork and fill the disk: only they suffer."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest

from holdfast.adapters.supervision.host import folder
from holdfast.adapters.supervision.host.client import Remains
from holdfast.adapters.supervision.host.launch import Limits
from holdfast.adapters.supervision.host.protocol import encode
from holdfast.adapters.supervision.host.reader import Lines, Reader
from holdfast.domain.errors import LineTooLongError
from tests.adapters.supervision.host.support import WITHIN_S, House, driving, end_all, is_running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from anyio.abc import SocketStream

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

MEMORY_KB = 40_000
"""No figure of speed: a host that held what passes through it would be far above this."""


def peak_kb(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))


async def test_a_flood_waits_at_the_limit_of_the_spool_and_goes_on_when_it_is_acknowledged(house: House) -> None:
    host = await house.launch(limits=Limits(spool_bytes=1 << 20, segment_bytes=1 << 16))
    async with driving(host) as driven:
        await driven.tell("lines 50000 100")
        while driven.connection.head < 1 << 20:
            assert await driven.connection.beyond(driven.connection.head)
        status = await driven.connection.status()
        assert (1 << 20) <= status.head < (1 << 20) + (1 << 17), "it waits, give or take one read"

        for number in range(50_000):
            line = await driven.lines.next()
            assert line is not None
            assert int(line.data[:8]) == number
            if number % 1000 == 999:
                await driven.connection.ack(line.offset)
        on_disk = sum(path.stat().st_size for path in host.folder.glob("spool-*"))
        assert on_disk < (1 << 20) + (1 << 18)
        assert peak_kb(host.host.pid) < MEMORY_KB


async def test_a_line_of_a_hundred_megabytes_fails_its_reader_and_costs_nobody_memory(house: House) -> None:
    host = await house.launch()
    async with driving(host) as driven:
        await driven.tell(f"long {100 << 20}")
        with pytest.raises(LineTooLongError):
            await driven.lines.next()

        assert peak_kb(host.host.pid) < MEMORY_KB
        ending = await driven.connection.stop("a line over the limit")
    assert ending.exit is not None


async def test_standard_error_is_drained_and_the_newest_of_it_kept(house: House) -> None:
    host = await house.launch(limits=Limits(stderr_bytes=1000))
    async with driving(host) as driven:
        assert await driven.ask(f"errors {300 << 20}") == "complained"
        ending = await driven.connection.stop("enough")

    assert ending.exit == folder.Exit(0, None)
    assert folder.errors(host.folder) == b"e" * 993 + b"the end"
    assert (host.folder / folder.ERRORS).stat().st_size == 1008


async def test_garbage_is_passed_on_as_it_is(house: House) -> None:
    host = await house.launch()
    async with driving(host) as driven:
        await driven.tell("garbage")
        read = b""
        with driven.connection.reader(0) as reader:
            while len(read) < 256 * 64 + 1:
                read += await reader.read()
        assert read == bytes(range(256)) * 64 + b"\n"


async def test_an_agent_that_keeps_forking_is_ended_with_all_of_it(house: House) -> None:
    host = await house.launch(limits=Limits(eof_s=0.05, term_s=0.05))
    async with driving(host) as driven:
        for _ in range(10):
            await driven.tell("child", key=f"child {_}")
            await driven.tell("stray", key=f"stray {_}")
        pids = [int(await driven.line()) for _ in range(20)]
        ending = await driven.connection.stop("enough")

    assert ending.left == []
    assert not any(map(is_running, pids))


async def test_a_daemon_that_reads_nothing_is_nobodys_trouble(house: House) -> None:
    host = await house.launch()
    stream = await anyio.connect_unix(host.socket)
    async with stream:
        request = encode({"id": 1, "verb": "status", "keys": [f"{number:0100d}" for number in range(1000)]})
        with pytest.raises(anyio.BrokenResourceError), anyio.fail_after(WITHIN_S):
            await _send_for_ever(stream, request)

    async with driving(host) as driven:
        assert await driven.ask("echo fine") == "fine"
        assert peak_kb(host.host.pid) < MEMORY_KB


async def _send_for_ever(stream: SocketStream, request: bytes) -> None:
    while True:
        await stream.send(request)


def fill(ballast: Path) -> None:
    """Take what is left of a disk."""
    with ballast.open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


@pytest.fixture
def small_disk(house: House) -> Iterator[House]:
    """A disk of four megabytes under the hosts."""
    house.hosts.mkdir()
    if (
        os.getuid()
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=4m", "none", house.hosts], check=False, capture_output=True
        ).returncode
    ):
        pytest.skip("only root may mount a small disk")
    try:
        yield house
    finally:
        end_all(house.hosts)  # it cannot be found once the disk is gone
        subprocess.run(["umount", "--lazy", house.hosts], check=True)


async def test_on_a_full_disk_the_agent_waits_and_goes_on_when_there_is_room(small_disk: House) -> None:
    host = await small_disk.launch(limits=Limits(segment_bytes=1 << 16))
    async with driving(host) as driven:
        await driven.tell("lines 50000 100")
        while not driven.connection.full:
            await driven.connection.news()

        for number in range(50_000):
            line = await driven.lines.next()
            assert line is not None
            assert int(line.data[:8]) == number
            if number >= 10_000 and number % 1000 == 0:
                await driven.connection.ack(line.offset)
        assert not (await driven.connection.status()).full


async def test_room_made_by_somebody_else_is_noticed(small_disk: House) -> None:
    ballast = small_disk.hosts / "ballast"
    host = await small_disk.launch()
    ballast.write_bytes(bytes(3 << 20))
    async with driving(host) as driven:
        await driven.tell("lines 20000 100")
        while not driven.connection.full:
            await driven.connection.news()
        ballast.unlink()

        for number in range(20_000):
            assert int((await driven.line())[:8]) == number


async def test_an_agent_that_dies_on_a_full_disk_loses_no_word_of_what_it_said(small_disk: House) -> None:
    ballast = small_disk.hosts / "ballast"
    host = await small_disk.launch()
    async with driving(host) as driven:
        await driven.tell("lines 100 100")
        assert [await driven.line() for _ in range(100)]
        fill(ballast)
        await driven.tell("lines 500 100")
        await driven.tell("exit 3")
        while driven.connection.exit is None:
            await driven.connection.news()
        assert folder.is_alive(host.folder), "it waits for room"
        ballast.unlink()

        assert [int((await driven.line())[:8]) for _ in range(500)] == list(range(500))
        assert await driven.lines.next() is None
    ending = folder.ending(host.folder)
    assert ending is not None
    assert (ending.truncated, ending.exit) == (False, folder.Exit(3, None))


async def test_an_agent_can_be_stopped_on_a_full_disk_and_that_is_written_down(small_disk: House) -> None:
    host = await small_disk.launch()
    async with driving(host) as driven:
        await driven.tell("lines 50000 100")
        while not driven.connection.full:
            await driven.connection.news()
        ending = await driven.connection.stop("no room")

    assert ending.truncated
    assert folder.ending(host.folder) == ending
    with Reader(host.folder, 0, Remains()) as reader:
        line = await Lines(reader, 200).next()
        assert line is not None
        assert line.data.startswith(b"00000000")
    assert ending.exit in {folder.Exit(None, signal.SIGTERM), folder.Exit(0, None), folder.Exit(None, signal.SIGPIPE)}
