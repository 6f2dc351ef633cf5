"""What a daemon is not to hold for weeks: glibc keeps what threads gave back, and Python looks through it all."""

from __future__ import annotations

import ctypes
import gc
from typing import Final

_ARENA_MAX: Final = -8
"""The option of `mallopt(3)` for how many heaps threads get of their own."""


def one_heap() -> None:
    """Have all threads take from one heap, before there are any: only one of them at a time is in Python anyway."""
    libc = _libc()
    if libc is not None:
        libc.mallopt(_ARENA_MAX, 1)


def settle() -> None:
    """What was imported stays, and need not be looked through again; and while agents talk little of it is cyclic.

    Python would else search everything for cycles each time some thousands of events were written.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    give_back()


def give_back() -> None:
    """Return to the system what is free. Takes a few milliseconds."""
    libc = _libc()
    if libc is not None:
        libc.malloc_trim(0)


def _libc() -> ctypes.CDLL | None:
    """Return the C library where it is glibc, the only one that has these functions and needs them."""
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "malloc_trim") and hasattr(libc, "mallopt") else None
