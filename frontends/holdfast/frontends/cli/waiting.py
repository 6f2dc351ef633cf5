"""The inbox for people: each question with exactly what it asks for, and the answers it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.domain.projections import bodies
from holdfast.frontends.cli import wording
from holdfast.frontends.cli.cells import wrap
from holdfast.frontends.cli.escaping import block, one_line
from holdfast.frontends.cli.terminal import Line, Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from holdfast.domain.projections.inbox import Request
    from holdfast.domain.projections.roster import Row

_LINES = 30


def cards(waiting: Sequence[Request], rows: Mapping[str, Row], *, width: int | None, unicode: bool) -> Iterator[Line]:
    """Yield the lines of the inbox.

    Args:
        waiting: What waits, the oldest first.
        rows: The row of each session that waits, by its id.
        width: Cells in a line; None where lines may be of any length.
        unicode: Whether more than ASCII may be used for our own signs.
    """
    shape, dot, dots = ("●", "·", "…") if unicode else ("!", "|", "...")
    now = wording.now()
    for index, request in enumerate(waiting):
        if index:
            yield ()
        title = one_line(rows[request.session_id].title) or "(untitled)"
        yield (Span(f"{shape} ", "bold yellow"), Span(one_line(request.title), "bold"))
        yield (Span(f"  {title} {dot} {wording.age(request.requested_at, now)} {dot} {request.request_id}", "dim"),)
        for line in bodies.fold(bodies.arguments(request.input), _LINES, "inbox --json for all", dots):
            for piece in wrap(block(line), None if width is None else width - 4):
                yield (Span(f"    {piece}"),)
        for option in request.options:
            yield (Span("    "), Span(one_line(option.option_id), "cyan"), Span(f"  {one_line(option.name)}"))
