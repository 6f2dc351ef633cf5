"""Commands over the stream are the operations of HTTP: the same bodies, the same results, the same refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Raw, Struct

from holdfast.domain.errors import UsageError
from holdfast.frontends.gateway.operations import Call, decoded
from holdfast.frontends.gateway.problems import ProblemError
from holdfast.frontends.gateway.stream.gate import RefusedError

if TYPE_CHECKING:
    from holdfast.domain.recorded import Actor
    from holdfast.frontends.gateway.operations import Operation, Operations

_NAMED: Final = {"/sessions": "sessions", "/inbox/{request}": "answer", "/sessions/{id}/queue/resume": "resume"}
_OF_SESSION: Final = "/sessions/{id}/"


class _Answering(Struct, frozen=True):
    request_id: str


class OperationCommands:
    """Carries out the operations that change a session, by the last word of their paths."""

    def __init__(self, operations: Operations) -> None:
        """Take those out of `operations` that are commands."""
        self._verbs = {verb: each for each in operations if (verb := _verb(each)) is not None}

    async def __call__(self, verb: str, session: str | None, body: Raw, *, client_id: str, actor: Actor) -> Raw:
        """Return the answer's body.

        Raises:
            HoldfastError: It is refused.
            RefusedError: It is refused for what it is.
        """
        operation = self._verbs.get(verb)
        if operation is None:
            msg = f"there is no command {verb[:40]!r}: there are {', '.join(sorted(self._verbs))}"
            raise UsageError(msg)
        text = bytes(body)
        if text == b"null":
            text = b"{}"
        call = Call(_path(operation, session, text), client_id, actor, lines=False)
        try:
            response = await operation.handler(call, decoded(text, operation.takes))
        except ProblemError as problem:
            raise RefusedError(problem.code, problem.detail) from problem
        return Raw(bytes(response.body) or b"null")


def _verb(operation: Operation[Any]) -> str | None:
    if operation.method != "POST":
        return None
    rest = operation.path.removeprefix(_OF_SESSION)
    return _NAMED.get(operation.path, rest if rest != operation.path and "/" not in rest else None)


def _path(operation: Operation[Any], session: str | None, body: bytes) -> dict[str, str]:
    if "{request}" in operation.path:
        try:
            return {"request": msgspec.json.decode(body, type=_Answering).request_id}
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            msg = f"an answer names its request_id: {error}"
            raise UsageError(msg) from error
    if "{id}" not in operation.path:
        return {}
    if not session:
        msg = "name the session of the command"
        raise UsageError(msg)
    return {"id": session}
