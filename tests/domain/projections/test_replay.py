"""The view at any position is the view that was live then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace

from holdfast.domain.answers import LogEvent
from holdfast.domain.errors import CursorError, NotFoundError
from holdfast.domain.projections.replay import Moment, story
from holdfast.domain.session import codec
from holdfast.domain.session import events as e
from holdfast.domain.session.facts import Unknown
from tests.domain.histories import commands, facts_of, unfold
from tests.domain.scene import CREATED, HELLO, NAME, START, dump, recorded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from holdfast.domain.recorded import Recorded, StreamId
    from holdfast.domain.session import commands as c
    from holdfast.domain.session.facts import Fact


def logged(event: Recorded) -> LogEvent:
    """An event as a store gives it: its payload as it is stored."""
    encoded = codec.encode(event.event)
    stored = replace(event, event=Unknown(encoded.tag, encoded.schema, encoded.data.decode()))
    return LogEvent(stored, "session", encoded.tag, Raw(encoded.data))


class Told:
    """The log of one session, in memory."""

    def __init__(self, log: Sequence[LogEvent]) -> None:
        self._log = log

    def events(self, *, session_id: StreamId | None = None, types: Sequence[str] = ()) -> Iterator[LogEvent]:
        assert session_id == NAME
        return (event for event in self._log if not types or event.type in types)


def then(*facts: Fact, until: int | None = None, at: int | None = None) -> Moment:
    """The session as it was after the events up to a moment."""
    moment = Moment(NAME)
    told = Told([logged(recorded(fact, version)) for version, fact in enumerate(facts, 1)])
    for event in story(told, NAME, until=until, at=at):
        moment.take(event)
    return moment


@given(commands(), st.data())
def test_the_view_at_any_position_is_the_one_that_was_live_then(
    asked: Sequence[c.Command], data: st.DataObject
) -> None:
    facts = facts_of(unfold(asked))
    live = Moment(NAME)
    seen: list[bytes] = []
    for version, fact in enumerate(facts, 1):
        live.take(recorded(fact, version))
        seen.append(dump(live.page()))
    position = data.draw(st.integers(1, len(facts)))

    assert dump(then(*facts, until=position).page()) == seen[position - 1]


def test_a_time_ends_the_story_at_the_first_event_after_it() -> None:
    facts = (CREATED, e.MessageSent("m1", HELLO), e.TextAppended("a1", "late"))

    assert list(then(*facts, at=START + 1_000_000).items) == ["m1"]
    assert list(then(*facts, at=START + 1_999_999).items) == ["m1"]
    assert list(then(*facts, at=START + 2_000_000).items) == ["m1", "a1"]


def test_before_it_began_there_is_no_session() -> None:
    with pytest.raises(NotFoundError):
        then(CREATED, at=START - 1).page()


def test_a_past_transcript_has_pages_too() -> None:
    facts = (CREATED, *(e.MessageSent(f"m{number}", HELLO) for number in range(1, 6)))

    newest = then(*facts, until=5).page(limit=2)
    before = then(*facts, until=5).page(limit=2, before=newest.before)

    assert [item.id for item in newest.items] == ["m3", "m4"]
    assert [item.id for item in before.items] == ["m1", "m2"]
    assert before.before is None
    with pytest.raises(CursorError):
        then(*facts).page(before="first")
