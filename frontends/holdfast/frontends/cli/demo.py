"""The demo: a session with the built-in agent, whose daemon is killed in mid-sentence. Everything in it is real."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from holdfast.domain.daemon import Listen
from holdfast.domain.errors import DaemonError
from holdfast.domain.keeping import Order
from holdfast.domain.projections.items import Put
from holdfast.domain.projections.replay import Moment, decoded
from holdfast.domain.session import events as e
from holdfast.frontends.cli.escaping import one_line
from holdfast.frontends.cli.params import DEVICE, new_cause
from holdfast.frontends.cli.player import Teller
from holdfast.frontends.cli.proof import compare, held, sent
from holdfast.frontends.cli.terminal import Span
from holdfast.frontends.client.exchange import Exchange
from holdfast.frontends.client.sessions import DaemonSessions

if TYPE_CHECKING:
    from collections.abc import Generator

    from holdfast.domain.daemon import DaemonControl, Running
    from holdfast.domain.projections.items import Change
    from holdfast.domain.recorded import StreamId
    from holdfast.frontends.cli.params import Doors
    from holdfast.frontends.cli.terminal import Terminal

PROMPT: Final = "The harbour page is empty. Please find out why, and fix it."

_LETTERS = 110
"""Of one message, after something was allowed: then the plug is pulled. Its sentence is not over."""

_PATIENCE_S = 600.0
_POLL_S = 0.01


class Verdict(Struct, frozen=True):
    """What the demo showed.

    Attributes:
        events: Events of the session in the log.
        sent: Messages that the agent sent, by its own copy.
        lost: How many of those the log does not hold.
        doubled: How many it holds more than once.
        ok: Whether that is none, and the log verifies.
        gone_s: How long no daemon was there.
    """

    events: int
    sent: int
    lost: int
    doubled: int
    ok: bool
    gone_s: float


@contextmanager
def stage(doors: Doors) -> Generator[tuple[DaemonControl, Path]]:
    """Give a home of its own with its daemon: what is killed there is nobody else's. Nothing of it is left."""
    home = Path(tempfile.mkdtemp(prefix="holdfast-demo-"))
    control = doors.daemon(home)
    try:
        yield control, home
    finally:
        control.start(Listen(port=0, web=False))  # where it was killed, its agent still has to be ended
        control.stop(agents=True)
        shutil.rmtree(home, ignore_errors=True)


class Demo:
    """One performance."""

    def __init__(self, doors: Doors, terminal: Terminal, *, speed: float, silent: bool) -> None:
        """Prepare it.

        Args:
            doors: Where a daemon and the agent come from.
            terminal: Where it is shown.
            speed: How much faster than it was recorded.
            silent: Whether only the verdict counts.
        """
        self._doors = doors
        self._terminal = terminal
        self._speed = speed
        self._silent = silent
        self._teller = Teller(terminal)
        self._answered = False
        self._pulled = False
        self._gone_s = 0.0

    def perform(self, control: DaemonControl, home: Path) -> Verdict:
        """Begin a session, follow it to its end, kill the daemon in between, and compare what came of it."""
        running = control.start(Listen(port=0, web=False))
        daemon = DaemonSessions(Exchange(control, running, DEVICE, lambda _: None))
        self._say(
            f"A daemon of its own runs in {home}, process {running.pid}: nothing of yours is touched.",
            "Its agent plays a recording. All else is real: the processes, the protocol, the log.",
        )
        copy = home / "sent.jsonl"
        order = Order(command=self._doors.demo_agent(self._speed, copy), cwd=str(home), title="Demo")
        row = daemon.create(order, text=PROMPT, wait_s=5, client_id=new_cause())
        session_id = daemon.resolve(row.id)
        self._follow(control, daemon, running, session_id)
        events = list(daemon.events(session_id=session_id))
        proof = compare(sent(copy.read_bytes().splitlines()), held(events))
        intact = daemon.verify()
        ok = intact.ok and proof.lost == proof.doubled == 0
        self._say(
            "",
            f"The agent sent {proof.sent:,} messages and kept a copy of each; the log is compared with that copy. "
            f"Its hash chain {'holds' if intact.ok else 'is broken'}.",
        )
        return Verdict(len(events), proof.sent, proof.lost, proof.doubled, ok, round(self._gone_s, 3))

    def _follow(self, control: DaemonControl, daemon: DaemonSessions, running: Running, session_id: StreamId) -> None:
        """Tell the session as it happens; answer what is asked, and pull the plug when a sentence is well under way."""
        moment = Moment(session_id)
        letters: Counter[str] = Counter()
        for recorded in map(decoded, daemon.follow(session_id, 0, _PATIENCE_S)):
            changes = moment.take(recorded)
            if not self._silent:
                self._teller.tell(moment, tuple(filter(_worth_telling, changes)))
                self._terminal.flush()
            match recorded.event:
                case e.TextAppended(item_id=item_id, text=text) if self._answered and not self._pulled:
                    letters[item_id] += len(text)
                    if letters[item_id] > _LETTERS:
                        self._pull_the_plug(control, running)
                case e.PermissionRequested() as asked:
                    self._answer(daemon, asked)
                case e.Detached(reason="failed", error=error) | e.PromptFailed(detail=error):
                    msg = f"the demo agent does not work: {error or 'it has ended'}; see `holdfast agents`"
                    raise DaemonError(msg)
                case e.TurnEnded() | e.TurnInterrupted() | e.TurnUnknown() | e.SessionEnded():
                    break
                case _:
                    pass
        self._teller.close()

    def _answer(self, daemon: DaemonSessions, asked: e.PermissionRequested) -> None:
        """Let the person decide; where nobody is there, allow it: the recording does nothing."""
        self._teller.close()
        alone = self._silent or not self._terminal.can_ask
        if alone:
            self._say("Nobody is here to answer, so it is allowed.")
        allowed = alone or self._terminal.ask(f"The agent asks: {asked.title} - allow it once?")
        wanted = "allow_once" if allowed else "reject_once"
        option_id = next((each.option_id for each in asked.options if each.kind == wanted), None)
        daemon.answer(asked.request_id, option_id, None, client_id=new_cause())
        self._answered = True

    def _pull_the_plug(self, control: DaemonControl, running: Running) -> None:
        """Kill the daemon as a power cut would, and start it again. The agent is not told."""
        self._pulled = True
        self._teller.close()
        began = time.monotonic()
        os.kill(running.pid, signal.SIGKILL)
        while control.running() is not None:
            time.sleep(_POLL_S)  # it is no child of ours, so its end cannot be waited for
        self._across(f"pulled the plug: process {running.pid} is killed, in mid-sentence; the agent goes on")
        again = control.start(Listen(port=0, web=False))
        self._gone_s = time.monotonic() - began
        self._across(f"started again after {self._gone_s:.1f} s, process {again.pid}: it reads on where it was cut off")

    def _say(self, *lines: str) -> None:
        if not self._silent:
            for line in lines:
                self._terminal.line(Span(one_line(line), "dim"))
            self._terminal.flush()

    def _across(self, words: str) -> None:
        if not self._silent:
            rule = "──" if self._terminal.unicode else "--"
            self._terminal.line()
            self._terminal.line(Span(f"{rule} {words} {rule}", "bold yellow"))
            self._terminal.flush()


def _worth_telling(change: Change) -> bool:
    """Leave out tools that have not come to anything yet: their results say what was run."""
    match change:
        case Put(item=item) if item.kind == "tool_call":
            return item.status in ("completed", "failed")
        case _:
            return True
