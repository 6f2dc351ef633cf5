"""What can be completed in the composer: the agent's commands after `/`, files after `@`. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, NamedTuple
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.frontends.tui.session.drafts import Draft
    from holdfast.frontends.tui.session.items import Json

MOST: Final = 8

_COMMAND: Final = re.compile(r"/([\w:.-]*)$")
_FILE: Final = re.compile(r"(?:^|\s)@([^\s@]*)$")


class Wanted(NamedTuple):
    """The beginning of a word that can be completed."""

    kind: Literal["command", "file"]
    word: str


class Choice(NamedTuple):
    """One way to complete it: what is inserted instead, what is shown, and what is said of it."""

    insert: str
    label: str
    note: str = ""


def wanted(before: str) -> Wanted | None:
    """Return what is being written at the end of what stands before the cursor, where it can be completed."""
    if found := _COMMAND.fullmatch(before):
        return Wanted("command", found[1])
    if found := _FILE.search(before.rpartition("\n")[2]):
        return Wanted("file", found[1])
    return None


def fitting(word: str, names: Iterable[str]) -> list[str]:
    """Return the names that fit, the best first: those that begin with it, then hold it, then all of its letters."""
    low = word.lower()
    ranked: list[tuple[int, int, str]] = []
    for name in names:
        lower = name.lower()
        leaf = lower.rpartition("/")[2]
        if lower.startswith(low):
            rank = 0
        elif leaf.startswith(low):
            rank = 1
        elif low in lower:
            rank = 2
        elif _scattered(low, lower):
            rank = 3
        else:
            continue
        ranked.append((rank, len(name), name))
    return [name for _, _, name in sorted(ranked)[:MOST]]


def content(draft: Draft, folder: str | None) -> str | list[Json]:
    """Return a draft as what is sent: a text, or blocks where there is more than that."""
    text = draft.text.strip()
    blocks: list[Json] = [{"type": "text", "text": each} for each in draft.pasted]
    if text:
        blocks.append({"type": "text", "text": text})
    for path in draft.files:
        if re.search(rf"(?:^|\s)@{re.escape(path)}(?=\s|$|[.,;:!?])", text):
            full = path if path.startswith("/") else f"{(folder or '').rstrip('/')}/{path}"
            blocks.append({"type": "resource_link", "uri": f"file://{quote(full)}", "name": path})
    if len(blocks) == 1 and isinstance(only := blocks[0].get("text"), str):
        return only
    return blocks


def _scattered(word: str, name: str) -> bool:
    letters = iter(name)
    return all(letter in letters for letter in word)
