from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.adapters.transports.acp.protocol.framing import Frame, FrameTooLongError, Lines, Messages
from holdfast.domain.errors import AgentError


def feed_all(lines: Lines, pieces: list[bytes]) -> tuple[list[Frame], FrameTooLongError | None]:
    frames: list[Frame] = []
    error = None
    for piece in pieces:
        more, error = lines.feed(piece)
        frames += more
    return frames, error


def cut(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


def test_a_line_ends_with_its_newline_and_the_offset_stands_behind_it() -> None:
    lines = Lines(offset=100)

    frames, error = lines.feed(b"one\n\r\ntwo\nhal")

    assert frames == [Frame(b"one", 104), Frame(b"\r", 106), Frame(b"two", 110)]
    assert error is None
    assert lines.offset == 110
    assert lines.held_bytes == 3


def test_half_a_line_at_the_end_is_no_message_and_is_read_again_later() -> None:
    spool = b"one\ntwo\nthr"
    first = Lines()
    first.feed(spool)

    after, _ = Lines(first.offset).feed((spool + b"ee\n")[first.offset :])

    assert after == [Frame(b"three", 14)]


@given(st.lists(st.binary(max_size=20).map(lambda b: b.replace(b"\n", b"")), max_size=20), st.lists(st.integers(0)))
def test_slices_make_no_difference(messages: list[bytes], cuts: list[int]) -> None:
    data = b"".join(message + b"\n" for message in messages) + b"rest"

    assert feed_all(Lines(), cut(data, cuts)) == Lines().feed(data)
    assert [frame.data for frame in Lines().feed(data)[0]] == messages


@given(st.lists(st.integers(0, 12), max_size=12), st.lists(st.integers(0)))
def test_slices_make_no_difference_to_what_is_too_long(lengths: list[int], cuts: list[int]) -> None:
    data = b"\n".join(b"x" * length for length in lengths)
    whole, told = Lines(limit_bytes=8).feed(data)

    sliced, error = feed_all(Lines(limit_bytes=8), cut(data, cuts))

    assert sliced == whole
    assert (error is None) == (told is None)
    if error is not None and told is not None:
        assert (
            (error.offset, error.limit_bytes)
            == (told.offset, told.limit_bytes)
            == (whole[-1].offset if whole else 0, 8)
        )


def test_a_line_of_exactly_the_limit_passes() -> None:
    assert Lines(limit_bytes=3).feed(b"abc\n") == ([Frame(b"abc", 4)], None)


def test_a_line_over_the_limit_ends_it_for_good_and_holds_nothing() -> None:
    lines = Lines(limit_bytes=1000)

    frames, error = lines.feed(b"first\n" + b"x" * 1001)

    assert frames == [Frame(b"first", 6)]
    assert isinstance(error, AgentError)
    assert error.offset == 6
    assert lines.feed(b"\nlast\n") == ([], error)
    assert lines.held_bytes == 0
    assert lines.offset == 6


def test_what_is_held_never_passes_the_limit() -> None:
    lines = Lines(limit_bytes=10_000)

    for _ in range(100):
        lines.feed(b"x" * 300)
        assert lines.held_bytes <= 10_000


class Counted(bytes):
    """Bytes that count how many of them are looked at."""

    looked_at = 0

    def split(self, *args: object, **kwargs: object) -> list[bytes]:
        Counted.looked_at += len(self)
        return bytes(self).split(b"\n")


def test_each_byte_is_looked_for_a_newline_once() -> None:
    Counted.looked_at = 0
    lines = Lines()

    for _ in range(1000):
        lines.feed(Counted(b"x" * 100))
    (frame,), _ = lines.feed(Counted(b"\n"))

    assert Counted.looked_at == 100_001
    assert len(frame.data) == 100_000


def test_a_message_goes_out_as_a_line() -> None:
    assert Lines().wrap(b"{}") == b"{}\n"


class TestMessages:
    def test_each_text_frame_is_a_message(self) -> None:
        messages = Messages()

        assert messages.feed(b'{"a":\n1}') == ([Frame(b'{"a":\n1}', 8)], None)
        assert messages.feed(b"") == ([Frame(b"", 9)], None)
        assert messages.offset == 9
        assert messages.wrap(b"{}") == b"{}"

    def test_one_over_the_limit_ends_it(self) -> None:
        messages = Messages(limit_bytes=3)
        _, error = messages.feed(b"abcd")

        assert isinstance(error, FrameTooLongError)
        assert messages.feed(b"a") == ([], error)


@pytest.mark.parametrize("size", [0, 1, 830_000])
def test_lines_as_long_as_agents_send_them(size: int) -> None:
    (frame,), error = Lines().feed(b"x" * size + b"\n")

    assert (len(frame.data), error) == (size, None)
