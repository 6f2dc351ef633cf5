"""How well a few typed letters fit a name. Pure."""

from __future__ import annotations


def fits(typed: str, name: str) -> int:
    """Return how well `typed` fits `name`; 0 for not at all.

    Every word has to be found: at the beginning of a word at best, inside one, or as letters in that order.
    """
    name = name.casefold()
    total = 0
    for word in typed.casefold().split():
        score = _word(word, name)
        if not score:
            return 0
        total += score
    return total or 1


def _word(word: str, name: str) -> int:
    at = name.find(word)
    if at == 0:
        return 100
    if at > 0:
        return 80 if not name[at - 1].isalnum() else 60
    place, gaps = -1, 0
    for letter in word:
        found = name.find(letter, place + 1)
        if found < 0:
            return 0
        gaps += found - place - 1
        place = found
    return 40 - gaps if gaps <= 2 * len(word) else 0
