"""`import`: what other tools have recorded."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import click

from holdfast.domain import wire
from holdfast.domain.errors import NotFoundError, TranscriptError
from holdfast.frontends.cli.escaping import one_line
from holdfast.frontends.cli.exits import FAILED
from holdfast.frontends.cli.params import App, json_option
from holdfast.frontends.cli.progress import progress
from holdfast.frontends.cli.table import Column, table
from holdfast.frontends.cli.terminal import Span, note
from holdfast.frontends.wording import amount, count, folder

if TYPE_CHECKING:
    from holdfast.domain.answers import Found, ImportReport


@click.command("import")
@click.argument("sources", metavar="[SOURCE]...", nargs=-1)
@click.option("--watch", is_flag=True, help="Go on with what is added to them, until interrupted.")
@click.option("--yes", is_flag=True, help="Without SOURCE: import all that is found, without asking.")
@json_option
@click.pass_obj
@click.pass_context
def import_(ctx: click.Context, app: App, *, sources: tuple[str, ...], watch: bool, yes: bool, as_json: bool) -> None:
    """Import transcripts of other tools.

    SOURCE is a file, a folder (with all below it), or the name of a tool, such as claude, for all that you have of it.
    What was imported before is not imported again.
    """
    wanted = list(sources) or _found(ctx, app, yes=yes, as_json=as_json)
    app.library.check_sources(wanted, empty=watch)
    if watch:
        _follow(app, wanted, as_json=as_json)
        return
    with app.writing() as workspace, progress(app.terminal, "importing") as report:
        done = workspace.import_(wanted, report)
    if done.files == 0:
        msg = f"nothing in {' '.join(wanted)} could be imported, for the reasons above"
        raise TranscriptError(msg)
    if as_json:
        app.terminal.json(wire.encode(done))
    else:
        app.terminal.line(_told(done))


def _follow(app: App, wanted: list[str], *, as_json: bool) -> None:
    """Tell what comes in, one line each time, until somebody interrupts."""
    with app.writing() as workspace, ExitStack() as showing:
        report = showing.enter_context(progress(app.terminal, "importing"))
        with closing(workspace.watch(wanted, report)) as coming:
            for number, done in enumerate(coming):
                showing.close()
                if as_json:
                    app.terminal.record(wire.encode(done))
                elif number == 0:
                    app.terminal.line(_told(done))
                    note("Watching; Ctrl-C ends it.")
                else:
                    app.terminal.line(f"{count(done.events, 'event')} came into {count(done.sessions, 'session')}")
                app.terminal.flush()


def _found(ctx: click.Context, app: App, *, yes: bool, as_json: bool) -> list[str]:
    """Return the tools to import from: those that have something here, if the person agrees."""
    found = app.library.found()
    if found and not yes:
        if as_json:
            app.terminal.json(wire.encode(found))
        else:
            _list(app, found)
    nothing = "no transcripts of other tools were found on this machine; name a file or folder"
    if not yes and not app.terminal.can_ask:
        app.terminal.flush()
        some = "no SOURCE was named, and nobody is here to ask; name one, or add --yes for all that is found"
        raise click.UsageError(some if found else nothing)
    if not found:
        raise NotFoundError(nothing)
    names = list(dict.fromkeys(each.source for each in found))
    if not yes and not app.terminal.ask(f"Import {count(sum(each.files for each in found), 'file')}?"):
        note("Nothing was imported.")
        ctx.exit(FAILED)
    return names


def _list(app: App, found: list[Found]) -> None:
    columns = [
        Column("SOURCE", [Span(each.source, "bold") for each in found]),
        Column("FILES", [Span(f"{each.files:,}") for each in found], right=True),
        Column("BYTES", [Span(amount(each.bytes)) for each in found], right=True),
        Column("FOLDER", [Span(folder(each.path)) for each in found], least=10),
    ]
    app.terminal.lines(table(columns, app.terminal.width))


def _told(done: ImportReport) -> str:
    if not done.files:
        return "nothing to import yet"
    files = count(done.files, "file")
    new = f"imported {count(done.sessions, 'session')}, {count(done.events, 'event')} from {files}"
    told = new if done.events else f"nothing new in {files}"
    if done.malformed:
        told += f"; {count(done.malformed, 'malformed line')} left out"
    return one_line(told)
