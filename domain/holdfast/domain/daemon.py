"""What frontends ask of the daemon as a process: whether it runs, and to begin and end it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.domain.tokens import TokenBook

HOST: Final = "127.0.0.1"
PORT: Final = 7433


class Running(Struct, frozen=True):
    """A daemon that is ready, as `daemon.json` says.

    Attributes:
        url: Where it listens on TCP, without a path.
        socket: The path of its Unix socket.
        started: When it was ready, ISO 8601.
        web: Whether it serves the page.
        store: Tells its store from others, and says nothing of where it lies; empty where an older daemon runs.
    """

    pid: int
    url: str
    socket: str
    started: str
    web: bool = True
    store: str = ""


class Listen(Struct, frozen=True):
    """Where a daemon should listen.

    Attributes:
        host: A loopback address.
        port: 0 takes any that is free; None the usual one, or any where that is taken.
        web: Whether it serves the page.
    """

    host: str = HOST
    port: int | None = None
    web: bool = True


class DaemonFinder(Protocol):
    """Where the daemon of one home is, and what opens it: all that it takes to speak to one that runs."""

    def running(self, *, wait_s: float = 0.0) -> Running | None:
        """Return the daemon that is ready, None where there is none.

        Args:
            wait_s: How long to wait for one that has begun and is not ready yet.

        Raises:
            OtherStoreError: It keeps another store than environment or configuration name.
        """
        ...

    def token(self) -> str:
        """Return the credential for its HTTP API.

        Raises:
            NotRunningError: There is none yet.
            UnsafeError: Others can read the file, or it is a link.
        """
        ...


class DaemonControl(DaemonFinder, Protocol):
    """The daemon of one home. Every method is cheap to reach: nothing heavy is imported before it is needed."""

    def tokens(self) -> TokenBook:
        """Return what else was given out to speak to it; it need not run."""
        ...

    def start(self, listen: Listen) -> Running:
        """Start a daemon in the background and return once it is ready; where one runs, return that one.

        Raises:
            StoreBusyError: Another home's daemon, or a command, writes to the same store.
            OccupiedError: The port is taken.
            UnsafeError: The host is no loopback address, or the token is open to others.
            DaemonError: It ended before it was ready.
        """
        ...

    def serve(self, listen: Listen) -> NoReturn:
        """Become the daemon: this process goes on as it until it is told to end.

        Raises:
            OccupiedError: One runs already.
        """
        ...

    def stop(self, *, agents: bool = False) -> bool:
        """End the daemon and return once it is gone; False where none ran.

        Args:
            agents: Whether the agents end as well; else they go on under their hosts.
        """
        ...

    def restart(self, listen: Listen | None = None) -> Running:
        """End the daemon and start it again, where it was unless `listen` says otherwise; agents go on."""
        ...

    def logs(self, *, follow: bool = False) -> Iterator[str]:
        """Yield the lines of its log, one JSON object each, oldest first; with `follow` for ever as they come."""
        ...

    def install_service(self) -> list[str]:
        """Make the daemon start when the user logs in; return what was done, a line each.

        Raises:
            DaemonError: There is no systemd for this user, or it refuses.
        """
        ...

    def remove_service(self) -> list[str]:
        """Take back what `install_service` did; return what was done, a line each."""
        ...
