"""What the `checkpoints` folder says about a store, and what remains unknown with it. No table is read here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.adapters.storage.checkpoints import complaints, file_of, read_lines
from holdfast.adapters.storage.signing import Keyring
from holdfast.adapters.storage.witness import read_head, read_place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from holdfast.adapters.storage.witness import Witness


class Evidence:
    """Everything outside the database, read once."""

    def __init__(self, folder: Path, store: str, place: str) -> None:
        lines = read_lines(file_of(folder, store))
        keyring = Keyring(folder)
        self.complaints = tuple(f"{file_of(folder, store).name}: {found}" for found in complaints(lines, keyring))
        self.signed = [
            line.checkpoint.witness()
            for line in lines
            if line.checkpoint and line.checkpoint.store == store and line.signed(keyring)
        ]
        self.head = read_head(folder, store)
        self.replaced = None if self.head else read_place(folder, place)

    @property
    def witnesses(self) -> list[Witness]:
        """Every witness of this store, in position order."""
        found = [*self.signed, *([self.head] if self.head else [])]
        return sorted(found, key=lambda witness: witness.position)

    @property
    def signed_position(self) -> int:
        """The last position that a valid signature vouches for."""
        return max((witness.position for witness in self.signed), default=0)

    @property
    def reached(self) -> int:
        """The last position that any of them saw."""
        seen = [witness.position for witness in self.witnesses]
        return max([*seen, self.replaced.position if self.replaced else 0])


def cannot_know(evidence: Evidence, last: int, erased: int) -> Iterator[str]:
    """Yield what no verification of this log can tell: one sentence each, beginning in mid-sentence.

    Args:
        evidence: The witnesses.
        last: The last position of the log.
        erased: How many sessions were erased.
    """
    if not evidence.witnesses:
        yield "whether the log once went further: no witness of it is left"
    elif evidence.reached <= last:
        yield (
            f"whether events after position {evidence.reached}, the last that a surviving witness saw, were lost "
            "together with their witness"
        )
    else:
        yield f"what stood after position {last}, and whether more was lost than the witness saw"
    signed = evidence.signed_position
    if signed:
        yield "whether somebody who has both the log and the signing key wrote both anew"
    if signed < last:
        first = f"after position {signed} " if signed else ""
        yield f"whether somebody who can write the log and the checkpoints folder wrote the log anew {first}".rstrip()
    if erased:
        yield (
            f"what the content of {erased} erased session(s) was: its digests are in the chain, but the key that "
            "could prove a copy true or false is destroyed"
        )
