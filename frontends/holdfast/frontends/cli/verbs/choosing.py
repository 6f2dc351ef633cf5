"""`mode` and `option`: what an agent offers to choose from, and choosing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from holdfast.domain.errors import NotFoundError
from holdfast.frontends.cli.escaping import one_line
from holdfast.frontends.cli.params import App, answered, json_option, new_cause, quoted, session_argument, text
from holdfast.frontends.cli.table import Column, table
from holdfast.frontends.cli.terminal import Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.domain.projections.offers import Choice, Offers, Setting
    from holdfast.frontends.cli.terminal import Terminal


@click.command("mode")
@session_argument
@click.argument("mode", type=text, required=False)
@json_option
@click.pass_obj
def mode(app: App, *, session: str, mode: str | None, as_json: bool) -> None:
    """Change the agent's mode; without MODE, list its modes."""
    daemon = app.daemon()
    session_id = daemon.resolve(session)
    offers = daemon.offers(session_id)
    if mode is None:
        _list_modes(app.terminal, offers, as_json=as_json)
        return
    row = daemon.mode(session_id, _chosen(offers.modes, mode), client_id=new_cause())
    answered(app, row, f"{quoted(row)} is in mode {one_line(row.mode or mode)}", as_json=as_json)


@click.command("option")
@session_argument
@click.argument("name", type=text, required=False)
@click.argument("value", type=text, required=False)
@json_option
@click.pass_obj
def option(app: App, *, session: str, name: str | None, value: str | None, as_json: bool) -> None:
    """Give an option of the agent a value, or list what there is.

    \b
    option ID              its options, with the values they have
    option ID NAME         the values that one of them takes
    option ID NAME VALUE   gives it another one
    """  # noqa: D301 # click wants the very character
    daemon = app.daemon()
    session_id = daemon.resolve(session)
    offers = daemon.offers(session_id)
    if name is None:
        _list_options(app.terminal, offers.options, as_json=as_json)
        return
    setting = _named(offers.options, name)
    if value is None:
        _list_values(app.terminal, setting, as_json=as_json)
        return
    chosen = _chosen(setting.choices, value)
    row = daemon.option(session_id, setting.id, chosen, client_id=new_cause())
    has = one_line(row.options.get(setting.id, chosen))
    answered(app, row, f"{quoted(row)}: {one_line(setting.id)} is {has}", as_json=as_json)


def _named(options: Sequence[Setting], name: str) -> Setting:
    """Return the option of this id, else the only one that people see under this name.

    Raises:
        NotFoundError: There is none.
    """
    found = [each for each in options if each.id == name] or [each for each in options if _same(each.name, name)]
    if len(found) != 1:
        known = ", ".join(one_line(each.id) for each in options)
        msg = f"its agent has no option {name!r}" + (f"; it has {known}" if known else ", and none at all")
        raise NotFoundError(msg)
    return found[0]


def _chosen(choices: Sequence[Choice], value: str) -> str:
    """Return the choice of this id, else the only one of this name; what is none of them is the agent's to refuse."""
    named = [each.id for each in choices if _same(each.name, value)]
    return named[0] if len(named) == 1 and value not in {each.id for each in choices} else value


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _list_modes(terminal: Terminal, offers: Offers, *, as_json: bool) -> None:
    if as_json:
        from msgspec.json import encode  # few verbs need it

        terminal.json(encode({"mode": offers.mode, "modes": offers.modes}))
    elif offers.modes:
        _list_choices(terminal, "MODE", offers.modes, offers.mode)
    else:
        terminal.line("its agent offers no modes" + (f"; it is in {one_line(offers.mode)}" if offers.mode else ""))


def _list_options(terminal: Terminal, options: Sequence[Setting], *, as_json: bool) -> None:
    if as_json:
        from msgspec.json import encode  # few verbs need it

        terminal.json(encode(options))
        return
    if not options:
        terminal.line("its agent offers no options")
        return
    columns = [
        Column("OPTION", [Span(one_line(each.id), "bold") for each in options]),
        Column("VALUE", [Span(one_line(each.value or ""), "green") for each in options]),
        Column("TAKES", [Span(_takes(each)) for each in options], least=16),
        Column("", [Span(one_line(each.description or each.name), "dim") for each in options], least=16, rank=1),
    ]
    terminal.lines(table(columns, terminal.width, _dots(terminal)))


def _takes(setting: Setting) -> str:
    if setting.kind == "select":
        return ", ".join(one_line(each.id) for each in setting.choices)
    return "true, false" if setting.kind == "boolean" else "any text"


def _list_values(terminal: Terminal, setting: Setting, *, as_json: bool) -> None:
    if as_json:
        from msgspec.json import encode  # few verbs need it

        terminal.json(encode(setting))
    elif setting.choices:
        _list_choices(terminal, "VALUE", setting.choices, setting.value)
    else:
        terminal.line(f"{one_line(setting.id)} is {one_line(setting.value or 'not set')}; it takes {_takes(setting)}")


def _list_choices(terminal: Terminal, title: str, choices: Sequence[Choice], chosen: str | None) -> None:
    here, there = ("●", " ") if terminal.unicode else ("*", " ")
    columns = [
        Column("", [Span(here if each.id == chosen else there, "green") for each in choices]),
        Column(title, [Span(one_line(each.id), "bold") for each in choices]),
        Column("NAME", [Span(one_line(each.name)) for each in choices], least=8),
        Column("", [Span(one_line(each.description or ""), "dim") for each in choices], least=20, rank=1),
    ]
    terminal.lines(table(columns, terminal.width, _dots(terminal)))


def _dots(terminal: Terminal) -> str:
    return "…" if terminal.unicode else "..."
