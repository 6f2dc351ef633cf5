"""The session bus: one connection, calls with a limit, signals only from whom they should come, and who owns a name."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import anyio
from dbus_fast import Message, MessageType, NameFlag, RequestNameReply
from dbus_fast.aio import MessageBus
from dbus_fast.errors import DBusFastError

from holdfast.domain.errors import DesktopError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator, Mapping, Sequence

    from dbus_fast.service import ServiceInterface

ANSWER_S: Final = 10.0
"""How long anybody on the bus is waited for."""

_BUS: Final = "org.freedesktop.DBus"
_BUS_PATH: Final = "/org/freedesktop/DBus"

Listener = Callable[[list[object]], None]


class CallError(Exception):
    """A call got no answer, or a refusal."""


def address_of(environ: Mapping[str, str]) -> str:
    """Return where the session bus is.

    Raises:
        DesktopError: There is none.
    """
    if named := environ.get("DBUS_SESSION_BUS_ADDRESS"):
        return named
    usual = Path(environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}") / "bus"
    if usual.is_socket():
        return f"unix:path={usual}"
    msg = "there is no D-Bus session here, so no icon and no notifications: start `holdfast tray` from your desktop"
    raise DesktopError(msg)


class Bus:
    """A connection that is made by `connected`."""

    def __init__(self, bus: MessageBus) -> None:
        """Use a connection that is there."""
        self._bus = bus
        self._owners: dict[str, str] = {}
        self._owned: dict[str, list[Callable[[str], None]]] = {}
        self._listeners: dict[tuple[str, str, str], list[Listener]] = {}
        bus.add_message_handler(self._hear)

    async def claim(self, name: str) -> bool:
        """Ask for a name; False where somebody else has it.

        Raises:
            CallError: The bus does not answer.
        """
        with _limit(f"the name {name}"):
            return await self._bus.request_name(name, NameFlag.DO_NOT_QUEUE) in (
                RequestNameReply.PRIMARY_OWNER,
                RequestNameReply.ALREADY_OWNER,
            )

    def export(self, path: str, interface: ServiceInterface) -> None:
        """Be called at a path."""
        self._bus.export(path, interface)

    async def follow(self, name: str, changed: Callable[[str], None]) -> str:
        """Return who owns a name, empty for nobody; call `changed` with the same whenever that changes.

        Raises:
            CallError: The bus does not answer.
        """
        self._owned.setdefault(name, []).append(changed)
        await self._match(f"sender='{_BUS}',interface='{_BUS}',member='NameOwnerChanged',arg0='{name}'")
        try:
            (owner,) = await self.call(_BUS, _BUS_PATH, _BUS, "GetNameOwner", "s", [name])
        except CallError:
            owner = ""  # that is how it says so
        self._owners[name] = str(owner)
        return str(owner)

    async def listen(self, name: str, interface: str, member: str, listener: Listener) -> None:
        """Call `listener` with what a signal says, as long as it comes from the owner of `name`, which is followed.

        Raises:
            CallError: The bus does not answer.
        """
        self._listeners.setdefault((name, interface, member), []).append(listener)
        await self._match(f"sender='{name}',interface='{interface}',member='{member}'")

    async def call(  # noqa: PLR0917 - what a method call consists of, in the order everybody writes it
        self, name: str, path: str, interface: str, member: str, signature: str = "", body: Sequence[object] = ()
    ) -> list[object]:
        """Call a method and return what it answers.

        Raises:
            CallError: There is nobody, they refuse, or do not answer in time.
        """
        asked = Message(
            destination=name, path=path, interface=interface, member=member, signature=signature, body=list(body)
        )
        with _limit(f"{name} {member}"):
            reply = await self._bus.call(asked)
        if reply.message_type is MessageType.ERROR:
            msg = f"{reply.error_name}: {reply.body[0] if reply.body else member}"
            raise CallError(msg)
        return list(reply.body)

    async def until_lost(self) -> None:
        """Return when the connection is gone."""
        try:
            await self._bus.wait_for_disconnect()  # type: ignore[no-untyped-call]  # the library's has no types
        except (DBusFastError, OSError, EOFError):
            return

    async def _match(self, rule: str) -> None:
        await self.call(_BUS, _BUS_PATH, _BUS, "AddMatch", "s", [rule])

    def _hear(self, message: Message) -> None:
        if message.message_type is not MessageType.SIGNAL:
            return
        if message.interface == _BUS and message.member == "NameOwnerChanged" and message.sender == _BUS:
            name, _, owner = (str(part) for part in message.body)
            if name in self._owned:
                self._owners[name] = owner
                for changed in self._owned[name]:
                    changed(owner)
            return
        for (name, interface, member), listeners in self._listeners.items():
            if (message.interface, message.member) == (interface, member) and message.sender == self._owners.get(name):
                for listener in listeners:
                    listener(message.body)


@asynccontextmanager
async def connected(address: str) -> AsyncGenerator[Bus]:
    """Be connected to a bus until the context is left.

    Raises:
        DesktopError: It cannot be reached.
    """
    try:
        bus = MessageBus(bus_address=address, auth_timeout=ANSWER_S)
        await bus.connect()
    except (DBusFastError, OSError, EOFError, ValueError) as error:
        msg = f"the D-Bus session cannot be reached ({error}): start `holdfast tray` from your desktop"
        raise DesktopError(msg) from error
    try:
        yield Bus(bus)
    finally:
        bus.disconnect()


@contextmanager
def _limit(what: str) -> Generator[None]:
    """Turn what can go wrong with a call into one error, silence included."""
    try:
        with anyio.fail_after(ANSWER_S):
            yield
    except TimeoutError as error:
        msg = f"{what}: no answer within {ANSWER_S:g} s"
        raise CallError(msg) from error
    except (DBusFastError, OSError, EOFError) as error:
        msg = f"{what}: {error}"
        raise CallError(msg) from error
