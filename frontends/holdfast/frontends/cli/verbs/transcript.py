"""`show` and `peek`: what was said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from holdfast.domain import wire
from holdfast.domain.answers import Page
from holdfast.domain.errors import NotFoundError
from holdfast.domain.projections.replay import Moment, story
from holdfast.domain.recorded import StreamId
from holdfast.domain.whole import whole_page
from holdfast.frontends.cli import unwatched
from holdfast.frontends.cli.params import App, json_option, one_moment, session_argument, text, until_options
from holdfast.frontends.cli.terminal import Span
from holdfast.frontends.cli.transcript import GLANCE, WHOLE, Detail, Renderer

if TYPE_CHECKING:
    from holdfast.domain.ports import Reading
    from holdfast.domain.projections.items import Item

_PAGE = 500
"""Items asked for at once."""


@click.command("show")
@session_argument
@click.option("--last", type=click.IntRange(min=1), metavar="N", help="Only the last N items.")
@click.option("--before", type=text, metavar="CURSOR", help="Only items before this cursor, from an earlier answer.")
@until_options
@json_option
@click.pass_obj
def show(
    app: App,
    *,
    session: str,
    last: int | None,
    before: str | None,
    until: int | None,
    at: int | None,
    as_json: bool,
) -> None:
    """Show the transcript of a session, now or as it was at a moment.

    ID#ITEM, or the permalink that a search prints, shows that item and what stands around it.
    """
    one_moment(until, at)
    with app.reading() as reading:
        session_id, item_id = _named(reading, session)
        if item_id is not None:
            if (last, before, until, at) != (None, None, None, None):
                msg = "an item is shown by itself: leave out --last, --before, --until and --at"
                raise click.UsageError(msg)
            page = reading.around(session_id, item_id)
            _print(app, _whole(reading, page) if as_json else page, WHOLE, as_json=as_json, item_id=item_id)
            return
        if until is None and at is None:
            page = _newest(reading, session_id, before, last)
        else:
            page = _at(reading, session_id, until, at).page(before=before, limit=last)
        if as_json:
            page = _whole(reading, page)
    _print(app, page, WHOLE, as_json=as_json)
    if until is None and at is None and not as_json:
        unwatched.tell(app, [page.session])


@click.command("peek")
@session_argument
@json_option
@click.pass_obj
def peek(app: App, *, session: str, as_json: bool) -> None:
    """Show the last turn of a session, in short."""
    with app.reading() as reading:
        page = reading.last_turn(reading.resolve(session))
        if as_json:
            page = _whole(reading, page)
    _print(app, page, GLANCE, as_json=as_json)
    if not as_json:
        unwatched.tell(app, [page.session])


def _whole(reading: Reading, page: Page) -> Page:
    """Return a page for programs: with all that it is about, images included."""
    return whole_page(page, lambda name: reading.attachment(StreamId(page.session.id), name))


def _named(reading: Reading, name: str) -> tuple[StreamId, str | None]:
    """Return the session, and the item in it, where `name` has one. A title with a `#` in it goes first."""
    if name.startswith(("/sessions/", "http://", "https://")):
        name = name.rpartition("/sessions/")[2]
    session, mark, item_id = name.partition("#")
    try:
        return reading.resolve(name), None
    except NotFoundError:
        if not mark or not item_id:
            raise
        return reading.resolve(session), item_id


def _newest(reading: Reading, session_id: StreamId, before: str | None, limit: int | None) -> Page:
    """Return the newest items before a cursor: `limit` of them, or all."""
    first = reading.page(session_id, before=before, limit=min(limit or _PAGE, _PAGE))
    pages: list[list[Item]] = [first.items]
    cursor, found = first.before, len(first.items)
    while cursor is not None and (limit is None or found < limit):
        wanted = _PAGE if limit is None else min(limit - found, _PAGE)
        page = reading.page(session_id, before=cursor, limit=wanted)
        pages.append(page.items)
        cursor, found = page.before, found + len(page.items)
    items = [item for each in reversed(pages) for item in each]
    return Page(first.session, items, first.position, cursor)


def _at(reading: Reading, session_id: StreamId, until: int | None, at: int | None) -> Moment:
    """Return the session as it was: its events up to there, folded once more."""
    then = Moment(session_id)
    for recorded in story(reading, session_id, until=until, at=at):
        then.take(recorded)
    return then


def _print(app: App, page: Page, detail: Detail, *, as_json: bool, item_id: str | None = None) -> None:
    terminal = app.terminal
    if as_json:
        terminal.json(wire.encode(wire.page(page)))
        return
    renderer = Renderer(page.session, detail, limit=terminal.width, unicode=terminal.unicode)
    terminal.lines(renderer.head())
    if page.before is not None and detail is WHOLE:
        earlier = f"holdfast show {page.session.id} --before {page.before}"
        terminal.line()
        terminal.line(Span(f"Earlier items: {earlier}", "dim"))
    for item in page.items:
        if item.id == item_id:
            terminal.line()
            terminal.line(Span(f"{'▸' if terminal.unicode else '>'} {item.id}", "bold yellow"))
        terminal.lines(renderer.items([item]))
    terminal.flush()
