"""One transcript as far as it is loaded: its items in order, the rows they make, and where these stand.

Pages, snapshots and changes may overlap in any order; of an item the latest state counts.
"""

from __future__ import annotations

from bisect import bisect_left
from operator import attrgetter
from typing import TYPE_CHECKING

from holdfast.frontends.tui.session.geometry import Geometry
from holdfast.frontends.tui.session.items import number, text
from holdfast.frontends.tui.session.rows import Row, rows, silent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from holdfast.frontends.tui.session.items import Json

_place = attrgetter("place")


class Listing:
    """Items and rows.

    Attributes:
        rows: What is shown, from the top.
        geometry: Where the rows stand.
        before: Cursor of the page before the first item; None at the beginning.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self.rows: list[Row] = []
        self.geometry = Geometry()
        self.before: str | None = None
        self._ids: list[str] = []
        self._items: dict[str, Json] = {}
        self._numbers: dict[str, int] = {}
        self._first = 0
        """The number of the first item: pages above get smaller ones, so that those below keep theirs."""

        self._unread_after: str | None = None
        self._columns = 80

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._items

    @property
    def last(self) -> str | None:
        """The newest item."""
        return self._ids[-1] if self._ids else None

    def get(self, item_id: str) -> Json:
        """Return an item; an empty one where there is none."""
        return self._items.get(item_id) or {}

    def columns(self, columns: int) -> None:
        """Guess anew how high rows are, for another width."""
        self._columns = columns
        self.geometry.splice(0, len(self.geometry), [self._guess(row) for row in self.rows])

    def row_of(self, item_id: str) -> int | None:
        """Return which row shows an item."""
        place = self._numbers.get(item_id)
        if place is None:
            return None
        at = bisect_left(self.rows, place, key=_place)
        if at < len(self.rows) and self.rows[at].place == place:
            while self.rows[at].kind in ("day", "unread"):
                at += 1
            return at
        return at - 1  # in a run that begins above

    def find(self, key: str) -> int | None:
        """Return the row with a key."""
        if key == "unread":
            return next((at for at, row in enumerate(self.rows) if row.kind == "unread"), None)
        kind, _, item_id = key.partition(" ")
        at = self.row_of(item_id or kind)
        if at is None:
            return None
        if kind == "day" and item_id:
            return at - 1 if at and self.rows[at - 1].key == key else None
        return at

    def prompts(self) -> list[int]:
        """Return the rows in which the person speaks."""
        return [at for at, row in enumerate(self.rows) if row.kind == "item" and self._is_prompt(row.ids[0])]

    def items(self) -> Iterable[Json]:
        """Return all items in order."""
        return map(self._items.__getitem__, self._ids)

    def read_up_to(self, item_id: str | None) -> None:
        """Draw the line that says what is new below an item, or none."""
        before, self._unread_after = self._unread_after, item_id
        for each in (before, item_id):
            if each in self._numbers:
                at = self._numbers[each] - self._first
                self._reshape(at, at + 1)

    def read_position(self, position: int) -> str | None:
        """Return the last item that had appeared at a position of the log."""
        return next((each for each in reversed(self._ids) if _order(self._items[each]) <= position), None)

    def older(self, page: Iterable[Json], before: str | None) -> None:
        """Take a page of items that come before all others."""
        fresh = [item for item in page if str(item.get("id")) not in self._items]
        _place_all(fresh, _order(self._items[self._ids[0]]) if self._ids else None)
        self.before = before
        if not fresh:
            return
        ids = [str(item["id"]) for item in fresh]
        self._items.update(zip(ids, fresh, strict=True))
        self._first -= len(ids)
        self._numbers.update((each, self._first + at) for at, each in enumerate(ids))
        self._ids[:0] = ids
        self._reshape(0, len(ids))

    def take(self, items: Mapping[str, Json], changed: Iterable[str], before: str | None) -> set[str]:
        """Take what a view says now.

        Args:
            items: What is in the view.
            changed: The ids of what changed since, gone ones too.
            before: Cursor of the page before the first of them.

        Returns:
            The keys of rows that have to be drawn again.
        """
        if any("ordinal" not in item for item in items.values()):
            _place_all(list(items.values()), None)
        oldest = min(map(_order, items.values()), default=0)
        if not items or not self._meets(items):
            self._begin(items, before)
            return {row.key for row in self.rows}
        touched: set[str] = set()
        low, high = len(self._ids), 0
        for item_id in changed:
            item = items.get(item_id)
            if item is None:
                if item_id in self._items and _order(self._items[item_id]) >= oldest:
                    self._drop(item_id)
                    low, high = 0, len(self._ids)
                continue
            known = self._items.get(item_id)
            if known is None:
                at = self._insert(item_id, item)
            elif number(item, "position") < number(known, "position"):
                continue
            else:
                self._items[item_id] = item
                at = self._numbers[item_id] - self._first
            if at < 0:
                continue
            touched.add(item_id)
            shape = (text(item, "kind"), text(item, "status"))
            if known is None or known is item or shape != (text(known, "kind"), text(known, "status")):
                low, high = min(low, at), max(high, at + 1)
        if low < high:
            self._reshape(low, high)
        return {self.rows[at].key for at in map(self.row_of, touched) if at is not None}

    def _meets(self, items: Mapping[str, Json]) -> bool:
        """Whether what is shown and what a view holds follow each other without a gap."""
        if not self._ids:
            return False
        newest = self._items[self._ids[-1]]
        oldest = min(items.values(), key=_order)
        return str(oldest["id"]) in self._items or (self.before is None and _order(oldest) <= _order(newest))

    def _begin(self, items: Mapping[str, Json], before: str | None) -> None:
        ordered = sorted(items.values(), key=_order)
        self._ids = [str(item["id"]) for item in ordered]
        self._items = dict(zip(self._ids, ordered, strict=True))
        self._first, self.before = 0, before
        self._renumber()
        self.rows = []
        self.geometry.splice(0, len(self.geometry), [])
        self._reshape(0, len(self._ids))

    def _insert(self, item_id: str, item: Json) -> int:
        """Put a new item where it belongs; -1 where that is on a page which is not loaded."""
        order = _order(item)
        if self._ids and self.before is not None and order < _order(self._items[self._ids[0]]):
            return -1
        self._items[item_id] = item
        at = len(self._ids)
        while at and _order(self._items[self._ids[at - 1]]) > order:
            at -= 1
        self._ids.insert(at, item_id)
        if at == len(self._ids) - 1:
            self._numbers[item_id] = self._first + at
        else:
            self._rebuild()
        return at

    def _drop(self, item_id: str) -> None:
        del self._items[item_id]
        self._ids.remove(item_id)
        self._rebuild()

    def _rebuild(self) -> None:
        self._renumber()
        self.rows = []
        self.geometry.splice(0, len(self.geometry), [])
        self._reshape(0, len(self._ids))

    def _renumber(self) -> None:
        self._numbers = {item_id: self._first + at for at, item_id in enumerate(self._ids)}

    def _reshape(self, begin: int, end: int) -> None:
        """Make the rows of some items anew, and of what depends on them: the run around them, and what follows."""
        size = len(self._ids)
        begin = self._run_begin(max(0, begin - 1))
        for _ in range(2):  # once for their own run, once for what comes after it
            while end < size and silent(self.get(self._ids[end])):
                end += 1
            end = min(size, end + 1)
        while end < size and silent(self.get(self._ids[end - 1])) and silent(self.get(self._ids[end])):
            end += 1
        made = rows(self._ids, self.get, begin, end, unread_after=self._unread_after, first=self._first)
        top = bisect_left(self.rows, self._first + begin, key=_place)
        if (
            begin
            and top < len(self.rows)
            and self.rows[top].kind == "unread"
            and self._ids[begin - 1] == self._unread_after
        ):
            top += 1
        bottom = bisect_left(self.rows, self._first + end, key=_place)
        known = {row.key: (row, self.geometry.height(at)) for at, row in enumerate(self.rows[top:bottom], top)}
        heights: list[int] = []
        for row in made:
            before = known.get(row.key)
            heights.append(before[1] if before is not None and before[0][:5] == row[:5] else self._guess(row))
        self.rows[top:bottom] = made
        self.geometry.splice(top, bottom, heights)

    def _run_begin(self, at: int) -> int:
        if at < len(self._ids) and silent(self.get(self._ids[at])):
            while at and silent(self.get(self._ids[at - 1])):
                at -= 1
        return at

    def _guess(self, row: Row) -> int:
        """About how high a row will be, until it is drawn."""
        lines = int(row.apart) + int(row.speaks)
        if row.kind != "item":
            return lines + 1
        item = self.get(row.ids[0])
        if item.get("kind") != "message":
            return lines + 1
        said = text(item, "text")
        return lines + said.count("\n") + 1 + len(said) // max(20, min(self._columns, 100))

    def _is_prompt(self, item_id: str) -> bool:
        item = self.get(item_id)
        return item.get("kind") == "message" and item.get("role") == "user"


def _order(item: Json) -> int:
    place = item.get("ordinal")
    return place if isinstance(place, int) else number(item, "position")


def _place_all(ordered: list[Json], below: int | None) -> None:
    """Give places to items that only tell when they changed: they are in order, and each is older than its change."""
    for item in reversed(ordered):
        if "ordinal" not in item:
            latest = number(item, "position")
            item["ordinal"] = latest if below is None else min(latest, below - 1)
        below = _order(item)
