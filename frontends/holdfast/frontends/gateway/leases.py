"""What is still being answered to whom: an answer that goes on for long ends with the credential that asked for it."""

from __future__ import annotations

from logging import getLogger
from typing import TYPE_CHECKING, Final

import anyio

from holdfast.frontends.gateway.problems import ProblemError, answer

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from holdfast.frontends.gateway.stream.gate import Credential, Gate

_RECHECK_S: Final = 0.3

_log = getLogger(__name__)


class Leases:
    """Looks again at the credentials of those who only read. Who changes something has it done: it was allowed."""

    def __init__(self, gate: Gate) -> None:
        """Ask `gate` whose credential is still good; `run` does that."""
        self._gate = gate
        self._open: dict[anyio.CancelScope, Credential] = {}
        self._asked = anyio.Event()

    async def run(self) -> None:
        """End the answers of credentials that were taken back, for ever."""
        while True:
            await self._asked.wait()
            self._asked = anyio.Event()
            while self._open:
                await anyio.sleep(_RECHECK_S)
                gone = {each for each in set(self._open.values()) if not self._gate.holds(each)}
                for answering in [scope for scope, credential in self._open.items() if credential in gone]:
                    answering.cancel()

    def around(self, app: ASGIApp) -> ASGIApp:
        """Return `app`, whose answers to those who only read end with their credentials."""

        async def answering(scope: Scope, receive: Receive, send: Send) -> None:
            credential: Credential | None = scope.get("state", {}).get("credential")
            if scope["type"] != "http" or scope["method"] != "GET" or credential is None:
                await app(scope, receive, send)
            else:
                await self._answer(app, credential, scope, receive, send)

        return answering

    async def _answer(self, app: ASGIApp, credential: Credential, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        with anyio.CancelScope() as answering:
            self._open[answering] = credential
            self._asked.set()
            try:
                await app(scope, receive, sending)
            finally:
                del self._open[answering]
        if not answering.cancelled_caught:
            return
        # What has begun breaks off, of which the server complains: nobody is to take a part of an export for the whole.
        _log.info("an answer ends: its credential was taken back", extra={"credential": credential.name})
        if not begun:
            await answer(ProblemError(401, "denied", "the credential was taken back"))(scope, receive, send)
