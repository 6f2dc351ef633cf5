"""A process with everything imported that forks one writer after the other: a start costs milliseconds, not a second.

One job a line on standard input, as JSON: the name of a program below and its arguments. The job's own process writes
to the same standard output; its end is said there as `exit STATUS`, negative for a signal.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import signal
import sys
import tempfile
import traceback
from typing import TYPE_CHECKING

import anyio

from tests.chaos import daemons, deeds, full_disk, writer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PROGRAMS: dict[str, Callable[[Sequence[str]], int]] = {
    "writer": writer.main,
    "deed": deeds.main,
    "full-disk": full_disk.main,
    "daemon": daemons.main,
}

_PR_SET_PDEATHSIG = 1
_PR_SET_PTRACER = 0x59616D61
_ANYONE = ctypes.c_ulong(-1)


def main() -> None:
    """Serve until standard input ends."""
    _die_with_parent()
    _warm_up()
    while job := os.read(0, 65536):
        program, arguments, wait = json.loads(job)
        child = os.fork()
        if child == 0:
            os._exit(_run(program, arguments, wait=wait))
        _, status = os.waitpid(child, 0)
        os.write(1, f"exit {os.waitstatus_to_exitcode(status)}\n".encode())


def _warm_up() -> None:
    """Do once what every child would do anew: import an event loop, compile statements."""
    with tempfile.TemporaryDirectory() as folder:
        silent = os.dup(1)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)
        deeds.main(["fill", "--url", f"sqlite:///{folder}/log.db", "--home", folder])
        os.dup2(silent, 1)
        os.close(silent)
    anyio.run(anyio.sleep, 0)
    daemons.warm_up()
    gc.collect()
    gc.freeze()


def _run(program: str, arguments: Sequence[str], *, wait: bool) -> int:
    _die_with_parent()
    # A tracer that is no ancestor needs leave where the kernel is strict.
    _libc().prctl(_PR_SET_PTRACER, _ANYONE, 0, 0, 0)
    os.write(1, f"pid {os.getpid()}\n".encode())
    if wait:
        os.read(0, 65536)
    try:
        return PROGRAMS[program](arguments)
    except BaseException:  # noqa: BLE001 - whatever it is, the parent's own code must not go on here
        traceback.print_exc(file=sys.stderr)
        sys.stderr.flush()
        return 70


def _die_with_parent() -> None:
    _libc().prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


if __name__ == "__main__":
    main()
