"""How far a terminal is behind, by the answers that come among what is typed."""

from __future__ import annotations

import pytest

from holdfast.frontends.tui.pace import Pace

ANSWER = "\x1b[0n"


def counted() -> tuple[Pace, list[bool]]:
    told: list[bool] = []
    pace = Pace(lambda: told.append(True))
    return pace, told


def test_a_terminal_that_answers_is_behind_with_two_frames_on_their_way_and_not_before() -> None:
    pace, told = counted()
    pace.sent()
    assert pace.heard(ANSWER) == ""
    assert told == [True]

    behind: list[bool] = []
    for _ in range(2):
        pace.sent()
        behind.append(pace.behind)
    for _ in range(2):
        pace.heard(ANSWER)
        behind.append(pace.behind)

    assert behind == [False, True, False, False]
    assert not pace.waiting


def test_after_a_large_frame_not_even_a_second_one_goes_out() -> None:
    pace, _ = counted()
    pace.heard(ANSWER)
    behind: list[bool] = []
    pace.sent(10_000)
    behind.append(pace.behind)
    pace.heard(ANSWER)
    behind.append(pace.behind)

    assert behind == [True, False]


def test_a_terminal_that_never_answers_is_never_behind() -> None:
    pace, told = counted()
    for _ in range(100):
        pace.sent()

    assert not pace.behind
    assert not pace.waiting
    assert told == []


@pytest.mark.parametrize(
    ("pieces", "typed"),
    [
        (["a\x1b[0nb"], "ab"),
        (["\x1b[0n\x1b[0n"], ""),
        (["\x1b[", "0n"], ""),
        (["x\x1b[0", "nx"], "xx"),
        (["\x1b[0", "5u"], "\x1b[05u"),
        (["\x1b[A"], "\x1b[A"),
        (["\x1b"], "\x1b"),
        (["\x1b", "[0n"], "\x1b[0n"),
        (["n0["], "n0["),
        (["\x1b[3n"], ""),
        (["\x1b[<0;3;4M\x1b[0n\x1b[<0;3;4m"], "\x1b[<0;3;4M\x1b[<0;3;4m"),
    ],
)
def test_answers_are_taken_out_of_what_is_typed_and_nothing_else_is(pieces: list[str], typed: str) -> None:
    pace, _ = counted()
    assert "".join(map(pace.heard, pieces)) + pace.rest() == typed
    assert pace.rest() == ""


def test_where_an_answer_is_due_even_its_first_byte_may_come_alone() -> None:
    pace, _ = counted()
    pace.heard(ANSWER)
    pace.sent()

    assert pace.heard("x\x1b") == "x"
    assert pace.heard("[0ny") == "y"
    pace.sent()
    assert pace.heard("\x1b") == ""
    assert pace.rest() == "\x1b", "it was the key"


def test_more_answers_than_questions_do_no_harm() -> None:
    pace, _ = counted()
    pace.heard(ANSWER * 5)
    pace.sent()
    pace.sent()

    assert pace.behind
