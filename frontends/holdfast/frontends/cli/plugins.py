"""Frontends of others: verbs that installed packages offer in the entry-point group `holdfast.frontends`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from holdfast.frontends.cli.terminal import note

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from holdfast.domain.daemon import DaemonControl
    from holdfast.frontends.cli.params import App

    Frontend = Callable[[DaemonControl, Sequence[str]], int]

GROUP: Final = "holdfast.frontends"


def names() -> dict[str, str]:
    """Return the verbs that packages offer, with the name of the package that offers each."""
    from importlib.metadata import entry_points  # slow, and only help and completion ask for it

    return {found.name: _package(found.dist) for found in entry_points(group=GROUP)}


def offered(name: str) -> click.Command | None:
    """Return the verb that a package offers under this name, None for none."""
    from importlib.metadata import entry_points  # slow, and only asked of verbs that we do not know

    found = tuple(entry_points(group=GROUP, name=name))
    if not found:
        return None

    @click.command(name, context_settings={"ignore_unknown_options": True}, add_help_option=False)
    @click.argument("args", nargs=-1, type=click.UNPROCESSED)
    @click.pass_context
    def run(ctx: click.Context, *, args: tuple[str, ...]) -> None:
        app: App = ctx.obj
        try:
            frontend: Frontend = found[0].load()
        except (ImportError, AttributeError) as error:
            note(f"holdfast: {name} of the package {_package(found[0].dist)} cannot be loaded: {error}")
            ctx.exit(1)
        ctx.exit(frontend(app.control, args))

    return run


def _package(distribution: object) -> str:
    return str(getattr(distribution, "name", "?"))
