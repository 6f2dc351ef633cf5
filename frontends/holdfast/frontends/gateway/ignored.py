"""What git would leave out of a folder, by the files that say so.

Git itself is not asked: it runs what the configuration of a repository names, and a session may work in anybody's.
"""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from pathlib import Path

_BYTES: Final = 64 * 1024
_RULES: Final = 1_000
_UPWARDS: Final = 32


class _Rule(Struct, frozen=True):
    base: str
    pattern: tuple[re.Pattern[str] | None, ...]
    folders_only: bool
    keeps: bool


class Ignored:
    """The rules that hold in one folder: those of the folders above it first, then its own. The last that fits wins."""

    def __init__(self, rules: tuple[_Rule, ...] = ()) -> None:
        """Hold rules; `Ignored()` leaves nothing out."""
        self._rules = rules

    @classmethod
    def above(cls, folder: Path) -> Ignored:
        """Return what holds in a folder by the files above it, up to the top of its repository."""
        between: list[Path] = []
        for place in (folder, *folder.parents)[:_UPWARDS]:
            if (place / ".git").exists():
                rules = _read(place / ".git" / "info" / "exclude", place)
                for each in (place, *reversed(between)) if place != folder else ():
                    rules += _read(each / ".gitignore", each)
                return cls(tuple(rules))
            if place != folder:
                between.append(place)
        return cls()

    def inside(self, folder: Path) -> Ignored:
        """Return what holds in a folder below, by its own file as well."""
        own = _read(folder / ".gitignore", folder)
        return Ignored((*self._rules, *own)[-_RULES:]) if own else self

    def leaves_out(self, path: str, *, folder: bool) -> bool:
        """Tell whether a path, absolute and below the folder, is ignored."""
        for rule in reversed(self._rules):
            if rule.folders_only and not folder:
                continue
            if _fits(rule.pattern, path[len(rule.base) :].split("/")):
                return not rule.keeps
        return False


def _read(file: Path, base: Path) -> list[_Rule]:
    try:
        with file.open("rb") as opened:
            text = opened.read(_BYTES).decode("utf-8", "replace")
    except OSError:
        return []
    rules = (_rule(line, str(base).rstrip("/") + "/") for line in text.splitlines()[:_RULES])
    return [rule for rule in rules if rule is not None]


def _rule(line: str, base: str) -> _Rule | None:
    """Return the rule on a line, as gitignore(5) has it; None where there is none."""
    words = line.rstrip()
    keeps = words.startswith("!")
    words = words[1:] if keeps else words
    folders_only = words.endswith("/")
    words = words.rstrip("/")
    if not words or line.startswith("#"):
        return None
    parts = words.split("/") if "/" in words else ["**", words]
    if parts[-1] == "**":
        parts.append("*")  # everything below, and not the folder itself
    try:
        return _Rule(base, tuple(_part(part) for part in parts if part), folders_only, keeps)
    except re.error:
        return None


def _part(words: str) -> re.Pattern[str] | None:
    """Return what a name has to look like; None for any number of folders."""
    if words == "**":
        return None
    # `fnmatch` makes expressions that never take long, whatever the words are, but knows no backslash.
    return re.compile(fnmatch.translate(re.sub(r"\\([*?[])", r"[\1]", words).replace("\\", "")))


def _fits(pattern: tuple[re.Pattern[str] | None, ...], names: list[str]) -> bool:
    """Match name by name; of several `**` only the last is ever tried again, which is enough."""
    at = place = again = 0
    last: int | None = None
    while place < len(names):
        part = pattern[at] if at < len(pattern) else _NEVER
        if part is None:
            last, again, at = at, place, at + 1
        elif part.match(names[place]):
            at, place = at + 1, place + 1
        elif last is not None:
            again += 1
            at, place = last + 1, again
        else:
            return False
    return at == len(pattern)


_NEVER: Final = re.compile(r"(?!)")
