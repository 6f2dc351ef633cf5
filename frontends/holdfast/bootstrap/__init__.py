"""The composition root: the only place that knows every part. It decides nothing; it puts things together."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from holdfast.frontends.cli.main import main as command_line
from holdfast.frontends.cli.terminal import warn

if TYPE_CHECKING:
    from pathlib import Path

    from holdfast.domain.daemon import DaemonControl
    from holdfast.domain.ports import Library
    from holdfast.domain.preferences import Preferences


def main() -> int:
    """Run the command line and return its exit code."""
    return command_line(Doors())


class Doors:
    """Home, store and daemon of this user, as environment and configuration name them."""

    def __init__(self) -> None:
        """Look at nothing yet."""
        self._daemon: DaemonControl | None = None

    def library(self) -> Library:
        """Return the library of this user. Opens nothing yet.

        Raises:
            SettingsError: Home, configuration or database address cannot be used.
        """
        from holdfast.bootstrap.anywhere import AnyLibrary  # help and usage errors need none of it

        return AnyLibrary(os.environ, self.daemon(), warn)

    def daemon(self, home: Path | None = None) -> DaemonControl:
        """Return the daemon of this user, or of another home with a store of its own. Looks at nothing yet.

        Raises:
            SettingsError: The home cannot be used.
        """
        from holdfast.bootstrap.daemon.control import LocalDaemon  # help needs none of it

        if home is None:
            self._daemon = self._daemon or LocalDaemon(os.environ, warn)  # what it warns of, it warns of once
            return self._daemon
        ours = {name: value for name, value in os.environ.items() if name != "HOLDFAST_DATABASE_URL"}
        return LocalDaemon(ours | {"HOLDFAST_HOME": str(home)}, warn)

    def home(self) -> Path:
        """Return the folder that holds everything of this user; it may not be there yet."""
        from holdfast.adapters.configuration.home import find_home  # few verbs put something there

        return find_home(os.environ).path

    def log(self, place: str | None) -> tuple[str, Library]:
        """Return a log that is only read, and what it is called for people; opens nothing yet."""
        from holdfast.bootstrap.named import NamedLibrary  # for who looks at a log without a daemon

        library = NamedLibrary(os.environ, warn, place)
        return library.settings.label, library

    def preferences(self) -> Preferences:
        """Return what this user has chosen for the tray. Reads nothing yet.

        Raises:
            SettingsError: The home cannot be used.
        """
        from holdfast.adapters.configuration.home import Home  # for the tray alone
        from holdfast.adapters.configuration.preferences import FilePreferences

        return FilePreferences(Home(self.home()).configuration)

    def demo_agent(self, speed: float, copy: Path) -> tuple[str, ...]:
        """Return the command of the agent that plays a recording."""
        from holdfast.adapters.transports.acp.agents import agent  # for the demo alone

        (command,) = agent("demo").commands
        return (*command, "--speed", f"{speed:g}", "--copy", str(copy))
