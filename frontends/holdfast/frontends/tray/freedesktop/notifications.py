"""Notifications over org.freedesktop.Notifications 1.2: one a session, replaced and taken back by its number."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from time import monotonic
from typing import TYPE_CHECKING, Final, cast

from dbus_fast import Variant

from holdfast.frontends.tray.drawing import drawn
from holdfast.frontends.tray.freedesktop.bus import CallError

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.domain.notifying.policy import Show
    from holdfast.domain.recorded import StreamId
    from holdfast.frontends.tray.freedesktop.bus import Bus
    from holdfast.frontends.tray.port import Events

NAME: Final = "org.freedesktop.Notifications"
PATH: Final = "/org/freedesktop/Notifications"

SURPRISE_S: Final = 0.3
"""A click that comes this soon was meant for something else."""

_NORMAL: Final = 1
"""Of three urgencies; the highest one would be shown in spite of a do-not-disturb."""


@dataclass
class _Standing:
    """A notification that the desktop has."""

    show: Show
    since: float


class Notifications:
    """Our notifications on whatever shows them; it may be absent, be replaced, or have no buttons."""

    def __init__(self, bus: Bus, events: Events, say: Callable[[str], None]) -> None:
        """Report clicks to `events`; `say` is told when notifications cannot be shown."""
        self._bus = bus
        self._events = events
        self._say = say
        self._able: frozenset[str] | None = None
        self._numbers: dict[StreamId, int] = {}
        self._standing: dict[int, _Standing] = {}

    async def begin(self) -> None:
        """Listen to clicks.

        Raises:
            CallError: The bus does not answer.
        """
        await self._bus.follow(NAME, self._changed_hands)
        await self._bus.listen(NAME, NAME, "ActionInvoked", self._invoked)
        await self._bus.listen(NAME, NAME, "NotificationClosed", self._closed)

    async def notify(self, show: Show) -> bool:
        """Show it, or change what stands; return whether the desktop took it."""
        number = self._numbers.get(show.session_id, 0)
        if not number and show.news is None:
            return False  # the person has closed it
        try:
            able = await self._abilities()
            told = await self._bus.call(NAME, PATH, NAME, "Notify", "susssasa{sv}i", _arguments(show, number, able))
        except CallError as error:
            self._say(f"no notifications: nothing on this desktop shows them ({error})")
            return False
        (number,) = (int(str(part)) for part in told)
        self._numbers[show.session_id] = number
        self._standing[number] = _Standing(show, monotonic())
        return True

    async def withdraw(self, session_id: StreamId) -> None:
        """Take it back, if it is there."""
        number = self._numbers.pop(session_id, 0)
        self._standing.pop(number, None)
        if number:
            try:
                await self._bus.call(NAME, PATH, NAME, "CloseNotification", "u", [number])
            except CallError:
                return  # it was closed a moment ago, or whoever showed it has gone

    async def withdraw_all(self) -> None:
        """Take all back."""
        for session_id in list(self._numbers):
            await self.withdraw(session_id)

    async def _abilities(self) -> frozenset[str]:
        if self._able is None:
            (able,) = await self._bus.call(NAME, PATH, NAME, "GetCapabilities")
            self._able = frozenset(cast("list[str]", able))
        return self._able

    def _changed_hands(self, owner: str) -> None:
        """Another program shows notifications now: it has none of ours, and may be able to do other things."""
        del owner
        self._able = None
        self._numbers.clear()
        self._standing.clear()

    def _invoked(self, body: list[object]) -> None:
        number, action = body
        standing = self._standing.get(number) if isinstance(number, int) else None
        if standing is None:
            return
        if action == "default":
            self._events.clicked(standing.show.session_id)
            return
        _, _, place = str(action).partition("/")
        if place.isdecimal() and int(place) < len(standing.show.answers):
            answer = standing.show.answers[int(place)]
            if monotonic() - standing.since < SURPRISE_S:
                self._events.clicked(standing.show.session_id)
            else:
                self._events.answered(answer.request_id, answer.option_id)

    def _closed(self, body: list[object]) -> None:
        standing = self._standing.pop(body[0], None) if isinstance(body[0], int) else None
        if standing is not None:
            self._numbers.pop(standing.show.session_id, None)


def _arguments(show: Show, number: int, able: frozenset[str]) -> list[object]:
    actions = ["default", "Open"]
    for place, answer in enumerate(show.answers):
        actions += [f"answer/{place}", answer.label]
    # Where bodies are markup, an agent's text could bring links and pictures along.
    body = escape(show.body, quote=False) if "body-markup" in able else show.body
    return ["Holdfast", number, "", show.summary, body, actions if "actions" in able else [], _hints(show), -1]


def _hints(show: Show) -> dict[str, Variant]:
    hints = {
        "urgency": Variant("y", _NORMAL),
        "category": Variant("s", "im.received"),
        "desktop-entry": Variant("s", "holdfast-tray"),
        "image-data": Variant("(iiibiiay)", _image(show)),
    }
    if show.sound:
        hints["sound-name"] = Variant("s", "message-new-instant")
    else:
        hints["suppress-sound"] = Variant("b", True)
    return hints


def _image(show: Show) -> list[object]:
    """Return the mark as width, height, bytes a row, whether there is alpha, bits, channels, and RGBA."""
    pixels = drawn("down" if show.kind == "failed" else "needs_you" if show.kind == "needs_you" else "idle", 0)[-1]
    data = bytearray(pixels.data)
    data[0::4], data[1::4], data[2::4], data[3::4] = (pixels.data[at::4] for at in (1, 2, 3, 0))
    return [pixels.size, pixels.size, pixels.size * 4, True, 8, 4, bytes(data)]
