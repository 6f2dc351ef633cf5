"""The head file: what the log's last event was, kept outside the database, overwritten after every commit.

A database that was cut short, put back from an older copy, or that lost commits to a flipped bit in its
write-ahead log looks whole from the inside. Only something outside can tell. This is the cheap half of that;
`checkpoints` is the half that survives a power loss.
"""

from __future__ import annotations

import errno
import os
from hashlib import sha256
from struct import Struct as Layout
from typing import TYPE_CHECKING

from msgspec import Struct

from holdfast.adapters.storage.chain import GENESIS

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME = "head"

_MAGIC = b"HFhead1\n"
_BODY = Layout(">8s8s32sq32s32s")
_SUM_BYTES = 32
_SLOTS = (0, 4096)
"""Offsets of the two slots, a page apart: a torn write never reaches the one that was written before it."""


class Witness(Struct, frozen=True, gc=False):
    """A place in the log that something outside the database remembers.

    Attributes:
        store: The id of the store: 32 hexadecimal digits.
        position: The last committed position.
        hash: The hash of the event there; zeros at position 0.
        log_hash: The log hash over every event up to and including that one.
    """

    store: str
    position: int = 0
    hash: bytes = GENESIS
    log_hash: bytes = GENESIS


class HeadFile:
    """The writing side: one open descriptor, one `pwrite` a commit, no fsync.

    The file survives the process, not always the machine: after a power loss an older witness may count, which
    is weaker but still true.
    """

    def __init__(self, folder: Path, store: str, place: str) -> None:
        """Open the file for `store`, which lies at `place`, or make it.

        The head of another store is moved aside, never overwritten: it may be the only witness that one has.

        Raises:
            OSError: The folder does not allow writing.
        """
        path = folder / FILE_NAME
        aside = folder / f"{FILE_NAME}-{store}"
        found = _read(path)
        other = next((witness.store for witness, _ in found if witness.store != store), None)
        if other is not None:
            path.rename(folder / f"{FILE_NAME}-{other}")
            if aside.exists():
                aside.rename(path)
            found = _read(path)
        self._identity = (_MAGIC, place_id(place), store.encode("ascii"))
        self._turn = 0 if not found or found[0][1] == 1 else 1
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def write(self, position: int, event_hash: bytes, log_hash: bytes) -> None:
        """Overwrite the older slot. To be called after COMMIT and before anyone is told of it.

        Raises:
            OSError: The write failed for another reason than a full disk.
        """
        body = _BODY.pack(*self._identity, position, event_hash, log_hash)
        try:
            os.pwrite(self._file, body + sha256(body).digest(), _SLOTS[self._turn])
        except OSError as error:
            # On a full disk the events are safe and only their witness is late: the next commit brings it up.
            if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
                raise
            return
        self._turn ^= 1

    def close(self) -> None:
        """Close the descriptor; closing twice is harmless."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def read_head(folder: Path, store: str) -> Witness | None:
    """Return what the head file remembers of `store`, from whichever slot survived best."""
    files = (folder / FILE_NAME, folder / f"{FILE_NAME}-{store}")
    found = [witness for path in files for witness, _ in _read(path) if witness.store == store]
    return max(found, key=lambda witness: witness.position, default=None)


def read_place(folder: Path, place: str) -> Witness | None:
    """Return the head of whatever store was last written at `place`, to notice that another one stands there."""
    try:
        names = sorted(folder.glob(f"{FILE_NAME}*"))
    except OSError:
        return None
    wanted = place_id(place)
    found = [witness for path in names for witness, _ in _read(path, wanted)]
    return max(found, key=lambda witness: witness.position, default=None)


def place_id(place: str) -> bytes:
    """Return eight bytes that stand for a path or an address; the head file holds no readable one."""
    return sha256(place.encode("utf-8", "surrogateescape")).digest()[:8]


def _read(path: Path, place: bytes | None = None) -> list[tuple[Witness, int]]:
    """Return the slots whose checksum holds, best first, each with its number."""
    try:
        content = path.read_bytes()
    except OSError:  # absent or unreadable: there is no witness, which `verify` says
        return []
    found: list[tuple[Witness, int]] = []
    for number, start in enumerate(_SLOTS):
        body = content[start : start + _BODY.size]
        total = content[start + _BODY.size : start + _BODY.size + _SUM_BYTES]
        if len(body) < _BODY.size or sha256(body).digest() != total:
            continue
        magic, where, store, position, event_hash, log_hash = _BODY.unpack(body)
        if magic == _MAGIC and place in {None, where}:
            found.append((Witness(store.decode("ascii", "replace"), position, event_hash, log_hash), number))
    return sorted(found, key=lambda entry: -entry[0].position)
