"""The same command again is answered with the first result: the very bytes, for as long as they are kept.

That nothing is done twice is the log's business, which knows what every command led to. It does not know what was said
about it at that moment, and a session has gone on since. So the latest answers are kept here, in memory; after a
restart, and for a command of long ago, the result is told as it is now.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import anyio
from starlette.responses import Response, StreamingResponse

if TYPE_CHECKING:
    from msgspec import Struct

    from holdfast.frontends.gateway.operations import Call, Operation, Operations

_KEPT: Final = 512
_LONGEST_BYTES: Final = 64 * 1024
"""A longer answer is not worth its room."""

_OF: Final = ("/sessions", "/inbox", "/imports")
"""Where the commands are that a client may have to ask again for."""

_Key = tuple[str, str, tuple[tuple[str, str], ...], str]


@dataclass(frozen=True)
class _Answer:
    status: int
    body: bytes
    media_type: str | None

    def response(self) -> Response:
        return Response(self.body, self.status, media_type=self.media_type)


class Repeats:
    """The answers to the latest commands."""

    def __init__(self) -> None:
        """Know of none yet."""
        self._answers: OrderedDict[_Key, _Answer] = OrderedDict()
        self._under_way: dict[_Key, anyio.Event] = {}
        self._erased: set[str] = set()  # while a command is under way that may have looked at them before

    def kept(self, operations: Operations) -> Operations:
        """Return the operations, commands among them with a memory for what they were answered."""
        return [self._remembering(each) if each.writes and each.path.startswith(_OF) else each for each in operations]

    def _remembering(self, operation: Operation[Any]) -> Operation[Any]:
        erases = (operation.method, operation.path) == ("DELETE", "/sessions/{id}")

        async def carried_out(call: Call, given: Struct) -> Response:
            response = await operation.handler(call, given)
            if erases:
                self._forget(call.session)
            return response

        async def handler(call: Call, given: Struct) -> Response:
            if call.cause is None or call.lines:
                return await carried_out(call, given)
            key = (operation.method, operation.path, tuple(sorted(call.path.items())), call.cause)
            while (under_way := self._under_way.get(key)) is not None:
                await under_way.wait()
            first = self._answers.get(key)
            if first is not None:
                return first.response()
            done = self._under_way[key] = anyio.Event()
            try:
                response = await carried_out(call, given)
                self._keep(key, response, erases=erases)
                return response
            finally:
                del self._under_way[key]
                if not self._under_way:
                    self._erased.clear()
                done.set()

        return replace(operation, handler=handler)

    def _keep(self, key: _Key, response: Response, *, erases: bool) -> None:
        if isinstance(response, StreamingResponse) or len(response.body) > _LONGEST_BYTES:
            return
        body = bytes(response.body)
        if not erases and any(_tells_of(name, key, body) for name in self._erased):
            return
        self._answers[key] = _Answer(response.status_code, body, response.media_type)
        if len(self._answers) > _KEPT:
            self._answers.popitem(last=False)

    def _forget(self, session_id: str) -> None:
        """Let nothing stay of a session that was erased."""
        if self._under_way:
            self._erased.add(session_id)
        for key, answer in list(self._answers.items()):
            if _tells_of(session_id, key, answer.body):
                del self._answers[key]


def _tells_of(session_id: str, key: _Key, body: bytes) -> bool:
    """Tell whether an answer is about a session: by the address it is from, or by its words."""
    return session_id in dict(key[2]).values() or session_id.encode() in body
