"""A whole daemon in a process of `zygote`: the real one, only that nothing is imported anew.

It says on standard output what it reports to whoever starts it, in one line:

    told REPORT                               that it is ready, or why it is not, as JSON
"""

from __future__ import annotations

import json
import os
import sys
import threading
from argparse import ArgumentParser
from importlib import import_module
from typing import TYPE_CHECKING

from holdfast.adapters.transports.finding import transports
from holdfast.bootstrap.daemon.__main__ import main as daemon
from tests.chaos.mutants import apply_mutant

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Be a daemon until it ends; return its exit code."""
    parser = ArgumentParser()
    parser.add_argument("--environ", type=json.loads, required=True)
    parser.add_argument("--mutant")
    options = parser.parse_args(arguments)
    os.environ.clear()
    os.environ.update(options.environ)
    apply_mutant(options.mutant)
    reading, writing = os.pipe()
    telling = threading.Thread(target=_tell, args=(reading,))
    telling.start()
    sys.argv = ["daemon", "--port", "0", "--report", str(writing)]
    code = daemon()
    telling.join()
    return code


def warm_up() -> None:
    """Import what a daemon imports late, which takes half a second."""
    import_module("holdfast.bootstrap.daemon.serve")
    transports()


def _tell(reading: int) -> None:
    with os.fdopen(reading, "rb") as report:
        os.write(1, b"told %s\n" % report.read())
