"""Signed checkpoints: how far the log had come, in a file that survives a power loss and is not edited unseen.

One JSON object a line in `<store id>.jsonl`. A signature is over `CONTEXT` and the text of its line up to the comma
before `"signature"`, so that checking one takes no JSON.
"""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from holdfast.adapters.durable import replace_file, sync, sync_folder
from holdfast.adapters.storage.signing import Keyring, Signer
from holdfast.adapters.storage.witness import Witness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

CONTEXT = b"holdfast checkpoint 1\n"

_SIGNATURE = b',"signature":"'
_KEEP = 128
_THIN_AFTER = 256


class Checkpoint(Struct, frozen=True, gc=False):
    """What one line says.

    Attributes:
        number: 1 for the first line of a file; one more each time.
        store: The id of the store.
        position: The last event that it vouches for.
        hash: The hash of that event, hexadecimal.
        log_hash: The log hash over every event up to it, hexadecimal.
        at: Microseconds since the epoch, UTC, by the clock of the process that signed it.
        prev: SHA-256 of the whole line before it, hexadecimal; empty for the first one.
        key: Which key signed it.
    """

    number: int
    store: str
    position: int
    hash: str
    log_hash: str
    at: int
    prev: str
    key: str

    def witness(self) -> Witness:
        """Return the same as a witness; a hash that is no hexadecimal text becomes one that no event has."""
        return Witness(self.store, self.position, _bytes(self.hash), _bytes(self.log_hash))


class Line(Struct, frozen=True, gc=False):
    """One line as it was found; `checkpoint` is None where it cannot be read."""

    text: bytes
    checkpoint: Checkpoint | None

    def signed(self, keyring: Keyring) -> bool:
        """Tell whether the line is as it was when it was signed, by a key whose public half lies in the folder."""
        body, mark, rest = self.text.rpartition(_SIGNATURE)
        if self.checkpoint is None or not mark or not rest.endswith(b'"}'):
            return False
        return keyring.check(self.checkpoint.key, CONTEXT + body, rest[:-2].decode("ascii", "replace"))


class CheckpointFile:
    """The writing side. Nothing is read, and no key loaded, before the first `append`."""

    def __init__(self, folder: Path, store: str, now: Callable[[], int]) -> None:
        """Write about `store` into `folder`, with times from `now`, in microseconds since the epoch."""
        self._folder = folder
        self._path = file_of(folder, store)
        self._now = now
        self._signer: Signer | None = None
        self._last: Line | None = None
        self._lines = 0

    def append(self, witness: Witness) -> Checkpoint:
        """Sign one more line and wait until it is on disk.

        Killed anywhere, it leaves at most a last line without its line end, which the next `append` takes away.

        Raises:
            OSError: The disk is full, or the folder does not allow writing.
            StoreDamagedError: The key file holds no key.
        """
        if self._signer is None:
            self._signer = Signer(self._folder)
            lines = read_lines(self._path)
            self._lines = len(lines)
            self._last = lines[-1] if lines else None
        before = self._last
        number = 1 if before is None else 1 + (before.checkpoint.number if before.checkpoint else self._lines)
        checkpoint = Checkpoint(
            number,
            witness.store,
            witness.position,
            witness.hash.hex(),
            witness.log_hash.hex(),
            self._now(),
            sha256(before.text).hexdigest() if before else "",
            self._signer.key_id,
        )
        body = msgspec.json.encode(checkpoint)[:-1]
        text = body + _SIGNATURE + self._signer.sign(CONTEXT + body).encode() + b'"}'
        _append(self._path, text + b"\n")
        self._last = Line(text, checkpoint)
        self._lines += 1
        if self._lines > _THIN_AFTER and number % _KEEP == 0:
            self._thin(number)
        return checkpoint

    def _thin(self, newest: int) -> None:
        """Keep every line of late, then half, a quarter, an eighth …: what is kept grows with the logarithm.

        A line that does not check is evidence and stays.
        """
        keyring = Keyring(self._folder)
        lines = read_lines(self._path)
        kept = [
            line
            for line in lines
            if line.checkpoint is None or _stays(line.checkpoint.number, newest) or not line.signed(keyring)
        ]
        replace_file(self._path, b"".join(line.text + b"\n" for line in kept))
        self._lines = len(kept)


def file_of(folder: Path, store: str) -> Path:
    """Return the file of one store. Stores that share a folder never write into each other's."""
    return folder / f"{store}.jsonl"


def read_lines(path: Path) -> list[Line]:
    """Return every complete line, oldest first. One that was cut off while it was written was never signed."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    return [Line(text, _decode(text)) for text in content.split(b"\n")[:-1]]


def complaints(lines: Sequence[Line], keyring: Keyring) -> Iterator[str]:
    """Yield one sentence about each line that was edited, forged, moved or taken out; none when all is well."""
    newest = max((line.checkpoint.number for line in lines if line.checkpoint), default=0)
    before: Line | None = None
    for place, line in enumerate(lines, 1):
        if line.checkpoint is None:
            yield f"line {place} is not a checkpoint"
        elif not line.signed(keyring):
            yield f"line {place} was edited, or signed with a key that is not in the folder"
        elif not _follows(line.checkpoint, before, newest):
            yield f"line {place} does not follow the one before it"
        before = line


def _follows(checkpoint: Checkpoint, before: Line | None, newest: int) -> bool:
    """Between two lines only those may be missing that thinning takes; the others name the one before them."""
    if before is None:
        earlier = 0
    elif before.checkpoint is None:
        return True
    else:
        earlier = before.checkpoint.number
    if checkpoint.number == earlier + 1:
        return checkpoint.prev == (sha256(before.text).hexdigest() if before else "")
    return checkpoint.number > earlier and not any(
        _stays(number, newest) for number in range(earlier + 1, checkpoint.number)
    )


def _stays(number: int, newest: int) -> bool:
    age = (newest - number) // _KEEP
    return number % (1 << age.bit_length()) == 0


def _decode(text: bytes) -> Checkpoint | None:
    try:
        return msgspec.json.decode(text, type=Checkpoint)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


def _append(path: Path, content: bytes) -> None:
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        end = os.lseek(file, 0, os.SEEK_END)
        is_new = end == 0
        end = _after_last_line(file, end)
        os.ftruncate(file, end)
        written = 0
        while written < len(content):
            written += os.pwrite(file, content[written:], end + written)
        sync(file)
    finally:
        os.close(file)
    if is_new:
        sync_folder(path.parent)


def _after_last_line(file: int, end: int) -> int:
    while end:
        start = max(0, end - 4096)
        cut = os.pread(file, end - start, start).rfind(b"\n")
        if cut >= 0:
            return start + cut + 1
        end = start
    return 0
