from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from holdfast.adapters.transports.acp.protocol.items import Naming
from holdfast.domain.session import events as e

if TYPE_CHECKING:
    from holdfast.domain.session.facts import Fact

START = e.TurnStarted("t7", "p1")
Step = tuple[Literal["m", "h", "tool", "other", "plan", "asks"], str | None]


def take(naming: Naming, step: Step) -> Fact:
    kind, name = step
    fact: Fact
    match kind:
        case "m":
            fact = e.TextAppended(naming.speech("m", name), "x")
        case "h":
            fact = e.ThoughtAppended(naming.speech("h", name), "x")
        case "tool":
            fact = e.ToolUpdated(naming.tool(name or "call", announced=False), name or "call", status="in_progress")
        case "plan":
            fact = e.PlanChanged(naming.plan(), Raw(b"[]"))
        case "asks":
            fact = e.PermissionRequested("r1", "t7", "touch", Raw(b"{}"), (), "hash")
        case "other":
            fact = e.RawReceived(naming.next(), "novelty", Raw(b"{}"))
    naming.after(fact)
    return fact


def names(*steps: Step) -> list[str]:
    naming = Naming([START])
    facts = [take(naming, step) for step in steps]
    return [getattr(fact, "item_id", "") or "" for fact in facts]


def test_pieces_of_one_message_are_one_item() -> None:
    assert names(("m", None), ("m", None)) == ["t7.1", "t7.1"]


def test_another_kind_starts_the_next_item() -> None:
    assert names(("h", None), ("m", None), ("h", None)) == ["t7.1", "t7.2", "t7.3"]


def test_another_message_starts_the_next_item() -> None:
    first, again, second = names(("m", "msg_1"), ("m", "msg_1"), ("m", "msg_2"))

    assert first == again != second
    assert first.startswith("t7.m")
    assert len(first) == len("t7.m") + 8


def test_a_message_goes_on_after_a_tool_as_a_piece_of_the_same() -> None:
    before, _, after, _, last = names(("m", "msg"), ("tool", "a"), ("m", "msg"), ("tool", "b"), ("m", "msg"))

    assert (after, last) == (f"{before}#2", f"{before}#3")


def test_without_ids_what_comes_after_a_tool_is_the_next_item() -> None:
    assert names(("m", None), ("tool", "a"), ("m", None)) == ["t7.1", "t7/a", "t7.2"]


def test_news_of_a_tool_that_stands_there_already_do_not_part_a_message() -> None:
    assert names(("tool", "a"), ("m", None), ("tool", "a"), ("m", None)) == ["t7/a", "t7.1", "t7/a", "t7.1"]


@pytest.mark.parametrize("between", ["other", "plan", "asks"])
def test_whatever_stands_in_between_parts_a_message(between: Literal["other", "plan", "asks"]) -> None:
    first, _, second = names(("m", "msg"), (between, None), ("m", "msg"))

    assert second == f"{first}#2"


def test_the_second_form_of_a_plan_parts_nothing() -> None:
    assert names(("plan", None), ("m", None), ("plan", None), ("m", None)) == ["t7.plan", "t7.1", "t7.plan", "t7.1"]


def test_thought_and_message_with_one_id_are_two_items() -> None:
    thought, message = names(("h", "msg"), ("m", "msg"))

    assert thought != message


def test_ids_that_repeat_from_turn_to_turn_are_different_items() -> None:
    naming = Naming([START])
    naming.after(e.ToolCalled(naming.tool("call_1", announced=True), "call_1", status="completed"))
    naming.after(e.TurnStarted("t9", "p2"))

    assert naming.tool("call_1", announced=True) == "t9/call_1"
    assert naming.tool("call_1", announced=False) == "t9/call_1"


def test_late_news_of_an_unfinished_tool_are_about_that_one() -> None:
    naming = Naming([START])
    naming.after(e.ToolCalled(naming.tool("call_1", announced=True), "call_1", status="in_progress"))
    naming.after(e.TurnStarted("t9", "p2"))

    assert naming.tool("call_1", announced=False) == "t7/call_1"
    assert naming.tool("call_1", announced=True) == "t9/call_1"


@pytest.mark.parametrize("call_id", ["a#2", "a b", "\x1b[2J", "ä", "x" * 10_000, "a\n", ""])
def test_a_name_that_no_name_may_be_is_replaced(call_id: str) -> None:
    item_id = Naming([START]).tool(call_id, announced=True)

    assert item_id.startswith("t7/")
    assert len(item_id) == len("t7/") + 8
    assert item_id.isascii()
    assert "#" not in item_id


def test_before_any_turn_there_are_names_too() -> None:
    assert Naming().speech("m", None) == "t0.1"


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["m", "m", "h", "tool", "other", "plan", "asks"]),
        st.sampled_from([None, "a", "b"]),
    ),
    max_size=25,
)


@given(STEPS, st.integers(0, 25))
def test_a_restart_changes_no_name(steps: list[Step], at: int) -> None:
    whole = Naming([START])
    facts = [take(whole, step) for step in steps]

    restarted = Naming([START, *facts[:at]])

    assert [take(restarted, step) for step in steps[at:]] == facts[at:]


@given(STEPS)
def test_an_item_is_of_one_kind_and_has_no_gap(steps: list[Step]) -> None:
    """What a reader sees under one name was said in one go, as far as anything else is visible in between."""
    naming = Naming([START])
    kinds: dict[str, type[Fact]] = {}
    last_speech = ""
    for step in steps:
        before = set(kinds)
        fact = take(naming, step)
        item_id = str(getattr(fact, "item_id", None) or "asks")
        assert kinds.setdefault(item_id, type(fact)) is type(fact)
        if step[0] in ("m", "h"):
            assert item_id == last_speech or item_id not in before
            last_speech = item_id
        elif item_id not in before or step[0] in ("other", "asks"):
            last_speech = ""
