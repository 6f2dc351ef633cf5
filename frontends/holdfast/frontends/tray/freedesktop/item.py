"""The icon: a StatusNotifierItem, as panels ask for it."""

# No `from __future__ import annotations`: dbus_fast reads the annotations, and takes the word "None" for a type.

from collections.abc import Callable
from typing import Annotated, Final

from dbus_fast import PropertyAccess
from dbus_fast.annotations import DBusBool, DBusInt32, DBusObjectPath, DBusSignature, DBusStr
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property, dbus_signal

from holdfast.frontends.tray.drawing import drawn
from holdfast.frontends.tray.port import Picture

PATH: Final = "/StatusNotifierItem"
MENU_PATH: Final = "/Menu"

Pixmaps = Annotated[list[list[object]], DBusSignature("a(iiay)")]
Tip = Annotated[list[object], DBusSignature("(sa(iiay)ss)")]


class Item(ServiceInterface):
    """What a panel asks for and calls. Names are those of the specification."""

    def __init__(self, activated: Callable[[], None]) -> None:
        """Call `activated` when the icon is clicked."""
        super().__init__("org.kde.StatusNotifierItem")
        self._activated = activated
        self._picture = Picture("reconnecting", 0, "Holdfast: connecting to the daemon")

    def paint(self, picture: Picture) -> None:
        """Show another picture, and say so to the panel."""
        before, self._picture = self._picture, picture
        if (before.mark, before.number) != (picture.mark, picture.number):
            self.NewIcon()
            self.NewAttentionIcon()
            self.NewStatus(self._status())
        if before.title != picture.title:
            self.NewTitle()
        if before != picture:
            self.NewToolTip()

    def _status(self) -> str:
        return "NeedsAttention" if self._picture.mark == "needs_you" else "Active"

    def _pixmaps(self) -> list[list[object]]:
        return [[each.size, each.size, each.data] for each in drawn(self._picture.mark, self._picture.number)]

    @dbus_property(access=PropertyAccess.READ)
    def Category(self) -> DBusStr:
        return "ApplicationStatus"

    @dbus_property(access=PropertyAccess.READ)
    def Id(self) -> DBusStr:
        return "holdfast"

    @dbus_property(access=PropertyAccess.READ)
    def Title(self) -> DBusStr:
        return self._picture.title

    @dbus_property(access=PropertyAccess.READ)
    def Status(self) -> DBusStr:
        return self._status()

    @dbus_property(access=PropertyAccess.READ)
    def WindowId(self) -> DBusInt32:
        return 0

    @dbus_property(access=PropertyAccess.READ)
    def IconName(self) -> DBusStr:
        return ""

    @dbus_property(access=PropertyAccess.READ)
    def IconThemePath(self) -> DBusStr:
        return ""

    @dbus_property(access=PropertyAccess.READ)
    def IconPixmap(self) -> Pixmaps:
        return self._pixmaps()

    @dbus_property(access=PropertyAccess.READ)
    def OverlayIconName(self) -> DBusStr:
        return ""

    @dbus_property(access=PropertyAccess.READ)
    def OverlayIconPixmap(self) -> Pixmaps:
        return []

    @dbus_property(access=PropertyAccess.READ)
    def AttentionIconName(self) -> DBusStr:
        return ""

    @dbus_property(access=PropertyAccess.READ)
    def AttentionIconPixmap(self) -> Pixmaps:
        return self._pixmaps()

    @dbus_property(access=PropertyAccess.READ)
    def AttentionMovieName(self) -> DBusStr:
        return ""

    @dbus_property(access=PropertyAccess.READ)
    def ToolTip(self) -> Tip:
        return ["", [], self._picture.title, "\n".join(self._picture.lines)]

    @dbus_property(access=PropertyAccess.READ)
    def ItemIsMenu(self) -> DBusBool:
        return False

    @dbus_property(access=PropertyAccess.READ)
    def Menu(self) -> DBusObjectPath:
        return MENU_PATH

    @dbus_method()
    def Activate(self, x: DBusInt32, y: DBusInt32) -> None:  # noqa: ARG002 - where a window could be put
        self._activated()

    @dbus_method()
    def SecondaryActivate(self, x: DBusInt32, y: DBusInt32) -> None:  # noqa: ARG002 - likewise
        self._activated()

    @dbus_method()
    def ContextMenu(self, x: DBusInt32, y: DBusInt32) -> None:
        """Do nothing: panels that can show a menu show ours by themselves."""

    @dbus_method()
    def Scroll(self, delta: DBusInt32, orientation: DBusStr) -> None:
        """Do nothing."""

    @dbus_signal()
    def NewIcon(self) -> None: ...

    @dbus_signal()
    def NewAttentionIcon(self) -> None: ...

    @dbus_signal()
    def NewTitle(self) -> None: ...

    @dbus_signal()
    def NewToolTip(self) -> None: ...

    @dbus_signal()
    def NewStatus(self, status: DBusStr) -> DBusStr:
        return status
