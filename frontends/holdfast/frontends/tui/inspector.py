"""What lies below one session: its events as they come, its approvals, its connection, and what that really says."""

from __future__ import annotations

from collections import deque
from contextlib import aclosing
from typing import TYPE_CHECKING, ClassVar, Final, Literal, cast

from anyio import sleep
from msgspec import json
from textual import on, work
from textual.binding import Binding
from textual.screen import Screen

from holdfast.domain.errors import HoldfastError
from holdfast.frontends.tui.banner import Banner
from holdfast.frontends.tui.bars import Bar, Hints
from holdfast.frontends.tui.cells import Span, clip, fill, harmless
from holdfast.frontends.tui.choices import Choice, Choices
from holdfast.frontends.tui.presence import leaving
from holdfast.frontends.tui.words import SHAPES, seconds_until
from holdfast.frontends.wording import count

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult

    from holdfast.frontends.client.views import Json
    from holdfast.frontends.tui.app import HoldfastApp
    from holdfast.frontends.tui.roster.entries import Entry
    from holdfast.frontends.tui.sessions import Sessions
    from holdfast.frontends.tui.source import Source

Tab = Literal["events", "approvals", "connection", "frames"]
_TABS: Final[tuple[Tab, ...]] = ("events", "approvals", "connection", "frames")
_KEPT: Final = 2_000
"""Events that are shown at the most, the latest; `holdfast events` has all of them."""

_PAUSE_S: Final = 0.2
_FRAMES_S: Final = 1.0
_HINTS = (("Tab", "next part"), ("Enter", "whole, or short again"), ("End", "the latest"), ("Esc", "back"))
_CONNECTION: Final = frozenset(("attached", "detached", "attach-requested", "session-created", "session-configured"))


_ROOMY: Final = 64
"""Cells from which on every part is named, and not only the one that is shown."""


