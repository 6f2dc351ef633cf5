"""The daemon as a service of the user's systemd: started at login, restarted when it dies, its agents left alone."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Final

from holdfast.bootstrap.daemon import presence
from holdfast.bootstrap.daemon.process import command
from holdfast.domain.daemon import Listen
from holdfast.domain.errors import DaemonError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from holdfast.adapters.configuration.home import Home
    from holdfast.domain.daemon import Running

NAME: Final = "holdfast.service"

_READY_S: Final = 60.0
_POLL_S: Final = 0.1

_UNIT = """\
[Unit]
Description=Holdfast: sessions that outlive every window

[Service]
Type=exec
ExecStart={start}
{environment}
# Agents run in the same control group. They must outlive the daemon, whatever becomes of it.
KillMode=process
Restart=always
RestartSec=1
# Refused for a reason that trying again does not change: bad usage, or the store or the port is taken.
RestartPreventExitStatus=2 4
UMask=0077

[Install]
WantedBy=default.target
"""


def install(home: Home, environ: Mapping[str, str], hand_over: Callable[[], bool]) -> list[str]:
    """Write the unit, enable it and start it; return what was done.

    Args:
        home: Whose daemon it starts.
        environ: What it is started with, as far as the unit carries it.
        hand_over: Ends the daemon that runs by itself; tells whether there was one. Its agents go on.

    Raises:
        DaemonError: There is no systemd for this user, it refuses, or what it starts does not get ready.
    """
    path = _path(environ)
    program = _program()
    _reachable(program)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(unit(home, environ))
    except OSError as error:
        msg = f"{path} cannot be written: {error.strerror}"
        raise DaemonError(msg) from error
    done = [f"wrote {path}"]
    try:
        _systemctl(program, "daemon-reload")
        _systemctl(program, "enable", NAME)
        if hand_over():
            done.append("ended the daemon that ran; its agents go on")
        _systemctl(program, "restart", NAME)
    except DaemonError as error:
        msg = f"{done[0]}, but {error}"
        raise DaemonError(msg) from error
    running = _ready(home, program)
    return [*done, f"enabled and started {NAME}: {running.url} (process {running.pid})"]


def remove(environ: Mapping[str, str]) -> list[str]:
    """Stop the service and remove its unit; agents go on under their hosts. Return what was done."""
    path = _path(environ)
    if not path.exists():
        return [f"there is no {path}: nothing to remove"]
    done: list[str] = []
    try:
        program = _program()
        _systemctl(program, "disable", "--now", NAME)
        done.append(f"stopped and disabled {NAME}; agents go on")
        path.unlink(missing_ok=True)
        _systemctl(program, "daemon-reload")
    except DaemonError as error:
        done.append(f"{error}; the unit is removed all the same")
    path.unlink(missing_ok=True)
    done.append(f"removed {path}")
    return done


def unit(home: Home, environ: Mapping[str, str]) -> str:
    """Return the unit's file.

    The variables that decide where everything lies are written into it: systemd knows nothing of the shell's. PATH is
    among them, because agents are found on it. No port is: where the usual one is taken, any other will do.
    """
    names = ("PATH", "HOLDFAST_DATABASE_URL")
    variables = {name: environ[name] for name in names if environ.get(name)} | {
        "HOLDFAST_HOME": str(home.path),
        "HOLDFAST_HOST": "",
    }
    lines = [f"Environment={_quoted(f'{name}={value}')}" for name, value in variables.items()]
    start = " ".join(_quoted(word, dollars=True) for word in command(Listen()))
    return _UNIT.format(start=start, environment="\n".join(lines))


def _path(environ: Mapping[str, str]) -> Path:
    configured = environ.get("XDG_CONFIG_HOME")
    folder = Path(configured) if configured else Path(environ.get("HOME", "~")).expanduser() / ".config"
    return folder / "systemd" / "user" / NAME


def _quoted(word: str, *, dollars: bool = False) -> str:
    """Return a word as systemd reads it back: specifiers doubled, and variables where there would be any."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("\n", "\\n")
    return f'"{escaped.replace("$", "$$") if dollars else escaped}"'


def _ready(home: Home, systemctl: str) -> Running:
    """Return the daemon that was started once it is ready.

    Raises:
        DaemonError: It does not get ready.
    """
    deadline = monotonic() + _READY_S
    while (running := presence.find(home)) is None:
        failed = subprocess.run([systemctl, "--user", "is-failed", "--quiet", NAME], check=False).returncode == 0
        if failed or monotonic() >= deadline:
            why = f"`systemctl --user status {NAME}` and `holdfast logs` tell why"
            msg = f"{NAME} is enabled, but what it starts does not get ready: {why}"
            raise DaemonError(msg)
        sleep(_POLL_S)  # nobody tells when a file appears
    return running


def _program() -> str:
    program = shutil.which("systemctl")
    if program is None:
        msg = "there is no systemctl here: start the daemon with `holdfast up` from whatever starts your session"
        raise DaemonError(msg)
    return program


def _reachable(program: str) -> None:
    """Ask systemd anything that changes nothing, before anything is written.

    Raises:
        DaemonError: Nothing of this user's answers.
    """
    try:
        _systemctl(program, "show-environment")
    except DaemonError as error:
        msg = f"there is no systemd of this user here ({error}): log in with a session of its own, or use `holdfast up`"
        raise DaemonError(msg) from error


def _systemctl(program: str, *words: str) -> None:
    _run([program, "--user", *words])


def _run(words: Sequence[str]) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=dict(os.environ))
    if done.returncode:
        why = done.stderr.strip().splitlines()
        msg = f"`{' '.join(['systemctl', *words[1:]])}` failed: {why[-1] if why else f'exit {done.returncode}'}"
        raise DaemonError(msg)
