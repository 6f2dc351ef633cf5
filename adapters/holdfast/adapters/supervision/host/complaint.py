"""Why an agent could not be started, in words that say what to do."""

from __future__ import annotations

import errno
import shlex
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.domain.errors import AgentError, AgentFolderError, CommandNotFoundError

if TYPE_CHECKING:
    from holdfast.adapters.supervision.host.launch import Order


def explain(order: Order, told: dict[str, object]) -> AgentError:
    """Return the error for what a host told of a command that it could not start."""
    number, reason, name = told.get("error"), told.get("reason"), told.get("name")
    if name == order.cwd and number is not None:
        return AgentFolderError(f"the agent's folder {order.cwd} cannot be entered: {reason}")
    if name == order.command[0]:
        return CommandNotFoundError(
            f"{name or 'a command without a name'} cannot be run: {_why(order, number, reason)}"
        )
    return AgentError(f"the host of {order.command[0]} did not start: {reason}")


def _why(order: Order, number: object, reason: object) -> str:
    """Say what is wrong with a command and what to do; the number of an error alone names neither."""
    name = order.command[0]
    place = Path(order.cwd, name) if "/" in name else None
    mode = None if place is None else _mode(place)
    if not name:
        return "name a program"
    if mode is not None and stat.S_ISDIR(mode):
        return "it is a folder; name the program in it"
    if number == errno.ENOENT and mode is None:
        return f"{reason}; install it, or give its full path"
    if number == errno.ENOENT:
        return "the interpreter that its first line names is not there"
    if number == errno.ENOEXEC:
        return "it is no program, and its first line names none that could read it"
    if number == errno.EACCES and mode is not None and not mode & 0o111:
        return f"it is not marked as a program; `chmod +x {shlex.quote(str(place))}` does that, if it is one"
    return f"{reason}; make it a program that may be run"


def _mode(place: Path) -> int | None:
    try:
        return place.stat().st_mode
    except OSError:
        return None
