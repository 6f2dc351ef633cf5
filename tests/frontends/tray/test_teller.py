"""Events are taken while something is being told: the daemon's answer comes behind them on the same connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import anyio
import pytest

from holdfast.domain.errors import StoreUnavailableError
from holdfast.domain.preferences import Chosen
from holdfast.frontends.client.following import Delivery
from holdfast.frontends.client.views import Json, View
from holdfast.frontends.tray.teller import Teller

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from holdfast.domain.notifying.policy import Show
    from holdfast.domain.recorded import StreamId
    from holdfast.frontends.client.stream import Stream
    from holdfast.frontends.tray.port import Entry, Picture

AT = "2026-07-15T20:00:00Z"
NOW = 1_784_145_600_000_000


def event(position: int, type_: str, **data: object) -> Json:
    return {
        "position": position, "version": position, "type": type_, "recorded_at": AT, "actor": {"kind": "peer"},
        "session_id": "s1", "data": data,
    }  # fmt: skip


class Narrow:
    """A connection that answers a command only once everything that came before the answer was taken."""

    def __init__(self, events: list[Json]) -> None:
        self.events_left = events
        self.taken = anyio.Event()
        self.noted: list[object] = []

    async def events(self, after: str | int, *, types: tuple[str, ...]) -> AsyncGenerator[Delivery]:
        for each in self.events_left:
            yield Delivery([each], "c")
        self.taken.set()
        await anyio.sleep_forever()

    async def command(self, verb: str, session: str, body: Json, *, client_id: str) -> object:
        await self.taken.wait()
        self.noted.append((verb, session, body))
        return {}


class Wall:
    """A desktop that remembers what was put on it."""

    def __init__(self) -> None:
        self.shown: list[Show | StreamId] = []
        self.done = anyio.Event()

    def paint(self, picture: Picture) -> None: ...

    def offer(self, menu: tuple[Entry, ...]) -> None: ...

    async def notify(self, show: Show) -> bool:
        self.shown.append(show)
        return True

    async def withdraw(self, session_id: StreamId) -> None:
        self.shown.append(session_id)
        self.done.set()

    async def withdraw_all(self) -> None: ...


async def test_what_is_told_waits_for_the_log_and_nothing_waits_for_that() -> None:
    asked = event(
        1, "permission-requested", request_id="r1", turn_id="t1", title="List", input={}, options=[], arguments_hash="h"
    )
    said = [event(number, "text-appended", id="m1", text="word ") for number in range(2, 200)]
    answered = event(200, "permission-answered", request_id="r1", option_id="once", arguments_hash="h")
    stream, wall = Narrow([asked, *said, answered]), Wall()
    roster = View("roster")
    roster.take_snapshot({"items": [], "position": 0})
    teller = Teller(cast("Stream", stream), wall, Chosen, lambda: NOW, lambda: None)

    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(teller.run, roster, View("inbox"))
            await wall.done.wait()
            tasks.cancel_scope.cancel()

    assert stream.noted == [("notified", "s1", {"item_id": "r1"})]
    assert wall.shown == ["s1"], "what is over before it can be shown is not shown"


class Faltering(Narrow):
    """A daemon that cannot read its log once."""

    def __init__(self, events: list[Json]) -> None:
        super().__init__(events)
        self.asked_after: list[str | int] = []
        self.asked_again = anyio.Event()

    async def events(self, after: str | int, *, types: tuple[str, ...]) -> AsyncGenerator[Delivery]:
        self.asked_after.append(after)
        if len(self.asked_after) > 1:
            self.asked_again.set()
            await anyio.sleep_forever()
        yield Delivery(self.events_left, "cursor")
        raise StoreUnavailableError("the server is away")


@pytest.mark.slow
async def test_a_log_that_cannot_be_read_for_a_while_is_followed_further_from_the_same_place() -> None:
    stream = Faltering([event(8, "session-renamed", title="Parrot")])
    roster = View("roster")
    roster.take_snapshot({"items": [], "position": 7})
    teller = Teller(cast("Stream", stream), Wall(), Chosen, lambda: NOW, lambda: None)

    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(teller.run, roster, View("inbox"))
            await stream.asked_again.wait()
            tasks.cancel_scope.cancel()

    assert stream.asked_after == [7, "cursor"]
