"""Signing in: a code that works once buys a browser its cookie. The page is asked for the code in its address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct
from starlette.responses import Response

from holdfast.frontends.gateway.keys import CODE_S, COOKIE_S, Codes
from holdfast.frontends.gateway.operations import Body, Call, Operation, Operations, found
from holdfast.frontends.gateway.problems import ProblemError

if TYPE_CHECKING:
    from holdfast.frontends.gateway.door import Limit
    from holdfast.frontends.gateway.keys import Keys

SIGN_IN = "/sign-in"


class Code(Struct, frozen=True):
    """What `holdfast web` printed."""

    code: Annotated[str, Meta(min_length=1, max_length=200)]


class Link(Struct, frozen=True):
    """Where to sign in, once, for as long as it says in seconds."""

    code: str
    url: str
    expires_in: int


class SignIn:
    """Codes and cookies."""

    def __init__(self, keys: Keys, limit: Limit, url: str) -> None:
        """Let browsers into the daemon at `url`."""
        self._keys = keys
        self._limit = limit
        self._url = url
        self._codes = Codes()

    async def offer(self, call: Call, given: Body) -> Response:
        """Make a code."""
        del call, given
        code = self._codes.new()
        return found(Link(code, f"{self._url}/#code={code}", CODE_S), 201)

    async def enter(self, call: Call, given: Code) -> Response:
        """Take a code and give a cookie."""
        del call
        if not self._codes.take(given.code):
            wait_s = self._limit.wrong("sign-in")
            if wait_s is not None:
                msg = f"too many wrong codes: wait {wait_s} s"
                raise ProblemError(429, "denied", msg, {"Retry-After": str(wait_s)})
            msg = "the sign-in link was used, or is older than a minute: `holdfast web` prints another"
            raise ProblemError(401, "denied", msg)
        response = Response(status_code=204, headers={"Cache-Control": "no-store"})
        response.set_cookie(
            self._keys.cookie_name, self._keys.new_cookie(), max_age=COOKIE_S, httponly=True, samesite="strict"
        )
        return response

    async def leave(self, call: Call, given: Body) -> Response:
        """Take the cookie back from this browser."""
        del call, given
        response = Response(status_code=204)
        response.delete_cookie(self._keys.cookie_name, httponly=True, samesite="strict")
        return response


def operations(signing: SignIn) -> Operations:
    """Return what browsers come in by."""
    return [
        Operation(
            "POST", SIGN_IN, "Sign a browser in.", signing.enter, Code, None, 204, (401, 429), changes=False,
            credential=False,
        ),
        Operation("POST", "/sign-in-codes", "Make a sign-in link.", signing.offer, Body, Link, 201, own=True),
        Operation("POST", "/sign-out", "Sign this browser out.", signing.leave, Body, None, 204, changes=False),
    ]  # fmt: skip
