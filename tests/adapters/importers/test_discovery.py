"""Which files an import is about, and what it says about those that are none."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from holdfast.adapters.importers import found
from holdfast.adapters.importers.discovery import files_in
from holdfast.domain.answers import Found, ImportReport
from holdfast.domain.errors import NotFoundError, TranscriptError
from tests.adapters.importers import claude_lines as c
from tests.adapters.importers.memory_log import MemoryLog

if TYPE_CHECKING:
    from collections.abc import Iterator

UNREADABLE = Path("/proc/self/mem")
FOREIGN = {"timestamp": "2026-02-03T12:00:00.000Z", "type": "hologram", "payload": {"id": c.SESSION}}


def transcript(path: Path, session_id: str = c.SESSION) -> Path:
    return c.written(path, c.user("hello", sessionId=session_id))


def test_the_name_of_a_tool_stands_for_its_folder(tmp_path: Path) -> None:
    transcript(tmp_path / ".claude" / "projects" / "-srv-demo" / f"{c.SESSION}.jsonl")
    log = MemoryLog()

    report = log.take("claude", environ={"HOME": str(tmp_path)})

    assert (report.files, log.sessions) == (1, [c.SESSION])


def test_a_folder_of_the_tools_own_choice_is_honoured(tmp_path: Path) -> None:
    transcript(tmp_path / "elsewhere" / "projects" / "p" / "a.jsonl")
    environ = {"HOME": str(tmp_path / "home"), "CLAUDE_CONFIG_DIR": str(tmp_path / "elsewhere")}

    assert MemoryLog().take("claude", environ=environ).files == 1


@pytest.mark.parametrize("source", ["claude", "no/such/file.jsonl", "file.jsonl/below"])
def test_what_does_not_exist_is_not_found(tmp_path: Path, source: str) -> None:
    transcript(tmp_path / "file.jsonl")
    named = source if source == "claude" else tmp_path / source
    log = MemoryLog()

    with pytest.raises(NotFoundError, match="not exist"):
        log.take(tmp_path / "file.jsonl", named, environ={"HOME": "/nope"})

    assert log.events == []


def test_a_source_without_a_name_is_not_the_folder_one_stands_in() -> None:
    with pytest.raises(NotFoundError, match="without a name"):
        MemoryLog().take("", environ={"HOME": "/nope"})


BAD = {
    "empty": b"",
    "blank": b"\n\n \n",
    "binary": bytes(range(256)) * 64,
    "zeros": b"\x00" * 100_000,
    "prose": b"Dear diary,\ntoday nothing happened.\n",
    "other JSON lines": b'{"level": "info", "message": "started"}\n' * 80,
    "another tool's": c.encoded([FOREIGN]),
    "a picture": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
    "cut in its first line": c.encoded([c.user("hello")])[:40],
    "too late": b'{"a": 1}\n' * 60 + c.encoded([c.user("hello")]),
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD.keys())
def test_a_named_file_must_hold_a_transcript(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "named.jsonl"
    path.write_bytes(content)
    good = transcript(tmp_path / "good.jsonl")
    log = MemoryLog()

    with pytest.raises(TranscriptError, match=r"named\.jsonl holds no transcript of a known kind"):
        log.take(good, path)

    assert log.events == []


def test_a_file_is_known_by_its_content_and_not_by_its_name(tmp_path: Path) -> None:
    assert MemoryLog().take(transcript(tmp_path / "notes.txt")).files == 1


def test_a_file_may_begin_with_broken_lines(tmp_path: Path) -> None:
    path = c.written(tmp_path / "t.jsonl", *[b"broken"] * 20, c.user("hello"))

    assert MemoryLog().take(path) == ImportReport(files=1, sessions=1, events=4, malformed=20)


@pytest.mark.parametrize("kind", ["summary", "file-history-snapshot", "queue-operation"])
def test_a_transcript_in_which_nothing_was_said_is_read_and_leaves_nothing(tmp_path: Path, kind: str) -> None:
    line = {"type": kind, "summary": "A title", "leafUuid": "u", "messageId": "m"}

    report = MemoryLog().take(c.written(tmp_path / "t.jsonl", line))

    assert (report.files, report.sessions, report.events) == (1, 0, 0)


def test_folders_are_searched_through(tmp_path: Path) -> None:
    transcript(tmp_path / "a.jsonl", "session-a")
    transcript(tmp_path / "deep" / "er" / "b.jsonl", "session-b")
    transcript(tmp_path / "deep" / "ignored.txt", "session-c")
    (tmp_path / "deep" / "foreign.jsonl").write_text("nothing to see\n")
    os.mkfifo(tmp_path / "pipe.jsonl")
    (tmp_path / "folder.jsonl").mkdir()
    log = MemoryLog()

    report = log.take(tmp_path)

    assert (report.files, report.malformed) == (2, 0)
    assert log.sessions == ["session-a", "session-b"]
    assert log.notes == ["2 files hold no transcript"]


def test_what_vouches_for_a_bundle_is_no_failed_transcript(tmp_path: Path) -> None:
    transcript(tmp_path / "bundle" / "events.jsonl")
    for name in ("chain.txt", "checkpoints.jsonl", "SHA256SUMS"):
        (tmp_path / "bundle" / name).write_text('{"signed": 1}\n')
    log = MemoryLog()

    assert log.take(tmp_path).files == 1
    assert log.notes == []

    (tmp_path / "bundle" / "chain.txt").unlink()
    log.take(tmp_path)
    assert log.notes == ["1 file holds no transcript"]


def test_a_folder_without_any_transcript_is_told(tmp_path: Path) -> None:
    with pytest.raises(TranscriptError, match="holds no transcript"):
        MemoryLog().take(tmp_path)


def test_links_that_go_round_are_survived_and_nothing_is_read_twice(tmp_path: Path) -> None:
    transcript(tmp_path / "a" / "t.jsonl")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "b").symlink_to(tmp_path / "a")
    (tmp_path / "self.jsonl").symlink_to(tmp_path / "self.jsonl")
    (tmp_path / "gone.jsonl").symlink_to(tmp_path / "nowhere")
    (tmp_path / "again.jsonl").symlink_to(tmp_path / "a" / "t.jsonl")
    log = MemoryLog()

    report = log.take(tmp_path, tmp_path / "a" / "t.jsonl")

    assert report == ImportReport(files=1, sessions=1, events=4)


def test_sessions_come_before_the_sub_agents_that_worked_for_them(tmp_path: Path) -> None:
    names = ["0.jsonl", "agent-1.jsonl", "ff.jsonl", "ff/subagents/agent-0.jsonl", "00/x.jsonl"]
    for name in names:
        transcript(tmp_path / name)

    assert [str(path.relative_to(tmp_path)) for path in files_in(tmp_path)] == [
        "0.jsonl", "ff.jsonl", "agent-1.jsonl", "00/x.jsonl", "ff/subagents/agent-0.jsonl",
    ]  # fmt: skip


def test_a_pipe_that_is_named_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(TranscriptError, match="is not a file"):
        MemoryLog().take(tmp_path / "pipe")


@pytest.mark.skipif(not UNREADABLE.exists(), reason="there is no file here that not even root can read")
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(TranscriptError, match="cannot be read: Input/output error"):
        MemoryLog().take(UNREADABLE)

    transcript(tmp_path / "t.jsonl")
    (tmp_path / "u.jsonl").symlink_to(UNREADABLE)
    assert MemoryLog().take(tmp_path).files == 1


@pytest.mark.parametrize("source", ["with\x00zero", "x" * 5000])
def test_a_name_that_no_file_can_have_is_one_of_our_errors(source: str) -> None:
    with pytest.raises(TranscriptError, match="cannot be read"):
        MemoryLog().take(source)


def test_a_file_of_a_folder_that_vanishes_is_told_and_the_rest_is_imported(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        transcript(tmp_path / f"{name}.jsonl", f"session-{name}")
    log = MemoryLog()

    def vanish(_what: str, _done: int, _of: int | None) -> None:
        (tmp_path / "b.jsonl").unlink(missing_ok=True)

    report = log.take(tmp_path, progress=vanish)

    assert report.files == 2
    assert log.sessions == ["session-a", "session-c"]
    assert log.notes == [f"{tmp_path / 'b.jsonl'} cannot be read: No such file or directory"]


def test_what_lies_on_this_machine_is_found_without_reading_it(tmp_path: Path) -> None:
    root = tmp_path / ".claude" / "projects"
    (root / "p").mkdir(parents=True)
    assert found({"HOME": str(tmp_path)}) == []

    (root / "p" / "a.jsonl").write_bytes(b"12345")
    (root / "b.jsonl").write_bytes(b"123")

    assert found({"HOME": str(tmp_path)}) == [Found("claude", str(root), 2, 8)]


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A folder that other users can reach. Pytest keeps its own to itself."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


_AS_SOMEBODY_ELSE = """
import os, sys
from holdfast.domain.errors import HoldfastError
from tests.adapters.importers.memory_log import MemoryLog
os.setuid(65534)
log = MemoryLog()
try:
    print(log.take(sys.argv[1]).files, *log.notes, sep="|")
except HoldfastError as error:
    print(type(error).__name__, error, sep="|")
"""


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become a user without permission")
def test_a_folder_that_may_not_be_read_is_told_and_hides_no_other(open_to_all: Path) -> None:
    transcript(open_to_all / "a.jsonl").chmod(0o644)
    closed = open_to_all / "closed"
    transcript(closed / "b.jsonl", "session-b")
    closed.chmod(0o700)

    def take(folder: Path) -> list[str]:
        ran = subprocess.run(
            [sys.executable, "-c", _AS_SOMEBODY_ELSE, str(folder)],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
        return ran.stdout.strip().split("|")

    assert take(open_to_all) == ["1", f"{closed} cannot be read (Permission denied); what is in it was not imported"]
    assert take(closed) == ["TranscriptError", f"{closed} cannot be read: Permission denied"]
