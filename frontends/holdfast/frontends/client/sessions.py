"""What only a daemon can do: begin sessions, write to them, answer them, and wait for them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from msgspec import Struct, json

from holdfast.domain.errors import AgentError, DaemonLostError, NotRunningError, SessionEndedError, TimedOutError
from holdfast.domain.recorded import StreamId
from holdfast.frontends.client import shapes
from holdfast.frontends.client.reading import of
from holdfast.frontends.client.shapes import read
from holdfast.frontends.client.writing import DaemonWorkspace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.domain.answers import LogEvent
    from holdfast.domain.keeping import Order
    from holdfast.domain.projections.roster import Row

Moment = Literal["idle", "needs-you", "ended"]

_WAIT_S = 10.0
"""How long one request waits; that nothing will come of it is noticed at the latest then."""


def hopeless(row: Row) -> str | None:
    """Return why a session will not go on by itself, None where it may."""
    if row.connection.state not in ("failed", "gave_up"):
        return None
    why = row.connection.error or "its connection failed"
    return f"{why}; `holdfast reconnect {row.id}` tries again"


class Prompt(Struct, frozen=True):
    """What became of a prompt: queued, sent, accepted, failed or unknown."""

    prompt_id: str
    state: str
    text: str = ""


class Status(Struct, frozen=True):
    """A daemon as it says of itself."""

    pid: int
    url: str
    socket: str
    started: str
    version: str
    sessions: int
    agents: int


class Link(Struct, frozen=True):
    """An address that signs a browser in, once, for so many seconds."""

    url: str
    expires_in: int


class Answered(Struct, frozen=True):
    """How a question was answered."""

    request_id: str
    session_id: StreamId
    option_id: str | None


class _Queue(Struct):
    items: list[Prompt]


_answered = json.Decoder(Answered)
_prompt = json.Decoder(Prompt)
_status = json.Decoder(Status)
_queue = json.Decoder(_Queue)
_link = json.Decoder(Link)


class DaemonSessions(DaemonWorkspace):
    """Everything that a daemon can do; everything raises what `Exchange.get` does."""

    def status(self) -> Status:
        """Return what the daemon says of itself."""
        return read(_status, self._exchange.get("/status"))

    def sign_in_link(self) -> Link:
        """Return where a browser signs in, once."""
        return read(_link, self._exchange.send("POST", "/sign-in-codes", {}))

    def create(self, order: Order, *, text: str | None, wait_s: float, client_id: str) -> Row:
        """Begin a session; return its row once it is ready, has failed, or `wait_s` is over.

        Args:
            order: Whom to talk to, and where; its prompt is left out.
            text: What is said first.
            wait_s: In seconds.
            client_id: The same again returns the session that began first.

        Raises:
            UsageError: The order names no peer, more than one, or one that is not known.
        """
        asked = {
            "target": order.target,
            "agent": order.agent,
            "command": None if order.command is None else list(order.command),
            "cwd": order.cwd,
            "title": order.title,
            "prompt": text,
            "client_id": client_id,
            "wait_s": wait_s,
        }
        body = {name: value for name, value in asked.items() if value is not None}
        return shapes.row(self._exchange.send("POST", "/sessions", body, timeout_s=wait_s + 60))

    def prompt(self, session_id: StreamId, text: str, *, client_id: str) -> Prompt:
        """Put a prompt at the end of the queue."""
        body = {"content": text, "client_id": client_id}
        return read(_prompt, self._exchange.send("POST", f"{of(session_id)}/prompts", body))

    def cancel(self, session_id: StreamId, *, client_id: str) -> Row:
        """Ask for the open turn to stop."""
        return self._told(session_id, "cancel", client_id)

    def end(self, session_id: StreamId, *, client_id: str) -> Row:
        """End the session for good; its history stays."""
        return self._told(session_id, "end", client_id)

    def reconnect(self, session_id: StreamId, *, client_id: str) -> Row:
        """Try to connect now."""
        return self._told(session_id, "reconnect", client_id)

    def opened(self, session_id: StreamId, within_s: float) -> Row:
        """Return the row once the session is ready, has failed, or the time is over, whichever is first."""
        query = {"until": "opened", "timeout": f"{within_s:.3f}"}
        return shapes.row(self._exchange.get(f"{of(session_id)}/wait", query))

    def option(self, session_id: StreamId, option: str, value: str, *, client_id: str) -> Row:
        """Ask the peer for another value of one of its options; return once it has agreed."""
        return self._told(session_id, "option", client_id, option=option, value=value)

    def mode(self, session_id: StreamId, mode: str, *, client_id: str) -> Row:
        """Ask the peer for a mode; return once it has agreed."""
        return self._told(session_id, "mode", client_id, mode=mode)

    def answer(self, request_id: str, option_id: str | None, reason: str | None, *, client_id: str) -> Answered:
        """Answer what waits for a person; None cancels it.

        Raises:
            NotFoundError: No such question was ever asked.
            PermissionExpiredError: Somebody was faster, or it cannot be answered any more.
        """
        body = {"option_id": option_id, "reason": reason, "client_id": client_id}
        return read(_answered, self._exchange.send("POST", f"/inbox/{quote(request_id, safe='')}", body))

    def queue(self, session_id: StreamId) -> list[Prompt]:
        """Return what waits to be sent, the first first."""
        return read(_queue, self._exchange.get(f"{of(session_id)}/queue")).items

    def edit(self, session_id: StreamId, prompt_id: str, text: str, *, client_id: str) -> list[Prompt]:
        """Change a prompt that waits, and return the queue."""
        return self._queued("PATCH", session_id, _one(prompt_id), {"content": text, "client_id": client_id})

    def drop(self, session_id: StreamId, prompt_id: str, *, client_id: str) -> list[Prompt]:
        """Take a prompt back, and return the queue."""
        return self._queued("DELETE", session_id, _one(prompt_id), {"client_id": client_id})

    def clear(self, session_id: StreamId, *, client_id: str) -> list[Prompt]:
        """Take every prompt back, and return the queue."""
        return self._queued("DELETE", session_id, "", {"client_id": client_id})

    def resume(self, session_id: StreamId, *, client_id: str) -> list[Prompt]:
        """Let prompts go on that wait after an interruption, and return the queue."""
        return self._queued("POST", session_id, "/resume", {"client_id": client_id})

    def wait(self, session_id: StreamId, until: Moment, timeout_s: float | None) -> Row:
        """Return the row once the session is so far. A daemon that is started again meanwhile is waited for.

        Raises:
            TimedOutError: It was not, within `timeout_s`.
            SessionEndedError: It has ended, and will not need anybody any more.
            AgentError: Its connection failed for good while something waits for it.
        """
        end = None if timeout_s is None else time.monotonic() + timeout_s
        row = self.row(session_id)
        while True:
            if until == "needs-you" and row.lifecycle == "ended":
                msg = f"session {session_id} has ended: it will not need you any more"
                raise SessionEndedError(msg)
            left = _WAIT_S if end is None else min(_WAIT_S, max(0.0, end - time.monotonic()))
            if until == "idle" and hopeless(row) is not None:
                left = 0.0  # it is idle now, or never will be
            try:
                query = {"until": until, "timeout": f"{left:.3f}"}
                return shapes.row(self._exchange.get(f"{of(session_id)}/wait", query))
            except TimedOutError as error:
                if timeout_s is not None and end is not None and time.monotonic() >= end:
                    msg = f"the session was not {until} within {timeout_s:g} s"
                    raise TimedOutError(msg) from error
                row = self.row(session_id)
                if until == "idle" and (why := hopeless(row)) is not None:
                    raise AgentError(why) from None
            except (DaemonLostError, NotRunningError):
                self._exchange.come_back(end)

    def follow(self, session_id: StreamId, since: int, timeout_s: float | None) -> Iterator[LogEvent]:
        """Yield what happens in a session after a position, for ever, over restarts of the daemon.

        Raises:
            TimedOutError: `timeout_s` are over.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        return self._followed(since, session_id, (), deadline)

    def _told(self, session_id: StreamId, verb: str, client_id: str, **what: str) -> Row:
        return shapes.row(self._exchange.send("POST", f"{of(session_id)}/{verb}", {**what, "client_id": client_id}))

    def _queued(self, method: str, session_id: StreamId, rest: str, body: dict[str, str]) -> list[Prompt]:
        return read(_queue, self._exchange.send(method, f"{of(session_id)}/queue{rest}", body)).items


def _one(prompt_id: str) -> str:
    return f"/{quote(prompt_id, safe='')}"
