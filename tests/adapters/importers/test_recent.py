from __future__ import annotations

from holdfast.adapters.importers.recent import LIMIT, RecentItems
from holdfast.domain.session import events as e


def test_a_message_that_was_never_seen_has_its_own_name() -> None:
    assert RecentItems().item("m", None) == "m"


def test_what_is_known_follows_from_the_facts_alone() -> None:
    facts: list[e.Fact] = [e.TextAppended("m", "one")]
    assert RecentItems(facts).item("m", None) == "m"

    facts += [e.ToolCalled("t", "t"), e.UsageReported("message", "m")]
    assert RecentItems(facts).item("m", None) == "m#2"

    facts += [e.TextAppended("m#2", "two"), e.ToolUpdated("t", "t"), e.TurnEnded("turn", "end_turn")]
    assert RecentItems(facts).item("m", None) == "m#2"

    facts += [e.NoticeAdded("n", "info", "x")]
    assert RecentItems(facts).item("m", None) == "m#3"
    assert RecentItems(facts).item("m", "elsewhere") == "m#3"


def test_what_is_remembered_is_bounded() -> None:
    recent = RecentItems()
    for number in range(10 * LIMIT):
        recent.note(e.TextAppended(f"m{number}", "x", thread=f"t{number}"))

    assert len(vars(recent)["_last"]) < LIMIT
    assert len(vars(recent)["_runs"]) < LIMIT
    assert recent.item(f"m{10 * LIMIT - 1}", f"t{10 * LIMIT - 1}") == f"m{10 * LIMIT - 1}"
