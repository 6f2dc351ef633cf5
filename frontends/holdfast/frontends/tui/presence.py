"""Whether a widget is about to go: what tells of the world does not wait until a screen that is left has gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from textual._context import active_message_pump
from textual.app import App, ScreenStackError
from textual.css.query import NoMatches
from textual.dom import DOMNode, NoScreen
from textual.widget import MountError
from textual.worker import WorkerFailed, active_worker  # pyright: ignore[reportUnknownVariableType] # half known

if TYPE_CHECKING:
    from textual.message_pump import MessagePump
    from textual.widget import Widget
    from textual.worker import Worker

_LACKS: Final = (NoMatches, MountError, NoScreen, ScreenStackError)
"""What is raised where a part of a screen, or the screen, is not there."""


def leaving(widget: Widget) -> bool:
    """Return whether a widget, which is always shown, is about to go.

    A screen that is left loses its parts before itself. Until then it is told of changes as before, has timers and
    workers, and would look for parts that are no more.
    """
    return not widget.display


def of_what_goes(error: Exception, *, left: bool) -> bool:
    """Return whether an error only says that a widget, which is about to go, lacks what is no more or was never made.

    A screen that is left while it is still being built gets none of its parts, and is told that it has them all.

    Args:
        error: What was raised in it.
        left: Whether the program is being left, and everything goes.
    """
    raised = error.error if isinstance(error, WorkerFailed) else error
    return isinstance(raised, _LACKS) and (left or _goes(_at()))


def _goes(pump: MessagePump | None) -> bool:
    return isinstance(pump, DOMNode) and not pump.display


def _at() -> MessagePump | None:
    """Return whose message, timer or worker is being worked on."""
    pump = active_message_pump.get(None)
    if pump is not None and not isinstance(pump, App):
        return pump
    worker = cast("Worker[object] | None", active_worker.get(None))  # pyright: ignore[reportUnknownMemberType] # which run in the application's name
    return None if worker is None else worker.node
