"""The real program under a real terminal: keys in, screen out."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.cli import HOLDFAST, environment
from tests.support.programs import need

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

PATIENCE_S = 60.0
_LOOK_S = 0.03


class Terminal:
    """One tmux server with one window, in which one program runs.

    Waiting is for what stands on the screen, never for a time.

    Attributes:
        folder: Where the program was started.
    """

    def __init__(
        self,
        folder: Path,
        home: Path,
        *args: str,
        environ: Mapping[str, str] | None = None,
        size: tuple[int, int] = (100, 30),
    ) -> None:
        """Run `holdfast ARGS` on a home; `folder` is for the socket and what the program leaves behind."""
        self.folder = folder
        self._tmux = str(need("tmux"))
        self._socket = folder / "tmux"
        self._code = folder / "exit-code"
        self._raw = folder / "raw"
        self.environ = {
            **environment(home),
            "TERM": "tmux-256color",
            "COLORTERM": "truecolor",
            "HOLDFAST_DEBUG": "1",
            **(environ or {}),
        }
        raw, code = shlex.quote(str(self._raw)), shlex.quote(str(self._code))
        begun = f"until [ -e {raw} ]; do sleep 0.02; done"  # not a byte is lost before the pipe is laid
        command = f"{begun}; {shlex.join([str(HOLDFAST), *args])}; echo $? > {code}; exec cat"
        self._run(
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-x",
            str(size[0]),
            "-y",
            str(size[1]),
            "-c",
            str(folder),
            "sleep 3600",
        )
        self._run("set-option", "-g", "remain-on-exit", "on")
        self._run("set-option", "-g", "set-titles", "on")
        self._run("set-option", "-g", "allow-rename", "on")
        given = [f"{name}={value}" for name, value in self.environ.items()]
        self._run("respawn-pane", "-k", "-c", str(folder), "env", "-i", *given, "sh", "-c", command)
        self._run("pipe-pane", f"cat >> {raw}")

    def keys(self, *keys: str) -> None:
        """Press keys, by the names that tmux has for them."""
        self._run("send-keys", *keys)

    def type(self, text: str) -> None:
        """Type a text as it is."""
        self._run("send-keys", "-l", text)

    def drag(self, begin: tuple[int, int], end: tuple[int, int]) -> None:
        """Drag the mouse from one cell to another, as a terminal says it (column and line from 0)."""
        for button, (x, y), what in ((0, begin, "M"), (32, end, "M"), (0, end, "m")):
            self._write(f"\x1b[<{button};{x + 1};{y + 1}{what}")

    def paste(self, text: str) -> None:
        """Paste a text, as a terminal does: marked as one paste."""
        self._write(text, "-p")

    def _write(self, text: str, *how: str) -> None:
        """Have bytes come from the terminal at once, as they are."""
        file = self._socket.with_name("pasted")
        file.write_text(text)
        self._run("load-buffer", str(file))
        self._run("paste-buffer", *how, "-d")

    def screen(self, *, styled: bool = False) -> str:
        """Return what stands on the screen; with the escapes that style it, where wanted."""
        return self._run("capture-pane", "-p", *(["-e"] if styled else []))

    def until(self, wanted: str | Callable[[str], bool], *, gone: bool = False) -> str:
        """Return the screen once a text stands on it, or a predicate holds; with `gone` once it does not."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            screen = self.screen()
            if (wanted in screen if isinstance(wanted, str) else wanted(screen)) is not gone:
                return screen
            assert time.monotonic() < deadline, f"{wanted!r} {'stays' if gone else 'did not come'}:\n{screen}"
            time.sleep(_LOOK_S)  # a terminal cannot be waited on

    def press_until(self, key: str, wanted: str) -> str:
        """Press a key again and again until a text stands on the screen: for keys that count only after a while."""
        deadline = time.monotonic() + PATIENCE_S
        while wanted not in self.screen():
            assert time.monotonic() < deadline, f"{wanted!r} did not come:\n{self.screen()}"
            self.keys(key)
            time.sleep(0.1)
        return self.screen()

    def title(self) -> str:
        """Return the title of the window."""
        return self._run("display-message", "-p", "#{pane_title}").strip()

    def pid(self) -> int:
        """Return the process of the program."""
        shell = int(self._run("display-message", "-p", "#{pane_pid}"))
        deadline = time.monotonic() + PATIENCE_S
        while True:
            for pid in Path(f"/proc/{shell}/task/{shell}/children").read_text().split():
                if b"holdfast" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    return int(pid)
            assert time.monotonic() < deadline, "the program did not start"
            time.sleep(_LOOK_S)

    def resize(self, width: int, height: int) -> None:
        """Make the window another size."""
        self._run("resize-window", "-x", str(width), "-y", str(height))

    def exit_code(self) -> int:
        """Return the exit code once the program has ended."""
        deadline = time.monotonic() + PATIENCE_S
        while not (self._code.exists() and self._code.read_text().strip()):
            assert time.monotonic() < deadline, f"it does not end:\n{self.screen()}"
            time.sleep(_LOOK_S)
        return int(self._code.read_text())

    def ends(self, code: int = 0) -> None:
        """Wait for the program to end, with this exit code; with another one, show what it said."""
        found = self.exit_code()
        assert found == code, f"it ended with {found}:\n{self._run('capture-pane', '-p', '-J', '-S', '-')}"

    def raw(self) -> bytes:
        """Return every byte that the program has sent to the terminal so far."""
        return self._raw.read_bytes() if self._raw.exists() else b""

    def close(self) -> None:
        """End the terminal, and the program with it."""
        subprocess.run([self._tmux, "-S", str(self._socket), "kill-server"], capture_output=True, check=False)

    def _run(self, *args: str) -> str:
        environ = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "TERM": "xterm-256color"}
        done = subprocess.run(
            [self._tmux, "-u", "-S", str(self._socket), *args],
            capture_output=True,
            check=False,
            text=True,
            env=environ,
            timeout=PATIENCE_S,
        )
        assert done.returncode == 0, (args, done.stderr)
        return done.stdout


class Terminals:
    """Opens terminals on one home and closes them at the end."""

    def __init__(self, folder: Path, home: Path) -> None:
        self._folder = folder
        self._home = home
        self._open: list[Terminal] = []

    def __call__(
        self, *args: str, environ: Mapping[str, str] | None = None, size: tuple[int, int] = (100, 30)
    ) -> Terminal:
        """Run `holdfast ARGS` in a terminal of its own."""
        folder = self._folder / f"terminal-{len(self._open)}"
        folder.mkdir()
        terminal = Terminal(folder, self._home, *args, environ=environ, size=size)
        self._open.append(terminal)
        return terminal

    def close(self) -> None:
        """Close all of them."""
        for terminal in self._open:
            terminal.close()


@pytest.fixture
def terminal(tmp_path: Path, tmp_home: Path) -> Iterator[Terminals]:
    """`terminal("tui")` runs the program under tmux, on the home that `cli` and `daemon` use."""
    made = Terminals(tmp_path, tmp_home)
    try:
        yield made
    finally:
        made.close()
