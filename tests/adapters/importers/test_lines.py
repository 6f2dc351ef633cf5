from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.adapters.importers.lines import CHUNK, DEPTH_LIMIT, Line, json_object, read_lines


def test_lines_end_where_the_next_one_begins() -> None:
    lines = list(read_lines(BytesIO(b"one\n\r\ntwo \r\nthree")))

    assert lines == [
        Line(b"one", 0, 4, ended=True),
        Line(b"", 4, 6, ended=True),
        Line(b"two", 6, 12, ended=True),
        Line(b"three", 12, 17, ended=False),
    ]


@given(st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"")), max_size=20), st.integers(0, 400))
def test_reading_on_from_the_end_of_any_line_gives_the_rest(parts: list[bytes], at: int) -> None:
    file = BytesIO(b"\n".join(parts))
    lines = list(read_lines(file))
    taken = [line for line in lines if line.end <= at]
    start = taken[-1].end if taken else 0

    assert list(read_lines(file, start)) == lines[len(taken) :]


@pytest.mark.parametrize("length", [CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 7])
def test_lines_may_be_longer_than_what_is_read_at_once(length: int) -> None:
    lines = list(read_lines(BytesIO(b"x" * length + b"\nnext\n")))

    assert [len(line.data or b"") for line in lines] == [length, 4]
    assert [line.end for line in lines] == [length + 1, length + 6]


@pytest.mark.parametrize("length", [11, CHUNK + 11, 2 * CHUNK])
def test_a_line_over_the_limit_is_passed_over_and_the_next_one_is_read(length: int) -> None:
    lines = list(read_lines(BytesIO(b"1234567890\n" + b"x" * length + b"\nnext"), limit=10))

    assert [line.data for line in lines] == [b"1234567890", None, b"next"]
    assert lines[-1].end == 11 + length + 1 + 4


def test_a_text_that_was_cut_in_the_middle_of_an_emoji_is_not_lost() -> None:
    [line] = read_lines(BytesIO(b'{"a": "so far \\ud83d", "b": "\\ud83d\\ude00 \\\\ud83d"}\n'))

    assert line.data is not None
    assert json_object(line.data) == {"a": "so far \ufffd", "b": "\N{GRINNING FACE} \\ud83d"}
    assert (line.start, line.end) == (0, 52)


def test_a_byte_order_mark_is_no_part_of_a_line() -> None:
    assert [line.data for line in read_lines(BytesIO(b"\xef\xbb\xbf{}\n{}"))] == [b"{}", b"{}"]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"nonsense",
        b'{"a": 1',
        b"[1, 2]",
        b'"text"',
        b"null",
        b'{"a": "\xff"}',
        b'{"a": "\x00"}',
        b"\x00" * 100,
        b'{"a": "\\ud83d"}',
        b'{"\\ude00": 1}',
        b'{"a": "\xed\xa0\xbd"}',
        b'{"a": 1e999}',
        b'{"a": NaN}',
        b'{"a":' * 100_000,
        b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a":' + b"[" * DEPTH_LIMIT + b"]" * DEPTH_LIMIT + b"}",
    ],
    ids=lambda line: repr(line[:16]),
)
def test_what_no_reader_of_the_log_should_meet_is_no_object(line: bytes) -> None:
    assert json_object(line) is None


@pytest.mark.parametrize(
    "line",
    [
        b'{"a": "\\u0000"}',
        b'{"a": "\\ud83d\\ude00"}',
        b'{"a": 123456789012345678901234567890}',
        b'{"a":' + b"[" * (DEPTH_LIMIT - 1) + b"]" * (DEPTH_LIMIT - 1) + b"}",
        b'{"a": [' + b"{}," * 1000 + b"{}]}",
    ],
    ids=lambda line: repr(line[:16]),
)
def test_whatever_else_is_an_object_is_taken(line: bytes) -> None:
    assert json_object(line) is not None
