from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from msgspec import Raw, json

from holdfast.domain.content import of_text
from holdfast.domain.recorded import StreamId
from holdfast.domain.session import events as e
from holdfast.frontends.cli.transcript import WHOLE, Renderer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.domain.session.facts import Fact
    from tests.frontends.cli.conftest import Run
    from tests.frontends.cli.memory import MemoryLibrary

ID = "0199aaaa-0000-4000-8000-000000000001"


def shown(run: Run, library: MemoryLibrary, *facts: Fact) -> str:
    """Return what `show` prints of a session with these facts, below its head."""
    library.happened(ID, e.SessionCreated("acp", "owner", agent="claude", title="T"), *facts)
    ran = run("show", ID)
    assert ran.code == 0, ran.err
    return ran.out.split(" ──\n", 1)[-1].strip("\n")


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_the_head_says_what_is_to_be_known(run: Run, library: MemoryLibrary) -> None:
    library.happened(
        ID,
        e.SessionCreated("acp", "owner", agent="claude", cwd="/srv/shop", title="Fix the race", model="big"),
        e.SessionPinned(pinned=True),
        e.SessionMuted(muted=True),
        e.UsageReported("session", input=1200, output=300),
        e.Attached("link"),
        e.Detached("link", "failed", "exit code 1"),
    )

    lines = run("show", ID).out.splitlines()

    assert lines[0] == "Fix the race"
    assert lines[1] == "✗ failed · claude · big · /srv/shop · pinned · muted"
    assert lines[2].startswith(f"{ID} · created 2025-11-20 12:00 · updated ")
    assert lines[2].endswith(" ago · 0 messages · 1k tokens")
    assert lines[3] == "exit code 1"


def test_who_speaks_is_said_once(run: Run, library: MemoryLibrary) -> None:
    said = shown(
        run,
        library,
        e.MessageSent("u1", of_text("Why?\n\n- a list")),
        e.TextAppended("a1", "Because."),
        e.ToolCalled("c1", "c1", title="Bash: ls", kind="execute", status="completed", output=Raw(b'"a\\nb\\n"')),
        e.ToolCalled("c2", "c2", title="Read: a", status="failed", input=Raw(b'{"path": "a"}')),
        e.TextAppended("a1#2", "Done."),
        e.TextAppended("s1", "I look.", thread="7"),
    )

    assert said == (
        "You · 12:00\n  Why?\n\n  - a list\n\n"
        "claude · 12:00\n  Because.\n\n"
        "  ✓ Bash: ls · execute · completed\n    out  a\n         b\n"
        "  ✗ Read: a · failed\n    in   path: a\n\n"
        "  Done.\n\n"
        "claude · 12:00 · side chain 7\n  I look."
    )


def test_thoughts_are_folded_to_a_line(run: Run, library: MemoryLibrary) -> None:
    said = shown(run, library, e.ThoughtAppended("h", "First\nsecond\nthird"))

    assert said.endswith("thought: First (2 more lines; show --json for all)")


def test_a_long_thought_is_cut_to_the_line_and_says_so(run: Run, library: MemoryLibrary) -> None:
    library.happened(ID, e.SessionCreated("acp", "owner"), e.ThoughtAppended("h", "word " * 1000))

    lines = [line for line in _narrow(library, 80) if "thought" in line]
    assert [line[-21:] for line in lines] == ["(show --json for all)"]
    assert all(len(line) <= 80 for line in lines)


def _narrow(library: MemoryLibrary, limit: int) -> list[str]:
    """Return a transcript as a terminal of that width shows it."""
    renderer = Renderer(library.rows()[0], WHOLE, limit=limit, unicode=True)
    lines = renderer.items(library.items[StreamId(ID)].values())
    return ["".join(part if isinstance(part, str) else part.text for part in line) for line in lines]


def test_long_output_is_folded_where_it_can_be_seen(run: Run, library: MemoryLibrary) -> None:
    output = Raw(json.encode("\n".join(f"line {n}" for n in range(140))))

    said = shown(run, library, e.ToolCalled("c", "c", title="Bash", output=output))

    assert "line 19\n         … 120 more lines (show --json for all)" in said
    assert "line 20" not in said


def test_empty_lines_around_a_message_are_not_shown(run: Run, library: MemoryLibrary) -> None:
    library.happened(
        "aaaa", e.SessionCreated("acp", "owner"), e.TextAppended("m1", "\nOne.\n\n"), e.ThoughtAppended("h", "Hm")
    )

    assert "  One.\n\n  thought: Hm" in run("show", "aaaa").out


def test_a_message_is_shown_whole(run: Run, library: MemoryLibrary) -> None:
    text = "\n".join(f"line {n}" for n in range(300))

    assert "  line 299" in shown(run, library, e.TextAppended("a", text))


@pytest.mark.parametrize(
    ("fact", "line"),
    [
        (e.TurnInterrupted("t", "the agent died"), "── interrupted: the agent died ──"),
        (e.HistoryGap("reconnected"), "── gap: reconnected ──"),
        (e.Attached("link", resumed=True), "── resumed ──"),
        (e.NoticeAdded("n", "injected", "one\ntwo"), "  injected: one (1 more line; show --json for all)"),
        (e.RawReceived("r", "strange", Raw(b'{"a": 1}')), "  ◇ raw strange\n    a: 1"),
        (e.PlanChanged("p", Raw(b'[{"content": "Look", "status": "completed"}]')), "claude · 12:00\n  ✓ Look"),
    ],
)
def test_what_happened_to_the_conversation_is_a_line_across(
    run: Run, library: MemoryLibrary, fact: Fact, line: str
) -> None:
    assert shown(run, library, e.TurnStarted("t"), fact).strip("\n") == line


def test_a_question_shows_exactly_what_is_asked_and_what_was_answered(run: Run, library: MemoryLibrary) -> None:
    options = (e.Option("once", "allow_once", "Allow"), e.Option("no", "reject_once"))
    asked = e.PermissionRequested("q", None, "Run it", Raw(b'{"command": "rm"}'), options, "hash")

    waiting = shown(run, library, asked)

    assert waiting == "  ● Run it · permission pending\n    in   command: rm\n      once  Allow\n      no  "
    library.happened(ID, e.PermissionAnswered("q", "once", "hash"))
    assert "∙ Run it · permission answered · once by peer" in run("show", ID).out


def test_a_new_day_is_a_line_across(run: Run, library: MemoryLibrary) -> None:
    library.happened(ID, e.SessionCreated("acp", "owner"), e.TextAppended("a", "one"))

    assert "\n── 2025-11-20 ──\n" in run("show", ID).out


def test_a_prompt_that_failed_says_so(run: Run, library: MemoryLibrary) -> None:
    said = shown(run, library, e.PromptSent("p", of_text("Go")), e.PromptFailed("p", "not_delivered"))

    assert said.startswith("You · 12:00 · failed: not delivered\n  Go")
