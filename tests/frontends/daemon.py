"""A real daemon process on a home of its own, to be started, asked, killed and started again."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from holdfast.adapters.configuration.home import Home
from holdfast.adapters.supervision.host import reap
from holdfast.bootstrap.daemon import presence, process, sockets
from holdfast.domain.daemon import Listen, Running
from tests.support.cli import environment

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping
    from http.client import HTTPResponse

PATIENCE_S = 60.0


class Answer(NamedTuple):
    """What the daemon answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body, which is JSON; a test says what it expects in it."""
        return json.loads(self.body)

    def lines(self) -> list[Any]:
        """Return the body, which is JSON by lines."""
        return [json.loads(line) for line in self.body.splitlines() if line.strip()]


class Daemon:
    """One home and the daemon that runs on it, or not.

    Attributes:
        home: `HOLDFAST_HOME`.
        running: What the daemon said when it was ready.
    """

    running: Running

    def __init__(self, home: Path, environ: Mapping[str, str] | None = None) -> None:
        """Take a home; nothing is started yet."""
        self.home = home
        self.environ = environment(home, environ)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, listen: Listen | None = None) -> Running:
        """Start it and return once it is ready."""
        reading, writing = os.pipe()
        with (self.home.parent / "daemon-stderr").open("ab") as errors:
            self._process = subprocess.Popen(
                self.command(listen or Listen(port=0), writing),
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                env=process.environment(Home(self.home), self.environ),
                pass_fds=(writing,),
                start_new_session=True,
            )
        os.close(writing)
        told = _read(reading)
        ready = told.get("ready")
        assert ready is not None, f"{told} {self.complaints()}"
        self.running = Running(**ready)
        return self.running

    def command(self, listen: Listen, report: int) -> list[str]:
        """Return the argument list of its process, which tells that it is ready through the pipe `report`."""
        return process.command(listen, report=report)

    def kill(self) -> None:
        """End it at once, as a power cut would; its agents go on."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE_S)
            self._process = None

    def stop(self) -> int:
        """Tell it to end, and return its exit code."""
        assert self._process is not None, "it does not run"
        self._process.terminate()
        code = self._process.wait(PATIENCE_S)
        self._process = None
        return code

    def wait(self) -> int:
        """Return the exit code once it has ended by itself."""
        assert self._process is not None, "it does not run"
        code = self._process.wait(PATIENCE_S)
        self._process = None
        return code

    def close(self) -> None:
        """Leave nothing behind: no daemon, and none of the agents that outlive it."""
        self.kill()
        for each in reap.survey(self.home / "hosts"):
            if each.state == "alive" and each.host is not None:
                with suppress(ProcessLookupError):
                    os.kill(each.host.host.pid, signal.SIGTERM)
        sockets.unix_path(self.home).unlink(missing_ok=True)

    @classmethod
    def found(cls, home: Path) -> Daemon:
        """Return the daemon that somebody else started, once it is ready."""
        made = cls(home)
        running = presence.find(Home(home), wait_s=PATIENCE_S)
        assert running is not None
        made.running = running
        return made

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None, "it does not run"
        return self._process.pid

    @property
    def url(self) -> str:
        """Where it listens on TCP."""
        return self.running.url

    @property
    def port(self) -> int:
        """The port of that."""
        return int(self.url.rpartition(":")[2])

    @property
    def socket(self) -> Path:
        """Its Unix socket."""
        return Path(self.running.socket)

    @property
    def token(self) -> str:
        """The credential."""
        return (self.home / "token").read_text().strip()

    def complaints(self) -> str:
        """Return what it said on standard error."""
        return (self.home.parent / "daemon-stderr").read_text()

    def log(self) -> list[dict[str, Any]]:
        """Return what it logged."""
        return [json.loads(line) for line in (self.home / "logs" / "daemon.log").read_text().splitlines()]

    def get(self, path: str, **headers: str) -> Answer:
        """Ask something; `path` is below `/api/v1`."""
        return self.request("GET", path, headers=headers)

    def post(self, path: str, body: object = None, **headers: str) -> Answer:
        """Ask for something to be done."""
        return self.request("POST", path, {} if body is None else body, headers=headers)

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        tcp: bool = False,
    ) -> Answer:
        """Make one request, as the user, on a connection of its own. Underscores in names of headers become hyphens."""
        with self._asked(method, path, body, headers, tcp=tcp) as response:
            return Answer(
                response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
            )

    @contextmanager
    def streaming(self, path: str, **headers: str) -> Generator[Iterator[Any]]:
        """Ask for lines of JSON and read them one by one, as they come."""
        with self._asked("GET", path, None, headers, tcp=False) as response:
            assert response.status == 200, response.read()
            yield (json.loads(line) for line in iter(response.readline, b"") if line.strip())

    @contextmanager
    def _asked(
        self, method: str, path: str, body: object, headers: Mapping[str, str] | None, *, tcp: bool
    ) -> Generator[HTTPResponse]:
        connection = self.connect(tcp=tcp)
        given = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        sent = {"Authorization": f"Bearer {self.token}"}
        if body is not None:
            sent["Content-Type"] = "application/json"
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        try:
            connection.request(method, f"/api/v1{path}", data, sent | given)
            with connection.getresponse() as response:
                yield response
        finally:
            connection.close()

    def connect(self, *, tcp: bool = False) -> HTTPConnection:
        """Return a connection by its Unix socket, or by TCP."""
        if tcp:
            return HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        connection = HTTPConnection("localhost", timeout=PATIENCE_S)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(PATIENCE_S)
        connection.sock.connect(str(self.socket))
        return connection


@pytest.fixture
def daemon(tmp_home: Path) -> Iterator[Daemon]:
    """A daemon that is ready, on the home that `cli` uses as well."""
    made = Daemon(tmp_home)
    try:
        made.start()
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def shared_daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon that all tests of a module ask, each about sessions of its own."""
    made = Daemon(tmp_path_factory.mktemp("shared") / "home")
    try:
        made.start()
        yield made
    finally:
        made.close()


def _read(fd: int) -> dict[str, Any]:
    """Return what a starting daemon reports; nothing, where it ended without a word."""
    told, deadline = b"", monotonic() + PATIENCE_S
    try:
        while select.select([fd], [], [], max(0.0, deadline - monotonic()))[0]:
            piece = os.read(fd, 65536)
            if not piece:
                break
            told += piece
    finally:
        os.close(fd)
    report: dict[str, Any] = json.loads(told or b"{}")
    return report
