"""A notification daemon that can do as little as it is told: it notes what it is sent, a JSON object a line.

`python plain_notifications.py NOTES CAPABILITY…`; with the capability `x-eager` it clicks the first button at once.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated

from dbus_fast.aio import MessageBus
from dbus_fast.annotations import DBusDict, DBusInt32, DBusSignature, DBusStr, DBusUInt32
from dbus_fast.service import ServiceInterface, dbus_method, dbus_signal

Names = Annotated[list[str], DBusSignature("as")]
Info = Annotated[list[str], DBusSignature("ssss")]
Invoked = Annotated[list[object], DBusSignature("us")]


class Plain(ServiceInterface):
    def __init__(self, notes: Path, able: list[str]) -> None:
        super().__init__("org.freedesktop.Notifications")
        self._notes = notes
        self._able = able
        self._last = 0

    def note(self, **what: object) -> None:
        with self._notes.open("a") as file:
            file.write(json.dumps(what) + "\n")

    @dbus_method()
    def GetCapabilities(self) -> Names:
        return self._able

    @dbus_method()
    def GetServerInformation(self) -> Info:
        return ["plain", "tests", "1", "1.2"]

    @dbus_method()
    def Notify(  # noqa: PLR0917 - as the specification has it
        self,
        app: DBusStr,
        replaces: DBusUInt32,
        icon: DBusStr,
        summary: DBusStr,
        body: DBusStr,
        actions: Names,
        hints: DBusDict,
        timeout: DBusInt32,
    ) -> DBusUInt32:
        number = replaces or self._last + 1
        self._last = max(self._last, number)
        urgency = hints["urgency"].value
        silent = "suppress-sound" in hints
        self.note(
            number=number,
            replaces=replaces,
            summary=summary,
            body=body,
            actions=actions,
            urgency=urgency,
            silent=silent,
        )
        if "x-eager" in self._able:
            asyncio.get_running_loop().call_later(0.02, self.ActionInvoked, number, "answer/0")
        return number

    @dbus_method()
    def CloseNotification(self, number: DBusUInt32) -> None:
        self.note(closed=number)

    @dbus_signal()
    def ActionInvoked(self, number: DBusUInt32, action: DBusStr) -> Invoked:
        return [number, action]


async def main() -> None:
    bus = await MessageBus().connect()
    plain = Plain(Path(sys.argv[1]), sys.argv[2:])
    bus.export("/org/freedesktop/Notifications", plain)
    await bus.request_name("org.freedesktop.Notifications")
    await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]  # the library's has no types


asyncio.run(main())
