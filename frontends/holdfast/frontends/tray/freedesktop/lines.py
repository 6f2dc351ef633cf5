"""The lines of the menu by number. One number stands for one key for ever, so that no late click means another line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dbus_fast import Variant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.frontends.tray.port import Entry, Key

ROOT: Final = 0

Layout = list[object]
"""A line as dbusmenu has it: its number, its properties, and a variant for each line below it."""

_ROOT: Final = {"children-display": Variant("s", "submenu")}


class Lines:
    """What is in the menu now, and the numbers of all that ever was.

    Attributes:
        revision: Counts the menus.
    """

    def __init__(self) -> None:
        self.revision = 1
        self._numbers: dict[Key, int] = {}
        self._entries: dict[int, Entry] = {}
        self._children: dict[int, list[int]] = {ROOT: []}
        self._menu: tuple[Entry, ...] = ()

    def take(self, menu: tuple[Entry, ...]) -> bool:
        """Be this menu from now on; return whether that changes anything."""
        if menu == self._menu:
            return False
        self._menu = menu
        self._entries.clear()
        self._children.clear()
        self._children[ROOT] = self._numbered(menu)
        self.revision += 1
        return True

    def __contains__(self, number: int) -> bool:
        return number == ROOT or number in self._entries

    def number(self, key: Key) -> int:
        """Return the number of a key that was in the menu once."""
        return self._numbers[key]

    def numbers(self) -> list[int]:
        """Return the numbers of all lines."""
        return [ROOT, *self._entries]

    def acting(self, number: int) -> Key | None:
        """Return what a click on this line means, None for nothing."""
        entry = self._entries.get(number)
        return entry.key if entry is not None and entry.acts else None

    def layout(self, number: int, depth: int, names: Sequence[str] = ()) -> Layout:
        """Return a line that is here and what is below it.

        Args:
            number: The line.
            depth: How far down; -1 for all the way.
            names: The properties that are wanted, empty for all.
        """
        below: list[Variant] = []
        if depth != 0:
            children = self._children.get(number, [])
            below = [Variant("(ia{sv}av)", self.layout(child, depth - 1, names)) for child in children]
        return [number, self.properties(number, names), below]

    def properties(self, number: int, names: Sequence[str] = ()) -> dict[str, Variant]:
        """Return what differs from the interface's defaults, of a line that is here."""
        found = _ROOT if number == ROOT else _properties(self._entries[number])
        return {name: value for name, value in found.items() if not names or name in names}

    def _numbered(self, entries: Sequence[Entry]) -> list[int]:
        taken: list[int] = []
        for entry in entries:
            number = self._numbers.setdefault(entry.key, len(self._numbers) + 1)
            self._entries[number] = entry
            taken.append(number)
            self._children[number] = self._numbered(entry.children)
        return taken


def _properties(entry: Entry) -> dict[str, Variant]:
    if not entry.label:
        return {"type": Variant("s", "separator")}
    found = {"label": Variant("s", entry.label.replace("_", "__"))}  # one alone would underline what follows it
    if entry.children:
        found["children-display"] = Variant("s", "submenu")
    elif not entry.acts:
        found["enabled"] = Variant("b", False)
    if entry.checked is not None:
        found["toggle-type"] = Variant("s", "checkmark")
        found["toggle-state"] = Variant("i", int(entry.checked))
    return found
