"""The app: all routes behind the door."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route

from holdfast.domain.errors import HoldfastError
from holdfast.frontends.gateway import openapi, signin
from holdfast.frontends.gateway.door import Door, Limit
from holdfast.frontends.gateway.keys import Keys
from holdfast.frontends.gateway.live import Live
from holdfast.frontends.gateway.operations import PREFIX
from holdfast.frontends.gateway.problems import ProblemError, answer
from holdfast.frontends.gateway.repeats import Repeats
from holdfast.frontends.gateway.routes import log, marks, prompts, queries, tokens, upkeep
from holdfast.frontends.gateway.static import serving
from holdfast.frontends.web.page import Page

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp

    from holdfast.frontends.gateway.house import House
    from holdfast.frontends.gateway.operations import Operations


def operations(house: House) -> Operations:
    """Return every operation of the API."""
    every = [each for part in (queries, marks, prompts, log, upkeep, tokens) for each in part.operations(house)]
    return Repeats().kept(every)


def build(house: House, *, port: int) -> tuple[ASGIApp, Live]:
    """Return the app, and what has to run beside it.

    Args:
        house: What is behind the routes.
        port: The port of the TCP socket.
    """
    limit = Limit(monotonic)
    keys = Keys(house.token, house.tokens, limit, port=port)
    offered = [*operations(house), *signin.operations(signin.SignIn(keys, limit, house.running.url))]
    live = Live(house, keys, offered)
    document = openapi.document(offered, house.version)

    async def described(request: Request) -> Response:
        del request
        return JSONResponse(document)

    routes: list[BaseRoute] = [
        Route("/healthz", _healthy),
        Route(f"{PREFIX}/openapi.json", described),
        *(operation.route() for operation in offered),
        *live.routes(),
    ]
    app = Starlette(
        routes=routes,
        exception_handlers={
            HoldfastError: _failed,
            ProblemError: _failed,
            HTTPException: _unknown,
            Exception: _failed,
        },
    )
    app.router.redirect_slashes = False
    if house.running.web:
        app.router.default = serving(Page(), app.router.default)
    recognisers = [keys.from_token, keys.from_cookie]
    open_paths = [PREFIX + signin.SIGN_IN]
    door = Door(live.leased(app), port=port, recognisers=recognisers, open_paths=open_paths, limit=limit)
    return door, live


async def _healthy(request: Request) -> Response:
    """Say that somebody is here, and nothing else: no credential was shown."""
    del request
    return JSONResponse({"ok": True})


async def _failed(request: Request, error: Exception) -> Response:
    del request
    return answer(error)


async def _unknown(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        allowed = _allowed(request) or (error.headers or {}).get("Allow", "")
        msg = f"{request.method} does nothing here: this address takes {allowed}"
        return answer(ProblemError(405, "method", msg, {"Allow": allowed}))
    return answer(ProblemError(error.status_code, "not_found", "there is nothing at this address"))


def _allowed(request: Request) -> str:
    """Return the methods that the path of a request takes: each has a route of its own, and one route has refused."""
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    there = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    return ", ".join(sorted({method for route in there for method in route.methods or ()}))
