"""`ls` and `inbox`: what there is, and what waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from holdfast.domain.projections.roster import status
from holdfast.frontends.cli import unwatched, wording
from holdfast.frontends.cli.escaping import one_line
from holdfast.frontends.cli.params import App, json_option
from holdfast.frontends.cli.table import Column, table
from holdfast.frontends.cli.terminal import Span, note
from holdfast.frontends.wording import amount, folder, peer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.domain.ports import Reading
    from holdfast.domain.projections.roster import Row
    from holdfast.frontends.cli.terminal import Terminal


@click.command("ls")
@click.option("--all", "with_ended", is_flag=True, help="Ended sessions as well.")
@json_option
@click.pass_obj
def ls(app: App, *, with_ended: bool, as_json: bool) -> None:
    """List the sessions, the most pressing first."""
    from msgspec.json import encode  # the ports bring it anyway; help needs neither

    with app.reading() as reading:
        rows = reading.rows(ended=with_ended)
        if as_json:
            app.terminal.json(encode(rows))
            return
        questions = _questions(reading) if any(row.attention == "needs_you" for row in rows) else {}
    if rows:
        app.terminal.lines(table(_columns(rows, questions, app.terminal), app.terminal.width, _dots(app.terminal)))
        app.terminal.flush()
        unwatched.tell(app, rows)
    elif with_ended:
        note("There are no sessions yet. `holdfast import` brings in what other tools have recorded.")
    else:
        note("There are no open sessions. `holdfast ls --all` lists ended ones, `holdfast import` brings some in.")


@click.command("inbox")
@json_option
@click.pass_obj
def inbox(app: App, *, as_json: bool) -> None:
    """List everything that waits for you, over all sessions."""
    from holdfast.domain import wire  # only for JSON
    from holdfast.frontends.cli.waiting import cards  # only for people

    with app.reading() as reading:
        waiting = reading.inbox()
        if as_json:
            app.terminal.json(wire.encode([wire.request(each) for each in waiting]))
            return
        rows = {str(each.session_id): reading.row(each.session_id) for each in waiting}
    if waiting:
        app.terminal.lines(cards(waiting, rows, width=app.terminal.width, unicode=app.terminal.unicode))
        app.terminal.flush()
        unwatched.tell(app, rows.values())
    else:
        note("Nothing waits for you.")


def _questions(reading: Reading) -> dict[str, str]:
    """Return what each session that waits asks first."""
    asked: dict[str, str] = {}
    for request in reading.inbox():
        asked.setdefault(request.session_id, request.title)
    return asked


def _columns(rows: list[Row], questions: Mapping[str, str], terminal: Terminal) -> list[Column]:
    seen_at = wording.now()
    marks = [wording.mark(row, unicode=terminal.unicode) for row in rows]
    dot = " · " if terminal.unicode else " | "
    return [
        Column("STATUS", [Span(f"{shape} {word}", style) for shape, word, style in marks]),
        Column("ID", [Span(each, "dim") for each in wording.short_ids([row.id for row in rows])], rank=1),
        Column("NAME", [_name(row, seen_at, dot) for row in rows], least=16),
        Column("NOW", [Span(_now(row, questions, seen_at, dot)) for row in rows], least=16, rank=3),
        Column("AGENT", [Span(peer(row.agent, row.target, row.transport), "dim") for row in rows], least=6, rank=4),
        Column("FOLDER", [Span(folder(row.cwd or ""), "dim") for row in rows], least=10, rank=5),
        Column("AGE", [Span(wording.age_of(row.updated_at, seen_at)) for row in rows], rank=2, right=True),
        Column("UNREAD", [Span(str(row.unread or ""), "bold") for row in rows], rank=2, right=True),
        Column("TOKENS", [Span(_tokens(row), "dim") for row in rows], rank=6, right=True),
    ]


def _name(row: Row, seen_at: int, dot: str) -> Span:
    words = ["pinned" if row.pinned else None, wording.muted(row, seen_at), one_line(row.title) or "(untitled)"]
    return Span(dot.join(word for word in words if word), "bold" if row.unread else "")


def _now(row: Row, questions: Mapping[str, str], seen_at: int, dot: str) -> str:
    """Return what a session is about at the moment: its question, its error, its next attempt, else its last words."""
    connection = row.connection
    if row.id in questions:
        now = questions[row.id]
    elif connection.state in ("reconnecting", "connecting"):
        due = connection.next_retry_at
        waits_s = max(0, wording.seconds_until(due, seen_at)) if due else None
        now = f"attempt {connection.attempt}" + ("" if waits_s is None else f"{dot}next in {waits_s}s")
    elif status(row) == "failed" and connection.error:
        now = connection.error
    else:
        now = row.preview
    return f"{row.queued} queued{dot}{now}" if row.queued else now


def _tokens(row: Row) -> str:
    return amount(row.metadata.total_tokens) if row.metadata.total_tokens else ""


def _dots(terminal: Terminal) -> str:
    return "…" if terminal.unicode else "..."
