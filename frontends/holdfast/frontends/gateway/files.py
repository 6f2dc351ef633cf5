"""Names of files below a session's folder, for the completion of `@` in a prompt. Nothing in them is read."""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Final

from holdfast.frontends.gateway.ignored import Ignored

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOOKED_AT: Final = 20_000
_LOOKED_S: Final = 0.5
"""Names, and time, after which the search ends: a completion has to come while somebody types."""

_LEFT_OUT: Final = frozenset({"__pycache__", "node_modules", "target", "venv"})


def like(folder: str, words: str, limit: int) -> list[str]:
    """Return paths relative to `folder` that hold all letters of `words` in a row, the best first.

    What is hidden, what git ignores, what only tools look into and what leads out of the folder is left out. Links to
    folders are not followed. Blocks, for half a second at the most.

    Args:
        folder: The session's folder; one that is gone has no files.
        words: A part of a path, in capitals or not; empty for the first files that are found.
        limit: Paths at most.
    """
    wanted = words.casefold()
    found: list[tuple[bool, bool, int, str]] = []
    for path in _below(Path(folder)):
        folded = path.casefold()
        if wanted in folded and path.isprintable():
            name = folded.rpartition("/")[2]
            found.append((not name.startswith(wanted), wanted not in name, len(path), path))
    return [path for *_, path in sorted(found)[:limit]]


def _below(top: Path) -> Iterator[str]:
    """Yield paths relative to `top`, those near it first."""
    if not top.is_absolute():
        return
    real = Path(os.path.realpath(top))
    waiting = deque([(str(real), Ignored.above(real))])
    until, seen = monotonic() + _LOOKED_S, 0
    while waiting and seen < _LOOKED_AT and monotonic() < until:
        place, above = waiting.popleft()
        try:
            with os.scandir(place) as opened:
                entries = sorted(opened, key=lambda entry: entry.name)
        except OSError:
            continue  # it went, or is not ours to read
        ignored = above.inside(Path(place))
        for entry in entries:
            seen += 1
            name = entry.name
            if name.startswith(".") or name in _LEFT_OUT:
                continue
            is_folder = entry.is_dir(follow_symlinks=False)
            if ignored.leaves_out(entry.path, folder=is_folder):
                continue
            if is_folder:
                waiting.append((entry.path, ignored))
            elif _is_inside(entry, real):
                yield os.path.relpath(entry.path, real)


def _is_inside(entry: os.DirEntry[str], top: Path) -> bool:
    """Tell whether a name stands for a file that really lies below `top`."""
    try:
        if not entry.is_file():
            return False
        return not entry.is_symlink() or Path(os.path.realpath(entry.path)).is_relative_to(top)
    except OSError:
        return False
