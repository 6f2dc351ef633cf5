"""A session as it was at any moment: played again, as fast or as slow as one likes, in the same renderer."""

from __future__ import annotations

from contextlib import aclosing
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, Final

from anyio import to_thread
from textual import work
from textual.containers import Vertical
from textual.message import Message

from holdfast.domain.errors import HoldfastError
from holdfast.domain.recorded import StreamId
from holdfast.frontends.tui.presence import leaving
from holdfast.frontends.tui.session.bars import PlanBar
from holdfast.frontends.tui.session.panel import Panel
from holdfast.frontends.tui.session.reading import plan_of_now
from holdfast.frontends.tui.session.tape import Tape
from holdfast.frontends.tui.session.text import Line, Span, cells, flow, safe
from holdfast.frontends.tui.session.transcript import Transcript

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.app import ComposeResult

    from holdfast.frontends.tui.session.items import Json
    from holdfast.frontends.tui.source import Source

SPEEDS: Final = (1, 2, 5, 20, 100)
_FRAME_S: Final = 1 / 15


class Scrubber(Panel):
    """Where in the session one is, and the keys that go elsewhere."""

    DEFAULT_CSS = """
    Scrubber { background: $surface; }
    """

    class Sought(Message):
        """A place on the line was clicked."""

        def __init__(self, share: float) -> None:
            """Go to a part of the whole, from 0 to 1."""
            super().__init__()
            self.share = share

    def __init__(self, *, id: str | None = None) -> None:
        """Stand at the beginning of nothing."""
        super().__init__(id=id)
        self._words = "reading …"
        self._share = 0.0
        self._state = "∙"
        self._prompts: list[float] = []
        self._line = (0, 1)

    def show(self, words: str, share: float, state: str, prompts: Sequence[float] = ()) -> None:
        """Show a place."""
        self._words, self._share, self._state, self._prompts = words, share, state, list(prompts)
        self.redraw()

    def lines(self, width: int) -> Sequence[Line]:
        """Draw the line with its handle, the prompts on it, and the keys."""
        size = max(4, width - cells(self._state) - 2)
        handle = min(size - 1, round(self._share * (size - 1)))
        marks = {round(each * (size - 1)) for each in self._prompts}
        self._line = (cells(self._state) + 2, size)
        track: list[Span] = []
        for at in range(size):
            if at == handle:
                track.append(Span("●", "key"))
            elif at in marks:
                track.append(Span("┿" if at < handle else "┼", "key" if at < handle else "dim"))
            else:
                track.append(Span("━" if at < handle else "─", "key" if at < handle else "rule"))
        keys = (("Space", "play"), ("← →", "item"), ("[ ]", "prompt"), ("- +", "speed"), ("Esc", "back"))
        spans = [Span(self._words, "dim"), Span("   ")]
        spans += [span for key, word in keys for span in (Span(key, "key"), Span(f" {word}  ", "dim"))]
        return [Line((Span(f"{self._state} ", "running"), *track)), *(Line(each) for each in flow(spans, width))]

    def on_click(self, event: events.Click) -> None:
        """Go there."""
        begin, size = self._line
        self.post_message(self.Sought((event.x - 2 - begin + 1) / max(1, size - 1)))


