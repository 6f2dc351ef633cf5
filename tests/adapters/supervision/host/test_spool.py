"""What an agent said, on disk."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.adapters.supervision.host.client import Remains
from holdfast.adapters.supervision.host.reader import Line, Lines, Reader
from holdfast.adapters.supervision.host.spool import RING_HEADER, Ring, Spool, unroll
from holdfast.domain.errors import HostProtocolError, LineTooLongError


@pytest.fixture
def spooling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder of a host, which is where it puts its files."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(folder: Path) -> list[int]:
    return sorted(int(path.name.removeprefix("spool-"), 16) for path in folder.glob("spool-*"))


def test_a_spool_begins_a_new_segment_when_one_is_full(spooling: Path) -> None:
    spool = Spool(1000, 10)

    for _ in range(5):
        spool.append(b"123456")

    assert spool.head == 30
    assert names(spooling) == [0, 12, 24]


def test_a_spool_lets_go_of_what_is_acknowledged_and_no_more(spooling: Path) -> None:
    spool = Spool(1000, 10)
    for _ in range(5):
        spool.append(b"123456")

    spool.ack(23)
    assert names(spooling) == [12, 24]
    spool.ack(5)
    assert spool.acked == 23, "an older acknowledgement changes nothing"
    spool.ack(1_000_000)
    assert (spool.acked, names(spooling)) == (30, [24])


def test_a_spool_has_no_room_beyond_its_limit_until_something_is_acknowledged(spooling: Path) -> None:
    spool = Spool(10, 5)
    assert spool.has_room()

    spool.append(b"123456789012")
    assert not spool.has_room()
    spool.ack(5)
    assert spool.has_room()


def test_what_the_disk_does_not_take_is_held_and_written_later(spooling: Path) -> None:
    spool = Spool(1000, 5)
    spool.append(b"12345")
    in_the_way = spooling / "spool-0000000000000005"
    in_the_way.touch()

    spool.append(b"6789")
    assert (spool.head, spool.held, spool.has_room()) == (5, b"6789", False)

    in_the_way.unlink()
    spool.flush()
    assert (spool.head, spool.held, spool.has_room()) == (9, b"", True)


@given(pieces=st.lists(st.binary(max_size=50)), size=st.integers(1, 40))
def test_a_ring_keeps_the_newest_bytes(
    pieces: list[bytes], size: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("ring"))
        ring = Ring(size)
        for piece in pieces:
            ring.append(piece)
        file = Path("stderr").read_bytes()

    assert unroll(file) == b"".join(pieces)[-size:]
    assert len(file) == RING_HEADER + size


@pytest.mark.anyio
async def test_reading_goes_on_over_segments_from_any_offset(spooling: Path) -> None:
    spool = Spool(1000, 7)
    text = b"one\ntwo\nthree\nfour\nfive\n"
    for at in range(0, len(text), 3):
        spool.append(text[at : at + 3])

    for offset in range(len(text) + 1):
        with Reader(spooling, offset, Remains()) as reader:
            read = b""
            while data := await reader.read():
                read += data
        assert read == text[offset:]


@pytest.mark.anyio
async def test_what_is_at_hand_of_an_open_segment_is_given_without_waiting_and_nothing_twice(spooling: Path) -> None:
    spool = Spool(1000, 7)
    text = b"one\ntwo\nthree\nfour\nfive\n"
    spool.append(text[:5])

    with Reader(spooling, 0, Remains()) as reader:
        assert reader.at_hand(100) == b"", "no file is open yet"
        read = await reader.read()
        for at in range(5, len(text), 3):
            spool.append(text[at : at + 3])
            read += reader.at_hand(2)
        while data := reader.at_hand(2) or await reader.read():
            read += data

    assert read == text


@pytest.mark.anyio
async def test_what_was_let_go_cannot_be_read_and_says_so(spooling: Path) -> None:
    spool = Spool(1000, 5)
    for _ in range(4):
        spool.append(b"12345")
    spool.ack(10)

    with Reader(spooling, 3, Remains()) as reader, pytest.raises(HostProtocolError, match="holds output from 10 on"):
        await reader.read()


@pytest.mark.anyio
async def test_a_spool_that_lost_its_end_in_a_crash_of_the_machine_has_no_more(spooling: Path) -> None:
    Spool(1000, 5).append(b"12345")

    with Reader(spooling, 99, Remains()) as reader:
        assert await reader.read() == b""


@pytest.mark.anyio
async def test_lines_come_whole_with_the_offset_after_their_newline(spooling: Path) -> None:
    Spool(1000, 5).append(b"one\n\nthree\nfou")

    with Reader(spooling, 0, Remains()) as reader:
        lines = Lines(reader, 5)
        assert [await lines.next() for _ in range(4)] == [Line(b"one", 4), Line(b"", 5), Line(b"three", 11), None]


@pytest.mark.anyio
@pytest.mark.parametrize("text", [b"123456\n", b"123456"], ids=["ended", "not yet ended"])
async def test_a_line_over_the_limit_is_an_error(spooling: Path, text: bytes) -> None:
    Spool(1000, 5).append(text)

    with Reader(spooling, 0, Remains()) as reader, pytest.raises(LineTooLongError):
        await Lines(reader, 5).next()
