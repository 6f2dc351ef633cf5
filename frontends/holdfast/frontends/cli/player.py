"""A session told again, event by event, in its own time: pauses, jumps, and what appears when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.domain.projections.items import Append, Put
from holdfast.domain.projections.replay import Moment
from holdfast.frontends.cli import wording
from holdfast.frontends.cli.escaping import one_line
from holdfast.frontends.cli.flowing import Flow
from holdfast.frontends.cli.terminal import Span
from holdfast.frontends.cli.transcript import WHOLE, WORRYING, Renderer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from holdfast.domain.projections.items import Change, Item
    from holdfast.domain.recorded import Recorded, StreamId
    from holdfast.frontends.cli.keys import Key, Keys
    from holdfast.frontends.cli.terminal import Terminal

LONGEST_GAP_S = 5.0
"""What nothing happened in for longer takes this long, before the speed counts."""

_SCREEN = 12
"""Items shown again after a jump back."""


class Player:
    """Plays one session. Going back folds it anew from its beginning, so that memory holds one moment only."""

    def __init__(
        self,
        session_id: StreamId,
        story: Callable[[], Iterator[Recorded]],
        terminal: Terminal,
        keys: Keys,
        speed: float | None,
    ) -> None:
        """Prepare to play.

        Args:
            session_id: The session.
            story: Gives its events from the beginning, as often as it is called.
            terminal: Where it is told.
            keys: What the person presses; also what time passes by.
            speed: How much faster than it was; None for as fast as it goes.
        """
        self._session_id = session_id
        self._story = story
        self._terminal = terminal
        self._keys = keys
        self._speed = speed
        self._teller = Teller(terminal)
        self._forward = False
        self._paused = False

    def play(self) -> None:
        """Play to the end, or until the person has enough."""
        target = self._play_from(0)
        while target is not None:
            if target == 0:  # before its first item: there is nothing to show again
                self._show(Moment(self._session_id))
            target = self._play_from(target)
        self._teller.close()

    def _play_from(self, start: int) -> int | None:
        """Play from a version on; return the version that the person wants to go back to."""
        moment = Moment(self._session_id)
        begun: list[int] = []
        before: int | None = None
        for recorded in self._story():
            version = recorded.originator_version
            if version > start:
                wanted = self._wait(before, recorded.at)
                if wanted == "quit":
                    return None
                if wanted == "back":
                    self._teller.close()
                    return begun[-2] if len(begun) > 1 else 0
            known = len(moment.items)
            changes = moment.take(recorded)
            before = recorded.at
            if len(moment.items) > known:
                begun.append(version)
                self._forward = False
            if version > start:
                self._teller.tell(moment, changes)
            elif version == start:
                self._show(moment)
        return None

    def _wait(self, before: int | None, at: int) -> Key | None:
        """Wait as long as it took, or as the person wants; in a pause a jump goes one item on and stays there."""
        if self._speed is None or before is None or self._forward:
            return None
        left = min(max(0, at - before) / 1_000_000, LONGEST_GAP_S) / self._speed
        while left > 0 or self._paused:
            self._terminal.flush()
            key, took = self._keys.wait(None if self._paused else left)
            left -= 0 if self._paused else took
            match key:
                case "pause":
                    self._paused = not self._paused
                case "forward":
                    self._forward = True
                    return None
                case "back" | "quit":
                    return key
                case _:
                    pass
        return None

    def _show(self, moment: Moment) -> None:
        self._terminal.clear()
        self._teller = Teller(self._terminal)
        items = list(moment.items.values())[-_SCREEN:]
        for item in items:
            self._teller.tell(moment, (Put(item),))


class Teller:
    """Says what each event changes: texts grow where they stand, everything else gets lines of its own."""

    def __init__(self, terminal: Terminal) -> None:
        """Tell it on `terminal`."""
        self._terminal = terminal
        self._open = ""
        self._flow: Flow | None = None
        self._told: dict[str, tuple[object, ...]] = {}

    def tell(self, moment: Moment, changes: tuple[Change, ...]) -> None:
        """Say what has changed in the transcript of `moment`."""
        for change in changes:
            match change:
                case Append(item_id=item_id, text=text):
                    item = moment.items[item_id]
                    if self._open != item_id:
                        self._begin(moment, item, "goes on")
                        text = text.lstrip(" ")  # it parted two words of one line, and is no indentation
                    self._say(text)
                case Put(item=item) if item.kind in ("message", "thought") and item.role == "assistant":
                    self._begin(moment, item, item.status if item.id in self._told else None)
                    self._told[item.id] = ()
                    self._say(item.settled().text)
                case Put(item=item):
                    self._whole(moment, item)
                case _:
                    self.close()
                    self._terminal.line(Span("-- everything was erased --", "dim"))

    def close(self) -> None:
        """End the text that is open."""
        if self._flow is not None:
            self._flow.close()
        self._open, self._flow = "", None

    def _say(self, text: str) -> None:
        if self._flow is None:
            self._flow = Flow(self._terminal)
        self._flow.add(text)

    def _begin(self, moment: Moment, item: Item, note: str | None) -> None:
        self.close()
        name = item.author or moment.session.summary.agent or "Agent"
        notes = [wording.local(item.at)[1], "thought" if item.kind == "thought" else None, note]
        dot = "·" if self._terminal.unicode else "|"
        shown = " ".join(f"{dot} {one_line(each)}" for each in notes if each)
        self._terminal.line()
        self._terminal.line(Span(one_line(name), "bold"), Span(f" {shown}", "dim"))
        self._open = item.id

    def _whole(self, moment: Moment, item: Item) -> None:
        """Show an item that is not told letter by letter, when what a person would look for in it has changed."""
        quiet = item.kind == "message" and item.status not in WORRYING  # a prompt on its way looks the same all along
        status = None if quiet else item.status
        looks = (item.kind, item.title, status, item.decision, item.text, bytes(item.content) and item.kind)
        if self._told.get(item.id) == looks:
            return
        self._told[item.id] = looks
        self.close()
        terminal = self._terminal
        session = moment.page().session
        renderer = Renderer(
            session, WHOLE, limit=terminal.width, unicode=terminal.unicode, day=wording.local(item.at)[0]
        )
        terminal.lines(renderer.items([item]))
