"""What a shell offers where a session, a question or an agent is named. Whatever goes wrong offers nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem

from holdfast.domain.errors import HoldfastError
from holdfast.frontends.cli.escaping import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import click

    from holdfast.frontends.cli.params import App


def sessions(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the ids of sessions; ended ones once something was typed."""
    del param

    def found(app: App) -> Iterable[tuple[str, str]]:
        with app.reading() as reading:
            return [(row.id, row.title) for row in reading.rows(ended=bool(incomplete))]

    return _offered(ctx, incomplete, found)


def requests(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the ids of what waits for a person."""
    del param

    def found(app: App) -> Iterable[tuple[str, str]]:
        with app.reading() as reading:
            return [(each.request_id, each.title) for each in reading.inbox()]

    return _offered(ctx, incomplete, found)


def agents(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the agents that are here."""
    del param
    return _offered(
        ctx, incomplete, lambda app: [(each.name, each.path or "") for each in app.library.agents() if each.found]
    )


def _offered(
    ctx: click.Context, incomplete: str, found: Callable[[App], Iterable[tuple[str, str]]]
) -> list[CompletionItem]:
    app: App = ctx.find_root().obj
    try:
        listed = list(found(app))
    except (HoldfastError, OSError):
        return []
    return [CompletionItem(value, help=one_line(about)) for value, about in listed if value.startswith(incomplete)]
