from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from holdfast.frontends.tui.session.drawing import Scene, draw
from holdfast.frontends.tui.session.items import clock
from holdfast.frontends.tui.session.rows import Row, rows
from holdfast.frontends.tui.session.text import cells

if TYPE_CHECKING:
    from holdfast.frontends.tui.session.items import Json

HOSTILE = "a\x1b[31mb\x9b2Jc\u202ed\x07e\x1b]52;c;AA\x1b\\f\u200bg\x00h"
AT = "2026-11-21T07:00:00.000Z"


def shown(item: Json, level: int = 0, width: int = 76) -> str:
    scene = Scene(width)
    if level:
        scene.opened["x"] = level
    row = Row("x", "item", ("x",), speaks=True)
    return "\n".join(line.text.rstrip() for line in draw(row, lambda _: {"id": "x", "at": AT, **item}, scene))


def test_a_prompt_says_how_far_it_came_and_why_it_failed() -> None:
    prompt: Json = {"kind": "message", "role": "user", "text": "hello"}

    assert "· sent" in shown(prompt | {"status": "sent"})
    assert "accepted" not in shown(prompt | {"status": "accepted"})
    failed = shown(prompt | {"status": "failed", "reason": "the agent said no"})
    assert "· failed" in failed
    assert "✗ the agent said no" in failed


def test_a_thought_is_one_line_until_it_is_unfolded() -> None:
    thought: Json = {"kind": "thought", "text": "first\nsecond"}

    assert "✻ Thought first second" in shown(thought)
    assert "  second" in shown(thought, 1).split("\n")


def test_a_tool_that_worked_is_one_line_and_one_that_failed_shows_why() -> None:
    use: Json = {"kind": "tool_call", "title": "make test", "tool": "execute", "output": "boom"}

    assert shown(use | {"status": "completed"}).endswith("✓ make test  execute")
    assert "│ boom" in shown(use | {"status": "failed"})
    assert "│ boom" in shown(use | {"status": "in_progress"})


def test_a_tool_whose_end_was_never_told_says_what_was_over_before() -> None:
    use: Json = {"kind": "tool_call", "title": "make test", "tool": "execute", "status": "failed"}

    assert "│ How it ended was never told: its turn was stopped." in shown(use | {"reason": "cancelled"})
    assert "never told: of a later version." in shown(use | {"reason": "of a later version"})
    assert "never told" not in shown(use)


def test_a_change_of_a_file_shows_its_size_folded_and_its_lines_unfolded() -> None:
    content = [{"type": "diff", "path": "a.py", "oldText": "a\nb\n", "newText": "a\nc\nd\n"}]
    use: Json = {"kind": "tool_call", "title": "edit", "status": "completed", "content": content}

    assert "+2 −1" in shown(use)
    assert "2 - b" in shown(use, 1)
    assert "3 + d" in shown(use, 1)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"status": "pending"}, "● rm -rf /  waits for your answer"),
        ({"status": "answered", "decision": "yes", "decided_by": "web"}, "✓ Allow  rm -rf /  by web"),
        ({"status": "answered", "decision": "no", "reason": "never"}, "✗ Reject  rm -rf /  “never”"),
        ({"status": "answered", "decision": "cancelled"}, "✗ Denied  rm -rf /"),
        ({"status": "expired"}, "∙ Expired  rm -rf /"),
        ({"status": "expired", "reason": "cancelled"}, "∙ Expired  rm -rf /  its turn was stopped"),
    ],
)  # fmt: skip
def test_a_question_says_what_became_of_it(fields: Json, words: str) -> None:
    options = [
        {"option_id": "yes", "kind": "allow_once", "name": "Allow"},
        {"option_id": "no", "kind": "reject_once", "name": "Reject"},
    ]

    assert words in shown({"kind": "permission", "title": "rm -rf /", "options": options, **fields})


@pytest.mark.parametrize("status", ["interrupted", "resumed", "gap", "ended", "restarted", "cancelled", "made up"])
def test_what_happened_to_the_conversation_is_a_line_across(status: str) -> None:
    assert "───" in shown({"kind": "notice", "status": status})


def test_pictures_and_files_beside_a_message_are_named() -> None:
    content = [
        {"type": "text", "text": "look"},
        {"type": "image", "mimeType": "image/png", "data": "AAAA"},
        {"type": "resource_link", "uri": "file:///a", "name": "a.py"},
    ]
    text = shown({"kind": "message", "role": "user", "text": "look\n[image]", "content": content})

    assert "look" in text
    assert "▣ image  image/png  3 bytes" in text
    assert "▣ resource link  a.py" in text
    assert "[image]" not in text


KINDS = ("message", "thought", "tool_call", "plan", "permission", "notice", "raw", "unheard of")
FIELDS = ("text", "title", "tool", "status", "author", "thread", "reason", "decision", "decided_by", "role", "at")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("level", [0, 1, 2])
def test_nothing_in_any_field_reaches_the_terminal_or_breaks_a_line(kind: str, level: int) -> None:
    inner = {"type": HOSTILE, "text": HOSTILE, "content": HOSTILE, "name": HOSTILE, "uri": HOSTILE, "status": HOSTILE}
    diff = {"type": "diff", "path": HOSTILE, "oldText": "x\n", "newText": HOSTILE}
    options = [{"option_id": HOSTILE, "kind": "allow_once", "name": HOSTILE}]
    values: list[object] = [HOSTILE, {HOSTILE: HOSTILE}, [inner, diff], HOSTILE * 40]
    for status in ("failed", "in_progress", "pending", HOSTILE):
        for value in values:
            item: Json = {**dict.fromkeys(FIELDS, HOSTILE), "kind": kind, "status": status, "options": options}
            item |= {"input": value, "output": value, "content": value, "decision": HOSTILE}
            text = shown(item, level, 40)
            assert text.replace("\n", "").isprintable()
            assert all(cells(line) <= 90 for line in text.split("\n"))  # heads are cut at the edge of the screen


@pytest.mark.parametrize("value", [None, 3, True, [], {}, [None, 1], {"type": 5}, "text", [[]]])
def test_a_field_of_another_kind_than_promised_breaks_nothing(value: object) -> None:
    for kind in KINDS:
        item: Json = {"kind": kind, **dict.fromkeys((*FIELDS, "input", "output", "content", "options"), value)}
        for level in (0, 1, 2):
            shown(item | {"kind": kind}, level)
        assert rows(["x"], {"x": item}.__getitem__, 0, 1)


def test_an_answer_says_who_gave_it_and_when() -> None:
    item: Json = {
        "kind": "permission", "title": "Run it", "status": "answered", "decision": "once", "decided_by": "page",
        "options": [{"option_id": "once", "kind": "allow_once", "name": "Allow once"}],
    }  # fmt: skip

    assert "✓ Allow once  Run it  by page" in shown(item)
    later = clock({"at": "2026-11-21T09:41:00.000Z"})
    assert f"by page  {later}" in shown(item | {"decided_at": "2026-11-21T09:41:00.000Z"})
