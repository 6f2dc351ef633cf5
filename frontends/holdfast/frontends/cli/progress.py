"""A bar on standard error for what takes longer than a second, and nothing for what does not."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from threading import Lock, Timer
from typing import TYPE_CHECKING

from holdfast.frontends.cli.escaping import one_line

if TYPE_CHECKING:
    from collections.abc import Generator

    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from holdfast.domain.ports import Progress
    from holdfast.frontends.cli.terminal import Terminal

PATIENCE_S = 1.0


@contextmanager
def progress(terminal: Terminal, doing: str, patience_s: float = PATIENCE_S) -> Generator[Progress, None, None]:
    """Give what is to be called with counts; it may be called from any thread, and often.

    Args:
        terminal: Decides whether a bar can be shown at all.
        doing: What is done, such as `importing`.
        patience_s: How long nothing is shown.
    """
    bar = _Bar(doing, unicode=terminal.unicode)
    timer = Timer(patience_s, bar.show)
    timer.daemon = True
    if terminal.shows_progress:
        timer.start()
    try:
        yield bar.report
    finally:
        timer.cancel()
        bar.hide()


class _Bar:
    """The latest counts, and the bar once it is shown."""

    def __init__(self, doing: str, *, unicode: bool) -> None:
        self._doing = doing
        self._unicode = unicode
        self._latest: tuple[str, int, int | None] = ("", 0, None)
        self._over = False
        self._lock = Lock()
        self._shown: tuple[RichProgress, TaskID] | None = None

    def report(self, counted: str, done: int, total: int | None) -> None:
        self._latest = (counted, done, total)
        if self._shown is not None:
            self._update(*self._shown)

    def show(self) -> None:
        """Show the bar. Runs on the timer's thread, because what is waited for may never call."""
        from rich.console import Console  # slow to import, and seldom needed
        from rich.progress import BarColumn, Progress, TextColumn

        with self._lock:
            if self._over:
                return
            # A file of its own: rich asks the file for its encoding, and Python's says UTF-8 even in the C locale.
            encoding = "utf-8" if self._unicode else "ascii"
            file = os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding=encoding, errors="backslashreplace")
            console = Console(file=file, markup=False, highlight=False, emoji=False)
            columns = (
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                TextColumn("{task.fields[counts]}", markup=False),
            )
            bar = Progress(*columns, console=console, transient=True)
            self._shown = bar, bar.add_task(self._doing, total=None, counts="")
            self._update(*self._shown)
            bar.start()

    def hide(self) -> None:
        """Take the bar away, for good."""
        with self._lock:
            self._over = True
            if self._shown is not None:
                bar, _ = self._shown
                bar.stop()
                bar.console.file.close()

    def _update(self, bar: RichProgress, task: TaskID) -> None:
        counted, done, total = self._latest
        of = "" if total is None else f" / {total:,}"
        bar.update(task, completed=done, total=total, counts=f"{done:,}{of} {one_line(counted)}" if counted else "")
