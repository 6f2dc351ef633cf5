"""The agent host: a small process that owns an agent's pipes, so that the agent outlives the daemon.

Run as `python -I -S process.py` with its order on standard input. It moves bytes and remembers keys, and knows nothing
of what agents and daemons tell each other. Everything is imported at the start: a host outlives upgrades.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from functools import partial

if __name__ == "__main__":  # without `site`, the folder that holds the package is not on the path
    sys.path.append(os.path.abspath(f"{__file__}/../../../../.."))

from holdfast.adapters.supervision.host.agent import Agent, FullError
from holdfast.adapters.supervision.host.peer import Peer
from holdfast.adapters.supervision.host.processes import adopt_orphans, belongs, look, peer_uid, strike, table
from holdfast.adapters.supervision.host.protocol import VERSION, WireError, encode
from holdfast.adapters.supervision.host.spool import Ring, Spool

TYPE_CHECKING = False  # the module typing is a tenth of a host's memory
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Doors = dict[int, tuple[int, Callable[[], None]]]

_PEERS = 16
_RETRY_S = 0.25  # how often a full disk is tried again
_SWEEP_S = 0.02  # how often the dying are counted
_LATE_S = 5.0  # after that whatever cannot be killed is left behind, by name
_IDLE_S = 3600.0


class Refused(Exception):  # noqa: N818 # an answer, not a failure
    """A request that is answered by a code and a reason."""


class Host:
    """The loop between the agent's pipes, the files and whoever drives.

    `phase` says how far ending the agent has come: not at all, `eof`, `term`, `kill`.
    """

    def __init__(self, order: dict[str, Any]) -> None:
        limits = order["limits"]
        self._incarnation = str(order["incarnation"])
        self._abandon_s, self._eof_s, self._term_s = (
            float(limits[name]) for name in ("abandon_after_s", "eof_s", "term_s")
        )
        self._socket = str(order["socket"])
        self._listener = socket.socket(fileno=order["listener"])
        self._listener.setblocking(False)
        self._spool = Spool(limits["spool_bytes"], limits["segment_bytes"])
        self._ring = Ring(limits["stderr_bytes"])
        # Its room is taken now, so that a full disk cannot keep the ending from being told.
        self._ending = os.open("exit.json.new", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        os.write(self._ending, b" " * 4096)
        self._peers: dict[int, Peer] = {}
        self._owner: Peer | None = None
        self._epoch = 0
        self._alone_since = time.monotonic()
        self._phase, self._deadline, self._reason, self._detail = "", 0.0, "exited", ""
        self._exit: dict[str, int | None] | None = None
        self._left: list[int] = []
        self._over = False
        self._asked: list[tuple[Peer, object]] = []
        self._signals = _catch_signals()
        self.agent = Agent(order)

    def run(self) -> None:
        """Serve until the agent is dead and everything it said is on disk."""
        while True:
            timeout_s = self._tick(time.monotonic())
            self._tell()
            if self._over:
                return
            doors = self._doors()
            poller = select.poll()
            for door, (events, _) in doors.items():
                poller.register(door, events)
            for door, _ in poller.poll(timeout_s * 1000):
                try:
                    doors[door][1]()
                except BlockingIOError:
                    continue

    def finish(self) -> None:
        """Write down how it ended and tell those who asked for it."""
        ending = self._status() | {
            "reason": self._reason,
            "detail": self._detail,
            "ended": time.time(),
            "truncated": bool(self._spool.held) or self.agent.stdout >= 0,
            "left": self._left[:64],
        }
        os.ftruncate(self._ending, os.pwrite(self._ending, json.dumps(ending).encode(), 0))
        os.rename("exit.json.new", "exit.json")
        for peer, number in self._asked:
            try:
                peer.sock.settimeout(1)
                peer.sock.sendall(peer.outgoing + encode({"id": number, "ok": ending}))
            except OSError:  # whoever asked finds it in the file
                continue

    def _doors(self) -> Doors:
        agent, spool = self.agent, self._spool
        doors: Doors = {
            self._signals: (select.POLLIN, self._signalled),
            self._listener.fileno(): (select.POLLIN, self._accept),
        }
        if agent.stdout >= 0 and (spool.has_room() or (self._exit and not spool.held)):
            doors[agent.stdout] = select.POLLIN, lambda: spool.append(agent.read_output())
        if agent.stderr >= 0:
            doors[agent.stderr] = select.POLLIN, lambda: self._ring.append(agent.read_errors())
        if agent.stdin >= 0 and agent.queue and not self._exit:
            doors[agent.stdin] = select.POLLOUT, agent.feed
        for number, peer in self._peers.items():
            events = select.POLLIN | (select.POLLOUT if peer.outgoing else 0)
            doors[number] = events, partial(self._hear, peer)
        return doors

    def _tick(self, now: float) -> float:
        """Do what is due; return how many seconds may pass until something else is."""
        self._look_for_death(now)
        if self._spool.held:
            self._spool.flush()
        if not self._phase:
            return self._wait_for_a_daemon(now)
        if self._phase == "eof" and now >= self._deadline:
            self._phase, self._deadline = "term", now + self._term_s
            _kill_group(self.agent.pid, signal.SIGTERM)
        if self._phase == "term" and now >= self._deadline:
            self._phase, self._deadline = "kill", now + _LATE_S
        if self._phase == "kill":
            self._left, late = self._sweep(), now >= self._deadline
            asked = self._reason != "exited"
            drained = asked if self._spool.held else late or self.agent.stdout < 0
            self._over = drained and (late or (self._exit is not None and not self._left))
            return _SWEEP_S if not late else _RETRY_S
        return min(max(0.0, self._deadline - now), _RETRY_S if self._spool.held else _IDLE_S)

    def _wait_for_a_daemon(self, now: float) -> float:
        left_s = _IDLE_S
        if self._abandon_s and not self._owner:
            left_s = self._alone_since + self._abandon_s - now
            if left_s <= 0:
                self._stop("abandoned", f"no daemon came for {self._abandon_s:g} s")
                return 0.0
        return min(left_s, _RETRY_S if self._spool.held else _IDLE_S)

    def _stop(self, reason: str, detail: str = "") -> None:
        """Begin to end the agent: the end of its input first, then the signals."""
        if self._reason == "exited":
            self._reason, self._detail = reason, detail
        if not self._phase:
            self._phase, self._deadline = "eof", time.monotonic() + self._eof_s
            self.agent.end_input()

    def _look_for_death(self, now: float) -> None:
        """Reap what the agent left to us. The agent itself stays a zombie, so that its group's number stays its own."""
        while self._exit is None:
            try:
                found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if found is None:
                return
            if found.si_pid != self.agent.pid:
                os.waitpid(found.si_pid, 0)
                continue
            exited = found.si_code == os.CLD_EXITED
            self._exit = {
                "code": found.si_status if exited else None,
                "signal": None if exited else found.si_status,
            }
            self._phase, self._deadline = "kill", now + _LATE_S

    def _sweep(self) -> list[int]:
        """Kill whatever belongs to the agent; return what was still there."""
        _kill_group(self.agent.pid, signal.SIGKILL)
        living, me = table(), os.getpid()
        mine = [process for pid, process in living.items() if belongs(living, pid, {self._incarnation}, me)]
        return [process.pid for process in mine if strike(process, signal.SIGKILL)]

    def _signalled(self) -> None:
        numbers = os.read(self._signals, 4096)
        if signal.SIGTERM in numbers:
            self._stop("terminated", "the host was told to end")
        if signal.SIGHUP in numbers:
            self._listen_again()

    def _listen_again(self) -> None:
        """Make the socket anew: folders for sockets vanish when their user logs out, and come back empty."""
        with suppress(OSError):
            os.makedirs(os.path.dirname(self._socket), 0o700, exist_ok=True)
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(self._socket)  # fails where it still is
            os.chmod(self._socket, 0o600)
            listener.listen(_PEERS)
            listener.setblocking(False)
            self._listener.close()
            self._listener = listener

    def _accept(self) -> None:
        sock, _ = self._listener.accept()
        if peer_uid(sock) != os.getuid() or len(self._peers) >= _PEERS:
            sock.close()
        else:
            self._peers[sock.fileno()] = Peer(sock)

    def _hear(self, peer: Peer) -> None:
        try:
            peer.flush()
            for header, body in peer.receive():
                if peer.sock.fileno() >= 0:
                    self._answer(peer, header, body)
        except BlockingIOError:
            return
        except (OSError, WireError):
            self._drop(peer)

    def _drop(self, peer: Peer) -> None:
        self._peers.pop(peer.sock.fileno(), None)
        peer.sock.close()
        if peer is self._owner:
            self._owner, self._alone_since = None, time.monotonic()

    def _answer(self, peer: Peer, header: dict[str, Any], body: bytes) -> None:
        number = header.get("id")
        try:
            result = self._obey(peer, header, body)
        except Refused as refused:
            peer.send({"id": number, "error": refused.args[0], "detail": refused.args[1]})
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            peer.send({"id": number, "error": "malformed", "detail": repr(error)[:200]})
        else:
            if result is not None:
                peer.send({"id": number, "ok": self._status() | result})

    def _obey(self, peer: Peer, header: dict[str, Any], body: bytes) -> dict[str, Any] | None:
        verb = header.get("verb")
        if verb not in {"hello", "status"} and peer is not self._owner:
            raise Refused("stale", "another daemon drives this agent")
        match verb:
            case "hello":
                self._hello(peer, int(header["epoch"]))
                return {}
            case "write":
                return {"known": self._write(str(header["key"]), body)}
            case "ack":
                self._spool.ack(int(header["offset"]))
                for key in header.get("settled", ()):
                    self.agent.settle(str(key))
                return {}
            case "status":
                return {"keys": {key: self.agent.find(key) for key in header.get("keys", ())}}
            case "stop":
                self._asked.append((peer, header.get("id")))
                self._stop("stopped", str(header.get("reason", ""))[:500])
                return None
            case _:
                raise Refused("verb", f"this host speaks version {VERSION}")

    def _hello(self, peer: Peer, epoch: int) -> None:
        """Let this peer drive from now on, and nobody else."""
        if epoch < self._epoch:
            raise Refused("stale", f"a daemon of epoch {self._epoch} has been here, this one has {epoch}")
        before, self._owner, self._epoch = self._owner, peer, epoch
        if before and before is not peer:
            with suppress(OSError):  # it is closed in any case
                before.send({"notice": "fenced", "epoch": epoch})
            self._drop(before)

    def _write(self, key: str, data: bytes) -> bool:
        """Accept data under its key, once; return whether it was known."""
        if self.agent.find(key):
            return True
        if self._phase:
            raise Refused("exited", "the agent has ended" if self._exit else "the agent is being ended")
        try:
            self.agent.accept(key, data)
        except FullError as error:
            raise Refused("full", str(error)) from error
        return False

    def _status(self) -> dict[str, Any]:
        return {
            "version": VERSION,
            "incarnation": self._incarnation,
            "epoch": self._epoch,
            "head": self._spool.head,
            "acked": self._spool.acked,
            "full": bool(self._spool.held),
            "queued": len(self.agent.queue),
            "piped": self.agent.piped,
            "unread": self.agent.unread(),
            "exit": self._exit,
        }

    def _tell(self) -> None:
        """Tell who drives what is new, as soon as the last news has left."""
        owner = self._owner
        if owner is None or owner.outgoing:
            return
        news = {"notice": "state", "head": self._spool.head, "full": bool(self._spool.held), "exit": self._exit}
        if repr(news) != owner.told:
            owner.told = repr(news)
            try:
                owner.send(news)
            except OSError:
                self._drop(owner)


