"""The composition root: the only place that knows every part. It decides nothing; it puts things together."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from holdfast.frontends.cli.main import main as command_line
from holdfast.frontends.cli.terminal import warn

if TYPE_CHECKING:
    from holdfast.domain.daemon import DaemonControl
    from holdfast.domain.ports import Library


def main() -> int:
    """Run the command line and return its exit code."""
    return command_line(open_library, open_daemon)


def open_library() -> Library:
    """Return the library of this user, as environment and configuration name it. Opens nothing yet.

    Raises:
        SettingsError: Home, configuration or database address cannot be used.
    """
    from holdfast.bootstrap.anywhere import AnyLibrary  # noqa: PLC0415 - help and usage errors need none of it

    return AnyLibrary(os.environ, open_daemon(), warn)


def open_daemon() -> DaemonControl:
    """Return the daemon of this user as a process. Looks at nothing yet.

    Raises:
        SettingsError: The home cannot be used.
    """
    from holdfast.bootstrap.daemon.control import LocalDaemon  # noqa: PLC0415 - help and usage errors need none of it

    return LocalDaemon(os.environ, warn)
