"""Opening a session: on the page, signed in and at the exact item, or in a terminal."""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import suppress
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote
from uuid import uuid4

import anyio
from anyio import to_thread

from holdfast.domain.errors import DesktopError, NotRunningError
from holdfast.frontends.client.exchange import Exchange
from holdfast.frontends.client.sessions import DaemonSessions
from holdfast.frontends.tray.confined import folder_for_browser

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from anyio.abc import TaskGroup

    from holdfast.domain.daemon import DaemonControl

OPENERS: Final = (("xdg-open",), ("gio", "open"))
TERMINALS: Final = (
    ("xdg-terminal-exec",), ("x-terminal-emulator", "-e"), ("gnome-terminal", "--"), ("konsole", "-e"),
    ("xfce4-terminal", "-x"), ("foot",), ("alacritty", "-e"), ("kitty",), ("wezterm", "start", "--"), ("xterm", "-e"),
)  # fmt: skip
"""Terminals, and what stands between them and the command they are to run."""

_HOLDFAST: Final = (sys.executable, "-I", "-m", "holdfast.bootstrap")

_PAGE: Final = """\
<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer"><title>Holdfast</title>
<meta http-equiv="refresh" content="0; url={link}"><a href="{link}">Open Holdfast</a>
"""


class Opener:
    """Opens things with the programs that the desktop has."""

    def __init__(self, control: DaemonControl, tasks: TaskGroup, say: Callable[[str], None]) -> None:
        """Work within `tasks`; `say` is told what goes wrong meanwhile."""
        self._control = control
        self._tasks = tasks
        self._say = say
        self._children: list[subprocess.Popen[bytes]] = []

    async def page(self, session_id: str | None = None, item_id: str | None = None) -> None:
        """Open the page in a browser that is signed in by it.

        Raises:
            NotRunningError: No daemon runs.
            DesktopError: There is nothing that opens pages.
        """
        link, folder = await to_thread.run_sync(self._link, session_id, item_id)
        # The code in the link signs anybody in, and everybody can read the arguments of a program: so it is in a file.
        file = folder / f"open-{uuid4().hex[:12]}.html"
        file.touch(mode=0o600)
        file.write_text(_PAGE.format(link=escape(link)))
        self._tasks.start_soon(self._forget, file)
        self._run([*_first(OPENERS, "a browser"), file.as_uri()])

    async def terminal(self, command: Sequence[str], session_id: str | None = None) -> None:
        """Open a session, or all of them, in a terminal.

        Args:
            command: What begins a command in the terminal that the person has chosen; empty for what is found.
            session_id: The session.

        Raises:
            DesktopError: There is no terminal.
        """
        begin = command or await to_thread.run_sync(_first, TERMINALS, "a terminal")
        self._run([*begin, *_HOLDFAST, "tui", *([] if session_id is None else ["--", session_id])])

    def _link(self, session_id: str | None, item_id: str | None) -> tuple[str, Path]:
        running = self._control.running()
        if running is None:
            msg = "no daemon runs: there is nothing to open"
            raise NotRunningError(msg)
        link = DaemonSessions(Exchange(self._control, running, "tray", self._say)).sign_in_link()
        base, _, code = link.url.partition("/#")
        path = "" if session_id is None else f"sessions/{quote(session_id, safe='')}"
        item = "" if item_id is None else f"&item={quote(item_id, safe='')}"
        return f"{base}/{path}#{code}{item}", folder_for_browser(Path(running.socket).parent)

    async def _forget(self, file: Path) -> None:
        """Remove the file once its code is of no use any more, at the latest when the tray ends."""
        try:
            await anyio.sleep(60)
        finally:
            with suppress(OSError):
                file.unlink()  # noqa: ASYNC240 - also while the tray ends, when nothing can be waited for

    def _run(self, command: list[str]) -> None:
        """Start a program of its own, which goes on after us."""
        self._children = [child for child in self._children if child.poll() is None]
        try:
            self._children.append(
                subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
            )
        except OSError as error:
            msg = f"{command[0]} cannot be started: {error.strerror}"
            raise DesktopError(msg) from error


def _first(commands: Sequence[tuple[str, ...]], what: str) -> tuple[str, ...]:
    for command in commands:
        if shutil.which(command[0]):
            return command
    names = ", ".join(command[0] for command in commands[:3])
    msg = f"there is nothing here that opens {what} (looked for {names} …)"
    raise DesktopError(msg)
