"""`agents`: whom a session can be had with."""

from __future__ import annotations

import click
from msgspec import json

from holdfast.frontends.cli.escaping import one_line
from holdfast.frontends.cli.params import App, json_option
from holdfast.frontends.cli.table import Column, table
from holdfast.frontends.cli.terminal import Span


@click.command("agents")
@json_option
@click.pass_obj
def agents(app: App, *, as_json: bool) -> None:
    """List the agents that are known, and how to get each."""
    known = app.library.agents()
    terminal = app.terminal
    if as_json:
        terminal.json(json.encode(known))
        return
    yes, no = ("✓ found", "∙ missing") if terminal.unicode else ("+ found", ". missing")
    columns = [
        Column("AGENT", [Span(each.name, "bold") for each in known]),
        Column("", [Span(yes, "green") if each.found else Span(no, "dim") for each in known]),
        Column(
            "WHERE, OR HOW TO GET IT",
            [Span(each.path or each.install, "" if each.found else "dim") for each in known],
            least=20,
        ),
    ]
    terminal.lines(table(columns, terminal.width, "…" if terminal.unicode else "..."))
    if not any(each.found and each.path for each in known):
        terminal.line()
        terminal.line(one_line("None of them is installed; `holdfast new --agent demo` shows what it would be like."))
