"""The styles that lines of a session name, in the colours that the application's theme has now."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from rich.style import Style
from textual.color import Color

if TYPE_CHECKING:
    from rich.color import Color as RichColor
    from textual.app import App
    from textual.widget import Widget

# Words of rich, `$name` for a colour of the theme, `on $name` for what lies under the text.
_STYLES: Final = {
    "dim": "$text-dim",
    "time": "$text-faint",
    "bold": "bold",
    "italic": "italic",
    "strike": "strike",
    "code": "$warning on $panel",
    "link": "underline $primary",
    "url": "$text-faint",
    "heading": "bold $primary",
    "top": "underline",
    "bullet": "$primary",
    "quote": "italic $text-dim",
    "quote.bar": "$border",
    "rule": "$rule",
    "ground": "on $background",
    "code.block": "on $surface",
    "code.label": "italic $text-faint",
    "code.keyword": "$primary",
    "code.string": "$success",
    "code.number": "$warning",
    "code.comment": "italic $text-faint",
    "code.call": "$working",
    "user.name": "bold $primary",
    "user.bar": "$primary",
    "user.block": "on $surface",
    "agent.name": "bold",
    "ok": "$success",
    "bad": "$error",
    "running": "$working",
    "needs": "bold $warning",
    "label": "$text-faint",
    "input": "$text-dim",
    "output": "$text-dim",
    "path": "underline $text-dim",
    "more": "italic $primary",
    "diff.added": "on $added",
    "diff.removed": "on $removed",
    "diff.number": "$text-faint",
    "diff.sign": "bold",
    "diff.skip": "$text-faint",
    "diff.plus": "$success",
    "diff.minus": "$error",
    "thought": "italic $text-faint",
    "thought.label": "italic $text-dim",
    "day": "$text-faint",
    "unread": "bold $warning",
    "notice": "$text-dim",
    "notice.bad": "$error",
    "plan.done": "$text-faint",
    "cursor": "$working",
    "selected": "$primary",
    "mark": "on $row-cursor",
    "marked": "on $marked",
    "thumb": "$border",
    "track": "$rule",
    "key": "bold $primary",
    "error": "$error",
    "panel": "on $panel",
}
# Where the theme takes the terminal's own sixteen colours, dim text is the terminal's dim, and nothing is tinted.
_SIXTEEN: Final = {
    "dim": "dim",
    "time": "dim",
    "url": "dim",
    "code": "$warning",
    "code.label": "dim",
    "code.comment": "dim italic",
    "label": "dim",
    "input": "",
    "output": "",
    "path": "underline",
    "code.block": "",
    "user.block": "",
    "panel": "",
    "quote": "italic",
    "diff.added": "$success",
    "diff.removed": "$error",
    "diff.number": "dim",
    "diff.skip": "dim",
    "thought": "dim italic",
    "thought.label": "italic",
    "day": "dim",
    "notice": "",
    "plan.done": "dim",
    "mark": "reverse",
    "marked": "reverse",
}


class Palette:
    """Styles by their names.

    Attributes:
        style: Returns the style of names that are apart by blanks, the later ones over the earlier ones.
    """

    def __init__(self, app: App[object]) -> None:
        """Take the colours of the theme that the application has."""
        self._variables = app.theme_variables
        self._sixteen = app.native_ansi_color
        self._named = _STYLES | (_SIXTEEN if app.native_ansi_color else {})
        self.style = lru_cache(maxsize=2_048)(self._style)

    def ground(self, widget: Widget) -> Style:
        """Return plain text on a widget; nothing where the terminal's own colours are used."""
        if self._sixteen:
            return Style.null()
        return Style(color=self._colour("foreground"), bgcolor=widget.background_colors[1].rich_color)

    def _style(self, names: str) -> Style:
        return sum((self._one(name) for name in names.split() if name in self._named), Style.null())

    def _one(self, name: str) -> Style:
        words = self._named[name].split()
        style = Style.null()
        under = False
        for word in words:
            if word == "on":
                under = True
            elif word.startswith("$"):
                colour = self._colour(word[1:])
                style += Style(bgcolor=colour) if under else Style(color=colour)
            else:
                style += Style.parse(word)
        return style

    def _colour(self, name: str) -> RichColor | None:
        value = self._variables.get(name)
        if value is None or value == "ansi_default":
            return None
        return Color.parse(value).rich_color
