"""The command line over libraries in memory: `python -m tests.frontends.cli.program SCENE ARGUMENT…`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from msgspec import Raw

from holdfast.domain.answers import Found, ImportReport
from holdfast.domain.content import of_text
from holdfast.domain.recorded import StreamId
from holdfast.domain.session import events as e
from holdfast.frontends.cli.main import main
from tests.frontends.cli.hostile import HOSTILE, broken_library, command_lines, hostile_library
from tests.frontends.cli.memory import MemoryDoors, MemoryLibrary

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.domain.ports import Progress


def friendly() -> MemoryLibrary:
    """One session at work, one that asks, one long one."""
    library = MemoryLibrary()
    library.report = ImportReport(files=2, sessions=2, events=1204, malformed=1, skipped=7)
    library.on_machine = [Found("claude", "/srv/transcripts", 3, 4096)]
    library.happened(
        "0199aaaa-0000-7000-8000-000000000001",
        e.SessionCreated("acp", "owner", agent="claude", cwd="/srv/shop", title="Fix the login race"),
        e.Attached("link"),
        e.MessageSent("u1", of_text("Why do logins **race**?")),
        e.TurnStarted("t1"),
        e.TextAppended("a1", "Because `login()` is called twice.\n\n```python\nlogin()\n```"),
        e.ToolCalled(
            "c1", "c1", title="Bash: make test", kind="execute", status="completed", output=Raw(b'"42 passed"')
        ),
        e.PermissionRequested(
            "req-1",
            "t1",
            "Bash: rm -rf build",
            Raw(b'{"command": "rm -rf build"}'),
            (e.Option("once", "allow_once", "Allow once"), e.Option("no", "reject_once", "Deny")),
            "hash",
        ),
    )
    library.happened(
        "0199bbbb-0000-7000-8000-000000000002",
        e.SessionCreated("acp", "owner", agent="codex", cwd="/srv/shop", title="日本語のタイトル"),
        *(e.MessageSent(f"m{n}", of_text(f"message {n}")) for n in range(1200)),
    )
    return library


class Slow(MemoryLibrary):
    """Imports until somebody presses Enter."""

    def _report(self, progress: Progress | None) -> None:
        assert progress is not None
        progress("events", 1500, 3000)
        sys.stdin.readline()


def slow() -> MemoryLibrary:
    """An import that takes as long as the test wants."""
    library = Slow()
    library.happened(StreamId("only"), e.SessionCreated("acp", "owner"))
    library.report = ImportReport(files=1, sessions=1, events=3000)
    return library


SCENES: dict[str, Callable[[], MemoryLibrary]] = {"friendly": friendly, "slow": slow}


def attack() -> None:
    """Run every verb on every hostile library, one after the other, in this one process."""
    for evil in HOSTILE:
        for line in command_lines(evil):
            main(MemoryDoors(hostile_library(evil)), line)
            main(MemoryDoors(broken_library(evil)), line)


def attack_replay() -> None:
    """Replay every hostile session. Apart from the others, since on a terminal it takes what is typed."""
    for evil in HOSTILE:
        name = f"id-{evil}".replace("\x00", "")
        main(MemoryDoors(hostile_library(evil)), ["replay", name, "--speed", "1000000"])


if __name__ == "__main__":
    if sys.argv[1] == "attack":
        attack()
    elif sys.argv[1] == "attack-replay":
        attack_replay()
    else:
        sys.exit(main(MemoryDoors(SCENES[sys.argv[1]]()), sys.argv[2:]))
