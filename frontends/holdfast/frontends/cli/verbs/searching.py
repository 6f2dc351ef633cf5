"""`search`: where something was said or run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from holdfast.domain import wire
from holdfast.domain.search.hits import CLOSE, OPEN
from holdfast.domain.search.query import parse
from holdfast.frontends.cli import wording
from holdfast.frontends.cli.escaping import one_line
from holdfast.frontends.cli.params import App, json_option, text
from holdfast.frontends.cli.terminal import Span, note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.domain.answers import Hit
    from holdfast.frontends.cli.terminal import Line

_HIT = re.compile(f"{OPEN}([^{CLOSE}]*){CLOSE}")
_WHAT = {"tool_call": "tool", "raw": "raw message"}


# Without short options, so that -word is a part of the query.
@click.command("search", context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]})
@click.argument("query", nargs=-1, type=text, required=True)
@click.option("--limit", type=click.IntRange(1, 1_000), default=20, metavar="N", help="At most N items; 20 by default.")
@json_option
@click.pass_obj
def search(app: App, *, query: tuple[str, ...], limit: int, as_json: bool) -> None:
    """Find what was said or run, and titles, the best hits first.

    QUERY: words that all must occur, in any order; "several words" that follow each other; -word that must not
    occur; pre* for all words that begin so; agent:NAME, cwd:FOLDER, in:ID, after:DATE and before:DATE.
    """
    wanted = parse(" ".join(query))
    with app.reading() as reading:
        found = reading.search(wanted, limit=limit)
    if as_json:
        app.terminal.json(wire.encode([wire.hit(each) for each in found]))
    elif found:
        app.terminal.lines(line for each in found for line in _lines(each, unicode=app.terminal.unicode))
    else:
        note("Nothing was found. Fewer words, or the beginning of one with a *, find more.")


def _lines(hit: Hit, *, unicode: bool) -> Iterator[Line]:
    dot = " · " if unicode else " | "
    about = [" ".join(wording.local(hit.at)), _WHAT.get(hit.kind) or hit.role or hit.kind]
    yield (Span(one_line(hit.title) or "(untitled)", "bold"), Span(dot + dot.join(about), "dim"))
    yield (Span("  "), *_highlighted(hit.snippet))
    yield (Span(f"  {one_line(hit.permalink)}", "dim"),)
    yield ()


def _highlighted(snippet: str) -> Iterator[Span]:
    for index, piece in enumerate(_HIT.split(snippet)):
        yield Span(one_line(piece), "bold yellow" if index % 2 else "")
