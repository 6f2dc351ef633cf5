"""Which key gives which answer to a request for permission, wherever it is shown. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.frontends.tui.cells import harmless
from holdfast.frontends.tui.session import items

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.frontends.client.views import Json

_NUMBERED: Final = 9
_LONGEST: Final = 40

_PLAIN: Final = frozenset(
    ("allow", "allow once", "always", "always allow", "allow always", "yes", "no", "reject", "reject once", "deny")
)
"""What agents call their options without saying more than the key's own word does."""


def lettered(request: Json) -> dict[str, str]:
    """Return the option that each letter takes: the first of its kind."""
    first = {kind: option for option, kind, _ in reversed(items.options(request))}
    found = {"a": first.get("allow_once"), "A": first.get("allow_always"), "d": first.get("reject_once")}
    return {key: option for key, option in found.items() if option is not None}


def numbered(request: Json) -> list[tuple[str, str]]:
    """Return what else is offered, which has a number each: option and name."""
    taken = lettered(request).values()
    return [(option, name) for option, _, name in items.options(request) if option not in taken][:_NUMBERED]


def keys(request: Json) -> Iterator[tuple[str, str]]:
    """Yield each key that answers a request, and what it does."""
    given = lettered(request)
    names = {option: name for option, _, name in items.options(request)}
    for key, word in (("a", "allow once"), ("A", "always"), ("d", "deny")):
        if key in given:
            name = names[given[key]]
            yield key, word if name.casefold() in _PLAIN else f"{word}: {harmless(name)[:_LONGEST]}"
        elif key == "d":  # what offers no refusal is called off
            yield key, word
    yield "z", "later"
    for number, (_, name) in enumerate(numbered(request), 1):
        yield str(number), harmless(name)[:_LONGEST]
