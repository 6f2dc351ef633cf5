"""Files that are left where the program was started."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def write_new(path: Path, content: bytes) -> Path:
    """Write a file that was not there before, under another name where this one is taken, and return its path.

    Raises:
        OSError: It cannot be written.
    """
    stem = path.stem
    for number in range(1, 1_000):
        try:
            with path.open("xb") as file:
                file.write(content)
        except FileExistsError:
            path = path.with_stem(f"{stem}-{number}")
        else:
            return path
    raise FileExistsError(17, "there are a thousand of it already", str(path))