class Inspector(Screen[None]):
    """Four lists, one at a time.

    Attributes:
        session: The session.
    """

    app: HoldfastApp

    BINDINGS: ClassVar = [
        Binding("escape,q", "back", "Back"),
        Binding("tab", "turn(1)", "Next part", priority=True),
        Binding("shift+tab", "turn(-1)", "Part before", priority=True),
        *(Binding(str(number), f"show('{tab}')", tab) for number, tab in enumerate(_TABS, 1)),
    ]

    def __init__(self, source: Source, sessions: Sessions, session: str, *, item: str | None = None) -> None:
        """Look below a session; with an item, at the events that speak of it."""
        super().__init__()
        self.session = session
        self._source = source
        self._sessions = sessions
        self._item = item
        self._tab: Tab = "events"
        self._events: deque[Json] = deque(maxlen=_KEPT)
        self._frames: deque[Json] = deque(maxlen=256)
        self._whole: set[str] = set()
        self._said = ""
        self._deaf: Callable[[], None] | None = None

    def compose(self) -> ComposeResult:
        """Put the parts below each other."""
        yield Bar()
        yield Banner()
        yield Choices(nothing="nothing yet")
        yield Hints(_HINTS)

    def on_mount(self) -> None:
        """Follow the log."""
        self.query_one(Banner).attend(self._source)
        self.query_one(Choices).focus()
        self._follow_events()
        if not self._source.read_only:
            self._follow_frames()
        self._deaf = self._sessions.listen(self._show_connection)
        self._show()

    def on_resize(self) -> None:
        """Fit the width."""
        self._head()

    def on_unmount(self) -> None:
        """Follow it no more."""
        if self._deaf is not None:
            self._deaf()

    @work
    async def _follow_events(self) -> None:
        try:
            async with aclosing(self._source.events(self.session)) as deliveries:
                async for delivery in deliveries:
                    self._events.extend(event for event in delivery.events if self._speaks_of(event))
                    if delivery.caught_up or len(delivery.events) < 64:
                        self._show("events", "approvals", "connection")
                        await sleep(_PAUSE_S)
        except HoldfastError as error:
            self._said = str(error)
            self._show()

    def _speaks_of(self, event: Json) -> bool:
        return self._item is None or self._item.encode() in json.encode(event["data"])

    @work
    async def _follow_frames(self) -> None:
        after = 0
        while True:
            try:
                answer = await self._source.ask("GET", f"/sessions/{self.session}/frames?after={after}")
            except HoldfastError:
                pass  # the daemon is away, which the banner says, or has no such session any more
            else:
                frames = cast("list[Json]", answer["items"])
                if frames:
                    after = cast("int", frames[-1]["number"])
                    self._frames.extend(frames)
                    self._show("frames")
            await sleep(_FRAMES_S)

    def _show_connection(self) -> None:
        self._show("connection")

    def _show(self, *only: Tab) -> None:
        if (only and self._tab not in only) or leaving(self):
            return
        choices = self.query_one(Choices)
        before, last = choices.key, not choices.keys or choices.key == choices.keys[-1]
        choices.show(self._listed())
        if last or before is None:
            choices.action_edge(1)
        self._head()

    def _listed(self) -> list[Choice]:
        match self._tab:
            case "events":
                return [self._event(each) for each in self._events]
            case "approvals":
                return [self._event(each) for each in self._events if str(each["type"]).startswith("permission-")]
            case "frames":
                return [self._frame(each) for each in self._frames]
            case "connection":
                entry = self._sessions.get(self.session)
                known = [] if entry is None else _connection(entry, self.app.now())
                return [*known, *(self._event(each) for each in self._events if each["type"] in _CONNECTION)]

    def _event(self, event: Json) -> Choice:
        key = f"event {event['position']}"
        short = json.encode(event["data"]).decode() if event["data"] is not None else "erased"
        head = [
            Span(f" {event['position']:>7} ", "faint"),
            Span(f"{str(event['recorded_at'])[11:23]} ", "dim"),
            Span(fill(str(event["type"]), 22), "accent"),
            Span(" "),
        ]
        return Choice(key, self._drawn(key, head, short, event))

    def _frame(self, frame: Json) -> Choice:
        key = f"frame {frame['number']}"
        inward = frame["direction"] == "in"
        head = [
            Span(f" {frame['number']:>5} ", "faint"),
            Span(f"{str(frame['at'])[11:23]} ", "dim"),
            Span("← " if inward else "→ ", "working" if inward else "accent"),
        ]
        return Choice(key, self._drawn(key, head, str(frame["text"]), frame["text"]))

    def _drawn(self, key: str, head: list[Span], short: str, whole: object) -> Callable[[int], list[list[Span]]]:
        def draw(width: int) -> list[list[Span]]:
            used = sum(len(span.text) for span in head)
            lines = [[*head, Span(clip(harmless(short[: width * 2]), max(0, width - used)), "dim")]]
            if key in self._whole:
                lines += [[Span("   "), Span(piece)] for piece in _pieces(whole, max(8, width - 4))]
            return lines

        return draw

    def _head(self) -> None:
        entry = self._sessions.get(self.session)
        name = harmless(entry.name) if entry is not None else self.session[:8]
        roomy = self.size.width >= _ROOMY
        tabs = [
            Span(f" {number} {tab if roomy or tab == self._tab else ''} ".replace("  ", " "), style)
            for number, tab in enumerate(_TABS, 1)
            for style in ("bold accent underline" if tab == self._tab else "dim",)
        ]
        about = f"  one item, {count(len(self._events), 'event')}" if self._item is not None else ""
        taken = 12 + sum(len(tab.text) for tab in tabs) + len(about)
        right = [Span(f"{clip(name, max(0, min(30, self.size.width - taken)))}{about} ", "dim")]
        self.query_one(Bar).say(
            [Span(" Inspector ", "bold"), *tabs, Span(f"  {harmless(self._said)}", "failed")], right
        )

    @on(Choices.Chosen)
    def _chosen(self, event: Choices.Chosen) -> None:
        self._whole ^= {event.key}
        event.choices.redraw()

    def action_turn(self, by: int) -> None:
        """Show another part."""
        self.action_show(_TABS[(_TABS.index(self._tab) + by) % len(_TABS)])

    def action_show(self, tab: Tab) -> None:
        """Show one part."""
        self._tab = tab
        choices = self.query_one(Choices)
        choices.nothing = "nothing yet"
        if tab == "frames" and self._source.read_only:
            choices.nothing = "there is no connection without a daemon"
        choices.show([], keep=False)
        self._show()

    def action_back(self) -> None:
        """Go back."""
        self.dismiss(None)


def _connection(entry: Entry, now: float) -> list[Choice]:
    connection = entry.connection
    due = connection.next_retry_at
    shape, word, style = SHAPES[entry.word]
    told = [
        ("status", f"{shape} {word}", style),
        ("connection", connection.state.replace("_", " "), ""),
        ("attempt", str(connection.attempt) if connection.attempt else "", ""),
        ("next", f"in {seconds_until(due, now)} s" if due else "", ""),
        ("error", connection.error or "", "failed"),
        ("transport", entry.transport, ""),
        ("target", entry.target, ""),
        ("agent", entry.agent or "", ""),
        ("folder", entry.cwd or "", ""),
        ("mode", entry.mode or "", ""),
        ("model", entry.model or "", ""),
        ("session", entry.id, ""),
    ]
    return [_fact(name, value, tone) for name, value, tone in told if value]


def _fact(name: str, value: str, style: str) -> Choice:
    def draw(width: int) -> Sequence[Sequence[Span]]:
        return [[Span(" "), Span(fill(name, 12), "dim"), Span(clip(harmless(value), width - 14), style)]]

    return Choice(f"fact {name}", draw)


def _pieces(whole: object, width: int) -> list[str]:
    """Return JSON over several lines, each made harmless and broken to the width."""
    text = whole if isinstance(whole, str) else json.format(json.encode(whole), indent=2).decode()
    if isinstance(whole, str):
        try:
            text = json.format(whole.encode(), indent=2).decode()
        except ValueError:
            text = whole  # a frame that was cut, or garbage
    lines: list[str] = []
    for each in text.split("\n"):
        line = harmless(each) if each.strip() else ""
        line = each[: len(each) - len(each.lstrip(" "))] + line.lstrip(" ")
        lines += [line[at : at + width] for at in range(0, max(1, len(line)), width)]
    return lines
