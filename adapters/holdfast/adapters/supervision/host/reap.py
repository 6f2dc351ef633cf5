"""What is left of agents after a crash: which hosts there are, which live, and what must be ended.

Everything here blocks for milliseconds, `end_orphans` for seconds at worst: call it in a worker thread.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from holdfast.adapters.supervision.host import folder as folders
from holdfast.adapters.supervision.host.folder import Ending, Host
from holdfast.adapters.supervision.host.processes import Process, belongs, look, strike, table
from holdfast.domain.errors import HostProtocolError

if TYPE_CHECKING:
    from collections.abc import Iterable


State = Literal["alive", "ended", "dead", "unborn"]


class Found(Struct, frozen=True):
    """A host's folder, and what became of the host.

    Attributes:
        state: `alive`; `ended`: it wrote how; `dead`: it was killed; `unborn`: it never came to start its agent.
        host: Who it is or was; None before its agent started, or if its file is damaged.
        ending: How it ended, if it did.
        agent_alive: Whether the very process that was its agent lives.
    """

    incarnation: str
    folder: Path
    state: State
    host: Host | None
    ending: Ending | None
    agent_alive: bool


def survey(hosts: Path) -> list[Found]:
    """Return every host of a home, whether it lives or not."""
    found: list[Found] = []
    for folder in hosts.iterdir() if hosts.is_dir() else ():
        if _is_name(folder.name):
            with suppress(FileNotFoundError):  # it was discarded while we looked
                found.append(_survey(folder))
    return sorted(found, key=lambda one: (one.host.started if one.host else 0.0, one.incarnation))


def orphans(found: Iterable[Found]) -> list[Process]:
    """Return what still runs of hosts that do not: processes that carry their mark, and what descends from those."""
    marks = {one.incarnation for one in found if one.state != "alive"}
    living = table() if marks else {}
    return [process for pid, process in living.items() if pid != os.getpid() and belongs(living, pid, marks)]


def end_orphans(hosts: Path, within_s: float = 2.0) -> list[int]:
    """Kill what still runs of dead hosts, and nothing else; return what was killed.

    Each process is signalled through a handle, after its start and its environment were read again, so that a number
    which meanwhile belongs to another is left alone. Where there is no /proc nothing is found.
    """
    killed: set[int] = set()
    deadline = time.monotonic() + within_s
    while (left := orphans(survey(hosts))) and time.monotonic() < deadline:
        killed.update(process.pid for process in left if strike(process, signal.SIGKILL))
        for process in left:
            _await_end(process, deadline)
    return sorted(killed)


def discard(found: Found) -> None:
    """Remove the files of a host that does not live; everything it said must have been read.

    Raises:
        HostProtocolError: It lives.
    """
    if folders.is_alive(found.folder):
        raise HostProtocolError(f"the host of agent {found.incarnation} lives: its files must stay")
    if found.host:
        Path(found.host.socket).unlink(missing_ok=True)
    shutil.rmtree(found.folder)


def _survey(folder: Path) -> Found:
    # The order matters: a host that ends between two looks must not seem to have been killed.
    alive = folders.is_alive(folder)
    host = ending = None
    with suppress(HostProtocolError):  # a damaged file says nothing, and its host is dead
        host = folders.describe(folder)
    with suppress(HostProtocolError):
        ending = None if alive else folders.ending(folder)
    if alive:
        state: State = "alive"
    elif ending:
        state = "ended"
    else:
        state = "dead" if host else "unborn"
    return Found(folder.name, folder, state, host, ending, host is not None and _is_agent_alive(host))


def _is_agent_alive(host: Host) -> bool:
    process = look(host.agent.pid)
    return process is not None and process.start == host.agent.start and process.mark in {host.incarnation, None}


def _is_name(name: str) -> bool:
    return len(name) == 16 and set(name) <= set("0123456789abcdef")


def _await_end(process: Process, deadline: float) -> None:
    try:
        handle = os.pidfd_open(process.pid)
    except OSError:
        return
    try:
        now = look(process.pid)
        if now and now.start == process.start:
            select.select([handle], [], [], max(0.0, deadline - time.monotonic()))
    finally:
        os.close(handle)
