"""What an evidence bundle has beside its events: the log's hashes, signed checkpoints over them, sums of its files."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Literal

from holdfast.adapters.storage.chain import GENESIS, HASH_BYTES
from holdfast.adapters.storage.checkpoints import complaints, read_lines
from holdfast.adapters.storage.signing import Keyring
from holdfast.domain.exported import CHAIN_NAME, CHECKPOINTS_NAME, SUMS_NAME

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from holdfast.adapters.storage.witness import Witness

_LINE = HASH_BYTES * 2 + 1
_CHUNK = 1 << 20


class Bundle:
    """Follows the log's hashes beside the events of one session, and compares both with every signed checkpoint.

    Attributes:
        complaints: What is wrong with files other than that of the events.
        reason: What the first of them amounts to.
    """

    def __init__(self, folder: Path) -> None:
        """Open the chain of the bundle in `folder`."""
        self.complaints: list[str] = []
        self.reason: Literal["tampered", "missing"] = "tampered"
        self._folder = folder
        self._file = None
        path = folder / CHAIN_NAME
        if path.is_file():
            self._file = path.open("rb")
        self._position = 0
        self._after = 0
        self._log_hash = GENESIS
        self._hash = GENESIS
        self._last_event = 0
        self._covered = 0
        self._witnesses: list[Witness] = []
        self._keys: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def begin(self, store: str) -> None:
        """Read the checkpoints of `store`, and where the chain begins."""
        keyring = Keyring(self._folder)
        lines = read_lines(self._folder / CHECKPOINTS_NAME)
        if _is_cut_off(self._folder / CHECKPOINTS_NAME):
            self._complain(f"{CHECKPOINTS_NAME} was cut off", missing=True)
        self.complaints += [f"{CHECKPOINTS_NAME}: {found}" for found in complaints(lines, keyring)]
        signed = [line.checkpoint for line in lines if line.checkpoint and line.signed(keyring)]
        witnesses = [each.witness() for each in signed if each.store == store]
        self._keys = sorted({each.key for each in signed})
        first = self._file.readline(64) if self._file is not None else b""
        number = first.removeprefix(b"after ").strip()
        if self._file is None or not first.startswith(b"after ") or not number.isdigit():
            self._complain(f"{CHAIN_NAME} is missing or does not begin as it was written", missing=self._file is None)
            return
        self._position = self._after = int(number)
        if self._after:
            start = next((each for each in witnesses if each.position == self._after), None)
            if start is None:
                self._complain(f"{CHAIN_NAME} begins after position {self._after}, which no signed checkpoint names")
                return
            self._log_hash = start.log_hash
        self._witnesses = sorted(
            (each for each in witnesses if each.position > self._after), key=lambda each: each.position
        )

    def saw(self, position: int, event_hash: bytes) -> str | None:
        """Compare an event of the session with the log's hashes; return what is wrong, in words."""
        wrong = self._advance(position)
        if wrong is not None:
            return wrong
        if self._position != position or self._hash != event_hash:
            return f"{CHAIN_NAME} has another hash at position {position}"
        self._last_event = position
        return None

    def finish(self) -> str | None:
        """Follow the chain to its end, and check the sums of all files; return where a checkpoint contradicts it."""
        wrong = self._advance(None)
        self.check_sums()
        return wrong

    def check_sums(self) -> None:
        """Compare every file with the list of sums."""
        path = self._folder / SUMS_NAME
        if not path.is_file():
            self._complain(f"{SUMS_NAME} is missing", missing=True)
            return
        listed: set[str] = set()
        for line in path.read_bytes().split(b"\n"):
            total, _, name = line.decode("utf-8", "replace").partition("  ")
            if not line:
                continue
            file = self._folder / name
            if not name or "/" in name or not file.is_file():
                self._complain(f"{name or SUMS_NAME} is missing", missing=True)
            elif sum_of(file) != total:
                self._complain(f"{name} is not as it was written")
            listed.add(name)
        for file in sorted(self._folder.iterdir()):
            if file.name not in {*listed, SUMS_NAME}:
                self._complain(f"{file.name} does not belong to the bundle")

    def cannot_know(self) -> list[str]:
        """Return what no verification of the bundle can tell."""
        unknown = ["whether the session went on after the export"]
        if self._keys:
            keys = ", ".join(self._keys)
            unknown.append(f"whose key signed the checkpoints ({keys}): compare it with a copy that you trust")
        if self._covered < self._last_event:
            where = f"after position {self._covered} " if self._covered else ""
            unknown.append(f"whether the events {where}were written anew: no signed checkpoint vouches for them")
        return unknown

    def _advance(self, until: int | None) -> str | None:
        while self._file is not None and (until is None or self._position < until):
            line = self._file.readline(_LINE + 1)
            if not line:
                break
            try:
                event_hash = bytes.fromhex(line.decode("ascii"))
            except ValueError:
                event_hash = b""
            if len(event_hash) != HASH_BYTES or len(line) != _LINE:
                return f"{CHAIN_NAME} has no hash for position {self._position + 1}"
            self._position += 1
            self._hash = event_hash
            self._log_hash = sha256(self._log_hash + event_hash).digest()
            wrong = self._compare()
            if wrong is not None:
                return wrong
        if until is not None and self._position < until:
            return f"{CHAIN_NAME} ends before position {until}"
        return None

    def _compare(self) -> str | None:
        while self._witnesses and self._witnesses[0].position == self._position:
            witness = self._witnesses.pop(0)
            if witness.hash != self._hash or witness.log_hash != self._log_hash:
                return f"the signed checkpoint at position {self._position} saw another log"
            self._covered = self._position
        return None

    def _complain(self, what: str, *, missing: bool = False) -> None:
        if not self.complaints:
            self.reason = "missing" if missing else "tampered"
        self.complaints.append(what)


def _is_cut_off(path: Path) -> bool:
    """Tell whether a last line has no end. In a store that is a line which was never signed; here nothing is."""
    return path.is_file() and path.stat().st_size > 0 and not path.read_bytes().endswith(b"\n")


def sum_of(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    total = sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            total.update(chunk)
    return total.hexdigest()
