"""The icon in pixels. The mark is told by its shape; its colour only says the same again."""

from __future__ import annotations

from functools import cache
from math import atan2, hypot, pi
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from holdfast.frontends.tray.port import Mark

SIZES: Final = (16, 22, 24, 32, 48)

_GRAIN: Final = 4
"""How many points a pixel is looked at in each direction, for smooth edges."""

_COLOURS: Final[dict[Mark, int]] = {
    "idle": 0x8B949E, "working": 0x6CB6FF, "needs_you": 0xF2B90C, "reconnecting": 0x8B949E, "down": 0xFF6B5E,
}  # fmt: skip
_DARK: Final = 0x1B1F24

_DIGITS: Final = {
    "0": "111101101101111", "1": "010110010010111", "2": "111001111100111", "3": "111001111001111",
    "4": "101101111001001", "5": "111100111001111", "6": "111100111101111", "7": "111001010010010",
    "8": "111101111101111", "9": "111101111001111", "+": "000010111010000",
}  # fmt: skip
"""Three by five, row by row."""


class Pixels(Struct, frozen=True):
    """A square picture: alpha, red, green, blue for each pixel, row by row."""

    size: int
    data: bytes


@cache
def drawn(mark: Mark, number: int) -> tuple[Pixels, ...]:
    """Return the icon in every size that panels ask for."""
    label = "" if mark != "needs_you" or number < 1 else str(number) if number < 10 else "9+"
    return tuple(_drawn(mark, label, size) for size in SIZES)


def _drawn(mark: Mark, label: str, size: int) -> Pixels:
    data = bytearray()
    for row in range(size):
        for column in range(size):
            data += _pixel(mark, label, size, column, row)
    return Pixels(size, bytes(data))


def _pixel(mark: Mark, label: str, size: int, column: int, row: int) -> bytes:
    points = [
        ((column + (x + 0.5) / _GRAIN) / size * 2 - 1, (row + (y + 0.5) / _GRAIN) / size * 2 - 1)
        for y in range(_GRAIN)
        for x in range(_GRAIN)
    ]
    covered = sum(_inside(mark, x, y) for x, y in points)
    lettered = sum(_in_label(label, x, y) for x, y in points) if label and covered else 0
    alpha = covered * 255 // len(points)
    return bytes((alpha, *_mixed(_COLOURS[mark], _DARK, lettered / covered if covered else 0.0)))


def _mixed(one: int, other: int, share: float) -> bytes:
    parts = ((one >> shift & 255, other >> shift & 255) for shift in (16, 8, 0))
    return bytes(round(a + (b - a) * share) for a, b in parts)


def _inside(mark: Mark, x: float, y: float) -> bool:
    """Tell whether a point belongs to the mark; the picture goes from -1 to 1 in both directions."""
    distance = hypot(x, y)
    ring = 0.62 <= distance <= 0.9
    match mark:
        case "idle":
            return ring
        case "working":
            return ring or (distance <= 0.9 and x <= 0)
        case "needs_you":
            return distance <= 0.95
        case "reconnecting":
            return ring and int((atan2(y, x) + pi) / (pi / 6)) % 2 == 0
        case "down":
            return ring or (distance <= 0.9 and abs(abs(x) - abs(y)) <= 0.2)


def _in_label(label: str, x: float, y: float) -> bool:
    """Tell whether a point belongs to the letters, which stand in the middle of the mark."""
    height = 1.25 if len(label) == 1 else 0.9
    cell = height / 5
    width = (len(label) * 4 - 1) * cell
    column, row = int((x + width / 2) // cell), int((y + height / 2) // cell)
    if not (0 <= row < 5 and 0 <= column < len(label) * 4 - 1) or column % 4 == 3:
        return False
    return _DIGITS[label[column // 4]][row * 3 + column % 4] == "1"
