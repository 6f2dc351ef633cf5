"""Files that appear whole or not at all, and never in the place of others."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from holdfast.domain.errors import ConflictError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def save(target: Path, files: Iterator[tuple[str, Iterator[bytes]]]) -> None:
    """Write files, 0600, and wait until they are on disk: one without a name as `target`, others into it as a folder.

    Killed in between, it leaves a hidden file or folder beside `target` that ends in `.part`.

    Raises:
        ConflictError: `target` exists. It is left as it is.
        NotFoundError: The folder of `target` does not exist.
        OSError: The disk is full, or the folder does not allow writing.
    """
    if os.path.lexists(target):
        raise _taken(target)
    if not target.parent.is_dir():
        msg = f"the folder {target.parent} does not exist; make it first"
        raise NotFoundError(msg)
    part = target.parent / f".{target.name}.{os.getpid()}.part"
    try:
        for name, pieces in files:
            if name:
                part.mkdir(mode=0o700, exist_ok=True)
            _write(part / name if name else part, pieces)
        if part.is_dir():
            _sync(part)
        _put(part, target)
        _sync(target.parent)
    finally:
        if part.is_dir():
            shutil.rmtree(part, ignore_errors=True)
        else:
            part.unlink(missing_ok=True)


def _write(path: Path, pieces: Iterator[bytes]) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.writelines(pieces)
        file.flush()
        os.fsync(file.fileno())


def _put(part: Path, target: Path) -> None:
    """Give `part` its name. A link, unlike a rename, fails where somebody else was faster."""
    try:
        if part.is_dir():
            part.rename(target)
        else:
            os.link(part, target)
    except FileExistsError as error:
        raise _taken(target) from error


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _taken(target: Path) -> ConflictError:
    return ConflictError(f"{target} exists already and stays as it is; name another file, or move it away")
