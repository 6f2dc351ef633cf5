"""The command line on a real terminal and on real pipes, in a process of its own."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.frontends.cli.hostile import OURS, harm_in
from tests.frontends.cli.running import ROOT, OnTerminal, command, environment, on_terminal, piped

pytestmark = pytest.mark.slow

FULL = Path("/dev/full")

ANSWERS = "y\n" * 200
"""To every question of the attack, typed in advance."""

UNWATCHED = "holdfast: no daemon runs: "
"""The line beside a list of a store in which something was at work."""


@pytest.mark.parametrize("columns", [40, 200])
def test_no_content_commands_the_terminal(columns: int) -> None:
    ran = OnTerminal("attack", columns=columns).type(ANSWERS).ran()

    assert ran.code == 0
    assert ran.printed.count("[y/N]") > 100
    assert len(ran.printed) > 100_000
    assert "internal error" not in ran.printed
    assert harm_in(ran.printed, styled=True) == []


def test_without_colour_no_escape_at_all_reaches_the_terminal() -> None:
    for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        ran = OnTerminal("attack", env=env).type(ANSWERS).ran()

        assert harm_in(ran.printed, styled=False) == []


def test_no_content_passes_a_pipe_but_as_json() -> None:
    ran = piped("attack")

    for text in (ran.stdout, ran.stderr):
        assert "internal error" not in text
        lines = [line for line in text.split("\n") if not line.startswith(("{", "["))]
        assert harm_in("\n".join(lines), styled=False) == []


def test_every_error_of_the_attack_is_a_line() -> None:
    lines = piped("attack").stderr.splitlines()

    assert len(lines) > 1000
    assert all(line.startswith("holdfast: ") for line in lines)


def test_a_terminal_gets_colours_and_a_pipe_none() -> None:
    assert OURS.search(on_terminal("friendly", "ls").printed)
    assert "\x1b" not in on_terminal("friendly", "ls", env={"NO_COLOR": "1"}).printed
    assert "\x1b" not in on_terminal("friendly", "ls", env={"TERM": "dumb"}).printed
    assert OURS.search(on_terminal("friendly", "ls", env={"NO_COLOR": ""}).printed)
    assert "\x1b" not in piped("friendly", "ls").stdout


def test_a_table_fits_the_terminal() -> None:
    for columns in (30, 60, 120):
        lines = OURS.sub("", on_terminal("friendly", "ls", columns=columns).printed).split("\r\n")
        table = [line for line in lines if not line.startswith(UNWATCHED)]

        assert len(table) > 2
        assert all(len(line) <= columns for line in table)


@pytest.mark.parametrize("env", [{"LC_ALL": "C"}, {"LANG": "C"}, {"LANG": "en_US.ISO-8859-1"}, {"LANG": ""}])
def test_a_locale_without_unicode_gets_ascii(env: dict[str, str]) -> None:
    for verb in (("ls",), ("show", "0199bbbb", "--last", "2"), ("show", "0199aaaa"), ("ls", "--json")):
        assert on_terminal("friendly", *verb, env=env).printed.isascii()
    assert "! needs-you" in on_terminal("friendly", "ls", env=env).printed
    rows = json.loads(on_terminal("friendly", "ls", "--json", env=env).printed)
    assert rows[1]["title"] == "日本語のタイトル"


def test_a_pipe_gets_utf_8_whatever_the_locale() -> None:
    assert "日本語" in piped("friendly", "ls", "--json", env={"LC_ALL": "C"}).stdout
    assert "日本語" in piped("friendly", "ls", env={"LC_ALL": "C"}).stdout


def test_json_is_indented_for_people_and_compact_for_programs() -> None:
    assert on_terminal("friendly", "inbox", "--json").printed.count("\r\n") > 10
    assert piped("friendly", "inbox", "--json").stdout.count("\n") == 1


def test_markdown_is_tinted_and_stays_as_it_was_typed() -> None:
    printed = on_terminal("friendly", "show", "0199aaaa").printed

    assert "\x1b[1m**race**\x1b[0m" in printed
    assert "\x1b[36m`login()`\x1b[0m" in printed


@pytest.mark.parametrize(
    ("answer", "code", "said"), [("y\n", 0, "is erased"), ("n\n", 1, "Nothing"), ("\x04", 1, "Nothing")]
)
def test_erasing_asks_first(answer: str, code: int, said: str) -> None:
    ran = OnTerminal("friendly", "rm", "0199aaaa").until("for good? [y/N]").type(answer).ran()

    assert ran.code == code
    assert said in ran.printed


def test_importing_asks_first() -> None:
    ran = OnTerminal("friendly", "import").until("Import 3 files? [y/N]").type("yes\n").ran()

    assert ran.code == 0
    assert "imported 2 sessions, 1,204 events from 2 files; 1 malformed line left out" in ran.printed


def test_following_goes_on_until_interrupted() -> None:
    following = OnTerminal("friendly", "events", "--follow", "--since", "1207").until('"position":1208')

    ran = following.interrupt().ran()

    assert ran.code == 130
    assert "Traceback" not in ran.printed


def test_a_question_can_be_interrupted() -> None:
    assert OnTerminal("friendly", "rm", "0199aaaa").until("[y/N]").interrupt().ran().code == 130


def test_each_event_is_handed_over_at_once_when_following() -> None:
    with subprocess.Popen(
        command("friendly", "events", "--follow"), env=environment(), cwd=ROOT, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        try:
            lines = [json.loads(process.stdout.readline()) for _ in range(1208)]
        finally:
            process.kill()

    assert lines[-1]["position"] == 1208


def test_a_reader_that_goes_away_is_no_error() -> None:
    with subprocess.Popen(
        command("friendly", "events"), env=environment(), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        complaint = process.stderr.read()

    assert (process.returncode, complaint) == (0, b"")


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_an_answer_that_cannot_be_written_is_an_error(unbuffered: str) -> None:
    with FULL.open("wb") as full:
        ran = subprocess.run(
            command("friendly", "ls"),
            env=environment({"PYTHONUNBUFFERED": unbuffered}),
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )

    assert ran.returncode == 1
    assert ran.stderr == b"holdfast: standard output cannot be written: No space left on device\n"


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_closed_streams_break_nothing(closed: str) -> None:
    line = 'exec "$0" "$@" ' + closed

    for args in (command("friendly", "ls"), command("friendly", "rename", "0199aaaa", "x")):
        ran = subprocess.run(["sh", "-c", line, *args], env=environment(), cwd=ROOT, capture_output=True, check=False)
        complaints = [each for each in ran.stderr.decode().splitlines() if not each.startswith(UNWATCHED)]
        assert (ran.returncode, complaints) == (0, [])
