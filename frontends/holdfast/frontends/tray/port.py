"""What the tray needs of a desktop. One implementation a kind of desktop; `freedesktop` is the one there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from holdfast.domain.notifying.policy import Show
    from holdfast.domain.recorded import StreamId

Key = tuple[str, ...]
"""What a line of the menu is, and what it is about: told back as it was given when it is clicked."""

Mark = Literal["idle", "working", "needs_you", "reconnecting", "down"]


class Picture(Struct, frozen=True):
    """What the icon shows.

    Attributes:
        number: How many sessions need the person; shown on the mark `needs_you`.
        title: One line that says the same in words.
        lines: More words, for the tooltip.
    """

    mark: Mark
    number: int
    title: str
    lines: tuple[str, ...] = ()


class Entry(Struct, frozen=True):
    """A line of the menu. Without an action and without children it only says something.

    Attributes:
        key: Tells it from all other lines, over all changes of the menu; what a click is reported with.
        label: What it says; an empty one draws a line.
        checked: Whether it is ticked; None where it cannot be.
        acts: Whether a click on it does something.
    """

    key: Key
    label: str = ""
    checked: bool | None = None
    acts: bool = False
    children: tuple[Entry, ...] = ()


class Events(Protocol):
    """What a person does on the desktop. Every method returns at once."""

    def opened(self) -> None:
        """The icon was clicked."""
        ...

    def looked_at(self) -> None:
        """The menu is about to be shown."""
        ...

    def chosen(self, key: Key) -> None:
        """A line of the menu was clicked that is still there."""
        ...

    def clicked(self, session_id: StreamId) -> None:
        """The notification of a session was clicked."""
        ...

    def answered(self, request_id: str, option_id: str) -> None:
        """A question was answered in a notification."""
        ...


class Desktop(Protocol):
    """A desktop with a place for an icon and for notifications; either may come and go."""

    def paint(self, picture: Picture) -> None:
        """Have the icon show this from now on."""
        ...

    def offer(self, menu: tuple[Entry, ...]) -> None:
        """Have the menu be this from now on."""
        ...

    async def notify(self, show: Show) -> bool:
        """Show the notification of a session, or change it; return whether it can be seen.

        One that only changes what stands is not shown again where the person has closed it.
        """
        ...

    async def withdraw(self, session_id: StreamId) -> None:
        """Take the notification of a session back, if there is one."""
        ...

    async def withdraw_all(self) -> None:
        """Take every notification back: nobody would answer a click on it."""
        ...
