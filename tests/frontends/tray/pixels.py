"""What can be seen on a display, as far as tests look: colours, and where dark words stand."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tests.frontends.tray.desk import Desk

Colour = tuple[int, int, int]


class Picture(NamedTuple):
    """A rectangle of a display."""

    left: int
    top: int
    width: int
    height: int
    data: bytes

    def colours(self) -> set[Colour]:
        at = range(0, len(self.data), 3)
        return {(self.data[each], self.data[each + 1], self.data[each + 2]) for each in at}

    def words(self) -> list[tuple[int, int]]:
        """Return the middles of the words in the lowest line of dark text on a light ground, from the left."""
        lines = _runs([row for row in range(self.height) if self._dark_in(row)], gap=3)
        for line in reversed(lines):
            columns = sorted({column for row in line for column in range(self.width) if self._dark(column, row)})
            words = [word for word in _runs(columns, gap=14) if word[-1] - word[0] > 12]  # not the round corners
            if words:
                middle = self.top + (line[0] + line[-1]) // 2
                return [(self.left + (word[0] + word[-1]) // 2, middle) for word in words]
        return []

    def _dark_in(self, row: int) -> bool:
        dark = sum(self._dark(column, row) for column in range(self.width))
        return 0 < dark < self.width // 4  # a frame, or what is beside the notification, is dark all along

    def _dark(self, column: int, row: int) -> bool:
        """Black is what is behind the notification; text is dark grey."""
        at = (row * self.width + column) * 3
        return 60 < sum(self.data[at : at + 3]) < 300


def grab(desk: Desk, rectangle: tuple[int, int, int, int]) -> Picture:
    """Look at a part of the display: left, top, width, height."""
    left, top, width, height = rectangle
    crop = f"{width}x{height}+{left}+{top}"
    taken = subprocess.run(
        ["import", "-window", "root", "-crop", crop, "-depth", "8", "rgb:-"],
        env=desk.environ,
        capture_output=True,
        check=True,
        timeout=60,
    )
    return Picture(left, top, width, height, taken.stdout)


def _runs(numbers: list[int], *, gap: int) -> list[list[int]]:
    """Return numbers in groups that no more than `gap` lies between."""
    groups: list[list[int]] = []
    for number in numbers:
        if groups and number - groups[-1][-1] <= gap:
            groups[-1].append(number)
        else:
            groups.append([number])
    return groups
