from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw, json

from holdfast.domain.projections.bodies import arguments, beyond_text, fold, plan, result

KEPT = {"$attachment": "0a" * 32, "size": 2 * 1024 * 1024, "encoding": "base64"}
LINE = "[attachment, 2.0 MiB, 0a0a0a0a0a0a…]"


def raw(value: object) -> Raw:
    return Raw(json.encode(value))


def test_arguments_are_named_one_a_line() -> None:
    value = {"command": "make\ntest", "timeout": 5, "dry": False, "env": {"A": [1]}, "none": None}

    assert arguments(raw(value)) == [
        *("command:", "  make", "  test", "timeout: 5", "dry: false"),
        *("env:", "  {", '    "A": [', "      1", "    ]", "  }", "none:"),
    ]


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        ("one\r\ntwo\n", ["one", "two"]),
        ([{"type": "text", "text": "one\ntwo"}, {"type": "image", "data": "…"}], ["one", "two", "[image]"]),
        ([{"type": "content", "content": {"type": "text", "text": "inner"}}], ["inner"]),
        ([{"type": "diff", "path": "/a", "oldText": "x", "newText": "y"}], ["/a", "- x", "+ y"]),
        ([{"type": "tool_reference", "name": "x"}], ['{"type": "tool_reference", "name": "x"}']),
        ({"a": 1}, ['{"a": 1}']),
        ([1, 2], ["[1, 2]"]),
        ([{"type": "image", "data": KEPT}], ["[image, 2.0 MiB, 0a0a0a0a0a0a…]"]),
        ([{"type": "audio", "source": {"data": KEPT}}], ["[audio, 2.0 MiB, 0a0a0a0a0a0a…]"]),
        ([{"type": "resource", "resource": {"uri": "file:///a", "text": "one\ntwo"}}], ["file:///a", "one", "two"]),
        ([{"type": "resource", "resource": {"uri": "file:///a", "text": KEPT}}], ["file:///a", LINE]),
        ({"blob": KEPT}, [f'{{"blob": "{LINE}"}}']),
        (42, ["42"]),
        (None, []),
    ],
)
def test_results_are_read_like_text_where_they_are_text(value: object, lines: list[str]) -> None:
    assert result(raw(value)) == lines


def test_nothing_is_nothing() -> None:
    assert arguments(Raw()) == []
    assert result(Raw()) == []


@pytest.mark.parametrize("body", [b'"\\ud800"', b"[" * 3000 + b"]" * 3000, b'{"n": 123456789012345678901234567890}'])
def test_what_python_cannot_hold_is_shown_as_it_is(body: bytes) -> None:
    assert "".join("".join(result(Raw(body))).split()) == "".join(body.decode().split())


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(),
    lambda each: st.lists(each) | st.dictionaries(st.text(), each),
    max_leaves=10,
)


@pytest.mark.slow
@given(JSON_VALUES)
def test_any_json_can_be_shown(value: object) -> None:
    body = raw(value)

    assert all("\n" not in line for line in [*arguments(body), *result(body)])
    assert plan(body) is not None


def test_a_plan_has_entries_with_states() -> None:
    entries = [{"content": "Look", "status": "completed", "priority": "high"}, "odd"]

    assert plan(raw(entries)) == [("completed", "Look"), ("", "odd")]


def test_what_is_folded_is_counted() -> None:
    assert fold(["a", "b", "c"], 3, "more") == ["a", "b", "c"]
    assert fold(["a", "b", "c"], 2, "--json for all") == ["a", "b", "… 1 more line (--json for all)"]
    assert fold(["x" * 5000], 2, "hint")[0].endswith("x … 3,000 more characters (hint)")


def test_what_a_message_holds_beside_its_words_is_named() -> None:
    blocks = [{"type": "text", "text": "words"}, {"type": "image", "data": "…"}, {"type": "resource_link", "uri": "x"}]

    assert beyond_text(raw(blocks)) == ["[image]"]
    assert beyond_text(raw("words")) == []
