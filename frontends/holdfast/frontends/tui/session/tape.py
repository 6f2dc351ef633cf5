"""A session's events, and what its transcript was after any of them. Pure; the same folds as the live views."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from msgspec import json

from holdfast.domain import wire
from holdfast.domain.compaction import of_events
from holdfast.domain.projections.items import Append, Put
from holdfast.domain.projections.replay import Moment, decoded
from holdfast.frontends.client.shapes import event as read_event

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from holdfast.domain.recorded import Recorded, StreamId
    from holdfast.frontends.tui.session.items import Json

LONGEST_PAUSE: Final = 3_000_000
"""Microseconds in which nothing happened that are played at the most."""

_encode = json.Encoder().encode
_decode = json.Decoder(dict[str, object]).decode


class Tape:
    """One session, wound to some moment.

    Attributes:
        place: So many events have happened.
        items: The transcript then, as a view has it.
        prompts: After how many events each prompt stood there.
        begins: After how many events each item stood there.
    """

    def __init__(self, session: StreamId, events: Iterable[Json]) -> None:
        """Read a session's events, in order; it stands at its beginning.

        Raises:
            HoldfastError: An event is not as the contract says.
        """
        logged = [read_event(_encode(each)) for each in events]
        compactions = of_events((each.recorded.originator_version, decoded(each).event) for each in logged)
        self._session = session
        self._events: list[Recorded] = [decoded(each, compactions) for each in logged]
        self._clock = list(
            accumulate(
                (
                    min(LONGEST_PAUSE, max(0, now.at - before.at))
                    for before, now in zip(self._events, self._events[1:], strict=False)
                ),
                initial=0,
            )
        )
        self.prompts: list[int] = []
        self.begins: list[int] = []
        self._survey()
        self._moment = Moment(session)
        self.place = 0
        self.items: dict[str, Json] = {}

    def __len__(self) -> int:
        return len(self._events)

    @property
    def at(self) -> int | None:
        """The time of the latest event that happened, microseconds since the epoch."""
        return self._events[self.place - 1].at if self.place else None

    @property
    def position(self) -> int:
        """Where that event stands in the log."""
        return self._moment.position

    def wind(self, place: int) -> Sequence[str]:
        """Go to after so many events, and return the items that changed, in order; backwards that is all of them."""
        place = max(0, min(len(self._events), place))
        changed: dict[str, None] = {}
        if place < self.place:
            changed = dict.fromkeys(self.items)
            self._moment = Moment(self._session)
            self.items = {}
            self.place = 0
        for recorded in self._events[self.place : place]:
            for change in self._moment.take(recorded):
                if isinstance(change, Put | Append):
                    changed[change.item_id] = None
                else:
                    changed |= dict.fromkeys(self.items)
                    self.items = {}
        for item_id in changed:
            item = self._moment.items.get(item_id)
            if item is not None:
                self.items[item_id] = _decode(_encode({**wire.item(item), "ordinal": item.ordinal}))
        self.place = place
        return list(changed)

    def until(self, at: int) -> int:
        """Return how many events had happened at a time: the first later one ends that."""
        return next((place for place, recorded in enumerate(self._events) if recorded.at > at), len(self._events))

    def time_of(self, place: int) -> float:
        """Return when in its playing a place comes, seconds from the beginning; long pauses are short."""
        return self._clock[min(place, len(self._clock)) - 1] / 1e6 if place and self._clock else 0.0

    def place_at(self, seconds: float) -> int:
        """Return the place at a time of its playing."""
        return min(len(self._events), bisect_right(self._clock, seconds * 1e6))

    def _survey(self) -> None:
        """Find where items begin."""
        moment = Moment(self._session)
        for place, recorded in enumerate(self._events, 1):
            for change in moment.take(recorded):
                if isinstance(change, Put) and change.item.position == change.item.ordinal:
                    self.begins.append(place)
                    if change.item.kind == "message" and change.item.role == "user":
                        self.prompts.append(place)
