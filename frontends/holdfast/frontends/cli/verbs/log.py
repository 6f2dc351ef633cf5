"""`events`, `verify` and `rebuild`: the log itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from holdfast.domain import wire
from holdfast.frontends.cli.exits import FAILED
from holdfast.frontends.cli.params import App, json_option, text
from holdfast.frontends.cli.progress import progress
from holdfast.frontends.cli.terminal import Span, complain
from holdfast.frontends.wording import count

if TYPE_CHECKING:
    from holdfast.domain.answers import Verification


@click.command("events")
@click.option("--since", type=click.IntRange(min=0), default=0, metavar="POSITION", help="Only those after it.")
@click.option("--session", type=text, metavar="ID", help="Only those of one session.")
@click.option("--type", "types", type=text, metavar="TYPE", multiple=True, help="Only these; may be repeated.")
@click.option("--follow", is_flag=True, help="Go on with what comes, until interrupted.")
@json_option
@click.pass_obj
def events(app: App, *, since: int, session: str | None, types: tuple[str, ...], follow: bool, as_json: bool) -> None:
    """Print the log, one JSON object a line."""
    del as_json  # it is JSON in any case
    with app.reading() as reading:
        session_id = None if session is None else reading.resolve(session)
        for event in reading.events(since=since, session_id=session_id, types=types, follow=follow):
            app.terminal.record(wire.event(event))
            if follow:
                app.terminal.flush()


@click.command("verify")
@click.argument("file", metavar="[FILE]", required=False)
@json_option
@click.pass_obj
@click.pass_context
def verify(ctx: click.Context, app: App, *, file: str | None, as_json: bool) -> None:
    """Check that the log, or an exported FILE, is as it was written.

    FILE is a JSONL export, or the folder of an evidence bundle; the log is not opened for it.
    """
    with progress(app.terminal, "verifying") as report:
        if file is not None:
            found = app.library.verify_file(file, report)
        else:
            with app.reading() as reading:
                found = reading.verify(report)
    if as_json:
        app.terminal.json(wire.encode(found))
    else:
        _print(app, found)
    if not found.ok:
        app.terminal.flush()
        complain(_fault(found) if file is None else _damage(file, found))
        ctx.exit(FAILED)


@click.command("rebuild")
@click.option("--check", is_flag=True, help="Change nothing; print a digest of each view as the log gives it.")
@json_option
@click.pass_obj
def rebuild(app: App, *, check: bool, as_json: bool) -> None:
    """Build every view anew from the log."""
    if check:
        with app.reading() as reading, progress(app.terminal, "computing"):
            digests = reading.digests()
    else:
        with app.writing() as workspace, progress(app.terminal, "rebuilding") as report:
            digests = workspace.rebuild(report)
    if as_json:
        app.terminal.json(wire.encode(digests))
        return
    for view, digest in digests.items():
        app.terminal.line(Span(digest, "dim"), Span(f"  {view}"))


def _print(app: App, found: Verification) -> None:
    terminal = app.terminal
    if found.ok:
        terminal.line(Span("✓ " if terminal.unicode else "+ ", "green"), f"verified: {count(found.checked, 'event')}")
    for each in found.notes:
        terminal.line(f"  {each}")
    for each in found.cannot_know:
        terminal.line(Span(f"  cannot know: {each}", "dim"))


def _damage(file: str, found: Verification) -> str:
    bad = found.first_bad
    if bad is None:
        return f"{file} does not verify"
    places = {"position": bad.position, "version": bad.version}
    where = ", ".join(f"{name} {value}" for name, value in places.items() if value is not None)
    return f"{file} does not verify: {bad.reason}{f' at {where}' if where else ''}; export the session again"


def _fault(found: Verification) -> str:
    bad, behind = found.first_bad, found.behind
    if bad is not None:
        places = {"position": bad.position, "session": bad.session_id, "version": bad.version}
        where = ", ".join(f"{name} {value}" for name, value in places.items() if value is not None)
        return f"the log does not verify: {bad.reason} at {where or 'an unknown place'}; restore it from a backup"
    if behind is not None and behind.checkpoint <= behind.log:
        return (
            f"another log stands where its witness saw one that had come to position {behind.checkpoint}; "
            "put that one back"
        )
    if behind is not None:
        return (
            f"the log is behind its witness: it ends at position {behind.log}, position {behind.checkpoint} was "
            "written once; put the newer copy back"
        )
    return "the log does not verify"
