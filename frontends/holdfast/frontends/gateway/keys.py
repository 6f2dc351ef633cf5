"""Which credentials there are: the token of the home, tokens by name, and the cookies that sign-in codes buy.

A cookie is signed with the token of the home, so that it outlives the daemon and not the token.
"""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie
from time import monotonic, time
from typing import TYPE_CHECKING, Final, Protocol

from holdfast.domain.errors import DeniedError, HoldfastError
from holdfast.frontends.gateway.door import Credential, Limit, bearer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.datastructures import Headers

    from holdfast.domain.tokens import Token
    from holdfast.frontends.gateway.stream import gate

CODE_S: Final = 60
COOKIE_S: Final = 30 * 24 * 3600

_CODES: Final = 256


class Tokens(Protocol):
    """The tokens by name, as they are now."""

    def named(self) -> Sequence[Token]:
        """Return them."""
        ...


class Keys:
    """Everything that opens the door, now. Asked anew each time: a token may be taken back at any moment."""

    def __init__(self, main: Callable[[], str], tokens: Tokens, limit: Limit, *, port: int) -> None:
        """Know the token that `main` returns, and `tokens`.

        Args:
            main: The token of the home.
            tokens: The others.
            limit: Counts wrong ones.
            port: Browsers keep cookies by host and not by port, so its name tells daemons apart.
        """
        self._main = main
        self._tokens = tokens
        self._limit = limit
        self.cookie_name = f"holdfast-{port}"

    def from_token(self, headers: Headers) -> Credential | None:
        """Recognise an `Authorization` header."""
        token = bearer(headers)
        return None if token is None else self._find(token)

    def from_cookie(self, headers: Headers) -> Credential | None:
        """Recognise the cookie of a browser that signed in."""
        values = self._cookies(headers)
        if not values:
            return None
        main = self._main()
        for value in values:
            issued, _, rest = value.partition(".")
            nonce, _, signature = rest.partition(".")
            if not (issued.isascii() and issued.isdigit() and len(issued) < 16):
                continue
            right = hmac.compare_digest(signature.encode("utf-8", "replace"), _signature(main, issued, nonce).encode())
            if right and 0 <= time() - int(issued) < COOKIE_S:
                return Credential("browser", rests_on=_digest(main), own=True)
        return None

    def new_cookie(self) -> str:
        """Return the value of a new cookie."""
        issued, nonce = str(int(time())), secrets.token_urlsafe(16)
        return f"{issued}.{nonce}.{_signature(self._main(), issued, nonce)}"

    def admit(self, token: str, peer: str) -> Credential:
        """Return whose token a first message brought.

        Raises:
            DeniedError: Nobody's, or there were too many of those from this peer.
        """
        found = self._find(token)
        if found is not None:
            return found
        wait_s = self._limit.wrong(peer) if token else None
        if wait_s is not None:
            msg = f"too many wrong credentials: wait {wait_s} s"
            raise DeniedError(msg)
        msg = "a credential is needed: say hello with the token of the daemon's home"
        raise DeniedError(msg)

    def holds(self, credential: gate.Credential) -> bool:
        """Whether the token behind a credential is still good."""
        try:
            return isinstance(credential, Credential) and credential.rests_on in self._digests()
        except HoldfastError:
            return False

    def _digests(self) -> frozenset[str]:
        return frozenset([_digest(self._main()), *(token.digest for token in self._tokens.named())])

    def _find(self, token: str) -> Credential | None:
        digest = _digest(token)
        main = _digest(self._main())
        if hmac.compare_digest(digest, main):
            return Credential("token", rests_on=main, own=True)
        for known in self._tokens.named():
            if hmac.compare_digest(digest, known.digest):
                return Credential(known.name, known.read_only, known.digest)
        return None

    def _cookies(self, headers: Headers) -> list[str]:
        found: list[str] = []
        for header in headers.getlist("cookie"):
            try:
                morsel = SimpleCookie(header).get(self.cookie_name)
            except CookieError:
                continue  # somebody else's on the same host
            if morsel is not None:
                found.append(morsel.value)
        return found


class Codes:
    """Sign-in codes: each works once, for a minute, while this daemon runs."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        """Know no code yet; `now` is a clock in seconds."""
        self._now = now
        self._until: dict[str, float] = {}

    def new(self) -> str:
        """Return a new code."""
        self._forget()
        while len(self._until) >= _CODES:
            del self._until[next(iter(self._until))]
        code = secrets.token_urlsafe(18)
        self._until[_digest(code)] = self._now() + CODE_S
        return code

    def take(self, code: str) -> bool:
        """Whether the code was good; it never is again."""
        self._forget()
        return self._until.pop(_digest(code), None) is not None

    def _forget(self) -> None:
        now = self._now()
        self._until = {code: until for code, until in self._until.items() if until > now}


def _digest(token: str) -> str:
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _signature(main: str, issued: str, nonce: str) -> str:
    said = f"holdfast cookie {issued}.{nonce}"
    return hmac.new(main.encode(), said.encode("utf-8", "replace"), sha256).hexdigest()
