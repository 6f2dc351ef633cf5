from __future__ import annotations

import pytest

from holdfast.frontends.cli.progress import progress
from holdfast.frontends.cli.terminal import Terminal
from tests.frontends.cli.running import OnTerminal, on_terminal, piped


@pytest.mark.slow
def test_a_bar_appears_when_it_takes_longer_than_a_second() -> None:
    importing = OnTerminal("slow", "import", "x").until("importing").until("1,500 / 3,000 events")

    ran = importing.type("\n").ran()

    assert ran.code == 0
    assert "imported 1 session, 3,000 events from 1 file" in ran.printed


@pytest.mark.slow
def test_the_bar_is_ascii_where_the_locale_is() -> None:
    importing = OnTerminal("slow", "import", "x", env={"LC_ALL": "C"}).until("1,500 / 3,000 events")

    assert importing.type("\n").ran().printed.isascii()


@pytest.mark.slow
def test_what_is_quick_shows_none() -> None:
    assert "importing" not in on_terminal("friendly", "import", "x").printed


@pytest.mark.slow
def test_a_pipe_is_shown_none() -> None:
    assert piped("slow", "import", "x").stderr == ""


def test_counts_may_come_when_there_is_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    with progress(Terminal(), "importing") as report:
        report("events", 1, None)

    assert capsys.readouterr() == ("", "")
