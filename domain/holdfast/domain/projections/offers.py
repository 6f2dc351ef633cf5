"""What a peer offers a person to choose from, as every frontend shows it: modes, options with their values, commands.

The log keeps what the peer said; here it gets one shape, and words no longer than a list can show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeVar

import msgspec
from msgspec import Raw, Struct

from holdfast.domain.content import NOTHING
from holdfast.domain.session import events as e

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from holdfast.domain.session.facts import Fact

LONGEST = 300
"""Characters of a description; some agents send whole manuals."""

TYPES = frozenset({"modes-offered", "options-offered", "commands-changed", "session-configured", "mode-changed"})
"""Types of the events that change what is offered, or chosen."""


class Choice(Struct, frozen=True):
    """One value of an option, or one mode.

    Attributes:
        group: What the peer calls the values that stand together, where it groups them.
    """

    id: str
    name: str
    description: str = ""
    group: str = ""


class Setting(Struct, frozen=True):
    """One option of the peer.

    Attributes:
        kind: `select` has `choices`; `boolean` is `true` or `false`; `other` is shown, and takes any text.
        category: What it is about in the peer's words, such as `model` or `mode`.
        value: The value that it has, as text; None where the peer has not said.
    """

    id: str
    name: str
    kind: Literal["select", "boolean", "other"]
    description: str = ""
    category: str | None = None
    value: str | None = None
    choices: tuple[Choice, ...] = ()


class Command(Struct, frozen=True):
    """A word that a prompt may begin with, after a slash.

    Attributes:
        hint: What may follow it.
    """

    name: str
    description: str = ""
    hint: str = ""


class Offers(Struct, frozen=True):
    """All that there is to choose from in a session, and what is chosen.

    Attributes:
        mode: The mode it is in.
        modes: All modes. Changed by the command `mode`, whether the peer has them as modes or as an option.
        options: All options, that of the mode included. Changed by the command `option`.
        commands: What a prompt may begin with.
    """

    mode: str | None = None
    modes: tuple[Choice, ...] = ()
    options: tuple[Setting, ...] = ()
    commands: tuple[Command, ...] = ()


def offered(facts: Iterable[Fact], *, mode: str | None, values: Mapping[str, str]) -> Offers:
    """Return what there is to choose from.

    Args:
        facts: The latest offer of each kind; others are left aside.
        mode: The mode that the session is in.
        values: The values of its options.
    """
    modes: tuple[Choice, ...] = ()
    options: tuple[Setting, ...] = ()
    commands: tuple[Command, ...] = ()
    for fact in facts:
        match fact:
            case e.ModesOffered(modes=raw):
                modes = tuple(_mode(each) for each in _each(_Mode, raw))
            case e.OptionsOffered(options=raw):
                options = tuple(_setting(each, values.get(each.id)) for each in _each(_Option, raw))
            case e.CommandsChanged(commands=raw):
                commands = tuple(_command(each) for each in _each(_Command, raw))
            case _:
                pass
    by_option = next((each.choices for each in options if each.category == "mode" and each.choices), ())
    return Offers(mode, by_option or modes, options, commands)


class _Mode(Struct):
    id: str
    name: str | None = None
    description: str | None = None


class _Option(Struct):
    id: str
    name: str | None = None
    description: str | None = None
    category: str | None = None
    type: str | None = None
    options: Raw = NOTHING


class _Value(Struct):
    value: str
    name: str | None = None
    description: str | None = None


class _Group(Struct):
    group: str
    options: Raw
    name: str | None = None


class _Input(Struct):
    hint: str | None = None


class _Command(Struct):
    name: str
    description: str | None = None
    input: _Input | None = None


T = TypeVar("T")


def _each(shape: type[T], raw: Raw) -> list[T]:
    """Return those entries of a list that have the shape."""
    if not raw:
        return []
    try:
        entries = msgspec.json.decode(raw, type=list[Raw])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return []
    found: list[T] = []
    for entry in entries:
        try:
            found.append(msgspec.json.decode(entry, type=shape))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
    return found


def _mode(mode: _Mode) -> Choice:
    return Choice(mode.id, mode.name or mode.id, _short(mode.description))


def _setting(option: _Option, value: str | None) -> Setting:
    choices = tuple(_choices(option.options))
    kind: Literal["select", "boolean", "other"] = "select" if choices else "other"
    if option.type == "boolean":
        kind = "boolean"
    name = option.name or option.id
    return Setting(option.id, name, kind, _short(option.description), option.category, value, choices)


def _choices(raw: Raw) -> Iterable[Choice]:
    groups = _each(_Group, raw)
    for each in _each(_Value, raw):
        yield Choice(each.value, each.name or each.value, _short(each.description))
    for group in groups:
        for each in _each(_Value, group.options):
            yield Choice(each.value, each.name or each.value, _short(each.description), group.name or group.group)


def _command(command: _Command) -> Command:
    hint = command.input.hint if command.input is not None else None
    return Command(command.name.removeprefix("/"), _short(command.description), _short(hint))


def _short(text: str | None) -> str:
    """Return a text on one line, cut where it is too long for a list."""
    line = " ".join((text or "")[: LONGEST * 4].split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1].rstrip() + "…"
