from __future__ import annotations

import pytest
from msgspec import Raw, json

from holdfast.domain.projections.items import Item
from holdfast.domain.search.text import OVERLAP, PASSAGE, first_word, passages, shown_of, text_of
from holdfast.domain.search.words import words


def test_everything_that_was_said_or_run_is_there() -> None:
    item = Item(
        "t1",
        "tool_call",
        title="Bash: make",
        text="said",
        tail=[" so"],
        input=Raw(b'{"command": "make test", "timeout": 30, "quiet": true, "env": {"CI": null}}'),
        output=Raw(json.encode([{"type": "text", "text": "42 passed"}, {"type": "image", "data": "QUJD"}])),
        reason="because",
    )

    assert text_of(item).split("\n") == ["Bash: make", "said so", "make test", "30", "42 passed", "because"]


@pytest.mark.parametrize(
    ("title", "command", "shown"),
    [
        ("Bash: make test", "make test", "Bash: make test\n30\n42"),
        ("Bash: make test", "make  test\n", "Bash: make test\n30\n42"),
        ("Bash: remake test", "make test", "Bash: remake test\nmake test\n30\n42"),
        ("Bash: make te…", "make test", "Bash:\nmake test\n30\n42"),
        ("make test 30", "make test", "make test 30\n42"),
    ],
)
def test_what_is_shown_of_a_tool_says_nothing_twice(title: str, command: str, shown: str) -> None:
    item = Item("t1", "tool_call", title=title, input=Raw(json.encode([command, 30])), output=Raw(b'"42"'))

    assert shown_of(item) == shown
    assert set(words(shown_of(item))) >= set(words(command))
    assert shown_of(item, 1) == text_of(item)


def test_of_a_plan_is_shown_what_is_to_be_done() -> None:
    entries = [{"content": "Read the clock", "priority": "medium", "status": "completed"}, {"content": "Reset it"}]
    item = Item("p1", "plan", content=Raw(json.encode(entries)))

    assert shown_of(item) == "Read the clock\nReset it"


def test_what_is_kept_beside_the_log_is_not_searched() -> None:
    reference = {"$attachment": "0a" * 32, "size": 99_999, "encoding": "utf-8"}
    shown = [{"type": "resource", "resource": {"uri": "file:///a", "text": reference}}]

    assert text_of(Item("t1", "tool_call", output=Raw(json.encode(shown)))) == "file:///a"


def test_an_output_that_is_also_the_content_is_there_once() -> None:
    shown = Raw(b'[{"type": "content", "content": {"type": "text", "text": "hello"}}]')

    assert text_of(Item("t1", "tool_call", output=shown, content=shown)) == "hello"
    assert text_of(Item("t1", "tool_call", output=Raw(b'"out"'), content=shown)) == "out\nhello"


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b'{"type": "bug", "data": "kept"}', "bug\nkept"),
        (b"not json", "not json"),
        (b"[" * 100_000, "[" * 100_000),
        (b'"\xff"', '"\ufffd"'),
    ],
)
def test_any_json_is_read(raw: bytes, said: str) -> None:
    assert text_of(Item("r1", "raw", content=Raw(raw))) == said


def test_a_long_text_falls_into_passages_that_overlap() -> None:
    text = " ".join(f"w{number}" for number in range(PASSAGE * 2 + 100))
    found = passages(text)

    assert [len(each) for each in found][:-1] == [PASSAGE, PASSAGE]
    assert found[0][-OVERLAP:] == found[1][:OVERLAP]
    assert all(each == words(text)[first_word(part) : first_word(part) + PASSAGE] for part, each in enumerate(found))
    assert found[-1][-1] == words(text)[-1]


@pytest.mark.parametrize(("size", "count"), [(0, 0), (1, 1), (PASSAGE, 1), (PASSAGE + 1, 2)])
def test_most_texts_are_one_passage(size: int, count: int) -> None:
    assert len(passages("word " * size)) == count
