"""Which lines of a transcript a screen shows. Pure: rows are drawn when they are first seen, and never else.

It holds on to the row at the top of the screen while others come, grow or turn out higher than they were guessed, or to
the end, once that was reached.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.frontends.tui.session import items
from holdfast.frontends.tui.session.drawing import Growing, Scene, draw
from holdfast.frontends.tui.session.listing import Listing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from holdfast.frontends.tui.session.items import Json
    from holdfast.frontends.tui.session.text import Line

_KEPT: Final = 2_000
"""Rows whose lines are remembered."""

_FOLDABLE: Final = ("tool_call", "thought", "plan", "raw", "notice")


class Shown(NamedTuple):
    """One line of the screen, and the row that it is of."""

    line: Line
    key: str


class Viewport:
    """A place in a transcript.

    Attributes:
        listing: The transcript.
        scene: What rows are drawn with.
        follow: Whether it stays at the end.
        top: The line of the transcript at the top of the screen.
        height: Lines of the screen.
        remembered: The lines of rows that were drawn, by their keys.
    """

    def __init__(self, scene: Scene) -> None:
        """Stand at the end of nothing."""
        self.listing = Listing()
        self.scene = scene
        self.follow = True
        self.top = 0
        self.height = 0
        self._anchor: tuple[str, int] = ("", 0)
        self.remembered: dict[str, list[Line]] = {}
        self._growing: tuple[str, Growing] | None = None

    @property
    def at_end(self) -> bool:
        """Whether the newest line can be seen."""
        return self.top + self.height >= self.listing.geometry.total

    @property
    def thumb(self) -> tuple[int, int]:
        """Where the handle of a scroll bar is, and how high; none where everything can be seen."""
        total, height = self.listing.geometry.total, self.height
        if total <= height:
            return (0, 0)
        size = max(1, height * height // total)
        return (min(height - size, round(self.top * (height - size) / max(1, total - height))), size)

    # What it shows

    def take(self, known: Mapping[str, Json], changed: Iterable[str], before: str | None) -> None:
        """Take what a view says now."""
        for key in self.listing.take(known, changed, before):
            self.remembered.pop(key, None)

    def older(self, page: Iterable[Json], before: str | None) -> None:
        """Take the page before the first item."""
        rows = self.listing.rows
        first = rows[0].ids[0] if rows else None
        self.listing.older(page, before)
        at = None if first is None else self.listing.row_of(first)
        if at is not None:  # its run, its speaker and its day may begin further up now
            for row in self.listing.rows[at : at + 3]:
                self.remembered.pop(row.key, None)

    def streaming(self, item_id: str | None) -> bool:
        """Say which item is being written; return whether that is another one."""
        before, self.scene.streaming = self.scene.streaming, item_id
        if before == item_id:
            return False
        for each in (before, item_id):
            if each is not None:
                self.remembered.pop(each, None)
        self._growing = None
        return True

    def unread_after(self, item_id: str | None) -> None:
        """Draw the line that says what is new below an item."""
        self.listing.read_up_to(item_id)
        self.remembered.clear()

    def resize(self, width: int, height: int) -> None:
        """Be of another size; what stands at the top stays there."""
        self.height = height
        if width != self.scene.width:
            self.scene.width = width
            self.listing.columns(width)
            self.forget()

    def forget(self) -> None:
        """Draw everything anew."""
        self.remembered.clear()
        self._growing = None

    def shown(self) -> list[Shown]:
        """Return the lines of the screen, after finding out where it stands."""
        self._measure()
        geometry, rows = self.listing.geometry, self.listing.rows
        found: list[Shown] = []
        at = geometry.at(self.top) if rows else 0
        skip = self.top - geometry.top(at) if rows else 0
        while at < len(rows) and len(found) < self.height:
            lines = self.drawn(at)[skip : skip + self.height - len(found)]
            found += [Shown(line, rows[at].key) for line in lines]
            skip = 0
            at += 1
        return found

    def drawn(self, at: int) -> list[Line]:
        """Return the lines of a row, and measure it."""
        row = self.listing.rows[at]
        lines = self.remembered.get(row.key)
        if lines is None:
            lines = draw(row, self.listing.get, self.scene, self._written(row.ids[0]))
            if len(self.remembered) >= _KEPT:
                for key in list(self.remembered)[: _KEPT // 4]:
                    del self.remembered[key]
            self.remembered[row.key] = lines
        self.listing.geometry.set(at, len(lines))
        return lines

    def _measure(self) -> None:
        """Draw rows until the screen is full: heights that were guessed must not move what is seen."""
        geometry, rows = self.listing.geometry, self.listing.rows
        at = None if self.follow else self.listing.find(self._anchor[0])
        if not rows:
            self.top = 0
            return
        if at is None:
            self.follow = True
            self._fill_up(len(rows) - 1, self.height)
            self.top = max(0, geometry.total - self.height)
            return
        offset, above = self._anchor[1], at
        while offset < 0 and above > 0:  # what stands above the anchor is on the screen as well
            above -= 1
            offset += len(self.drawn(above))
        room, below = self.height - self._anchor[1], at
        while room > 0 and below < len(rows):
            room -= len(self.drawn(below))
            below += 1
        self.top = max(0, geometry.top(at) + min(self._anchor[1], max(0, geometry.height(at) - 1)))
        if room > 0:  # the end came first
            self._fill_up(at, self.height)
            self.top = max(0, geometry.total - self.height)

    def _fill_up(self, last: int, room: int) -> None:
        """Draw a row and those above it, until they fill a screen."""
        while last >= 0 and room > 0:
            room -= len(self.drawn(last))
            last -= 1

    def _written(self, item_id: str) -> list[Line] | None:
        """Return the lines of the message that is being written, drawing only what came."""
        item = self.listing.get(item_id)
        if item_id != self.scene.streaming or item.get("kind") != "message":
            return None
        said = items.spoken(item)
        if self._growing is not None and self._growing[0] == item_id:
            lines = self._growing[1].take(said)
            if lines is not None:
                return lines
        self._growing = (item_id, Growing(self.scene.width))
        return self._growing[1].take(said)

    # Where it goes

    def hold(self, row: int, offset: int = 0) -> None:
        """Have a line of a row at the top of the screen; a negative one leaves lines above it."""
        rows = self.listing.rows
        while rows[row].kind in ("day", "unread") and row + 1 < len(rows):  # may go, where items come above them
            offset -= len(self.drawn(row))
            row += 1
        self.follow = False
        self._anchor = (rows[row].key, offset)

    def jump(self, key: str, above: int = 2) -> bool:
        """Bring a row to the top of the screen, with some lines above it; False where there is none."""
        at = self.listing.find(key)
        if at is None:
            return False
        self.hold(at, -above)
        return True

    def move(self, lines: int) -> None:
        """Scroll."""
        if lines > 0 and self.follow:
            return
        top = max(0, self.top + lines)
        self.follow = lines > 0 and top + self.height >= self.listing.geometry.total
        if not self.follow and self.listing.rows:
            at = self.listing.geometry.at(top)
            self.hold(at, top - self.listing.geometry.top(at))

    def row_at(self, line: int) -> int | None:
        """Return the row on a line of the screen."""
        return self.listing.geometry.at(self.top + line) if self.listing.rows else None

    def visible_row(self) -> int | None:
        """Return the last row at the end, else the first that begins on the screen."""
        rows, geometry = self.listing.rows, self.listing.geometry
        if not rows:
            return None
        at = len(rows) - 1 if self.follow else geometry.at(self.top)
        if not self.follow and geometry.top(at) < self.top and at + 1 < len(rows):
            at += 1
        while rows[at].kind in ("day", "unread") and at + 1 < len(rows):
            at += 1
        return at

    def reveal(self, row: int) -> None:
        """Scroll as little as it takes to see a row, its beginning where it is higher than the screen."""
        geometry = self.listing.geometry
        height = len(self.drawn(row))
        top = geometry.top(row)
        if top < self.top:
            self.move(top - self.top)
        elif top + height > self.top + self.height:
            self.move(min(top + height - self.top - self.height, top - self.top))

    def beside(self, row: int, way: int) -> int | None:
        """Return the next row in a direction that is about an item."""
        rows = self.listing.rows
        to = row + way
        while 0 <= to < len(rows) and rows[to].kind in ("day", "unread"):
            to += way
        return to if 0 <= to < len(rows) else None

    def prompt(self, way: int, row: int | None = None) -> int | None:
        """Return the row of the prompt before or after a row, without one before or after the top of the screen."""
        prompts, geometry = self.listing.prompts(), self.listing.geometry
        if way < 0:
            fits = (at for at in reversed(prompts) if (at < row if row is not None else geometry.top(at) < self.top))
        else:
            fits = (at for at in prompts if (at > row if row is not None else geometry.top(at) > self.top + 1))
        return next(fits, None)

    # What is unfolded

    def foldable(self, at: int) -> bool:
        """Whether a row can be unfolded."""
        row = self.listing.rows[at]
        return row.kind == "tools" or (row.kind == "item" and self.listing.get(row.ids[0]).get("kind") in _FOLDABLE)

    def unfold(self, at: int) -> None:
        """Unfold a row, then all of it, then fold it again."""
        row = self.listing.rows[at]
        opened = self.scene.opened
        level, before = opened.get(row.key, 0), self.drawn(at)
        if self.follow and not level:  # what was unfolded is to be read from its beginning
            self.hold(at, self.top - self.listing.geometry.top(at))
        most = 3 if row.kind == "tools" else 2
        while level < most:
            level += 1
            opened[row.key] = level
            if draw(row, self.listing.get, self.scene) != before:
                break
        else:
            del opened[row.key]
        self.remembered.pop(row.key, None)
