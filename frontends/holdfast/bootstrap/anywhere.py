"""The library of one user, wherever it is kept at the moment: asked of the daemon that runs, else opened here."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from holdfast.adapters.configuration.home import close_to_others, find_home
from holdfast.domain.errors import HoldfastError
from holdfast.frontends.cli.params import DEVICE, READY_WITHIN_S
from holdfast.frontends.client.exchange import Exchange
from holdfast.frontends.client.reading import DaemonReading
from holdfast.frontends.client.writing import DaemonWorkspace

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from holdfast.bootstrap.library import LocalLibrary
    from holdfast.domain import answers, ports
    from holdfast.domain.daemon import DaemonControl, Running
    from holdfast.domain.keeping import KnownAgent, Order


class AnyLibrary:
    """Asks the daemon where one runs. Imports what opens a store only where none does: listing must feel instant."""

    def __init__(self, environ: Mapping[str, str], control: DaemonControl, warn: Callable[[str], None]) -> None:
        """Look at nothing yet.

        Args:
            environ: Names home and store.
            control: The daemon of that home.
            warn: Tells the person something that stops nothing.
        """
        self._environ = environ
        self._control = control
        self._warn = warn

    @contextmanager
    def reading(self) -> Generator[ports.Reading]:
        """Ask the daemon that is ready; where there is none, open what there is for reading."""
        exchange = self._reachable(self._control.running())
        if exchange is None:
            with self._local.reading() as reading:
                yield reading
            return
        yield DaemonReading(exchange)

    @contextmanager
    def writing(self) -> Generator[ports.Workspace]:
        """Ask the daemon, also one that is about to be ready; where there is none, open for changes."""
        running = self._control.running(wait_s=READY_WITHIN_S)
        if running is None:
            with self._local.writing() as workspace:
                yield workspace
            return
        yield DaemonWorkspace(self._exchange(running))

    def verify_file(self, path: str, progress: ports.Progress | None = None) -> answers.Verification:
        """Check an exported file or an evidence bundle against itself."""
        return self._local.verify_file(path, progress)

    def agents(self) -> list[KnownAgent]:
        """Return the agents that are known; those that the daemon finds, for it is the daemon that starts them."""
        exchange = self._reachable(self._control.running())
        return self._local.agents() if exchange is None else DaemonReading(exchange).agents()

    def found(self) -> list[answers.Found]:
        """Return the transcripts of other tools on this machine."""
        return self._local.found()

    def check_order(self, order: Order) -> None:
        """Look whether there is whom an order names."""
        self._local.check_order(order)

    def check_sources(self, sources: Sequence[str], *, empty: bool = False) -> None:
        """Look whether each source has something to import."""
        self._local.check_sources(sources, empty=empty)

    @cached_property
    def _local(self) -> LocalLibrary:
        from holdfast.bootstrap.library import LocalLibrary  # a daemon spares us all of it

        return LocalLibrary(self._environ, self._warn)

    def _reachable(self, running: Running | None) -> Exchange | None:
        """Return how to ask a daemon; None where none could answer, for then the store can be read."""
        if running is None:
            return None
        exchange = self._exchange(running)
        try:
            exchange.knock()
        except HoldfastError as error:
            self._warn(f"{error}; the store is read without the daemon")
            return None
        return exchange

    def _exchange(self, running: Running) -> Exchange:
        close_to_others(find_home(self._environ), self._warn)
        return Exchange(self._control, running, DEVICE, self._warn)
