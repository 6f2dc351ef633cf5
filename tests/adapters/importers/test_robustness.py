"""Whatever lies in a file: only errors of ours, and memory that does not grow with it."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.domain.errors import TranscriptError
from tests.adapters.importers import claude_lines as c
from tests.adapters.importers.memory_log import MemoryLog

EXAMPLES = 150
MEGABYTES = 50

NOON = "2026-02-03T12:00:00Z"
TYPES = [
    "user",
    "assistant",
    "system",
    "attachment",
    "summary",
    "ai-title",
    "custom-title",
    "mode",
    "permission-mode",
    "pr-link",
    "progress",
    "brand-new",
]
FIELDS = [
    "sessionId",
    "uuid",
    "timestamp",
    "isSidechain",
    "agentId",
    "isMeta",
    "isCompactSummary",
    "isApiErrorMessage",
    "cwd",
    "version",
    "permissionMode",
    "mode",
    "subtype",
    "content",
    "level",
    "error",
    "attachment",
    "summary",
    "aiTitle",
    "customTitle",
    "prUrl",
    "usage",
    "origin",
    "message",
    "promptSource",
]
MESSAGE_FIELDS = ["id", "model", "usage", "stop_reason", "role"]
BLOCK_TYPES = [
    "text",
    "thinking",
    "tool_use",
    "tool_result",
    "server_tool_use",
    "web_search_tool_result",
    "image",
    "other",
]
BLOCK_FIELDS = ["text", "thinking", "id", "name", "input", "tool_use_id", "content", "is_error"]

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just(NOON)
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def objects(names: list[str], **known: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return objects with what is known of them, and with anything in fields that are looked at."""
    rest = st.dictionaries(st.sampled_from(names), values, max_size=6)
    return st.tuples(st.fixed_dictionaries(known), rest).map(lambda parts: {**parts[0], **parts[1]})


blocks = objects(BLOCK_FIELDS, type=st.sampled_from(BLOCK_TYPES))
messages = objects(MESSAGE_FIELDS, content=values | st.lists(blocks, max_size=4))
records = objects(FIELDS, type=st.sampled_from(TYPES), message=messages)


def attempt(path: Path, content: bytes) -> MemoryLog:
    """Import `content` after a line that makes it a transcript; a second time, and nothing may come of that."""
    path.write_bytes(c.encoded([c.user("hello")]) + content)
    log = MemoryLog()
    log.take(path)
    events = len(log.events)
    assert log.take(path).events == 0
    assert len(log.events) == events
    for session_id in log.sessions:
        json.dumps([item.text + (item.title or "") for item in log.items(session_id)]).encode()
        assert log.row(session_id).lifecycle == "created"
    return log


@pytest.mark.slow
@given(content=st.binary(max_size=400))
@settings(max_examples=EXAMPLES)
def test_any_bytes_are_survived(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "t.jsonl"
    path.write_bytes(content)
    with pytest.raises(TranscriptError):
        MemoryLog().take(path)

    attempt(path, content)


@pytest.mark.slow
@given(lines=st.lists(records, max_size=6))
@settings(max_examples=EXAMPLES)
def test_any_record_is_survived(tmp_path_factory: pytest.TempPathFactory, lines: list[dict[str, Any]]) -> None:
    log = attempt(tmp_path_factory.mktemp("fuzz") / "t.jsonl", c.encoded(lines))

    assert any(item.text == "hello" for session_id in log.sessions for item in log.items(session_id))


@pytest.mark.slow
@given(flips=st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), min_size=1, max_size=20))
@settings(max_examples=EXAMPLES // 3)
def test_a_damaged_transcript_is_survived(
    tmp_path_factory: pytest.TempPathFactory, flips: list[tuple[int, int]]
) -> None:
    content = bytearray((Path(__file__).parents[3] / "docs" / "examples" / "claude-session.jsonl").read_bytes())
    for at, byte in flips:
        content[at % len(content)] = byte

    attempt(tmp_path_factory.mktemp("fuzz") / "t.jsonl", bytes(content))


_MEASURE = """
import re, sys
from pathlib import Path
from holdfast.adapters.importers import import_sources
from holdfast.domain.recorded import StreamId
from holdfast.domain.session.session import Session

class Forgetful:
    session = Session(StreamId("none"))
    events = 0
    def load(self, session_id): return Session(session_id)
    def driver(self, session_id, agent): return None
    def is_erased(self, session_id): return False
    def is_connecting(self, agent): return False
    def recent(self, session_id, limit): return ()
    def offset(self, session_id, source): return 0
    def append(self, session, events): self.events += len(events)

def peak():
    # Not ru_maxrss: that one is inherited from whoever started this.
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) // 1024

def take(path):
    log = Forgetful()
    report = import_sources([path], log, None, lambda: 1, lambda: bytes(16), environ={})
    assert report.events == log.events > 0
    return report

take(sys.argv[1])
before = peak()
report = take(sys.argv[2])
print(peak() - before, report.events)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process is read from Linux")
@pytest.mark.parametrize("line_bytes", [2_000, 5_000_000], ids=["lines of 2 KB", "lines of 5 MB"])
def test_fifty_megabytes_take_no_more_memory_than_one_line(tmp_path: Path, line_bytes: int) -> None:
    small = c.written(tmp_path / "small.jsonl", c.user("hello"), c.assistant(c.said("hi")))
    large = tmp_path / "large.jsonl"
    words = "".join(random.Random(1).choices("abcdefghij klmno\n", k=line_bytes))
    with large.open("wb") as file:
        number = 0
        while file.tell() < MEGABYTES * 1_000_000:
            number += 1
            lines = (
                c.user(f"question {number}", f"u{number}"),
                c.assistant(c.called(f"t{number}", command=words), message=f"m{number}", uuid=f"a{number}"),
                c.user([c.came(f"t{number}", words)], f"r{number}"),
                c.assistant(c.said(words), message=f"n{number}", uuid=f"b{number}", usage=c.tokens()),
            )
            file.write(c.encoded(lines))
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(small), str(large)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    grown = int(done.stdout.split()[0])
    print(f"{grown} MB more for {large.stat().st_size / 1e6:.0f} MB")
    assert grown < (40 if line_bytes < 1_000_000 else 80), f"{grown} MB more"
