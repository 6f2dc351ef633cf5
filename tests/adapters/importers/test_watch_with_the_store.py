"""`import --watch` as a person runs it: a process of its own over a real store, looked at by others, killed, ended."""

from __future__ import annotations

import json
import signal
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.adapters.importers import claude_lines as c
from tests.adapters.importers.memory_log import MemoryLog
from tests.support.cli import HOLDFAST, environment

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from tests.support.cli import Cli

OTHER = "9f1e2d3c-4b5a-4968-8776-655443322110"

pytestmark = pytest.mark.slow


@contextmanager
def watching(home: Path, *arguments: str | Path) -> Generator[subprocess.Popen[str]]:
    """Run the watch; it has imported what is there when this is entered, and is gone when this is left."""
    with subprocess.Popen(
        [HOLDFAST, "import", "--watch", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(home),
        cwd=home.parent,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline()
            yield process
        finally:
            process.kill()


def coming(process: subprocess.Popen[str]) -> str:
    """Wait for something to come in, and return how it is told."""
    assert process.stdout is not None
    return process.stdout.readline()


def interrupted(process: subprocess.Popen[str]) -> int:
    process.send_signal(signal.SIGINT)
    return process.wait(60)


def listed(cli: Cli) -> dict[str, Any]:
    return {row["id"]: row for row in json.loads(cli("ls", "--json").stdout)}


def test_sessions_from_outside_appear_while_they_go_on(cli: Cli, tmp_home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "transcripts"
    path = c.written(folder / "t.jsonl", c.user("hello"))
    with watching(tmp_home, folder) as process:
        row = listed(cli)[c.SESSION]
        assert (row["lifecycle"], row["connection"]["state"], row["unread"]) == ("streaming", "offline", 0)

        with path.open("ab") as file:
            file.write(c.encoded([c.assistant(c.said("hi there"), stop_reason="end_turn")]))
        assert coming(process) == "3 events came into 1 session\n"
        assert listed(cli)[c.SESSION]["lifecycle"] == "unread"
        assert json.loads(cli("search", "there", "--json").stdout)[0]["session_id"] == c.SESSION

        c.written(folder / "new" / "u.jsonl", c.user("another", sessionId=OTHER))
        assert coming(process)
        assert listed(cli)[OTHER]["lifecycle"] == "streaming"

        assert interrupted(process) == 130
        assert process.stderr is not None
        assert process.stderr.read() == "Watching; Ctrl-C ends it.\n"
    assert listed(cli)[OTHER]["lifecycle"] == "created", "nobody sees any more how the turn goes on"
    assert json.loads(cli("verify", "--json").stdout)["ok"]


def test_a_watch_that_was_killed_goes_on_where_it_was(cli: Cli, tmp_home: Path, tmp_path: Path) -> None:
    lines = c.EXAMPLE.read_bytes().splitlines(keepends=True)
    path = tmp_path / "t.jsonl"
    path.write_bytes(b"".join(lines[:10]))
    events = 0
    for start in range(10, len(lines), 8):
        with watching(tmp_home, path, "--json") as process:
            with path.open("ab") as file:
                file.write(b"".join(lines[start : start + 8]))
            events += json.loads(coming(process))["events"]
            process.kill()
            process.wait(60)
    assert events
    assert json.loads(cli("import", path, "--json").stdout)["malformed"] == 0

    log = MemoryLog()
    log.take(path)
    (row,) = listed(cli).values()
    page = json.loads(cli("show", row["id"], "--last", "1000", "--json").stdout)
    assert [(item["id"], item.get("text") or "") for item in page["items"]] == [
        (item.id, item.text) for item in log.items()
    ]
    assert row["metadata"]["total_tokens"] == log.row().metadata.total_tokens
    assert json.loads(cli("verify", "--json").stdout)["ok"]


@pytest.mark.parametrize(("source", "code"), [("nowhere.jsonl", 3), ("diary.txt", 1)])
def test_what_cannot_be_watched_is_told_at_once(cli: Cli, tmp_home: Path, source: str, code: int) -> None:
    (tmp_home.parent / "diary.txt").write_text("Dear diary\n")

    ran = cli("import", "--watch", source)

    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (code, "", 1)
