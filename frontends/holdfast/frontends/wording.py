"""How numbers, ages, names and folders are said, the same in every frontend. Nothing here knows terminals or pages."""

from __future__ import annotations

import os

_SPANS = ((31_557_600, "y"), (604_800, "w"), (86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))
_SIZES = ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k"))


def span(seconds: int) -> str:
    """Return `12s`, `5m`, `3h`, `2d`, `6w` or `1y`: whole ones of the largest unit that there is one of."""
    return next((f"{seconds // size}{unit}" for size, unit in _SPANS if seconds >= size), "0s")


def peer(agent: str | None, target: str, transport: str) -> str:
    """Return with whom a session is: its agent, else the program that was to be one, else the kind of peer."""
    if agent or "://" in target:
        return agent or transport
    return next(iter(target.split()), "").rpartition("/")[2] or transport


def count(number: int, one: str, many: str = "") -> str:
    """Return `1,204 events`, `1 event`."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def amount(number: int) -> str:
    """Return `950`, `12k`, `1.2M`."""
    for size, unit in _SIZES:
        if number >= size:
            value = number / size
            return f"{value:.1f}{unit}" if value < 9.95 and unit != "k" else f"{int(value)}{unit}"
    return str(number)


def folder(path: str) -> str:
    """Return `path` with `~` for the person's own folder."""
    home = os.environ.get("HOME", "").rstrip("/")
    if home and (path == home or path.startswith(f"{home}/")):
        return f"~{path[len(home) :]}"
    return path