def _kill_group(leader: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # nobody is left in it, or nobody of ours
        os.killpg(leader, number)


def _catch_signals() -> int:
    """Return a pipe from which the numbers of signals can be read."""
    ear, mouth = os.pipe()
    os.set_blocking(ear, False)
    os.set_blocking(mouth, False)
    signal.set_wakeup_fd(mouth, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _ignore)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return ear


def _ignore(number: int, frame: object) -> None:
    """Do nothing: the number comes through the pipe."""


def _publish(order: dict[str, Any], agent: int) -> None:
    """Write host.json, by which daemons find this host."""
    told: dict[str, Any] = {name: order[name] for name in ("incarnation", "socket", "command", "cwd", "labels", "boot")}
    told |= {"version": VERSION, "started": time.time()}
    for name, pid in (("host", os.getpid()), ("agent", agent)):
        process = look(pid)
        told[name] = {"pid": pid, "start": process.start if process else None}
    file = os.open("host.json.new", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    os.write(file, json.dumps(told).encode())
    os.close(file)
    os.rename("host.json.new", "host.json")


def main() -> None:
    """Leave the caller's process tree, start the agent, say whether that went well, and serve until it is over."""
    order: dict[str, Any] = json.load(sys.stdin.buffer)
    if os.fork():
        os._exit(0)
    os.setsid()
    adopt_orphans()
    order["umask"] = os.umask(0o077)
    os.chdir(order["folder"])
    for inherited in (order["keys"], order["listener"]):
        os.set_inheritable(inherited, False)
    answer, nothing = os.dup(1), os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nothing, standard)
    host = None
    try:
        host = Host(order)
        _publish(order, host.agent.pid)
        told: dict[str, Any] = {"agent": host.agent.pid}
    except OSError as error:  # an agent that runs already dies with this process
        host, told = None, {"error": error.errno, "reason": error.strerror, "name": error.filename}
    with suppress(OSError):  # the daemon was killed meanwhile; the next one finds host.json
        os.write(answer, json.dumps(told).encode())
    os.close(answer)
    if host:
        host.run()
        host.finish()
        with suppress(OSError):  # its folder may be gone
            os.unlink(order["socket"])


if __name__ == "__main__":
    main()
