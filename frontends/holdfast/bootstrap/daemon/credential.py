"""The token file: the one credential that everything else is bought with. Anybody who can read it is the user."""

from __future__ import annotations

import os
import secrets
import stat
from typing import TYPE_CHECKING

from holdfast.adapters.durable import replace_file
from holdfast.domain.errors import NotRunningError, UnsafeError

if TYPE_CHECKING:
    from pathlib import Path

_LIMIT = 4096
_SHORTEST = 20


def read_token(path: Path) -> str:
    """Return the token.

    Raises:
        NotRunningError: There is none: no daemon was ever started here.
        UnsafeError: It is a link, belongs to somebody else, can be read by others, or is too short to be a secret.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError as error:
        msg = f"there is no token at {path}: start a daemon with `holdfast up`"
        raise NotRunningError(msg) from error
    except OSError as error:
        msg = f"{path} is no file of this user's own ({error.strerror}): remove it, `holdfast up` makes another"
        raise UnsafeError(msg) from error
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
            msg = f"{path} is no file of this user's own: remove it, `holdfast up` makes another"
            raise UnsafeError(msg)
        if found.st_mode & 0o077:
            msg = (
                f"{path} can be read by others (mode {stat.S_IMODE(found.st_mode):04o}), so it is no secret any more: "
                "`holdfast token rotate` makes another"
            )
            raise UnsafeError(msg)
        token = os.read(fd, _LIMIT).decode("ascii", "replace").strip()
    finally:
        os.close(fd)
    if len(token) < _SHORTEST or not token.isascii() or not token.isprintable() or " " in token:
        msg = f"{path} holds no token: `holdfast token rotate` makes one"
        raise UnsafeError(msg)
    return token


def ensure_token(path: Path) -> str:
    """Return the token, made now where there is none.

    Raises:
        UnsafeError: What is there cannot be trusted.
    """
    try:
        return read_token(path)
    except NotRunningError:
        write_token(path, new_token())
        return read_token(path)


def new_token() -> str:
    """Return a token that nobody can guess.

    It never enters the log, so an agent's text that ends like a token begins waits for what follows: few texts end so.
    """
    return f"Q{secrets.token_urlsafe(32)}"


def write_token(path: Path, token: str) -> None:
    """Put a token in the place of whatever is there, at once or not at all."""
    replace_file(path, f"{token}\n".encode())
