"""A desktop of the test's own: a display nobody sees, a private bus, a real panel, a real notification daemon."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
from contextlib import ExitStack
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Final

from tests.agents.scripting import until
from tests.support.cli import HOLDFAST, environment

if TYPE_CHECKING:
    from collections.abc import Sequence

PATIENCE_S: Final = 60.0
WATCHER: Final = "org.kde.StatusNotifierWatcher"
NOTIFICATIONS: Final = "org.freedesktop.Notifications"
BUBBLES: Final = "/usr/lib/notification-daemon/notification-daemon"

_PANEL: Final = """\
<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array">
    <value type="int" value="1"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=6;x=0;y=0"/>
      <property name="length" type="uint" value="100"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="icon-size" type="uint" value="32"/>
      <property name="size" type="uint" value="40"/>
      <property name="plugin-ids" type="array"><value type="int" value="1"/></property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="systray">
      <property name="square-icons" type="bool" value="true"/>
    </property>
  </property>
</channel>
"""

_BUS: Final = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={run}/bus</listen>
  <auth>EXTERNAL</auth>
  <servicedir>{services}</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
  </policy>
</busconfig>
"""
"""Nothing starts by itself but the panel's settings: what shows icons and notifications is what a test starts."""

_DUNST: Final = "[global]\nfont = Sans 10\nlayer = overlay\nwidth = 360\nidle_threshold = 0\nmarkup = full\n"


