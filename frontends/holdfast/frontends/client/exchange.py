"""Questions to a daemon and its answers: HTTP over its Unix socket. What they mean is not known here."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlencode

from msgspec import DecodeError, EncodeError, Raw, Struct, json

from holdfast.domain.content import NOTHING
from holdfast.domain.errors import (
    DaemonError,
    DaemonLostError,
    HoldfastError,
    NotRunningError,
    TimedOutError,
    UsageError,
)
from holdfast.frontends.client.connection import (
    ANSWER_WITHIN_S,
    Answer,
    BrokenAnswerError,
    UnixConnection,
    until,
)
from holdfast.frontends.client.shapes import not_understood
from holdfast.frontends.codes import rebuilt

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from holdfast.domain.daemon import DaemonFinder, Running
    from holdfast.domain.ports import Progress

BACK_WITHIN_S: Final = 30.0
"""How long one that went away is waited for."""

_POLL_S = 0.1

_LINES = "application/x-ndjson"

T = TypeVar("T")

Query = Mapping[str, str | int | float | Sequence[str] | None]


class _Problem(Struct):
    title: str = ""
    status: int = 0
    detail: str = ""
    code: str = ""
    name: str = ""
    candidates: tuple[str, ...] = ()


class _Step(Struct):
    progress: tuple[str, int, int | None] | None = None
    result: Raw = NOTHING
    problem: _Problem | None = None


_problem = json.Decoder(_Problem).decode
_step = json.Decoder(_Step).decode
_encode = json.Encoder().encode


class Exchange:
    """Asks one daemon, each time by a connection of its own: nothing goes stale while a person thinks."""

    def __init__(
        self,
        control: DaemonFinder,
        running: Running,
        device: str,
        say: Callable[[str], None],
        patience_s: float = BACK_WITHIN_S,
    ) -> None:
        """Ask `running`.

        Args:
            control: Knows the credential, and where the daemon is after it was started again.
            running: The daemon.
            device: What we call ourselves; it stands in the log beside what we ask for.
            say: Tells the person something that stops nothing.
            patience_s: How long a daemon that went away is waited for.
        """
        self._control = control
        self._running = running
        self._device = device
        self._say = say
        self._patience_s = patience_s
        self._met = False
        self._away_since: float | None = None

    @property
    def met(self) -> bool:
        """Whether a daemon has answered before."""
        return self._met

    def come_back(self, deadline: float | None = None) -> None:
        """Return once a daemon that went away is there again. Who asks again and again waits no longer for that.

        Args:
            deadline: When nobody wants it any more, by the monotonic clock.

        Raises:
            NotRunningError: It was not, for as long as a person would wait, since a daemon answered last.
            TimedOutError: The deadline came.
        """
        if self._away_since is None:
            self._say("the daemon went away; waiting for it to come back")
            self._away_since = time.monotonic()
        end = self._away_since + self._patience_s
        while time.monotonic() < (end if deadline is None else min(end, deadline)):
            time.sleep(_POLL_S)  # a process that is not there yet cannot be waited on
            running = self._control.running()
            if running is not None:
                self._running = running
                return
        raise _gone() if time.monotonic() >= end else _late()

    def knock(self) -> None:
        """Look whether somebody is there and we have a credential, without asking anything.

        Raises:
            NotRunningError: Nobody is there.
            HoldfastError: The credential cannot be used, or the daemon cannot be reached.
        """
        self._control.token()
        connection = UnixConnection(self._running.socket, ANSWER_WITHIN_S)
        try:
            connection.connect()
        except OSError as error:
            raise self._unreachable(error) from error
        finally:
            connection.close()

    def get(self, path: str, query: Query | None = None, *, timeout_s: float | None = ANSWER_WITHIN_S) -> bytes:
        """Return the answer to a question.

        Raises:
            NotRunningError: Nobody is there any more.
            DaemonLostError: The daemon went away before it had answered.
            DaemonError: It does not answer.
            HoldfastError: What it answered, as whatever it is there.
        """

        def ask() -> bytes:
            with self._asked("GET", path, query, timeout_s=timeout_s) as answer:
                return answer.read()

        return self._again(ask)

    def get_typed(self, path: str) -> tuple[str, bytes]:
        """Return media type and content of something that is no JSON. Raises what `get` does."""

        def ask() -> tuple[str, bytes]:
            with self._asked("GET", path, None, timeout_s=ANSWER_WITHIN_S) as answer:
                return answer.kind, answer.read()

        return self._again(ask)

    def send(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        timeout_s: float | None = ANSWER_WITHIN_S,
    ) -> bytes:
        """Ask for something to be done, and return what came of it. Raises what `get` does.

        What carries a `client_id` is asked again where the daemon went away over it: it is done once all the same.
        """

        def ask() -> bytes:
            with self._asked(method, path, None, body, timeout_s=timeout_s) as answer:
                return answer.read()

        return self._again(ask) if body is not None and body.get("client_id") else ask()

    def lines(self, path: str, query: Query | None = None, *, deadline: float | None = None) -> Iterator[bytes]:
        """Yield the lines of an answer as they come, without those that are empty. Raises what `get` does.

        Args:
            path: What is asked for.
            query: How.
            deadline: When to stop waiting for the next line, by the monotonic clock.

        Raises:
            TimedOutError: The deadline came.
        """
        with self._asked("GET", path, query, deadline=deadline) as answer:
            yield from answer.lines(deadline)

    def worked(self, method: str, path: str, body: Mapping[str, object] | None, progress: Progress | None) -> bytes:
        """Ask for something that takes long, hand on how far it is, and return what came of it.

        Raises what `get` does.
        """
        with closing(self.results(method, path, body, progress)) as results:
            return next(results)

    def results(
        self, method: str, path: str, body: Mapping[str, object] | None, progress: Progress | None
    ) -> Generator[bytes]:
        """Yield what comes of something that goes on until it is closed. Raises what `get` does."""
        with self._asked(method, path, None, body, timeout_s=None, accept=_LINES) as answer:
            if answer.kind != _LINES:
                yield answer.read()
                return
            for line in answer.lines():
                try:
                    step = _step(line)
                except (DecodeError, UnicodeDecodeError) as error:
                    raise not_understood(error) from error
                if step.problem is not None:
                    raise _error(step.problem)
                if step.progress is not None and progress is not None:
                    progress(*step.progress)
                if step.result:
                    yield bytes(step.result)
        raise _lost()

    def _again(self, ask: Callable[[], T]) -> T:
        """Ask, and once more where a daemon went away that was there."""
        lost = False
        end = time.monotonic() + self._patience_s
        while True:
            try:
                answer = ask()
            except DaemonLostError:
                if lost:
                    raise
                lost = True
            except NotRunningError:
                # One that dies closes its socket a moment before it counts as dead.
                if not (lost or self._met) or time.monotonic() >= end:
                    raise
            else:
                return answer
            self.come_back()

    @contextmanager
    def _asked(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        body: Mapping[str, object] | None = None,
        *,
        timeout_s: float | None = ANSWER_WITHIN_S,
        accept: str = "application/json",
        deadline: float | None = None,
    ) -> Generator[Answer]:
        """Ask, and give the answer with its body unread; every way in which that fails becomes one of our errors."""
        token = self._control.token()
        headers = {"Authorization": f"Bearer {token}", "Holdfast-Client": self._device, "Accept": accept}
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = _encoded(body)
        place = f"/api/v1{path}{_written(query)}"
        if deadline is not None:
            timeout_s = until(deadline)
        connection = UnixConnection(self._running.socket, timeout_s)
        try:
            connection.connect()
            answer = connection.ask(method, place, headers, content)
            self._met, self._away_since = True, None
            if answer.status >= 400:
                raise _error(_problem_of(answer))
            yield answer
        except TimeoutError as error:
            if deadline is not None and time.monotonic() >= deadline:
                raise _late() from error
            msg = f"the daemon has not answered for {timeout_s:.0f} s (pid {self._running.pid}): see `holdfast logs`"
            raise DaemonError(msg) from error
        except BrokenAnswerError as error:
            raise _lost() from error
        except OSError as error:
            raise self._unreachable(error) from error
        finally:
            connection.close()

    def _unreachable(self, error: OSError) -> HoldfastError:
        match error:
            case FileNotFoundError():
                # `up` would find a daemon that runs, where somebody tidied up its socket alone.
                where = f"the daemon is gone, or its socket {self._running.socket} is"
                return NotRunningError(f"{where}: `holdfast restart` starts it again")
            case ConnectionRefusedError():
                return _gone()
            case ConnectionError():
                return _lost()
            case _:
                why = error.strerror or error
                return DaemonError(f"the daemon cannot be reached at {self._running.socket}: {why}")


def _problem_of(answer: Answer) -> _Problem:
    try:
        return _problem(answer.read())
    except (DecodeError, UnicodeDecodeError):
        return _Problem(detail=f"the daemon answered {answer.status} {answer.reason}: see `holdfast logs`")


def _error(problem: _Problem) -> HoldfastError:
    detail = problem.detail or problem.title
    return rebuilt(problem.code, detail, name=problem.name, candidates=problem.candidates)


def _lost() -> DaemonLostError:
    return DaemonLostError("the daemon went away before it had answered: `holdfast status` tells whether it is back")


def _late() -> TimedOutError:
    return TimedOutError("it did not happen in time; nothing was undone, and it may still happen")


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
