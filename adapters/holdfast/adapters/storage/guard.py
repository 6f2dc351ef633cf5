"""What the writer calls so that a log which went backwards is noticed: the head file and the signed checkpoints.

It knows no tables: whoever opens the store tells it where the log ends and answers what stands at a position.
"""

from __future__ import annotations

import errno
import threading
from typing import TYPE_CHECKING

from holdfast.adapters.storage.checkpoints import CheckpointFile, file_of, read_lines
from holdfast.adapters.storage.signing import Keyring
from holdfast.adapters.storage.witness import HeadFile, Witness, read_head, read_place
from holdfast.domain.errors import LogRegressedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CODE = "LOG_REGRESSED"

EVERY_EVENTS = 1_000
EVERY_S = 60


class Guard:
    """The witnesses of one open store, fed after every commit.

    `committed` belongs to the writer thread. Signing and its fsync happen on a thread of their own, which always
    takes the newest position and so never falls behind; without `background`, they happen inside `committed`.
    """

    def __init__(self, folder: Path, place: str, now: Callable[[], int], *, background: bool = True) -> None:
        """Keep witnesses in `folder`.

        Args:
            folder: The `checkpoints` folder of the home; made when it is missing.
            place: The path or address of the store, to notice that another store stands there.
            now: The time in microseconds since the epoch, UTC.
            background: Whether checkpoints are signed on a thread of their own.
        """
        self._folder = folder
        self._place = place
        self._now = now
        self._background = background
        self._head: HeadFile | None = None
        self._file: CheckpointFile | None = None
        self._thread: threading.Thread | None = None
        self._changed = threading.Condition()
        self._closing = False
        self._failure: BaseException | None = None
        self._latest = Witness("")
        self._signed = 0
        self._signed_at = 0

    def open(
        self, store: str, position: int, log_hash: bytes, hash_at: Callable[[int], bytes | None]
    ) -> LogRegressedError | None:
        """Compare the log with what is remembered of it, and stand ready if nothing is missing.

        Args:
            store: The id of the store, 32 hexadecimal digits.
            position: The last position of the log, 0 for an empty one.
            log_hash: The log hash there.
            hash_at: Returns the hash of the event at a position, or None where there is none.

        Returns:
            Why nothing must be written, or None. When the log regressed, nothing was written here either.

        Raises:
            OSError: The folder does not allow writing.
        """
        regressed = regression(self._folder, self._place, store, position, hash_at)
        if regressed is not None:
            return regressed
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._head = HeadFile(self._folder, store, self._place)
        self._file = CheckpointFile(self._folder, store, self._now)
        last = (hash_at(position) if position else None) or bytes(32)
        self._latest = Witness(store, position, last, log_hash)
        self._head.write(position, last, log_hash)
        self._signed = _signed_position(self._folder, store)
        self._signed_at = self._now()
        return None

    def committed(self, position: int, event_hash: bytes, log_hash: bytes) -> None:
        """Remember a commit: after COMMIT, before anyone is told. Takes a few microseconds.

        Raises:
            OSError: A witness could not be written for another reason than a full disk.
            StoreDamagedError: The signing key cannot be read.
        """
        if self._failure is not None:
            raise self._failure
        assert self._head is not None
        self._head.write(position, event_hash, log_hash)
        self._latest = Witness(self._latest.store, position, event_hash, log_hash)
        if not self._background:
            if self._due():
                self._sign()
        elif self._thread is None:
            self._thread = threading.Thread(target=self._keep_signing, name="holdfast-checkpoints", daemon=True)
            self._thread.start()
        elif position - self._signed >= EVERY_EVENTS:
            with self._changed:
                self._changed.notify()

    def close(self) -> None:
        """Sign the last position and let go of the files. Closing twice is harmless.

        Raises:
            OSError: The last checkpoint could not be written for another reason than a full disk.
            StoreDamagedError: The signing key cannot be read.
        """
        if self._head is None:
            return
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
        self._head.close()
        self._head = None
        if self._failure is not None:
            raise self._failure
        if self._latest.position > self._signed:
            self._sign()

    def _due(self) -> bool:
        behind = self._latest.position - self._signed
        return behind >= EVERY_EVENTS or (behind > 0 and self._now() - self._signed_at >= EVERY_S * 1_000_000)

    def _keep_signing(self) -> None:
        try:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._closing or self._due(), timeout=EVERY_S)
                    if self._closing:
                        return
                if self._latest.position > self._signed:
                    self._sign()
        except BaseException as error:  # noqa: BLE001 - the writer thread raises it at its next commit
            self._failure = error

    def _sign(self) -> None:
        latest = self._latest
        assert self._file is not None
        try:
            self._file.append(latest)
        except OSError as error:
            # A full disk: the events are safe and the head file is current; the next one that is due tries again.
            if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
                raise
        else:
            self._signed = latest.position
        self._signed_at = self._now()


def regression(
    folder: Path, place: str, store: str, position: int, hash_at: Callable[[int], bytes | None]
) -> LogRegressedError | None:
    """Tell whether the log ends before, or says something else than, what is remembered of it. Writes nothing.

    A signature is only checked where a checkpoint accuses: an edited line must not lock the store.
    """
    head = read_head(folder, store)
    before = read_place(folder, place)
    if head is None and before is not None and before.store != store and before.position:
        replaced = f"another store stands where store {before.store} had come to position {before.position}"
        return _error(folder, place, replaced)
    found = None if head is None else difference(head, position, hash_at)
    if found is None:
        found = _accusation(folder, store, position, hash_at)
    return None if found is None else _error(folder, place, found)


def last_position(folder: Path, place: str) -> int:
    """Return how far the log at `place` had come by the word of its witness; 0 for one that nobody remembers."""
    before = read_place(folder, place)
    return 0 if before is None else before.position


def lost_store(folder: Path, place: str) -> LogRegressedError | None:
    """Tell whether a store stood at `place`, where now nothing or an empty file is. Writes nothing.

    To be asked before a store is made: a log that was deleted must not silently begin anew.
    """
    before = read_place(folder, place)
    if before is None or not before.position:
        return None
    return _error(folder, place, f"nothing stands where store {before.store} had come to position {before.position}")


def _error(folder: Path, place: str, found: str) -> LogRegressedError:
    return LogRegressedError(
        f"{CODE}: {place}: {found}. Nothing will be written: see `holdfast verify`, then put the missing log back, "
        f"or move {folder} away to go on without what is missing"
    )


def difference(witness: Witness, position: int, hash_at: Callable[[int], bytes | None]) -> str | None:
    """Return in words how a log that ends at `position` contradicts a witness, or None."""
    if witness.position > position:
        return f"the log ends at position {position}, but its witness saw position {witness.position}"
    if witness.position and hash_at(witness.position) != witness.hash:
        return f"the event at position {witness.position} is not the one that its witness saw"
    return None


def _accusation(folder: Path, store: str, position: int, hash_at: Callable[[int], bytes | None]) -> str | None:
    """Ask the newest checkpoint that agrees with the log, or that contradicts it and was not edited."""
    keyring: Keyring | None = None
    for line in reversed(read_lines(file_of(folder, store))):
        if line.checkpoint is None or line.checkpoint.store != store:
            continue
        found = difference(line.checkpoint.witness(), position, hash_at)
        if found is None:
            return None
        keyring = keyring or Keyring(folder)
        if line.signed(keyring):
            return found
    return None


def _signed_position(folder: Path, store: str) -> int:
    """Return how far the signed checkpoints reach."""
    lines = read_lines(file_of(folder, store))
    return max((line.checkpoint.position for line in lines if line.checkpoint), default=0)
