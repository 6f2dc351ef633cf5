"""A session told again: at once on a pipe, in its own time on a terminal, with pauses and jumps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from holdfast.domain.content import of_text
from holdfast.domain.recorded import StreamId
from holdfast.domain.session import events as e
from holdfast.frontends.cli.player import LONGEST_GAP_S, Player
from holdfast.frontends.cli.terminal import Terminal
from tests.frontends.cli.hostile import harm_in
from tests.frontends.cli.running import OnTerminal, piped

if TYPE_CHECKING:
    from holdfast.frontends.cli.keys import Key
    from tests.frontends.cli.conftest import Run
    from tests.frontends.cli.memory import MemoryLibrary

HOUR = 3_600_000_000


class Typed:
    """Keys that are pressed at once, each when somebody waits; waiting otherwise takes no time at all."""

    def __init__(self, *keys: Key | None) -> None:
        self.keys = list(keys)
        self.waits: list[float | None] = []

    def wait(self, timeout_s: float | None) -> tuple[Key | None, float]:
        self.waits.append(timeout_s)
        key = self.keys.pop(0) if self.keys else None
        return key, 0.0 if key is not None else timeout_s or 0.0


def played(library: MemoryLibrary, capsys: pytest.CaptureFixture[str], keys: Typed, speed: float | None = 1.0) -> str:
    session = next(iter(library.sessions))
    Player(StreamId(session), lambda: iter(library.log), Terminal(), keys, speed).play()
    return capsys.readouterr().out


@pytest.fixture
def talk(library: MemoryLibrary) -> MemoryLibrary:
    """A question and an answer in two pieces, a second apart; then another question."""
    library.happened(
        "0199aaaa",
        e.SessionCreated("acp", "owner", agent="claude"),
        e.MessageSent("m1", of_text("first question")),
        e.TurnStarted("t1"),
        e.TextAppended("a1", "one "),
        e.TextAppended("a1", "two\x1b[2J"),
        e.TurnEnded("t1", "end_turn"),
        e.MessageSent("m2", of_text("second question")),
        e.TextAppended("a1", " late"),
    )
    return library


def test_on_a_pipe_nothing_waits_and_all_is_told_in_order(run: Run, talk: MemoryLibrary) -> None:
    out = run("replay", "0199aaaa").out

    told = ["first question", "claude", "one two\\x1b[2J\n", "second question", "goes on\n  late\n"]
    places = [out.index(each) for each in told]
    assert places == sorted(places)
    assert harm_in(out, styled=False) == []


def test_a_moment_ends_it(run: Run, talk: MemoryLibrary) -> None:
    out = run("replay", "0199aaaa", "--until", "4").out

    assert out.endswith("\n  one\n")
    assert "two" not in out


def test_it_waits_as_long_as_it_took(talk: MemoryLibrary, capsys: pytest.CaptureFixture[str]) -> None:
    for speed, each in ((1.0, 1.0), (4.0, 0.25)):
        keys = Typed()
        played(talk, capsys, keys, speed)
        assert keys.waits == [each] * 7


def test_a_long_gap_is_cut(library: MemoryLibrary, capsys: pytest.CaptureFixture[str]) -> None:
    library.happened("0199aaaa", e.SessionCreated("acp", "owner"))
    library.log.append(library.log[0])
    library.log[1] = type(library.log[0])(
        StreamId("0199aaaa"),
        2,
        library.log[0].event_id,
        library.log[0].recorded_at + HOUR,
        e.MessageSent("m", of_text("x")),
    )
    keys = Typed()

    played(library, capsys, keys)

    assert keys.waits == [LONGEST_GAP_S]


def test_a_pause_lasts_until_it_is_ended(talk: MemoryLibrary, capsys: pytest.CaptureFixture[str]) -> None:
    keys = Typed("pause", "pause")

    out = played(talk, capsys, keys)

    assert keys.waits[:3] == [1.0, None, 1.0]
    assert "second question" in out


def test_in_a_pause_each_jump_goes_one_item_on_and_stays_there(
    talk: MemoryLibrary, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = Typed("pause", "forward", "forward", "quit")

    out = played(talk, capsys, keys)

    assert keys.waits == [1.0, None, None, None]
    assert "first question" in out
    assert "one" in out
    assert "second question" not in out


def test_a_jump_back_in_a_pause_shows_what_was_there_and_stays(
    talk: MemoryLibrary, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = Typed("pause", "forward", "forward", "back", "quit")

    out = played(talk, capsys, keys)

    assert keys.waits == [1.0, None, None, None, None]
    assert out.count("first question") == 2
    assert out.count("one") == 1


def test_a_jump_back_to_the_beginning_tells_all_of_it_again(
    talk: MemoryLibrary, capsys: pytest.CaptureFixture[str]
) -> None:
    out = played(talk, capsys, Typed(None, "back"))

    assert out.count("first question") == 2


def test_a_jump_forward_waits_for_nothing_before_the_next_item(
    talk: MemoryLibrary, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = Typed(None, "forward")

    out = played(talk, capsys, keys)

    assert len(keys.waits) == 6, "from the second wait on, nothing until the answer begins"
    assert "second question" in out


def test_a_jump_back_tells_it_again(talk: MemoryLibrary, capsys: pytest.CaptureFixture[str]) -> None:
    keys = Typed(*([None] * 4), "back")

    out = played(talk, capsys, keys)

    assert out.count("first question") == 2
    assert out.count("second question") == 1


def test_q_ends_it(talk: MemoryLibrary, capsys: pytest.CaptureFixture[str]) -> None:
    out = played(talk, capsys, Typed(None, None, "quit"))

    assert "first question" in out
    assert "one" not in out


@pytest.mark.slow
def test_keys_work_on_a_terminal() -> None:
    player = OnTerminal("friendly", "replay", "0199aaaa", "--speed", "0.001")

    player.until("space: pause").type(" ").type("j").until("Why do logins").type("\x1b[C").until("Because")
    player.type("k").until("\x1b[2J").until("Why do logins").type("q")
    ran = player.ran()

    assert ran.code == 0
    assert "42 passed" not in ran.printed


@pytest.mark.slow
def test_an_interrupt_ends_it_and_leaves_the_terminal_as_it_was() -> None:
    player = OnTerminal("friendly", "replay", "0199aaaa", "--speed", "0.001").until("space: pause").interrupt()

    assert player.ran().code == 130


@pytest.mark.slow
def test_no_content_commands_the_terminal_or_leaves_the_pipe() -> None:
    assert harm_in(OnTerminal("attack-replay").ran().printed, styled=True) == []
    ran = piped("attack-replay")
    assert harm_in(ran.stdout, styled=False) == []
    assert "internal error" not in ran.stderr
