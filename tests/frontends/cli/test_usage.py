from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.frontends.cli.conftest import Run
    from tests.frontends.cli.memory import MemoryLibrary


@pytest.mark.parametrize(
    "args",
    [
        ("bogus",),
        ("up", "--port", "70000"),
        ("up", "more"),
        ("service",),
        ("service", "bogus"),
        ("--bogus",),
        ("ls", "--bogus"),
        ("ls", "more"),
        ("show",),
        ("show", "a", "b"),
        ("show", "a", "--last"),
        ("show", "a", "--last", "none"),
        ("show", "a", "--last", "0"),
        ("events", "--since", "-1"),
        ("events", "--since", "x"),
        ("rename", "a"),
        ("rename", "a", "  "),
        ("rename", "a", "caf\udce9"),
        ("show", "caf\udce9"),
        ("mute", "a", "--for", "soon"),
        ("mute", "a", "--for", "0s"),
        ("mute", "a", "--for", "999999999999d"),
        ("mute", "a", "--for", "1h", "--off"),
        ("rm", "a"),
        ("import",),
        ("search",),
        ("search", "word", "--limit", "0"),
        ("replay", "a", "--speed", "nan"),
        ("wait", "a", "--until", "idle", "--timeout", "nan"),
        ("verify", "file", "another"),
    ],
    ids=" ".join,
)
def test_a_usage_error_is_one_line_and_opens_nothing(run: Run, library: MemoryLibrary, args: tuple[str, ...]) -> None:
    ran = run(*args)

    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.startswith("holdfast: ")
    assert ran.err.endswith("--help`)\n")
    assert ran.err.count("\n") == 1
    assert library.opened == []


def test_a_verb_of_several_words_names_those_that_may_follow(run: Run) -> None:
    assert run("service").err == (
        "holdfast: what to do is missing: install or remove (see `holdfast service --help`)\n"
    )


def test_a_slip_is_answered_with_what_was_meant(run: Run) -> None:
    assert "--json" in run("ls", "--jsno").err
    assert "verify" in run("verfy").err


def test_without_a_verb_there_is_help(run: Run, library: MemoryLibrary) -> None:
    ran = run()

    assert (ran.code, ran.err) == (0, "")
    listed = re.findall(r"^  ([a-z]+)  ", ran.out.partition("--help  ")[2], re.MULTILINE)
    assert " ".join(listed) == (
        "new send wait cancel queue inbox approve deny mode option end reconnect "
        "tui ls show peek search replay export events verify import rename read unread mute pin rm rebuild compact "
        "up down status restart logs service web tray token agents doctor demo"
    )
    assert "...\n" not in ran.out.partition("--help  ")[2], "each verb says what it does on its line"
    assert library.opened == []


@pytest.mark.parametrize("verb", ["ls", "import", "events"])
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_every_verb_explains_itself(run: Run, verb: str, flag: str) -> None:
    ran = run(verb, flag)

    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"Usage: holdfast {verb}")


def test_the_version_is_a_line(run: Run) -> None:
    ran = run("--version")

    assert ran.code == 0
    assert ran.out.startswith("holdfast 0.")
