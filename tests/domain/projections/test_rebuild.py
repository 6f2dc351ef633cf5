"""Live and rebuilt views are equal, whatever happened: the second is folded from the stored form, from nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from msgspec.structs import replace

from holdfast.domain.projections import inbox, transcript
from holdfast.domain.projections.inbox import Arrived, Request, Settled
from holdfast.domain.projections.items import Append, Clear, Item, Put, apply
from holdfast.domain.projections.roster import row
from holdfast.domain.session import codec
from holdfast.domain.session import events as e
from holdfast.domain.session.session import Session
from tests.domain.histories import commands, facts_of, history, unfold
from tests.domain.scene import NAME, dump, recorded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from holdfast.domain.projections.items import Change
    from holdfast.domain.recorded import Recorded
    from holdfast.domain.session import commands as c

_item = msgspec.json.Decoder(Item)


class Views:
    """All views of one session, brought up to date event by event, as a store does it."""

    def __init__(self, apply: Callable[[dict[str, Item], Change], None] = apply) -> None:
        self.session = Session(NAME)
        self.items: dict[str, Item] = {}
        self.inbox: dict[str, Request] = {}
        self._apply = apply

    def take(self, event: Recorded) -> tuple[Change, ...]:
        self.session = self.session.after(event)
        changes = transcript.project(self.items, event)
        for change in changes:
            self._apply(self.items, change)
        match inbox.project(event):
            case Arrived(request=request):
                self.inbox[request.request_id] = request
            case Settled(request_id=request_id):
                self.inbox.pop(request_id, None)
            case None:
                pass
        return changes

    def dump(self) -> bytes:
        items = [_settled(item) for item in self.items.values()]
        return dump(row(self.session), self.session, items, list(self.inbox.values()))


def _settled(item: Item) -> Item:
    return replace(item, text=item.text + "".join(item.tail), tail=[])


def _events(asked: Iterable[c.Command]) -> list[Recorded]:
    return [recorded(fact, version) for version, fact in enumerate(facts_of(unfold(asked)), 1)]


def _read_back(events: Sequence[Recorded]) -> list[Recorded]:
    """The events as the log gives them, with nothing left of what stood before an erasure."""
    erased = max((index for index, event in enumerate(events) if isinstance(event.event, e.SessionErased)), default=0)
    forms = [codec.encode(event.event) for event in events]
    return [
        replace(event, event=codec.decode(form.tag, form.schema, None if index < erased else form.data))
        for index, (event, form) in enumerate(zip(events, forms, strict=True))
    ]


def _folded(events: Iterable[Recorded], views: Views | None = None) -> Views:
    views = views or Views()
    for event in events:
        views.take(event)
    return views


@pytest.mark.slow
@given(asked=commands())
def test_a_rebuild_gives_the_views_that_were_there_live(asked: list[c.Command]) -> None:
    events = _events(asked)

    assert _folded(_read_back(events)).dump() == _folded(events).dump()


@pytest.mark.slow
@given(asked=commands())
def test_a_piece_of_text_is_added_at_the_end_of_what_everybody_has(asked: list[c.Command]) -> None:
    views = Views()
    texts: dict[str, str] = {}

    for event in _events(asked):
        for change in views.take(event):
            match change:
                case Append(item_id=item_id, at=at, text=text):
                    assert at == len(texts[item_id])
                    texts[item_id] = texts[item_id][:at] + text
                case Put(item=item):
                    texts[item.id] = item.text
                case Clear():
                    texts.clear()
        assert texts == {item.id: item.text + "".join(item.tail) for item in views.items.values()}
        assert {item.id: item.length for item in views.items.values()} == {
            key: len(text) for key, text in texts.items()
        }


@pytest.mark.slow
@given(asked=commands())
def test_only_the_item_that_an_event_touches_is_needed_to_fold_it(asked: list[c.Command]) -> None:
    whole = Views()
    stored: dict[str, bytes] = {}

    for event in _events(asked):
        whole.take(event)
        touched = transcript.touched(event.event)
        items = {touched: _item.decode(stored[touched])} if touched in stored else {}
        for change in transcript.project(items, event):
            apply(items, change)
            if isinstance(change, Clear):
                stored.clear()
        stored |= {item.id: msgspec.json.encode(_settled(item)) for item in items.values()}

    assert list(stored.values()) == [msgspec.json.encode(_settled(item)) for item in whole.items.values()]


@pytest.mark.slow
@given(asked=commands())
def test_items_ascend_in_order_of_first_appearance_and_know_what_changed_them_last(asked: list[c.Command]) -> None:
    views = Views()

    for event in _events(asked):
        for change in views.take(event):
            if not isinstance(change, Clear):
                assert views.items[change.item_id].position == event.position
    ordinals = [item.ordinal for item in views.items.values()]

    assert ordinals == sorted(ordinals)
    assert len(set(ordinals)) == len(ordinals)


@pytest.mark.slow
@given(asked=commands())
def test_the_inbox_holds_what_the_session_waits_for(asked: list[c.Command]) -> None:
    views = _folded(_events(asked))

    assert list(views.inbox) == [pending.request_id for pending in views.session.state.pending]
    assert len(views.inbox) == row(views.session).pending


def _drops_a_piece(items: dict[str, Item], change: Change) -> None:
    if isinstance(change, Append) and change.at > 20:
        return
    apply(items, change)


def _keeps_what_was_cleared(items: dict[str, Item], change: Change) -> None:
    if not isinstance(change, Clear):
        apply(items, change)


def _puts_at_the_end(items: dict[str, Item], change: Change) -> None:
    if isinstance(change, Put):
        items.pop(change.item_id, None)
    apply(items, change)


@pytest.mark.slow
@pytest.mark.parametrize("broken", [_drops_a_piece, _keeps_what_was_cleared, _puts_at_the_end])
def test_a_rebuild_shows_a_live_fold_that(broken: Callable[[dict[str, Item], Change], None]) -> None:
    histories_told = [_events(history(seed)) for seed in range(200)]

    assert any(_folded(_read_back(events)).dump() != _folded(events, Views(broken)).dump() for events in histories_told)
