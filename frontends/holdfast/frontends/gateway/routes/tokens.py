"""Tokens that were given out by name: shown, made and taken back, by whoever has the home's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct
from starlette.responses import Response

from holdfast.frontends.gateway.operations import Body, Call, Nothing, Operation, Operations, found, in_thread

if TYPE_CHECKING:
    from holdfast.domain.tokens import TokenBook
    from holdfast.frontends.gateway.house import House


class Giving(Body, frozen=True, kw_only=True):
    """What to call it, null for a name of the daemon's choice; and whether it may only read."""

    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")] | None = None
    read_only: bool = False


class Known(Struct, frozen=True):
    """A token, as far as it can be shown again."""

    name: str
    read_only: bool
    created: str


class Given(Struct, frozen=True):
    """A token that was made just now; it is never shown again."""

    name: str
    read_only: bool
    created: str
    token: str


class Tokens(Struct, frozen=True):
    """All tokens by name, the oldest first."""

    items: list[Known]
    after: None = None


class Giver:
    """The book of tokens, over HTTP."""

    def __init__(self, book: TokenBook) -> None:
        """Keep `book`."""
        self._book = book

    async def list(self, call: Call, given: Nothing) -> Response:
        """Return what was given out."""
        del call, given
        named = await in_thread(self._book.named)
        return found(Tokens([Known(each.name, each.read_only, each.created) for each in named]))

    async def give(self, call: Call, given: Giving) -> Response:
        """Make one."""
        del call
        made, secret = await in_thread(lambda: self._book.new(given.name, read_only=given.read_only))
        answer = found(Given(made.name, made.read_only, made.created, secret), 201)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    async def revoke(self, call: Call, given: Nothing) -> Response:
        """Take one back."""
        del given
        await in_thread(self._book.revoke, call.path["name"])
        return Response(status_code=204)


def operations(house: House) -> Operations:
    """Return what concerns tokens."""
    giver = Giver(house.tokens)
    return [
        Operation("GET", "/tokens", "List the tokens that were given out.", giver.list, Nothing, Tokens, own=True),
        Operation("POST", "/tokens", "Give a token out.", giver.give, Giving, Given, 201, (409,), own=True),
        Operation("DELETE", "/tokens/{name}", "Take a token back.", giver.revoke, Nothing, None, 204, own=True),
    ]
