"""The theme's colours as styles by name, for widgets that draw their lines themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.style import Style
from textual.color import Color

if TYPE_CHECKING:
    from textual.app import App
    from textual.dom import DOMNode

_COLOURS: Final = {
    "needs": "warning",
    "failed": "error",
    "working": "working",
    "done": "success",
    "accent": "primary",
    "dim": "text-dim",
    "faint": "text-faint",
    "rule": "rule",
}
_GROUNDS: Final = {
    "cursor": "row-cursor",
    "surface": "surface",
    "panel": "panel",
    "added": "added",
    "removed": "removed",
}
_WORDS: Final = frozenset(("bold", "italic", "underline", "reverse", "strike"))


class Palette:
    """Styles of the theme that an application has now.

    Names of letters: `needs failed working done accent dim faint rule`, of what lies under them: `cursor surface panel
    added removed`, and the words `bold italic underline reverse strike`.
    """

    def __init__(self, app: App[object]) -> None:
        """Take the colours of the theme that `app` has."""
        self._variables = app.theme_variables
        self._ansi = app.native_ansi_color
        self._made: dict[str, Style] = {}

    def style(self, *names: str) -> Style:
        """Return the style of all these names together, the later over the earlier."""
        wanted = " ".join(filter(None, names))
        found = self._made.get(wanted)
        if found is None and self._ansi and wanted.startswith("cursor"):
            # Sixteen colours turned round, each by itself, are gaudy: the line of the cursor has one.
            found = self._made[wanted] = Style(reverse=True, bold="bold" in wanted)
        if found is None:
            found = self._made[wanted] = Style.chain(Style(), *map(self._one, wanted.split()))
        return found

    def _one(self, name: str) -> Style:
        if name in _WORDS:
            return Style.parse(name)
        if self._ansi and name in ("dim", "faint"):
            return Style(dim=True)
        if name in _GROUNDS:
            return Style(bgcolor=Color.parse(self._variables[_GROUNDS[name]]).rich_color)
        return Style(color=Color.parse(self._variables[_COLOURS[name]]).rich_color)


def app_of(node: DOMNode) -> App[object]:
    """Return the application that a widget is in, with a type that is known."""
    return node.app  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] # Textual's is half known
