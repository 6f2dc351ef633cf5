"""Since when an answer can be chosen: a click that comes too soon was meant for what was there before. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from holdfast.frontends.tray.port import Entry, Key

SURPRISE_S: Final = 0.3
"""An answer cannot be chosen sooner after it came into the menu."""


class Offered:
    """The answers that are in the menu, and since when each has been there without a break."""

    def __init__(self) -> None:
        self._since: dict[Key, float] = {}

    def take(self, menu: tuple[Entry, ...], at_s: float) -> None:
        """Know what the menu is from this time on, in seconds of a clock that only goes forward."""
        self._since = {key: self._since.get(key, at_s) for key in _answers(menu)}

    def meant(self, key: Key, at_s: float) -> bool:
        """Return whether a click on this answer at this time can have been meant for it."""
        since = self._since.get(key)
        return since is not None and at_s - since >= SURPRISE_S


def _answers(menu: tuple[Entry, ...]) -> list[Key]:
    found = [entry.key for entry in menu if entry.key[0] == "answer"]
    for entry in menu:
        found += _answers(entry.children)
    return found
