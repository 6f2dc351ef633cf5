"""What is said where sessions are shown as at work, and no daemon watches them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.domain.projections.roster import status
from holdfast.frontends.cli import wording
from holdfast.frontends.cli.terminal import note

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.domain.projections.roster import Row
    from holdfast.frontends.cli.params import App

_GOES_ON: Final = ("working", "needs_you", "reconnecting")


def tell(app: App, rows: Iterable[Row]) -> None:
    """Say of when these rows are, if something in them goes on and nobody writes down how."""
    seen = max((row.updated_at for row in rows if status(row) in _GOES_ON), default=None)
    if seen is None or app.control.running() is not None:
        return
    when = f"{wording.local_of(seen)}, {wording.age_of(seen, wording.now())} ago"
    note(f"holdfast: no daemon runs: what is at work is shown as of {when}; `holdfast up` goes on with it")
