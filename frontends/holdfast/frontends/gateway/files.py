"""Names of files below a session's folder, for the completion of `@` in a prompt. Nothing in them is read."""

from __future__ import annotations

import os
from typing import Final

_LOOKED_AT: Final = 20_000
"""Names after which the search ends: a completion has to come while somebody types."""

_LEFT_OUT: Final = frozenset({"__pycache__", "node_modules", "target", "venv"})


def like(folder: str, words: str, limit: int) -> list[str]:
    """Return paths relative to `folder` that hold all letters of `words` in a row, the best first.

    What is hidden, and what only tools look into, is left out. Links to folders are not followed. Blocks.

    Args:
        folder: The session's folder; one that is gone has no files.
        words: A part of a path, in capitals or not; empty for the first files that are found.
        limit: Paths at most.
    """
    wanted = words.casefold()
    found: list[tuple[bool, bool, int, str]] = []
    seen = 0
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _LEFT_OUT)
        for name in sorted(names):
            seen += 1
            if name.startswith("."):
                continue
            path = os.path.relpath(os.path.join(place, name), folder)  # noqa: PTH118 - `os.walk` gives strings
            folded = path.casefold()
            if wanted in folded and path.isprintable():
                found.append((not name.casefold().startswith(wanted), wanted not in name.casefold(), len(path), path))
        if seen > _LOOKED_AT:
            break
    return [path for *_, path in sorted(found)[:limit]]
