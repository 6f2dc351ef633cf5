"""Whether a widget is about to go: what tells of the world does not wait until a screen that is left has gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.widget import Widget


def leaving(widget: Widget) -> bool:
    """Return whether a widget, which is always shown, is about to go.

    A screen that is left loses its parts before itself. Until then it is told of changes as before, has timers and
    workers, and would look for parts that are no more.
    """
    return not widget.display