class ReplayView(Vertical):
    """One session, played again."""

    DEFAULT_CSS = """
    ReplayView { height: 1fr; width: 1fr; }
    """
    BINDINGS: ClassVar = [
        ("escape", "leave", "Back"),
        ("p", "play", "Play"),
        ("left,h", "item(-1)", "Item before"),
        ("right", "item(1)", "Next item"),
        ("plus,equals_sign", "speed(1)", "Faster"),
        ("minus", "speed(-1)", "Slower"),
    ]

    class Left(Message):
        """The person goes back."""

    class Said(Message):
        """One line for the person."""

        def __init__(self, text: str) -> None:
            """Say something."""
            super().__init__()
            self.text = text

    def __init__(self, source: Source, session: str, *, at: int | None = None, agent: str = "") -> None:
        """Play a session.

        Args:
            source: Where it is.
            session: Its id.
            at: The moment to begin at, microseconds since the epoch; None for its end.
            agent: The name of who answers in it.
        """
        super().__init__()
        self._source = source
        self._session = session
        self._at = at
        self._agent = agent
        self._tape: Tape | None = None
        self._speed = 2
        self._playing = False
        self._clock = 0.0
        self._seen = 0.0

    def compose(self) -> ComposeResult:
        """Put the parts below each other."""
        yield PlanBar()
        yield PlayedTranscript()
        yield Scrubber()

    def on_mount(self) -> None:
        """Read the session."""
        transcript = self.query_one(Transcript)
        transcript.scene.agent = self._agent or "Agent"
        transcript.scene.pending = False
        transcript.focus()
        self._read()

    @work
    async def _read(self) -> None:
        scrubber = self.query_one(Scrubber)
        read: list[Json] = []
        try:
            async with aclosing(self._source.events(self._session)) as deliveries:
                async for delivery in deliveries:
                    read += delivery.events
                    scrubber.show(f"reading … {len(read):,} events", 0.0, "∙")
                    if delivery.caught_up:
                        break
            tape = await to_thread.run_sync(lambda: Tape(StreamId(self._session), read))
        except HoldfastError as error:
            scrubber.show(safe(str(error)), 0.0, "✗")
            self.post_message(self.Said(str(error)))
            return
        self._tape = tape
        self.wind(len(tape) if self._at is None else tape.until(self._at))

    def wind(self, place: int) -> None:
        """Go to after so many events."""
        tape = self._tape
        if tape is None:
            return
        backwards = place < tape.place
        changed = tape.wind(place)
        transcript = self.query_one(Transcript)
        if backwards or changed:
            transcript.take(tape.items, changed, None)
        transcript.viewport.follow = True
        last = transcript.listing.last
        writes = self._playing and last is not None and transcript.listing.get(last).get("role") == "assistant"
        transcript.streaming(last if writes else None)
        transcript.soon()
        self.query_one(PlanBar).show(plan_of_now(tape.items))
        self._tell(tape)

    def _tell(self, tape: Tape) -> None:
        size = max(1, len(tape))
        when = "" if tape.at is None else f"{datetime.fromtimestamp(tape.at / 1e6).astimezone():%Y-%m-%d %H:%M:%S}, "
        words = f"{when}event {tape.place:,} of {len(tape):,}"
        state = f"{'▶' if self._playing else '■'} {SPEEDS[self._speed]}×"
        self.query_one(Scrubber).show(words, tape.place / size, state, [each / size for each in tape.prompts])

    # Playing

    def action_play(self) -> None:
        """Play, from the beginning where it is at its end, or pause."""
        tape = self._tape
        if tape is None:
            return
        self._playing = not self._playing
        if self._playing:
            if tape.place >= len(tape):
                self.wind(0)
            self._clock, self._seen = tape.time_of(tape.place), monotonic()
            self.set_timer(_FRAME_S, self._frame)
        self.wind(tape.place)

    def _frame(self) -> None:
        tape = self._tape
        if tape is None or not self._playing or leaving(self):
            return
        now = monotonic()
        self._clock += (now - self._seen) * SPEEDS[self._speed]
        self._seen = now
        place = max(tape.place, tape.place_at(self._clock))
        self._playing = place < len(tape)
        if place != tape.place or not self._playing:
            self.wind(place)
        if self._playing:
            self.set_timer(_FRAME_S, self._frame)

    def _seek(self, place: int) -> None:
        tape = self._tape
        if tape is not None:
            self.wind(place)
            self._clock = tape.time_of(tape.place)

    def action_item(self, way: int) -> None:
        """Go to where the item before or after began."""
        if self._tape is not None:
            self._seek(_beside(self._tape.begins, self._tape.place, way, len(self._tape)))

    def action_prompt(self, way: int) -> None:
        """Go to the prompt before or after."""
        if self._tape is not None:
            self._seek(_beside(self._tape.prompts, self._tape.place, way, len(self._tape)))

    def action_ends(self, way: int) -> None:
        """Go to the beginning or the end."""
        if self._tape is not None:
            self._seek(len(self._tape) if way > 0 else 0)

    def action_speed(self, way: int) -> None:
        """Play faster or slower."""
        self._speed = max(0, min(len(SPEEDS) - 1, self._speed + way))
        if self._tape is not None:
            self._tell(self._tape)

    def action_leave(self) -> None:
        """Go back."""
        self._playing = False
        self.post_message(self.Left())

    def on_scrubber_sought(self, message: Scrubber.Sought) -> None:
        """Go to a place that was clicked."""
        if self._tape is not None:
            self._seek(round(max(0.0, min(1.0, message.share)) * len(self._tape)))


class PlayedTranscript(Transcript):
    """A transcript whose prompts, ends and blank are those of the whole session, not of what is shown of it."""

    BINDINGS: ClassVar = [
        ("space", "whole('play')", "Play"),
        ("left_square_bracket", "whole('prompt', -1)", "Previous prompt"),
        ("right_square_bracket", "whole('prompt', 1)", "Next prompt"),
        ("home,g", "whole('ends', -1)", "Beginning"),
        ("end,G", "whole('ends', 1)", "End"),
    ]

    def action_whole(self, deed: str, way: int = 1) -> None:
        """Have it done with the whole session."""
        view = next(each for each in self.ancestors if isinstance(each, ReplayView))
        match deed:
            case "play":
                view.action_play()
            case "prompt":
                view.action_prompt(way)
            case _:
                view.action_ends(way)


def _beside(places: Sequence[int], place: int, way: int, end: int) -> int:
    if way < 0:
        return next((each for each in reversed(places) if each < place), 0)
    return next((each for each in places if each > place), end)
