"""Questions to a daemon and its answers: HTTP over its Unix socket. What they mean is not known here."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse
from socket import AF_UNIX, SOCK_STREAM, socket
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from msgspec import DecodeError, EncodeError, Raw, Struct, json

from holdfast.domain.content import NOTHING
from holdfast.domain.errors import DaemonError, DaemonLostError, HoldfastError, NotRunningError, UsageError
from holdfast.frontends.client.shapes import not_understood
from holdfast.frontends.codes import rebuilt

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from holdfast.domain.daemon import DaemonControl, Running
    from holdfast.domain.ports import Progress

ANSWER_WITHIN_S: Final = 60.0
"""How long a daemon may be silent; `worked` alone waits for ever."""

BACK_WITHIN_S: Final = 30.0
"""How long one that went away is waited for."""

_POLL_S = 0.1

_PIECE = 1 << 16
_LINES = "application/x-ndjson"

Query = Mapping[str, str | int | float | Sequence[str] | None]


class _Problem(Struct):
    title: str = ""
    status: int = 0
    detail: str = ""
    code: str = ""
    name: str = ""
    candidates: tuple[str, ...] = ()


class _Counts(Struct):
    what: str
    done: int
    total: int | None = None


class _Step(Struct):
    progress: _Counts | None = None
    result: Raw = NOTHING
    problem: _Problem | None = None


_problem = json.Decoder(_Problem).decode
_step = json.Decoder(_Step).decode
_encode = json.Encoder().encode


class Exchange:
    """Asks one daemon, each time by a connection of its own: nothing goes stale while a person thinks."""

    def __init__(self, control: DaemonControl, running: Running, device: str, say: Callable[[str], None]) -> None:
        """Ask `running`.

        Args:
            control: Knows the credential, and where the daemon is after it was started again.
            running: The daemon.
            device: What we call ourselves; it stands in the log beside what we ask for.
            say: Tells the person something that stops nothing.
        """
        self._control = control
        self._running = running
        self._device = device
        self._say = say

    def come_back(self, within_s: float = BACK_WITHIN_S) -> None:
        """Return once a daemon that went away is there again.

        Raises:
            NotRunningError: It was not, for as long as a person would wait.
        """
        self._say("the daemon went away; waiting for it to come back")
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            time.sleep(_POLL_S)  # a process that is not there yet cannot be waited on
            running = self._control.running()
            if running is not None:
                self._running = running
                return
        raise _gone()

    def get(self, path: str, query: Query | None = None, *, timeout_s: float | None = ANSWER_WITHIN_S) -> bytes:
        """Return the answer to a question.

        Raises:
            NotRunningError: Nobody is there any more.
            DaemonLostError: The daemon went away before it had answered.
            DaemonError: It does not answer.
            HoldfastError: What it answered, as whatever it is there.
        """
        with self._asked("GET", path, query, timeout_s=timeout_s) as answer:
            return answer.read()

    def send(self, method: str, path: str, body: object = None, *, timeout_s: float | None = ANSWER_WITHIN_S) -> bytes:
        """Ask for something to be done, and return what came of it. Raises what `get` does."""
        with self._asked(method, path, None, body, timeout_s=timeout_s) as answer:
            return answer.read()

    def lines(self, path: str, query: Query | None = None) -> Iterator[bytes]:
        """Yield the lines of an answer as they come, without those that are empty. Raises what `get` does."""
        with self._asked("GET", path, query) as answer:
            yield from _lines(answer)

    def worked(self, method: str, path: str, body: object, progress: Progress | None) -> bytes:
        """Ask for something that takes long, hand on how far it is, and return what came of it.

        Raises what `get` does.
        """
        with self._asked(method, path, None, body, timeout_s=None, accept=_LINES) as answer:
            if (answer.getheader("Content-Type") or "").partition(";")[0].strip() != _LINES:
                return answer.read()
            for line in _lines(answer):
                try:
                    step = _step(line)
                except (DecodeError, UnicodeDecodeError) as error:
                    raise not_understood(error) from error
                if step.problem is not None:
                    raise _error(step.problem)
                if step.progress is not None and progress is not None:
                    progress(step.progress.what, step.progress.done, step.progress.total)
                if step.result:
                    return bytes(step.result)
        raise _lost()

    @contextmanager
    def _asked(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        body: object = None,
        *,
        timeout_s: float | None = ANSWER_WITHIN_S,
        accept: str = "application/json",
    ) -> Generator[HTTPResponse]:
        """Ask, and give the answer with its body unread; every way in which that fails becomes one of our errors."""
        connection = _UnixConnection(self._running.socket, timeout_s)
        token = self._control.token()
        headers = {"Authorization": f"Bearer {token}", "Holdfast-Client": self._device, "Accept": accept}
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = _encoded(body)
        try:
            connection.request(method, f"/api/v1{path}{_written(query)}", content, headers)
            answer = connection.getresponse()
            if answer.status >= 400:
                raise _error(_problem_of(answer))
            yield answer
        except TimeoutError as error:
            msg = f"the daemon has not answered for {timeout_s:.0f} s (pid {self._running.pid}): see `holdfast logs`"
            raise DaemonError(msg) from error
        except (FileNotFoundError, ConnectionRefusedError) as error:
            raise _gone() from error
        except (ConnectionError, HTTPException) as error:
            raise _lost() from error
        except OSError as error:
            msg = f"the daemon cannot be reached at {self._running.socket}: {error.strerror or error}"
            raise DaemonError(msg) from error
        finally:
            connection.close()


class _UnixConnection(HTTPConnection):
    """HTTP to a path instead of a host."""

    def __init__(self, path: str, timeout_s: float | None) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        """Connect."""
        self.sock = socket(AF_UNIX, SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _lines(answer: HTTPResponse) -> Iterator[bytes]:
    rest: list[bytes] = []
    while piece := answer.read1(_PIECE):
        first, *others = piece.split(b"\n")
        rest.append(first)
        for other in others:
            if line := b"".join(rest):
                yield line
            rest = [other]
    if line := b"".join(rest):
        yield line


def _problem_of(answer: HTTPResponse) -> _Problem:
    try:
        return _problem(answer.read())
    except (DecodeError, UnicodeDecodeError):
        return _Problem(detail=f"the daemon answered {answer.status} {answer.reason}: see `holdfast logs`")


def _error(problem: _Problem) -> HoldfastError:
    detail = problem.detail or problem.title
    return rebuilt(problem.code, detail, name=problem.name, candidates=problem.candidates)


def _lost() -> DaemonLostError:
    return DaemonLostError("the daemon went away before it had answered: `holdfast status` tells whether it is back")


def _gone() -> NotRunningError:
    return NotRunningError("the daemon is gone: `holdfast up` starts it again")


def _encoded(body: object) -> bytes:
    try:
        return _encode(body)
    except (UnicodeEncodeError, EncodeError) as error:
        msg = f"this cannot be told to the daemon: {error}"
        raise UsageError(msg) from error


def _written(query: Query | None) -> str:
    given = {name: value for name, value in (query or {}).items() if value is not None and value != ()}
    try:
        return f"?{urlencode(given, doseq=True)}" if given else ""
    except UnicodeEncodeError as error:
        msg = f"this cannot be told to the daemon: {error}"
        raise UsageError(msg) from error
