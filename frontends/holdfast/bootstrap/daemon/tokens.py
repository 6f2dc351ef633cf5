"""The tokens that were given out by name: one file beside the home's own token, as private as that one."""

from __future__ import annotations

import os
import re
import secrets
import stat
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from hashlib import sha256
from time import time_ns
from typing import TYPE_CHECKING, Final

import msgspec

from holdfast.bootstrap.daemon.credential import new_token, write_token
from holdfast.domain.errors import ConflictError, NotFoundError, UnsafeError, UsageError
from holdfast.domain.timestamps import to_text
from holdfast.domain.tokens import Token

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from holdfast.adapters.configuration.home import Home

_LIMIT: Final = 1024 * 1024
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_TAKEN: Final = frozenset({"token", "browser"})

_decode = msgspec.json.Decoder(list[Token]).decode


class TokenFile:
    """The token book of one home. Reads the file anew for every question; it is a few lines long."""

    def __init__(self, home: Home) -> None:
        """Keep it in `home`, which exists."""
        self._home = home
        self._path = home.token.with_name("tokens")
        self._seen: tuple[tuple[int, int, int], list[Token]] | None = None

    def new(self, name: str | None, *, read_only: bool) -> tuple[Token, str]:
        """Give a token out, and return it.

        Raises:
            ConflictError: The name is taken.
            UsageError: It is no name.
        """
        if name is None:
            name = f"{'reader' if read_only else 'token'}-{secrets.token_hex(3)}"
        if not _NAME.fullmatch(name) or name in _TAKEN:
            msg = f"{name!r} cannot name a token: use letters, digits, dots and dashes, at most 64"
            raise UsageError(msg)
        with self._locked():
            tokens = list(self.named())
            if any(token.name == name for token in tokens):
                msg = f"there is a token {name!r} already: revoke it first, or use another name"
                raise ConflictError(msg)
            secret = new_token()
            token = Token(name, sha256(secret.encode()).hexdigest(), read_only, to_text(time_ns() // 1000))
            self._write([*tokens, token])
        return token, secret

    def named(self) -> Sequence[Token]:
        """Return what was given out.

        Raises:
            UnsafeError: Others can read or change the file, or it is damaged.
        """
        try:
            fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return []
        except OSError as error:
            msg = f"{self._path} cannot be read ({error.strerror}): remove it and give out new tokens"
            raise UnsafeError(msg) from error
        try:
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
                msg = f"{self._path} is open to others: remove it and give out new tokens"
                raise UnsafeError(msg)
            state = (found.st_ino, found.st_mtime_ns, found.st_size)
            if self._seen is None or self._seen[0] != state:
                self._seen = (state, _decode(os.read(fd, _LIMIT)))
            return self._seen[1]
        except msgspec.MsgspecError as error:
            msg = f"{self._path} is damaged: remove it and give out new tokens"
            raise UnsafeError(msg) from error
        finally:
            os.close(fd)

    def rotate(self) -> None:
        """Put a new token in the place of the home's own."""
        with self._locked():
            write_token(self._home.token, new_token())

    def revoke(self, name: str) -> None:
        """Take a token back.

        Raises:
            NotFoundError: There is none of this name.
        """
        with self._locked():
            tokens = self.named()
            left = [token for token in tokens if token.name != name]
            if len(left) == len(tokens):
                msg = f"there is no token {name!r}: `holdfast token ls` names them"
                raise NotFoundError(msg)
            self._write(left)

    def _write(self, tokens: Sequence[Token]) -> None:
        write_token(self._path, msgspec.json.encode(tokens).decode())

    @contextmanager
    def _locked(self) -> Generator[None]:
        """Keep others from changing it at the same time; reading needs no lock, the file is replaced whole."""
        fd = os.open(self._home.path / "tokens.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            flock(fd, LOCK_EX)
            yield
        finally:
            os.close(fd)
