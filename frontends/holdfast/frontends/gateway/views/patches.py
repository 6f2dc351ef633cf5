"""What changed in a view lately: patches that are made once and sent to everybody who looks at it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

_KEPT: Final = 1_024
_KEPT_BYTES: Final = 2 * 1024 * 1024


class Patch(Struct, frozen=True, gc=False):
    """One change of a view.

    Attributes:
        end: The position that the view has come to; None for what is not in the log and moves nothing.
        ops: The operations, as a JSON array.
    """

    end: int | None
    ops: bytes


class Patches:
    """The latest patches, each with its place in the line. Who has fallen behind all of them begins anew.

    Attributes:
        next: The place of the patch that comes next.
        broken: Why nobody can go on with patches any more, or None.
    """

    def __init__(self) -> None:
        self._kept: deque[Patch] = deque()
        self._bytes = 0
        self.next = 0
        self.broken: str | None = None

    def add(self, end: int | None, ops: Sequence[bytes]) -> None:
        """Append one patch, unless there is nothing in it."""
        if not ops:
            return
        patch = Patch(end, b"[" + b",".join(ops) + b"]")
        self._kept.append(patch)
        self._bytes += len(patch.ops)
        self.next += 1
        while len(self._kept) > _KEPT or (self._bytes > _KEPT_BYTES and len(self._kept) > 1):
            self._bytes -= len(self._kept.popleft().ops)

    @property
    def first(self) -> int:
        """The place of the oldest patch that is kept."""
        return self.next - len(self._kept)

    def at(self, place: int) -> Patch | None:
        """Return the patch at a place, None where none is yet.

        Raises:
            LookupError: It is not kept any more.
        """
        if place < self.first:
            raise LookupError(place)
        return self._kept[place - self.first] if place < self.next else None