class Desk:
    """Programs of one desktop; each is started when it is asked for, and ended by `close`."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder = folder
        self.run = folder / "run"
        self.config = folder / "config"
        for made in (self.run, self.config, folder / "bin", folder / "services"):
            made.mkdir(parents=True, mode=0o700)
        self._ended = ExitStack()
        self._programs: dict[str, subprocess.Popen[bytes]] = {}
        self.environ = environment(home) | {
            "XDG_RUNTIME_DIR": str(self.run),
            "XDG_CONFIG_HOME": str(self.config),
            "NO_AT_BRIDGE": "1",
            "GTK_THEME": "Adwaita",
        }
        self.environ["PATH"] = f"{folder / 'bin'}{os.pathsep}{self.environ['PATH']}"

    # programs

    def start(self, name: str, command: Sequence[str | Path], **environ: str) -> subprocess.Popen[bytes]:
        """Start a program whose output goes to a file."""
        with (self.folder / f"{name}.log").open("ab") as log:
            started = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environ | environ,
                start_new_session=True,
            )
        self._programs[name] = started
        self._ended.callback(_end, started)
        return started

    def end(self, name: str, *, kill: bool = False) -> int:
        """End a program; return its exit code."""
        program = self._programs.pop(name)
        (program.kill if kill else program.terminate)()
        return program.wait(PATIENCE_S)

    def signal(self, name: str, number: int) -> None:
        self._programs[name].send_signal(number)

    def wait(self, name: str) -> int:
        """Return the exit code of a program that ends by itself."""
        return self._programs.pop(name).wait(PATIENCE_S)

    def said(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def close(self) -> None:
        self._ended.close()

    # the desktop

    def bus(self) -> None:
        """Have a session bus."""
        service = Path("/usr/share/dbus-1/services/org.xfce.Xfconf.service")
        if service.exists():
            (self.folder / "services" / service.name).write_bytes(service.read_bytes())
        self.environ["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={self.run}/bus"
        configuration = self.folder / "bus.conf"
        configuration.write_text(_BUS.format(run=self.run, services=self.folder / "services"))
        reading, writing = os.pipe()
        with (self.folder / "bus.log").open("ab") as log:
            started = subprocess.Popen(
                ["dbus-daemon", f"--config-file={configuration}", "--nofork", f"--print-address={writing}"],
                pass_fds=(writing,),
                stderr=log,
                env=self.environ,
            )
        self._programs["bus"] = started
        self._ended.callback(_end, started)
        os.close(writing)
        _line(reading)

    def display(self) -> None:
        """Have a display."""
        reading, writing = os.pipe()
        with (self.folder / "display.log").open("ab") as log:
            started = subprocess.Popen(
                ["Xvfb", "-displayfd", str(writing), "-screen", "0", "900x620x24", "-nolisten", "tcp"],
                pass_fds=(writing,),
                stdout=log,
                stderr=log,
            )
        self._ended.callback(_end, started)
        os.close(writing)
        self.environ["DISPLAY"] = f":{_line(reading)}"

    def panel(self) -> None:
        """Have a panel, with nothing on it but a place for icons."""
        place = self.config / "xfce4/xfconf/xfce-perchannel-xml/xfce4-panel.xml"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(_PANEL)
        self.start("panel", ["xfce4-panel", "--disable-wm-check"])
        self.until_owned(WATCHER)

    def dunst(self) -> None:
        """Have notifications, as dunst shows them."""
        place = self.config / "dunst/dunstrc"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(_DUNST)
        self.start("dunst", ["dunst"])
        self.until_owned(NOTIFICATIONS)

    def bubbles(self) -> None:
        """Have notifications with buttons, as the notification daemon of GNOME Flashback shows them."""
        self.start("bubbles", [BUBBLES])
        self.until_owned(NOTIFICATIONS)

    def tray(self, *args: str, name: str = "tray", **environ: str) -> subprocess.Popen[bytes]:
        """Start the tray."""
        return self.start(name, [HOLDFAST, "tray", *args], **environ)

    def command(self, name: str) -> Path:
        """Put a program on the path that notes its arguments, a line each, and does nothing; return its notes."""
        notes = self.folder / f"{name}.args"
        program = self.folder / "bin" / name
        program.write_text(
            f'#!/bin/sh\nfor word in "$@"; do printf "%s\\n" "$word" >> {notes}.new; done\nmv {notes}.new {notes}\n'
        )
        program.chmod(0o755)
        return notes

    # looking

    def ask(self, *command: str | Path) -> str:
        """Run a program to its end, and return what it printed."""
        done = subprocess.run(
            [str(word) for word in command],
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
        return done.stdout

    def call(self, name: str, path: str, method: str, *args: str) -> str:
        """Call a method on the bus, as GDBus prints the answer; empty where nobody answers."""
        return self.ask(
            "gdbus", "call", "--session", "--dest", name, "--object-path", path, "--method", method, "--", *args
        )

    def owned(self, name: str) -> bool:
        bus = "org.freedesktop.DBus"
        return "true" in self.call(bus, "/org/freedesktop/DBus", f"{bus}.NameHasOwner", name)

    def until_owned(self, name: str) -> None:
        until(lambda: self.owned(name), f"nobody took {name}")

    def icons(self) -> list[str]:
        """Return the icons that the panel knows."""
        found = self.call(
            WATCHER,
            "/StatusNotifierWatcher",
            "org.freedesktop.DBus.Properties.Get",
            WATCHER,
            "RegisteredStatusNotifierItems",
        )
        return [part for part in found.split("'") if "StatusNotifierItem" in part]

    def until_shown(self) -> str:
        """Return the bus name of our icon once the panel has it."""
        until(self.icons, "the panel has no icon")
        return self.icons()[0].partition("/")[0]

    def item(self, tray: str = "tray") -> str:
        """Return the bus name of a tray's icon once it has it, whether or not a panel shows it."""
        name = f"org.kde.StatusNotifierItem-{self._programs[tray].pid}-1"
        self.until_owned(name)
        return name

    def icon(self, name: str) -> str:
        """Return a property of our icon."""
        item = "org.kde.StatusNotifierItem"
        return self.call(self.item(), "/StatusNotifierItem", "org.freedesktop.DBus.Properties.Get", item, name)

    def menu(self) -> str:
        """Return the whole menu, as GDBus prints it."""
        return self.call(self.item(), "/Menu", "com.canonical.dbusmenu.GetLayout", "0", "-1", "[]")

    def line(self, label: str) -> int | None:
        """Return the number of the line that says this, None while there is none."""
        found = re.search(rf"\((\d+), {{[^}}]*'label': <['\"]{re.escape(label)}['\"]>", self.menu())
        return None if found is None else int(found[1])

    def choose(self, label: str) -> None:
        """Click the line that says this, once it is there, as a panel would."""
        until(lambda: self.line(label) is not None, f"the menu has no {label!r}")
        self.click_line(self.line(label) or 0)

    def click_line(self, number: int) -> None:
        self.call(self.item(), "/Menu", "com.canonical.dbusmenu.Event", str(number), "clicked", "<int32 0>", "0")

    def dunstctl(self, *args: str) -> str:
        return self.ask("dunstctl", *args)

    def windows(self) -> list[str]:
        """Return the windows that can be seen."""
        return self.ask("xdotool", "search", "--onlyvisible", "--name", ".*").split()

    def click(self, x: int, y: int, button: int = 1) -> None:
        self.ask("xdotool", "mousemove", str(x), str(y), "sleep", "0.2", "click", str(button))

    def keys(self, *keys: str) -> None:
        self.ask("xdotool", "key", "--delay", "150", *keys)

    def picture(self, path: Path) -> None:
        """Take a picture of the whole display."""
        self.ask("import", "-window", "root", path)


def _line(fd: int) -> str:
    """Return the line that a program says when it is ready."""
    told, deadline = b"", monotonic() + PATIENCE_S
    while not told.endswith(b"\n") and select.select([fd], [], [], max(0.0, deadline - monotonic()))[0]:
        piece = os.read(fd, 4096)
        if not piece:
            break
        told += piece
    os.close(fd)
    assert told.endswith(b"\n"), "it did not get ready"
    return told.decode().strip()


def _end(program: subprocess.Popen[bytes]) -> None:
    if program.poll() is None:
        program.terminate()
        program.send_signal(signal.SIGCONT)  # one that was stopped hears of it only then
        try:
            program.wait(10)
        except subprocess.TimeoutExpired:
            program.kill()
            program.wait(10)
