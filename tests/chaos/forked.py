"""A daemon that a zygote forks, in place of one that an interpreter of its own takes a second to become."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from holdfast.adapters.configuration.home import Home
from holdfast.bootstrap.daemon import process
from holdfast.domain.daemon import Running
from tests.frontends.daemon import PATIENCE_S, Daemon

if TYPE_CHECKING:
    from collections.abc import Mapping
    from http.client import HTTPConnection
    from pathlib import Path

    from holdfast.domain.daemon import Listen
    from tests.chaos.processes import Run, Zygote


class ForkedDaemon(Daemon):
    """Started, asked and ended like any other. Asked by TCP: two of one home take each other's Unix socket away."""

    _run: Run | None = None

    def __init__(
        self, home: Path, zygote: Zygote, environ: Mapping[str, str] | None = None, mutant: str | None = None
    ) -> None:
        """Take a home; nothing is started yet. The zygote forks nothing else until this has ended."""
        super().__init__(home, environ)
        self._zygote = zygote
        self._mutant = [] if mutant is None else ["--mutant", mutant]

    def begin(self) -> str | None:
        """Start it; return the code of what it refuses to start for, None once it is ready."""
        environ = json.dumps(process.environment(Home(self.home), self.environ))
        self._run = self._zygote.start("daemon", "--environ", environ, *self._mutant)
        self._run.listen_for(lambda words: words.told is not None)
        report = json.loads(self._run.words.told or "{}")
        if report.get("ready") is None:
            return str(report["refused"]["code"])
        self.running = Running(**report["ready"])
        return None

    def start(self, listen: Listen | None = None) -> Running:
        """Start it and return once it is ready."""
        assert listen is None, "it takes any port that is free"
        refused = self.begin()
        assert refused is None, refused
        return self.running

    def wait(self, within_s: float = PATIENCE_S) -> int:
        """Return the exit code once it has ended by itself.

        Raises:
            TimeoutError: It has not.
        """
        assert self._run is not None, "it was never started"
        return self._run.wait(within_s).status

    def kill(self) -> None:
        """End it at once."""
        if self._run is not None:
            self._run.kill()

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._run is not None, "it was never started"
        return self._run.pid

    def connect(self, *, tcp: bool = True) -> HTTPConnection:
        """Return a connection by TCP."""
        del tcp
        return super().connect(tcp=True)
