from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from holdfast.adapters.transports.acp.protocol import tools
from holdfast.adapters.transports.acp.protocol.tools import ToolLog, splice
from holdfast.adapters.transports.acp.protocol.wire import Update
from holdfast.domain.content import NOTHING
from holdfast.domain.projections.items import Item, apply
from holdfast.domain.projections.transcript import project
from holdfast.domain.recorded import EventId, Recorded, StreamId
from holdfast.domain.session import events as e

INPUT = Raw(b'{"command": "ls"}')


def shown(text: str) -> Raw:
    return Raw(
        json.dumps([{"type": "content", "content": {"type": "text", "text": text}}], ensure_ascii=False).encode()
    )


def test_the_first_words_of_a_tool_are_all_kept() -> None:
    update = Update("tool_call", tool_call_id="c", title="ls", kind="execute", status="pending", raw_input=INPUT)

    news = ToolLog().news("t1/c", update, announced=True)

    assert news == e.ToolCalled("t1/c", "c", "ls", "execute", "pending", INPUT)


def test_what_was_said_before_is_left_out() -> None:
    log = ToolLog()
    log.news(
        "t1/c", Update("tool_call", tool_call_id="c", title="ls", status="pending", raw_input=INPUT), announced=True
    )

    again = Update("tool_call_update", tool_call_id="c", title="ls", status="completed", raw_input=INPUT)

    assert log.news("t1/c", again, announced=False) == e.ToolUpdated("t1/c", "c", status="completed")
    assert log.news("t1/c", again, announced=False) is None


def test_null_and_empty_say_nothing() -> None:
    empty = Update("tool_call_update", tool_call_id="c", content=Raw(b"[]"), locations=Raw(b"null"))

    assert ToolLog().news("t1/c", empty, announced=False) is None


def test_words_for_a_refusal_mean_failed_and_unknown_ones_nothing() -> None:
    log = ToolLog()
    refused = log.news("t1/c", Update("tool_call_update", tool_call_id="c", status="cancelled"), announced=False)

    assert refused == e.ToolUpdated("t1/c", "c", status="failed")
    assert log.news("t1/c", Update("tool_call_update", tool_call_id="c", status="novel"), announced=False) is None


def replayed(facts: list[e.ToolCalled | e.ToolUpdated]) -> Item:
    items: dict[str, Item] = {}
    for version, fact in enumerate(facts, 1):
        recorded = Recorded(StreamId("s"), version, EventId(b"e" * 16), 0, fact, position=version)
        for change in project(items, recorded):
            apply(items, change)
    (item,) = items.values()
    return item


def said(contents: list[Raw]) -> list[e.ToolCalled | e.ToolUpdated]:
    log = ToolLog()
    updates = [Update("tool_call_update", tool_call_id="c", content=content) for content in contents]
    news = [log.news("t1/c", update, announced=at == 0) for at, update in enumerate(updates)]
    return [each for each in news if each is not None]


def test_an_output_that_is_sent_whole_with_each_line_is_stored_once() -> None:
    output = ""
    contents: list[Raw] = []
    for number in range(300):
        output += f"line {number} äöü 😀\n"
        contents.append(shown(f"```sh\n{output}```\n"))

    facts = said(contents)

    stored = sum(
        len(fact.content) + (len(fact.grown.insert) if isinstance(fact, e.ToolUpdated) and fact.grown else 0)
        for fact in facts
    )
    assert replayed(facts).output == contents[-1]
    assert stored < 4 * len(contents[-1])
    assert sum(map(len, contents)) > 100 * len(contents[-1])


@given(
    st.lists(st.text(st.sampled_from('ab\n\\"ä😀'), min_size=300, max_size=700), min_size=1, max_size=5), st.booleans()
)
def test_whatever_is_sent_is_what_is_shown(texts: list[str], adding: bool) -> None:
    if adding:
        texts = ["".join(texts[: at + 1]) for at in range(len(texts))]
    contents = [shown(text) for text in texts]

    assert replayed(said(contents)).content == contents[-1]


@given(st.text(st.sampled_from("aä\n"), max_size=30), st.text(st.sampled_from("aä\n"), max_size=30))
def test_a_splice_makes_the_one_of_the_other(before: str, now: str) -> None:
    change = splice(before, now)

    assert change.head + change.tail <= min(len(before), len(now))
    assert before[: change.head] + change.insert + before[len(before) - change.tail :] == now


def test_content_with_an_attachment_is_sent_whole_so_that_no_difference_is_one_to_a_reference() -> None:
    """What is stored has a reference in it: the place of a change in what was sent says nothing of it."""
    picture = {"type": "image", "data": "QUJD" * 20_000}

    def news(*lines: str) -> e.ToolCalled | e.ToolUpdated | None:
        blocks = [
            {"type": "content", "content": each} for each in (picture, *({"type": "text", "text": x} for x in lines))
        ]
        content = Raw(json.dumps(blocks).encode())
        return log.news("t1/c", Update("tool_call_update", tool_call_id="c", content=content), announced=False)

    log = ToolLog()
    for lines in (("one",), ("one", "two"), ("one", "two", "three")):
        fact = news(*lines)
        assert isinstance(fact, e.ToolUpdated)
        assert fact.grown is None
        assert fact.content


def test_what_is_remembered_is_bounded() -> None:
    log = ToolLog()
    big = "x" * (tools.REMEMBERED_BYTES // 4)

    for number in range(10):
        update = Update("tool_call_update", tool_call_id=str(number), content=shown(big))
        news = log.news(f"t1/{number}", update, announced=False)
        assert news is not None
        assert log.remembered_bytes <= tools.REMEMBERED_BYTES

    log.clear()
    update = Update("tool_call_update", tool_call_id="0", content=shown(big))
    news = log.news("t1/0", update, announced=False)
    assert news is not None
    assert news.content != NOTHING
