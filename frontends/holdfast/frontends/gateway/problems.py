"""Errors as `application/problem+json` (RFC 9457), each with a stable code that names its class."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from msgspec import json
from starlette.responses import Response

from holdfast.domain import errors as e
from holdfast.frontends.codes import code_of

if TYPE_CHECKING:
    from collections.abc import Mapping

MEDIA_TYPE: Final = "application/problem+json"

_STATUSES: Final[tuple[tuple[type[e.HoldfastError], int], ...]] = (
    (e.CursorError, 410),
    (e.UsageError, 400),
    (e.NotFoundError, 404),
    (e.ConflictError, 409),
    (e.TimedOutError, 408),
    (e.DeniedError, 401),
    (e.TranscriptError, 422),
    (e.NotRunningError, 503),
    (e.StoreFullError, 507),
    (e.StoreBusyError, 503),
    (e.StoreClosedError, 503),
    (e.StoreUnavailableError, 503),
    (e.CommandNotFoundError, 422),
    (e.AgentFolderError, 422),
    (e.AgentError, 502),
)
"""The first class that an error is one of tells its status; every other error of ours is 500."""


class ProblemError(Exception):
    """A request is refused for what it is, before anything of ours is asked."""

    def __init__(self, status: int, code: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})


def status_of(error: e.HoldfastError) -> int:
    """Return the status an error is answered with."""
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)


def document(status: int, code: str, detail: str, **extra: object) -> dict[str, object]:
    """Return a problem as the object it is on the wire."""
    title = HTTPStatus(status).phrase
    return {"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code, **extra}


def describe(error: Exception) -> dict[str, object]:
    """Return the problem document of an error. Of one that is not ours it says no more than that there was one."""
    if isinstance(error, ProblemError):
        return document(error.status, error.code, error.detail)
    if isinstance(error, e.AmbiguousNameError):
        named: dict[str, object] = {"name": error.name, "candidates": list(error.candidates)}
        return document(409, code_of(type(error)), str(error), **named)
    if isinstance(error, e.HoldfastError):
        return document(status_of(error), code_of(type(error)), str(error))
    return document(500, "internal", "internal error; `holdfast logs` says where, please report it")


def answer(error: Exception) -> Response:
    """Return the response to a request that led to `error`."""
    body = describe(error)
    status = body["status"]
    assert isinstance(status, int)
    headers = error.headers if isinstance(error, ProblemError) else None
    return Response(json.encode(body), status, headers, MEDIA_TYPE)
