"""The menu over com.canonical.dbusmenu, as panels ask for it. What is in it is in `lines`."""

# No `from __future__ import annotations`: dbus_fast reads the annotations, and takes the word "None" for a type.

from typing import Annotated

from dbus_fast import PropertyAccess
from dbus_fast.annotations import DBusBool, DBusInt32, DBusSignature, DBusStr, DBusUInt32, DBusVariant
from dbus_fast.errors import DBusError
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property, dbus_signal

from holdfast.frontends.tray.freedesktop.lines import ROOT, Lines
from holdfast.frontends.tray.port import Entry, Events

Numbers = Annotated[list[int], DBusSignature("ai")]
Names = Annotated[list[str], DBusSignature("as")]
Layout = Annotated[list[object], DBusSignature("u(ia{sv}av)")]
Properties = Annotated[list[list[object]], DBusSignature("a(ia{sv})")]
EventList = Annotated[list[tuple[int, str, object, int]], DBusSignature("a(isvu)")]
TwoLists = Annotated[list[list[int]], DBusSignature("aiai")]
Revised = Annotated[list[int], DBusSignature("ui")]


class Menu(ServiceInterface):
    """What a panel asks for and calls. Names are those of the interface."""

    def __init__(self, events: Events) -> None:
        """Tell `events` of clicks on lines that are still in the menu."""
        super().__init__("com.canonical.dbusmenu")
        self._events = events
        self._lines = Lines()

    def offer(self, menu: tuple[Entry, ...]) -> None:
        """Be another menu, and say so to the panel."""
        if self._lines.take(menu):
            self.LayoutUpdated(self._lines.revision, ROOT)

    def _happened(self, number: int, event: str) -> None:
        key = self._lines.acting(number)
        if key is not None and event == "clicked":
            self._events.chosen(key)

    def _refreshed(self, number: int) -> bool:
        """Have the menu be as it is now, and return whether that changed it."""
        before = self._lines.revision
        if number == ROOT:
            self._events.looked_at()
        return self._lines.revision != before

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
        if parent not in self._lines:
            raise _unknown(parent)
        return [self._lines.revision, self._lines.layout(parent, depth, names)]

    @dbus_method()
    def GetGroupProperties(self, numbers: Numbers, names: Names) -> Properties:
        known = [number for number in numbers or self._lines.numbers() if number in self._lines]
        return [[number, self._lines.properties(number, names)] for number in known]

    @dbus_method()
    def GetProperty(self, number: DBusInt32, name: DBusStr) -> DBusVariant:
        if number not in self._lines:
            raise _unknown(number)
        found = self._lines.properties(number)
        if name not in found:
            raise DBusError("org.freedesktop.DBus.Error.InvalidArgs", f"line {number} has no {name!r}")
        return found[name]

    @dbus_method()
    def Event(self, number: DBusInt32, event: DBusStr, data: DBusVariant, at: DBusUInt32) -> None:  # noqa: ARG002 - as the protocol has it
        self._happened(number, event)

    @dbus_method()
    def EventGroup(self, events: EventList) -> Numbers:
        for number, event, _, _ in events:
            self._happened(number, event)
        return [number for number, *_ in events if number not in self._lines]

    @dbus_method()
    def AboutToShow(self, number: DBusInt32) -> DBusBool:
        return self._refreshed(number)

    @dbus_method()
    def AboutToShowGroup(self, numbers: Numbers) -> TwoLists:
        changed = [number for number in numbers if self._refreshed(number)]
        return [changed, [number for number in numbers if number not in self._lines]]

    @dbus_signal()
    def LayoutUpdated(self, revision: DBusUInt32, parent: DBusInt32) -> Revised:
        return [revision, parent]


def _unknown(number: int) -> DBusError:
    return DBusError("org.freedesktop.DBus.Error.InvalidArgs", f"there is no line {number} in the menu")
