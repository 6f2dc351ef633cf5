"""`python -I -m holdfast.bootstrap.daemon`: the daemon's own process."""

from __future__ import annotations

import argparse
import faulthandler
import logging
import os
import signal
import sys
import traceback
from typing import TYPE_CHECKING, cast

from holdfast.adapters.configuration.home import find_home, prepare_home
from holdfast.bootstrap.daemon import logs, memory, presence, process
from holdfast.bootstrap.daemon.holder import refuse_if_taken
from holdfast.domain.daemon import HOST, Listen
from holdfast.domain.errors import DaemonError, HoldfastError
from holdfast.frontends.cli.exits import DONE, FAILED, code_of
from holdfast.frontends.cli.terminal import complain, note, warn

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.domain.daemon import Running

_log = logging.getLogger("holdfast.daemon")


def main() -> int:
    """Be the daemon until it is told to end; return the exit code."""
    arguments = _parser().parse_args()
    listen = Listen(arguments.host, arguments.port, not arguments.no_web)
    os.umask(0o077)
    os.chdir("/")
    faulthandler.enable()
    told: list[Running | HoldfastError] = []

    def tell(outcome: Running | HoldfastError) -> None:
        if told:
            return
        told.append(outcome)
        if arguments.report is not None:
            process.report_to(arguments.report, outcome)
        elif isinstance(outcome, HoldfastError):
            complain(str(outcome))
        else:
            note(f"Holdfast runs at {outcome.url} (process {outcome.pid}); Ctrl-C ends it, agents go on.")

    try:
        return _run(listen, tell)
    except HoldfastError as error:
        _log.error("refused", exc_info=error)
        tell(error)
        return code_of(error)
    except Exception as error:  # noqa: BLE001 - the last door: it goes to the log, and to whoever waits
        _log.critical("died", exc_info=error)
        if os.environ.get("HOLDFAST_DEBUG"):
            traceback.print_exc()
        cause = _cause(error)
        if isinstance(cause, OSError) and cause.filename is not None:
            tell(DaemonError(process.unusable(cause)))  # about what somebody put there, and not about what we did
        else:
            tell(DaemonError(f"the daemon died of {type(cause).__name__}: see `holdfast logs`"))
        return FAILED


def _cause(error: BaseException) -> BaseException:
    """Return what went wrong inside a task, where that is one thing alone."""
    parts = cast("tuple[BaseException, ...]", getattr(error, "exceptions", ()))
    return _cause(parts[0]) if len(parts) == 1 else error


def _run(listen: Listen, tell: Callable[[Running | HoldfastError], None]) -> int:
    process.check(listen)
    home = find_home(os.environ)
    prepare_home(home, warn)
    memory.one_heap()
    with presence.only_one(home):
        logs.begin(home.logs)
        refuse_if_taken(home, os.environ)
        # Only now: a refusal must not wait for half a second of imports.
        from holdfast.bootstrap.daemon.serve import serve

        serve(home, listen, os.environ, tell)
    return DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("holdfast.bootstrap.daemon", allow_abbrev=False)
    parser.add_argument("--host", default=HOST)
    parser.add_argument("--port", type=int)
    parser.add_argument("--no-web", action="store_true")
    parser.add_argument("--report", type=int, help="file descriptor to tell that it is ready, or why not")
    return parser


if __name__ == "__main__":
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    sys.exit(main())
