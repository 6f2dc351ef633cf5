"""Sizes for people."""

from __future__ import annotations


def in_words(size: int) -> str:
    """Return `950 bytes`, `12.0 KiB`, `1.2 GiB`."""
    for bits, unit in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
        if size >= 1 << bits:
            return f"{size / (1 << bits):.1f} {unit}"
    return f"{size} byte" if size == 1 else f"{size} bytes"
