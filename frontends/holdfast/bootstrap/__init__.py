"""The composition root: the only place that knows every part. It decides nothing; it puts things together."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from holdfast.frontends.cli.main import main as command_line
from holdfast.frontends.cli.terminal import warn

if TYPE_CHECKING:
    from holdfast.domain.ports import Library


def main() -> int:
    """Run the command line and return its exit code."""
    return command_line(open_library)


def open_library() -> Library:
    """Return the library of this user, as environment and configuration name it. Opens nothing yet.

    Raises:
        SettingsError: Home, configuration or database address cannot be used.
    """
    from holdfast.bootstrap.library import LocalLibrary  # noqa: PLC0415 - help and usage errors need none of it

    return LocalLibrary(os.environ, warn)
