"""Text that comes in pieces looks as it does in a transcript, wherever it was cut."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.frontends.cli.flowing import Flow
from holdfast.frontends.cli.markdown import markdown
from holdfast.frontends.cli.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pytest

_WORDS = (
    "I",
    "see",
    "naïve",
    "世界",
    "a_very_long_name_of_something_that_no_line_holds",
    "`code`",
    "**bold**,",
    "x\x1b[2J",
)
_STARTS = ("", "    ", "  - ", "# ", "```", "~~~")


def flowed(capsys: pytest.CaptureFixture[str], pieces: Iterable[str], width: int | None) -> str:
    terminal = Terminal()
    terminal.width = width
    flow = Flow(terminal)
    for piece in pieces:
        flow.add(piece)
    flow.close()
    terminal.flush()
    return capsys.readouterr().out


def in_a_transcript(text: str, width: int | None) -> str:
    lines = ("".join(span if isinstance(span, str) else span.text for span in line) for line in markdown(text, width))
    return "".join(f"  {line}".rstrip() + "\n" for line in lines)


def lines() -> st.SearchStrategy[str]:
    words = st.lists(st.sampled_from(_WORDS), min_size=1, max_size=12).map(" ".join)
    return st.builds("{}{}".format, st.sampled_from(_STARTS), words)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(lines(), min_size=1, max_size=6), st.lists(st.integers(0, 400)), st.sampled_from([None, 20, 40, 120]))
def test_it_looks_as_in_a_transcript_wherever_it_was_cut(
    capsys: pytest.CaptureFixture[str], told: Sequence[str], cuts: Sequence[int], width: int | None
) -> None:
    text = "\n".join(told)
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})

    out = flowed(capsys, (text[begin:end] for begin, end in pairwise(places)), width)

    shown = "".join(f"{line.rstrip()}\n" for line in out.split("\n")[:-1])
    assert shown == in_a_transcript(text, None if width is None else width - 2)


def test_ends_of_lines_are_shown_once_something_follows(capsys: pytest.CaptureFixture[str]) -> None:
    assert flowed(capsys, ["\n\none\r", "\n\n", "two \n\n"], None) == "  one\n\n  two\n"


def test_nothing_leaves_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert flowed(capsys, ["", "\n", " "], 80) == ""


def test_a_word_is_shown_when_it_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal()
    flow = Flow(terminal)

    flow.add("one tw")
    terminal.flush()

    assert capsys.readouterr().out == "  one"
    flow.add("o ")
    terminal.flush()
    assert capsys.readouterr().out == " two"
