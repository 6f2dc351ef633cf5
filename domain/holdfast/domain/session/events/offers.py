"""Facts about what a peer offers a person to choose from: modes, options and commands.

What is chosen stands in other facts: `mode-changed` and `session-configured`.
"""

from __future__ import annotations

from hashlib import sha256

from msgspec import Raw

from holdfast.domain.session.facts import Fact, registered


@registered("modes-offered")
class ModesOffered(Fact, frozen=True):
    """The peer can work in these modes.

    Attributes:
        modes: All of them as a list of objects with an `id`, verbatim.
    """

    modes: Raw


@registered("options-offered")
class OptionsOffered(Fact, frozen=True):
    """The peer has these options; one of the category `mode` offers its modes.

    Attributes:
        options: All of them as a list of objects with an `id`, without the values that they have now.
    """

    options: Raw


@registered("commands-changed")
class CommandsChanged(Fact, frozen=True):
    """The peer offers other commands.

    Attributes:
        commands: All of them, verbatim.
    """

    commands: Raw


def offer_digest(offer: Raw) -> str:
    """Return what tells one offer from another: peers repeat theirs, some of them half a megabyte at every start."""
    return sha256(bytes(offer)).hexdigest()[:16]
