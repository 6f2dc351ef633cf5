"""What of the gateway lives beside requests: who follows the log, who is attached, and with which credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
from starlette.routing import WebSocketRoute

from holdfast.frontends.gateway.leases import Leases
from holdfast.frontends.gateway.operations import PREFIX
from holdfast.frontends.gateway.stream.commands import OperationCommands
from holdfast.frontends.gateway.stream.endpoint import Stream
from holdfast.frontends.gateway.views.hub import Hub

if TYPE_CHECKING:
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp

    from holdfast.frontends.gateway.house import House
    from holdfast.frontends.gateway.keys import Keys
    from holdfast.frontends.gateway.operations import Operations


class Live:
    """The stream and what feeds it."""

    def __init__(self, house: House, keys: Keys, operations: Operations) -> None:
        """Serve what is in `house`."""
        self._hub = Hub(house.tail, house.keeping)
        self._stream = Stream(self._hub, OperationCommands(operations), keys)
        self._leases = Leases(keys)

    def leased(self, app: ASGIApp) -> ASGIApp:
        """Return `app` as it answers for as long as who asks may ask."""
        return self._leases.around(app)

    def routes(self) -> list[BaseRoute]:
        """Return the routes to serve."""
        return [WebSocketRoute(f"{PREFIX}/stream", self._stream)]

    async def run(self) -> None:
        """Do what has to go on beside the requests, until it is cancelled."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._hub.run)
            tasks.start_soon(self._stream.run)
            tasks.start_soon(self._leases.run)
