"""Merging what was said piece by piece, and telling the pieces again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace

from holdfast.domain.compaction import Compactions, Merged, Stored, of_events, plan
from holdfast.domain.projections.items import Item, apply
from holdfast.domain.projections.transcript import project
from holdfast.domain.session import events as e
from holdfast.domain.session.codec import decode, encode
from tests.domain.histories import commands, facts_of, unfold
from tests.domain.scene import recorded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.domain.session import commands as c
    from holdfast.domain.session.facts import Fact

STARTED, ENDED = e.TurnStarted("t1"), e.TurnEnded("t1", "end_turn")


def stored(*facts: Fact) -> list[Stored]:
    """The events of a session as a log has them."""
    encoded = [encode(fact) for fact in facts]
    return [Stored(version, each.tag, each.schema, each.data.decode()) for version, each in enumerate(encoded, 1)]


def told_again(before: Sequence[Stored], merged: Sequence[Merged], *, whole: bool = False) -> list[Stored]:
    """The same events, read from what they were merged to."""
    end = before[-1].version
    compactions = of_events((end + number, each.fact) for number, each in enumerate(merged, 1))
    gone = {version for each in merged for version in each.versions}
    tell = compactions.whole if whole else compactions.payload
    return [replace(each, data=tell(each.version, each.tag)) if each.version in gone else each for each in before]


def items(events: Sequence[Stored]) -> list[Item]:
    """The transcript that the events make."""
    found: dict[str, Item] = {}
    for each in events:
        for change in project(found, recorded(decode(each.tag, each.schema, each.data), each.version)):
            apply(found, change)
    return [item.settled() for item in found.values()]


def test_a_message_becomes_one_event_with_its_whole_text() -> None:
    (merged,) = plan(stored(STARTED, e.TextAppended("m", "Hel"), e.TextAppended("m", "lo 🙂"), ENDED))

    assert merged.fact == e.MessageCompacted("m", "text", "Hello 🙂", (e.Pieces(2, (3, 4)),), "")
    assert merged.versions == (2, 3)


def test_the_pieces_are_told_again_byte_by_byte() -> None:
    before = stored(
        STARTED,
        e.TextAppended("m", ""),
        e.TextAppended("m", " \n", "side"),
        e.ThoughtAppended("h", "Hm\t\x01\u2028"),
        e.TextAppended("n", 'a "quoted" word \\'),
        e.ThoughtAppended("h", "…"),
        e.TextAppended("n", "</script>"),
        ENDED,
    )

    merged = plan(before)

    assert {each.fact.item_id for each in merged} == {"h", "n"}, "m is told as a part of two threads"
    assert told_again(before, merged) == before


def test_an_open_turn_and_what_goes_on_in_it_are_left_alone() -> None:
    before = (
        STARTED,
        e.TextAppended("early", "on"),
        e.TextAppended("early", "ce"),
        e.TextAppended("both", "be"),
        ENDED,
        e.TurnStarted("t2"),
        e.TextAppended("both", "fore"),
        e.TextAppended("late", "no"),
        e.TextAppended("late", "w"),
    )

    assert [each.fact.item_id for each in plan(stored(*before))] == ["early"]
    done = plan(stored(*before, e.TurnInterrupted("t2", "restarted")))
    assert {each.fact.item_id for each in done} == {"early", "both", "late"}


def test_a_message_of_one_piece_stays_as_it_is() -> None:
    assert plan(stored(STARTED, e.TextAppended("m", "all of it"), ENDED)) == []


def test_what_was_compacted_before_is_not_compacted_again() -> None:
    before = stored(STARTED, e.TextAppended("m", "a"), e.TextAppended("m", "b"), ENDED)
    (merged,) = plan(before)
    after = [replace(each, data=None) if each.version in merged.versions else each for each in before]
    encoded = encode(merged.fact)

    assert plan([*after, Stored(5, encoded.tag, encoded.schema, encoded.data.decode())]) == []


def test_a_use_of_a_tool_keeps_what_became_of_it() -> None:
    page = Raw(b'[{"type": "text", "text": "' + b"line " * 60 + b'"}]')
    facts = (
        e.ToolCalled("c", "call", "ls", "execute", "pending", Raw(b'{"command": "ls"}')),
        e.ToolUpdated("c", "call", status="in_progress", content=page),
        e.ToolUpdated("c", "call", content=Raw(bytes(page).replace(b"line", b"more"))),
        e.ToolUpdated("c", "call", grown=e.Splice(30, 4, "!")),
        e.ToolUpdated("c", "call", status="completed"),
    )
    before = stored(STARTED, *facts, ENDED)

    (merged,) = plan(before)

    assert isinstance(merged.fact, e.ToolCompacted)
    assert merged.after < merged.before
    assert items(told_again(before, [merged])) == items(before)


def test_uses_of_tools_that_would_take_more_room_stay_as_they_are() -> None:
    assert plan(stored(STARTED, e.ToolCalled("c", "call", "ls"), e.ToolUpdated("c", "call"), ENDED)) == []


def test_people_see_a_message_whole_from_its_first_piece_on() -> None:
    before = stored(STARTED, e.TextAppended("m", ""), e.TextAppended("m", "Hel"), e.TextAppended("m", "lo"), ENDED)

    after = told_again(before, plan(before), whole=True)

    assert [item.text for item in items(after[:3])] == ["Hello"]
    assert [item.text for item in items(after)] == ["Hello"]
    assert [item.ordinal for item in items(after)] == [item.ordinal for item in items(before)]


@given(commands(), st.booleans())
def test_the_transcript_stays_the_same_whatever_happened(asked: Sequence[c.Command], ended: bool) -> None:
    facts = facts_of(unfold(asked))
    if not facts:
        return
    before = stored(*facts, *((e.SessionEnded("user"),) if ended else ()))

    after = told_again(before, plan(before))

    assert items(after) == items(before)
    assert [each for each in after if each.tag.endswith("-appended")] == [
        each for each in before if each.tag.endswith("-appended")
    ]


@pytest.mark.parametrize(
    "fact",
    [
        e.MessageCompacted("m", "text", "ab", (e.Pieces(1, (1, 2)),), ""),
        e.MessageCompacted("m", "text", "ab", (e.Pieces(1, (3, -1)),), ""),
        e.MessageCompacted("m", "text", "ab", (e.Pieces(0, (1, 1)),), ""),
        e.MessageCompacted("m", "text", "ab", (e.Pieces(9, (1, 1)),), ""),
        e.MessageCompacted("m", "text", "ab", (e.Pieces(2, (1,)), e.Pieces(1, (1,))), ""),
        e.MessageCompacted("m", "text", "", (), ""),
        e.ToolCompacted("c", "call", (e.Run(1, 2**62),), ""),
        e.ToolCompacted("c", "call", (e.Run(1, 0),), ""),
        e.ToolCompacted("c", "call", (), ""),
        e.TextAppended("m", "ab"),
    ],
)
def test_what_cannot_be_true_stands_for_nothing(fact: Fact) -> None:
    compactions = Compactions()

    compactions.add(fact, 10)

    tags = ("text-appended", "tool-called")
    assert not any(compactions.payload(version, tag) for version in range(12) for tag in tags)


def test_a_message_never_stands_for_something_else() -> None:
    compactions = of_events([(5, e.MessageCompacted("m", "text", "ab", (e.Pieces(2, (1, 1)),), ""))])

    assert compactions.payload(2, "text-appended") is not None
    assert compactions.payload(2, "thought-appended") is None
    assert compactions.whole(3, "tool-called") is None
