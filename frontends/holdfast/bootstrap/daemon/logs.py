"""The daemon's log: one JSON object a line, rotated; no payloads, no secrets. And how it is read back."""

from __future__ import annotations

import logging
from logging.handlers import RotatingFileHandler
from time import sleep
from typing import TYPE_CHECKING, Final, cast

import msgspec

from holdfast.domain.errors import HoldfastError
from holdfast.domain.timestamps import to_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

NAME: Final = "daemon.log"

_SIZE_BYTES = 4 * 1024 * 1024
_KEPT = 4
_POLL_S = 0.2
_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message", "taskName"}

_encode = msgspec.json.Encoder(enc_hook=str).encode


def begin(folder: Path) -> None:
    """Write what is logged from now on into `folder`.

    Holdfast's own loggers tell what they do; of others only warnings are kept.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    handler = RotatingFileHandler(folder / NAME, maxBytes=_SIZE_BYTES, backupCount=_KEPT, encoding="utf-8")
    handler.setFormatter(Lines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("holdfast").setLevel(logging.INFO)
    logging.raiseExceptions = False  # a full disk must not fill standard error in its place


class Lines(logging.Formatter):
    """One record as one line of JSON: when, how bad, who, what, and what was given as `extra`.

    Of an exception it keeps the class and the place. Its message may quote what a peer said, so only errors of our own
    show theirs.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, object] = {
            "at": to_text(int(record.created * 1_000_000)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage().strip(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _PLAIN}
        if record.exc_info and record.exc_info[1] is not None:
            line |= told(record.exc_info[1])
        return _encode(line).decode()


def told(error: BaseException) -> dict[str, object]:
    """Return what a log may say of an error."""
    said: dict[str, object] = {"error": type(error).__name__, "where": _place(error.__traceback__)}
    if isinstance(error, HoldfastError):
        said["detail"] = str(error)
    if isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        said["errors"] = [told(each) for each in group.exceptions]
    elif error.__cause__ is not None:
        said["because"] = told(error.__cause__)
    return said


def _place(trace: TracebackType | None) -> str:
    frames: list[str] = []
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}")
        trace = trace.tb_next
    return " > ".join(frames[-6:])


def lines(folder: Path, *, follow: bool = False) -> Iterator[str]:
    """Yield what was logged, oldest first, the older files included; with `follow` for ever, over rotations."""
    for number in range(_KEPT, 0, -1):
        older = folder / f"{NAME}.{number}"
        if older.exists():
            yield from older.read_text(encoding="utf-8", errors="replace").splitlines()
    yield from _tail(folder / NAME, follow=follow)


def _tail(path: Path, *, follow: bool) -> Iterator[str]:
    while True:
        try:
            file = path.open(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            if not follow:
                return
            sleep(_POLL_S)
            continue
        with file:
            known = path.stat().st_ino
            rest = ""
            while True:
                rest += file.read()
                *whole, rest = rest.split("\n")
                yield from whole
                if not follow:
                    return
                if not path.exists() or path.stat().st_ino != known:
                    yield from (file.read()).splitlines()
                    break  # rotated: go on with the new one
                sleep(_POLL_S)  # a file tells nobody that it grew
