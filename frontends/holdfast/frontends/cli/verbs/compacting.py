"""`compact`: less room for the same sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from holdfast.domain import wire
from holdfast.domain.recorded import Actor
from holdfast.domain.sizes import in_words
from holdfast.frontends.cli.params import App, json_option, text
from holdfast.frontends.cli.progress import progress
from holdfast.frontends.cli.terminal import Span, note
from holdfast.frontends.wording import count

if TYPE_CHECKING:
    from holdfast.domain.answers import Compaction

_PERSON = Actor("human", "cli")


@click.command("compact")
@click.argument("session", metavar="[ID]", required=False, type=text)
@json_option
@click.pass_obj
def compact(app: App, *, session: str | None, as_json: bool) -> None:
    """Keep whole messages, and only digests of their pieces.

    What was said in turns that have ended is told once more as a whole. Every event stays and the log verifies as
    before; only where one piece ended and the next began cannot be replayed any more. Without ID, every session is
    looked at, and what takes less room that way is compacted.
    """
    with app.writing() as workspace:
        session_id = None if session is None else workspace.resolve(session)
        with progress(app.terminal, "compacting") as report:
            found = workspace.compact(session_id, actor=_PERSON, progress=report)
    if found.remains is not None:
        note(f"The file did not shrink: {found.remains}.")
    if found.connected:
        left = count(found.connected, "connected session")
        note(f"Left alone: {left}. Compact again when their agents sleep or are gone.")
    if as_json:
        app.terminal.json(wire.encode(found))
        return
    for line in _told(found):
        app.terminal.line(line)


def _told(found: Compaction) -> list[str | Span]:
    events = f"events    {in_words(found.before)} before, {in_words(found.after)} after"
    database = f"database  {in_words(found.file_before)} before, {in_words(found.file_after)} after"
    removed = f"{count(found.attachments, 'attachment')} that no event refers to, {in_words(found.attachment_bytes)}"
    orphans = [f"removed   {removed}"] if found.attachments else []
    if not found.events:
        return ["Nothing to compact.", *orphans, Span(events, "dim"), Span(database, "dim")]
    done = f"{count(found.messages, 'message')} of {count(found.sessions, 'session')} compacted"
    return [f"{done}: digests instead of {count(found.events, 'payload')}", events, *orphans, database]
