"""What a process said about itself before it ended, parsed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class Ack(NamedTuple):
    """One event that a caller was told is safe."""

    session: str
    version: int
    position: int
    event_id: str
    cause: str


@dataclass
class Words:
    """All that one process said.

    Attributes:
        pid: Its process.
        acks: What it was told is safe, in this order.
        saw: Position and event of what its subscriber got, in this order.
        troubles: Names of the errors it went on after.
        late_s: How long its event loop stood still at most.
        ready: Whether it had opened the store.
        done: Whether a deed was done to its end.
        erased: Sessions that were erased for good.
        stopped: Why it stopped by itself.
        ended: Whether it is gone.
        status: Its exit status, negative for a signal.
        full: How many events it had written when its disk was full.
        read: How many events it read then.
        recovered_s: How long after it got space it took to write again.
        violations: What it found not to hold.
        told: What a daemon reported to whoever started it.
    """

    pid: int = 0
    acks: list[Ack] = field(default_factory=list[Ack])
    saw: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    troubles: list[str] = field(default_factory=list[str])
    late_s: float = 0.0
    ready: bool = False
    done: bool = False
    erased: list[str] = field(default_factory=list[str])
    stopped: str | None = None
    ended: bool = False
    status: int = 0
    full: int = 0
    read: int = 0
    recovered_s: float | None = None
    violations: list[str] = field(default_factory=list[str])
    told: str | None = None

    def add(self, line: str) -> None:
        """Take in one line."""
        match line.split(" "):
            case ["ack", session, version, position, event_id, cause]:
                self.acks.append(Ack(session, int(version), int(position), event_id, cause))
            case ["saw", position, event_id]:
                self.saw.append((int(position), event_id))
            case ["trouble", name]:
                self.troubles.append(name)
            case ["late", seconds]:
                self.late_s = float(seconds)
            case ["ready"]:
                self.ready = True
            case ["done"]:
                self.done = True
            case ["erased", session]:
                self.erased.append(session)
            case ["stopped", *reason]:
                self.stopped = " ".join(reason)
            case ["exit", status]:
                self.status = int(status)
                self.ended = True
            case _:
                self._add_of_others(line)

    def _add_of_others(self, line: str) -> None:
        match line.split(" "):
            case ["full", events]:
                self.full = int(events)
            case ["read", events]:
                self.read = int(events)
            case ["recovered", seconds]:
                self.recovered_s = float(seconds)
            case ["violation", *what]:
                self.violations.append(" ".join(what))
            case ["told", *report]:
                self.told = " ".join(report)
            case ["pid", pid]:
                self.pid = int(pid)
            case _:
                message = f"a process said something strange: {line!r}"
                raise ValueError(message)
