"""Files written whole, for this user alone, and on disk when a call returns. What stands in them is not known here.

Their folders have to be private: a name that is not there yet, or ends in `.new`, is taken to be ours.
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def replace_file(path: Path, content: bytes) -> None:
    """Put `content` in the place of whatever is at `path`: killed anywhere, the old file is there or the new one.

    Two processes must not do it at the same time; who may, has a lock for it.

    Raises:
        OSError: The folder does not allow it, or the disk is full. The old file is as it was.
    """
    new = path.with_name(f"{path.name}.new")
    write_file(new, content)
    new.replace(path)
    sync_folder(path.parent)


def write_file(path: Path, content: bytes) -> None:
    """Write a file of its own, 0600, and not through a link; its name is on disk after `sync_folder`.

    Raises:
        OSError: The folder does not allow it, or the disk is full. What was begun is removed: it takes room.
    """
    path.unlink(missing_ok=True)  # of one that was killed
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(fd, rest) :]
        sync(fd)
    except OSError:
        with suppress(OSError):  # the first error is the one to tell
            path.unlink()
        raise
    finally:
        os.close(fd)


def remedy(error: OSError) -> str:
    """Return what a person can do about a file that cannot be written."""
    match error.errno:
        case errno.EISDIR:
            return "it is a folder where a file belongs; move it away"
        case errno.ENOTDIR | errno.EEXIST:
            return "a file is where a folder belongs; move it away"
        case errno.ELOOP:
            return "it is a link; remove it"
        case errno.ENOSPC | errno.EDQUOT:
            return "free some space"
        case errno.EMFILE | errno.ENFILE:
            return "raise the limit of open files"
        case _:
            return "give this user write permission"


def sync(fd: int) -> None:
    """Wait until what was written to a file is on disk, and not only on its way there."""
    if sys.platform == "darwin":
        import fcntl  # noqa: PLC0415 - there, fsync only tells the drive

        fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
    else:
        os.fsync(fd)


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on disk."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
