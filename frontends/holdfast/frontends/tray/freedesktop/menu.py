"""The menu over com.canonical.dbusmenu. A number stands for one key for ever: no late click means another line."""

# No `from __future__ import annotations`: dbus_fast reads the annotations, and takes the word "None" for a type.

from collections.abc import Sequence
from typing import Annotated, Final

from dbus_fast import PropertyAccess, Variant
from dbus_fast.annotations import DBusBool, DBusInt32, DBusSignature, DBusStr, DBusUInt32, DBusVariant
from dbus_fast.errors import DBusError
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property, dbus_signal

from holdfast.frontends.tray.port import Entry, Events, Key

ROOT: Final = 0

Numbers = Annotated[list[int], DBusSignature("ai")]
Names = Annotated[list[str], DBusSignature("as")]
Layout = Annotated[list[object], DBusSignature("u(ia{sv}av)")]
Properties = Annotated[list[list[object]], DBusSignature("a(ia{sv})")]
EventList = Annotated[list[list[object]], DBusSignature("a(isvu)")]
TwoLists = Annotated[list[list[int]], DBusSignature("aiai")]
Revised = Annotated[list[int], DBusSignature("ui")]

_ROOT: Final = {"children-display": Variant("s", "submenu")}


class Menu(ServiceInterface):
    """The lines that a panel shows. Names are those of the interface."""

    def __init__(self, events: Events) -> None:
        """Tell `events` of clicks on lines that are still in the menu."""
        super().__init__("com.canonical.dbusmenu")
        self._events = events
        self._numbers: dict[Key, int] = {}
        self._entries: dict[int, Entry] = {}
        self._children: dict[int, list[int]] = {ROOT: []}
        self._menu: tuple[Entry, ...] = ()
        self._revision = 1

    def offer(self, menu: tuple[Entry, ...]) -> None:
        """Be another menu, and say so to the panel."""
        if menu == self._menu:
            return
        self._menu = menu
        self._entries.clear()
        self._children.clear()
        self._children[ROOT] = self._take(menu)
        self._revision += 1
        self.LayoutUpdated(self._revision, ROOT)

    def _take(self, entries: Sequence[Entry]) -> list[int]:
        taken: list[int] = []
        for entry in entries:
            number = self._numbers.setdefault(entry.key, len(self._numbers) + 1)
            self._entries[number] = entry
            taken.append(number)
            self._children[number] = self._take(entry.children)
        return taken

    def _layout(self, number: int, depth: int, names: Sequence[str]) -> list[object]:
        below: list[Variant] = []
        if depth != 0:
            below = [
                Variant("(ia{sv}av)", self._layout(child, depth - 1, names)) for child in self._children.get(number, [])
            ]
        return [number, self._properties(number, names), below]

    def _properties(self, number: int, names: Sequence[str]) -> dict[str, Variant]:
        found = _ROOT if number == ROOT else _properties(self._entries[number])
        return {name: value for name, value in found.items() if not names or name in names}

    def _clicked(self, number: int, event: str) -> bool:
        entry = self._entries.get(number)
        if entry is not None and event == "clicked" and entry.acts:
            self._events.chosen(entry.key)
        return entry is not None or number == ROOT

    @dbus_property(access=PropertyAccess.READ)
    def Version(self) -> DBusUInt32:
        return 3

    @dbus_property(access=PropertyAccess.READ)
    def TextDirection(self) -> DBusStr:
        return "ltr"

    @dbus_property(access=PropertyAccess.READ)
    def Status(self) -> DBusStr:
        return "normal"

    @dbus_property(access=PropertyAccess.READ)
    def IconThemePath(self) -> Names:
        return []

    @dbus_method()
    def GetLayout(self, parent: DBusInt32, depth: DBusInt32, names: Names) -> Layout:
        if parent != ROOT and parent not in self._entries:
            raise _unknown(parent)
        return [self._revision, self._layout(parent, depth, names)]

    @dbus_method()
    def GetGroupProperties(self, numbers: Numbers, names: Names) -> Properties:
        wanted = numbers or [ROOT, *self._entries]
        known = [number for number in wanted if number == ROOT or number in self._entries]
        return [[number, self._properties(number, names)] for number in known]

    @dbus_method()
    def GetProperty(self, number: DBusInt32, name: DBusStr) -> DBusVariant:
        if number != ROOT and number not in self._entries:
            raise _unknown(number)
        found = self._properties(number, [name])
        if name not in found:
            raise DBusError("org.freedesktop.DBus.Error.InvalidArgs", f"line {number} has no {name!r}")
        return found[name]

    @dbus_method()
    def Event(self, number: DBusInt32, event: DBusStr, data: DBusVariant, at: DBusUInt32) -> None:  # noqa: ARG002
        self._clicked(number, event)

    @dbus_method()
    def EventGroup(self, events: EventList) -> Numbers:
        unknown: list[int] = []
        for number, event, _, _ in events:
            assert isinstance(number, int)
            if not self._clicked(number, str(event)):
                unknown.append(number)
        return unknown

    @dbus_method()
    def AboutToShow(self, number: DBusInt32) -> DBusBool:
        before = self._revision
        if number == ROOT:
            self._events.looked_at()
        return self._revision != before

    @dbus_method()
    def AboutToShowGroup(self, numbers: Numbers) -> TwoLists:
        before = self._revision
        if ROOT in numbers:
            self._events.looked_at()
        changed = [ROOT] if self._revision != before else []
        return [changed, [number for number in numbers if number != ROOT and number not in self._entries]]

    @dbus_signal()
    def LayoutUpdated(self, revision: DBusUInt32, parent: DBusInt32) -> Revised:
        return [revision, parent]


def _properties(entry: Entry) -> dict[str, Variant]:
    """Return what differs from the interface's defaults."""
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


def _unknown(number: int) -> DBusError:
    return DBusError("org.freedesktop.DBus.Error.InvalidArgs", f"there is no line {number} in the menu")
