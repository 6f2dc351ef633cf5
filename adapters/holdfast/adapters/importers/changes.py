"""Which files changed since one looked last. By their times and sizes, which every system tells, and cheaply."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from holdfast.adapters.importers.discovery import files_in, folders_of
from holdfast.adapters.importers.port import Spread
from holdfast.adapters.importers.transcript import FORMATS
from holdfast.domain.errors import NotFoundError, TranscriptError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PAUSE_S = 0.25
"""How long to wait between two looks."""

_EVERY = 8
"""Every so many looks, all files are looked at; in between, those that changed lately."""

_LATELY = 240
"""For how many looks a file that changed is looked at each time."""

_NEWEST = 16
"""So many files are taken for those that somebody may be writing to, in the beginning."""

_SHARE = 0.05
"""Part of the time that may be spent on looking."""

State = tuple[int, ...]


class Changes:
    """Looks at sources again and again. What is there when it is made is no change.

    A look costs a `stat` for each file that changed lately; every eighth look a `stat` for each file and a listing of
    each folder, less often where that takes long.
    """

    def __init__(self, sources: Sequence[str], environ: Mapping[str, str]) -> None:
        self._sources = sources
        self._environ = environ
        self._rest = 0
        self._seen = dict(self._everywhere())
        newest = sorted(self._seen, key=lambda path: self._seen[path][2])[-_NEWEST:]
        self._lately = dict.fromkeys(newest, _LATELY)

    def __call__(self, *, everywhere: bool = False) -> list[Path]:
        """Return the files that are new, were written to, or are gone, since the call before."""
        self._rest -= 1
        changed = self._all() if everywhere or self._rest < 0 else self._hot()
        for path in changed:
            self._lately[path] = _LATELY
        return changed

    def _all(self) -> list[Path]:
        now = dict(self._everywhere())
        changed = [path for path, state in now.items() if self._seen.get(path) != state]
        gone = [path for path in self._seen if path not in now]
        self._seen = now
        return [*changed, *gone]

    def _hot(self) -> list[Path]:
        changed: list[Path] = []
        for path, left in list(self._lately.items()):
            state = _state(path)
            if state != self._seen.get(path):
                changed.append(path)
                if state is None:
                    self._seen.pop(path, None)
                else:
                    self._seen[path] = state
            if left > 1:
                self._lately[path] = left - 1
            else:
                del self._lately[path]
        return changed

    def _everywhere(self) -> Iterator[tuple[Path, State]]:
        begin = perf_counter()
        for source in self._sources:
            try:
                folders = folders_of(source, self._environ)
            except (NotFoundError, TranscriptError):
                continue  # gone, and perhaps back the next time
            paths = (path for folder in folders for path in files_in(folder)) if folders else (Path(source),)
            for path in paths:
                if (state := _state(path)) is not None:
                    yield path, state
        self._rest = max(_EVERY, int((perf_counter() - begin) / _SHARE / PAUSE_S))


def _state(path: Path) -> State | None:
    try:
        status = path.stat()
    except OSError:
        return None
    around = (number for kind in FORMATS if isinstance(kind, Spread) for number in kind.around(path))
    return (status.st_ino, status.st_size, status.st_mtime_ns, *around)
