"""The two sockets of a daemon: loopback TCP, and one in the file system for this user's own programs."""

from __future__ import annotations

import errno
import hashlib
import ipaddress
import socket
from typing import TYPE_CHECKING

from holdfast.adapters.supervision.host.launch import runtime_folder
from holdfast.domain.daemon import PORT
from holdfast.domain.errors import DaemonError, OccupiedError, UnsafeError

if TYPE_CHECKING:
    from pathlib import Path

    from holdfast.domain.daemon import Listen

BACKLOG = 2048


def loopback(host: str) -> str:
    """Return the address that `host` names.

    Raises:
        UnsafeError: It is not of this machine alone.
    """
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host.strip("[]"))
    except ValueError:
        address = None
    if address is None or str(address) not in ("127.0.0.1", "::1"):
        msg = (
            f"refusing to listen on {host}: whoever reaches a daemon can run programs as you; use 127.0.0.1, and a "
            "tunnel (ssh -L) from elsewhere"
        )
        raise UnsafeError(msg)
    return str(address)


def open_tcp(listen: Listen) -> socket.socket:
    """Listen on TCP.

    Raises:
        OccupiedError: The port is taken.
        UnsafeError: The address is not of this machine alone.
        DaemonError: The machine has no such address.
    """
    address = loopback(listen.host)
    wanted = (PORT, 0) if listen.port is None else (listen.port,)
    for port in wanted:
        made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            made.bind((address, port))
            # Only listening tells: two may bind to one port as long as neither listens.
            made.listen(BACKLOG)
        except OSError as error:
            made.close()
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                msg = f"cannot listen on {address} port {port}: {error.strerror}"
                raise DaemonError(msg) from error
            if port == wanted[-1]:
                why = "in use by another program" if error.errno == errno.EADDRINUSE else "not for this user"
                msg = f"port {port} of {address} is {why}: choose another with --port, 0 takes any that is free"
                raise OccupiedError(msg) from error
            continue
        return made
    raise AssertionError(wanted)


def url_of(bound: socket.socket) -> str:
    """Return the address of a TCP socket as a URL."""
    host, port, *_ = bound.getsockname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def unix_path(home: Path) -> Path:
    """Return where the Unix socket of a home's daemon lies: short, because its address has to be.

    Raises:
        AgentError: Somebody else has put something in the folder's place.
    """
    return runtime_folder() / f"daemon-{hashlib.sha256(str(home).encode()).hexdigest()[:16]}.sock"


def open_unix(path: Path) -> socket.socket:
    """Listen at `path`. Whatever lies there is a leftover: the caller is the only daemon of its home.

    Raises:
        DaemonError: It cannot be made.
    """
    made = socket.socket(socket.AF_UNIX)
    try:
        path.unlink(missing_ok=True)
        made.bind(str(path))
        path.chmod(0o600)
        made.listen(BACKLOG)
    except OSError as error:
        made.close()
        msg = f"cannot listen at {path}: {error.strerror}"
        raise DaemonError(msg) from error
    return made
