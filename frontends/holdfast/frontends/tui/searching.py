"""Search over everything that was said or run; a hit opens its session at that place, to read and go on there."""

from __future__ import annotations

import re
from time import time
from typing import TYPE_CHECKING, ClassVar, Final

from anyio import sleep
from textual import on, work
from textual.binding import Binding
from textual.screen import Screen
from textual.widgets import Input

from holdfast.domain.errors import HoldfastError
from holdfast.frontends.tui.banner import Banner
from holdfast.frontends.tui.bars import Bar, Hints
from holdfast.frontends.tui.cells import Span, clip, fill, harmless
from holdfast.frontends.tui.choices import Choice, Choices
from holdfast.frontends.tui.words import age
from holdfast.frontends.wording import count

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult

    from holdfast.frontends.client.views import Json
    from holdfast.frontends.tui.app import HoldfastApp
    from holdfast.frontends.tui.source import Source

_PAUSE_S: Final = 0.15
_LIMIT: Final = 100
_FOUND: Final = re.compile("⟦(.*?)⟧")
_HINTS = (("Enter", "open at the hit"), ("↑ ↓", "choose"), ("Esc", "back"))


class SearchScreen(Screen[None]):
    """A line to type in, and what fits it."""

    app: HoldfastApp

    DEFAULT_CSS = """
    SearchScreen.-high Input { margin: 1 0; }
    """
    BINDINGS: ClassVar = [
        Binding("escape", "back", "Back", priority=True),
        Binding("down,ctrl+n", "move(1)", "Down", priority=True),
        Binding("up,ctrl+p", "move(-1)", "Up", priority=True),
        Binding("pagedown", "page(1)", "Down", priority=True),
        Binding("pageup", "page(-1)", "Up", priority=True),
    ]

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source = source
        self._hits: list[Json] = []
        self._searched = ""
        self._eager = False

    def compose(self) -> ComposeResult:
        """Put the parts below each other."""
        yield Bar()
        yield Banner()
        yield Input(placeholder='words, "a phrase", -without, agent:claude, after:2026-03')
        yield Choices()
        yield Hints(_HINTS)

    def on_mount(self) -> None:
        """Begin to type."""
        self.query_one(Banner).attend(self._source)
        self.query_one(Choices).can_focus = False
        self.set_focus(self.query_one(Input))
        self._say("")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._search(event.value)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self._searched == event.value:
            self.query_one(Choices).action_choose()
        else:
            self._eager = True

    @on(Choices.Chosen)
    def _chosen(self, event: Choices.Chosen) -> None:
        hit = self._hits[int(event.key)]
        self.app.open(str(hit["session_id"]), str(hit["item_id"]) or None)

    @work(exclusive=True)
    async def _search(self, query: str) -> None:
        await sleep(_PAUSE_S)
        choices = self.query_one(Choices)
        said = ""
        try:
            self._hits = await self._source.search(_open_ended(query), limit=_LIMIT) if query.strip() else []
        except HoldfastError as error:
            self._hits, said = [], str(error)
        choices.nothing = "nothing was found" if query.strip() and not said else ""
        choices.show([Choice(str(at), _hit(hit)) for at, hit in enumerate(self._hits)], keep=False)
        self._say(said or (count(len(self._hits), "hit") if self._hits else ""))
        self._searched = query
        if self._eager:
            self._eager = False
            choices.action_choose()

    def _say(self, text: str) -> None:
        self.query_one(Bar).say([Span(" Search", "bold accent"), Span(f"  {harmless(text)}", "dim")])

    def action_move(self, by: int) -> None:
        """Move in the hits while the line is typed in."""
        self.query_one(Choices).action_move(by)

    def action_page(self, direction: int) -> None:
        """Move by a screen."""
        self.query_one(Choices).action_page(direction)

    def action_back(self) -> None:
        """Go back."""
        self.dismiss(None)


def _open_ended(query: str) -> str:
    """Return a query whose last word may go on: somebody is still typing it."""
    last = query.rsplit(" ", 1)[-1]
    return f"{query}*" if len(last) > 1 and last.isalnum() and query.count('"') % 2 == 0 else query


def _hit(hit: Json) -> Callable[[int], Sequence[Sequence[Span]]]:
    def draw(width: int) -> Sequence[Sequence[Span]]:
        when = age(str(hit["at"]), time())
        who = harmless(str(hit.get("role") or str(hit.get("kind") or "").replace("_", " ")))
        room = max(4, width - len(when) - len(who) - 6)
        head = [
            Span(" "),
            Span(fill(harmless(str(hit["title"]) or str(hit["session_id"])[:8]), room), "bold"),
            Span(f" {who}  ", "dim"),
            Span(when, "faint"),
        ]
        return [head, [Span("   "), *_marked(harmless(str(hit["snippet"])), width - 4)], []]

    return draw


def _marked(snippet: str, width: int) -> list[Span]:
    """Return a snippet with its hits in another style; where it is cut, the first hit stays in sight."""
    first = snippet.find("⟦")
    if first > width - 12:
        snippet = "…" + snippet[first - min(first, width // 3) :]
    spans: list[Span] = []
    for at, piece in enumerate(_FOUND.split(snippet)):
        shown = clip(piece, width)
        spans.append(Span(shown, "bold accent" if at % 2 else "dim"))
        width -= len(shown)
    return spans
