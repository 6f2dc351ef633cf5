"""Run `holdfast` as a user would: its own process, a clean environment, a home of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

HOLDFAST = Path(sys.executable).with_name("holdfast")
"""The console script beside this interpreter."""


class Cli(Protocol):
    """`cli("ls", "--json")` runs the verb against the test's home and returns what came of it."""

    def __call__(
        self,
        *args: str | Path,
        home: Path | None = None,
        env: Mapping[str, str] | None = None,
        input: str | None = None,  # noqa: A002 # as in subprocess.run
        timeout_s: float = 60,
    ) -> subprocess.CompletedProcess[str]: ...


def environment(home: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return a whole environment in which nothing of the developer's own machine is seen.

    `HOME` is an empty folder beside the Holdfast home, so that no real transcripts are found.
    """
    user = home.parent / f"{home.name}-user"
    user.mkdir(exist_ok=True)
    return {
        "PATH": f"{HOLDFAST.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "HOME": str(user),
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "HOLDFAST_HOME": str(home),
        # Lets a run with --cov see into the process; absent otherwise.
        **{name: value for name, value in os.environ.items() if name.startswith("COVERAGE_PROCESS_")},
        **(extra or {}),
    }


def run_cli(
    *args: str | Path,
    home: Path,
    env: Mapping[str, str] | None = None,
    input: str | None = None,  # noqa: A002 # as in subprocess.run
    timeout_s: float = 60,
) -> subprocess.CompletedProcess[str]:
    """Run `holdfast` to its end, with standard input closed unless `input` is given.

    Raises:
        subprocess.TimeoutExpired: It took longer than `timeout_s`, and was killed.
    """
    return subprocess.run(
        [HOLDFAST, *args],
        check=False,
        capture_output=True,
        text=True,
        env=environment(home, env),
        cwd=home.parent,
        input=input or "",
        timeout=timeout_s,
    )
