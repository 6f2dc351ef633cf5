"""One session on the screen: its transcript, what it asks, what waits, and where one writes.

Everything shown comes from the source; a command changes nothing here, but what the source then says does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual import work
from textual.containers import Vertical
from textual.message import Message

from holdfast.domain.errors import ConflictError, HoldfastError
from holdfast.frontends.tui.palette import app_of
from holdfast.frontends.tui.session import items
from holdfast.frontends.tui.session.banner import ConnectionBanner, gone
from holdfast.frontends.tui.session.bars import Answered, Footer, PlanBar
from holdfast.frontends.tui.session.composer import Chips, Composer, Offer
from holdfast.frontends.tui.session.details import Details
from holdfast.frontends.tui.session.drafts import Drafts
from holdfast.frontends.tui.session.following import Following
from holdfast.frontends.tui.session.permission import PermissionCard
from holdfast.frontends.tui.session.queue import Queue
from holdfast.frontends.tui.session.reading import Reading
from holdfast.frontends.tui.session.taking import Taking
from holdfast.frontends.tui.session.transcript import Transcript
from holdfast.frontends.tui.session.writing import Writing

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path
    from typing import Literal

    from textual import events
    from textual.app import ComposeResult

    from holdfast.frontends.client.views import View
    from holdfast.frontends.tui.session.items import Json
    from holdfast.frontends.tui.source import Source

_ROOMY: Final = 20


class SessionView(Vertical):
    """All of one session below the head of its screen."""

    DEFAULT_CSS = """
    SessionView { height: 1fr; width: 1fr; }
    SessionView.-roomy PermissionCard, SessionView.-roomy Composer, SessionView.-roomy Queue { margin-top: 1; }
    """
    BINDINGS: ClassVar = [
        ("escape", "back", "Back"),
        ("ctrl+c", "cancel", "Cancel the turn"),
        ("ctrl+r", "replay", "Replay"),
        ("ctrl+o", "modes", "Mode"),
        ("ctrl+t", "plan", "Plan"),
        ("alt+r", "reconnect", "Try again now"),
        ("alt+k", "keep", "Keep the copy"),
        ("alt+x", "remove", "Remove it"),
        ("alt+up", "prompt(-1)", "Previous prompt"),
        ("alt+down", "prompt(1)", "Next prompt"),
        ("shift+tab", "transcript", "Transcript"),
        ("tab", "around", "Card"),
    ]

    class Left(Message):
        """The person goes back; the session goes on."""

    class Inspect(Message):
        """An item is to be looked at as the log has it."""

        def __init__(self, session: str, item: Json) -> None:
            """Look at an item of a session."""
            super().__init__()
            self.session = session
            self.item = item

    class Replay(Message):
        """The session is to be played again."""

        def __init__(self, session: str) -> None:
            """Play a session."""
            super().__init__()
            self.session = session

    class Remove(Message):
        """The session is to be removed; the person is asked first."""

    class Said(Message):
        """One line for the person."""

        def __init__(self, text: str, severity: Literal["information", "warning", "error"] = "information") -> None:
            """Say something."""
            super().__init__()
            self.text = text
            self.severity = severity

    def __init__(
        self,
        source: Source,
        session: str,
        *,
        roster: View,
        inbox: View,
        drafts: Path | None = None,
        item: str | None = None,
    ) -> None:
        """Show a session.

        Args:
            source: Where it is.
            session: Its id.
            roster: The list of sessions, as it is shown elsewhere.
            inbox: What waits for an answer anywhere.
            drafts: The folder of what is not sent yet; None keeps it no longer than this program.
            item: The item to begin at; else at the line of what is new, or the end.
        """
        super().__init__()
        self.source = source
        self.session = session
        self.row: Json = {}
        self.details = Details()
        self._at_end = False
        self.writing = Writing(self, Drafts(drafts))
        self.reading = Reading(self, item)
        self.following = Following(self, roster, inbox)
        self.taking = Taking(self)

    def compose(self) -> ComposeResult:
        """Put the parts below each other."""
        yield ConnectionBanner()
        yield PlanBar()
        yield Transcript()
        yield Answered()
        yield PermissionCard()
        yield Queue()
        yield Offer()
        yield Chips()
        yield Composer()
        yield Footer()

    def on_mount(self) -> None:
        """Listen to everything that tells of the session."""
        self.transcript = self.query_one(Transcript)
        self.composer = self.query_one(Composer)
        self.card = self.query_one(PermissionCard)
        self.writing.begin()
        self.following.begin()
        self.start(self.reading.follow)
        self.watch(app_of(self), "app_focus", lambda _: self.reading.report(), init=False)
        self.focus_writing()

    def on_resize(self, event: events.Resize) -> None:
        """Leave lines free between the parts where there are enough of them."""
        self.set_class(event.size.height >= _ROOMY, "-roomy")

    def on_unmount(self) -> None:
        """Keep what was written."""
        self.writing.save()

    @work
    async def start(self, do: Callable[[], Coroutine[None, None, None]]) -> None:
        """Do something beside everything else; what is refused is said."""
        try:
            await do()
        except HoldfastError as error:
            self.post_message(self.Said(str(error), "error"))

    # What the source says

    @property
    def writable(self) -> bool:
        """Whether messages can be sent to this session at all."""
        return not self.source.read_only and self.row.get("lifecycle") != "ended"

    @property
    def live(self) -> bool:
        """Whether a daemon hears us now."""
        return self.source.state == "live"

    def take_row(self, row: Json) -> None:
        """Show what the list of sessions says of this one."""
        self.following.take_row(row)

    def attend(self) -> None:
        """Say again what can be seen: the screen was covered, or is not any more."""
        self.reading.report()

    def on_descendant_focus(self) -> None:
        """Say which keys there are now."""
        self.following.tell()

    # Keys

    def action_back(self) -> None:
        """Go back: from what is marked and from the parts to the composer, from there out."""
        if self.transcript.unmark():
            return
        if self.composer.has_focus or not self.composer.display:
            self.post_message(self.Left())
        else:
            self.composer.focus()

    def action_around(self) -> None:
        """Go from the composer to the card, and back."""
        if self.card.has_focus or not self.card.display:
            self.focus_writing()
        else:
            self.card.focus()

    def focus_writing(self) -> None:
        """Go where one writes; where nothing can be written, to what can be read."""
        (self.composer if self.composer.display else self.transcript).focus()

    def action_transcript(self) -> None:
        """Go to the transcript, and back."""
        (self.composer if self.transcript.has_focus and self.composer.display else self.transcript).focus()

    def action_plan(self) -> None:
        """Open the plan, or close it."""
        self.query_one(PlanBar).toggle()

    def action_prompt(self, way: int) -> None:
        """Go to the prompt before or after."""
        self.transcript.action_prompt(way)

    def action_replay(self) -> None:
        """Play the session again."""
        self.post_message(self.Replay(self.session))

    def action_modes(self) -> None:
        """Choose a mode."""
        self.start(self.writing.offer_modes)

    def action_cancel(self) -> None:
        """Copy what is marked; else stop the turn.

        Whether there is one is for the daemon to say: its list of sessions is behind what can be read here already.
        """
        if self.taking.copy_marked():
            return
        if self.writable and not self.live:
            self.post_message(self.Said("the daemon is away: nothing can be stopped now", "warning"))
        elif self.writable:
            self.start(self._cancel)
        else:
            self._nothing_runs()

    async def _cancel(self) -> None:
        try:
            await self.command("cancel")
        except ConflictError:
            self._nothing_runs()

    def _nothing_runs(self) -> None:
        self.post_message(self.Said("nothing is running here; Ctrl+Q detaches"))

    def action_reconnect(self) -> None:
        """Try to connect now."""
        self.start(lambda: self.command("reconnect"))

    def action_keep(self) -> None:
        """End what its agent has no more: the copy here stays."""
        if gone(self.row):
            self.start(lambda: self.command("end"))

    def action_remove(self) -> None:
        """Have what its agent has no more removed here as well."""
        if gone(self.row):
            self.post_message(self.Remove())

    def on_connection_banner_retry(self) -> None:
        """Try to connect now."""
        self.action_reconnect()

    async def command(self, verb: str, body: Json | None = None, *, client_id: str | None = None) -> None:
        """Have something done with this session. Raises `HoldfastError` where it is refused."""
        await self.source.command(verb, self.session, body or {}, client_id=client_id)

    # The card

    def on_permission_card_answered(self, message: PermissionCard.Answered) -> None:
        """Send the answer."""
        request = items.text(message.request, "request_id")
        self.reading.answered_here.add(request)
        body: Json = {"request_id": request, "option_id": message.option}
        if message.reason:
            body["reason"] = message.reason

        async def answer() -> None:
            try:
                await self.source.command("answer", self.session, body)
            except HoldfastError:
                self.reading.answered_here.discard(request)
                self.card.failed()
                raise

        self.start(answer)

    def on_permission_card_later(self) -> None:
        """Go on writing."""
        self.focus_writing()

    # The transcript

    def on_transcript_older(self) -> None:
        """Load the page before."""
        self.start(self.reading.older)

    def on_transcript_top(self) -> None:
        """Load everything before."""
        self.start(self.reading.to_top)

    def on_transcript_seen(self) -> None:
        """Say what is visible, to the source and to the person."""
        self.reading.report()
        if self._at_end != self.transcript.at_end:
            self._at_end = self.transcript.at_end
            self.following.tell()

    def on_transcript_chosen(self, message: Transcript.Chosen) -> None:
        """Do something with an item."""
        if message.deed == "inspect":
            self.post_message(self.Inspect(self.session, message.item))
        else:
            self.taking.take(message.deed, message.item)

    def on_transcript_marked(self) -> None:
        """Say which keys there are now."""
        self.following.tell()

    # What the composer and the queue say

    def on_composer_send(self) -> None:
        """Send the draft."""
        self.start(self.writing.send)

    def on_composer_changed_(self) -> None:
        """Keep the draft, and offer what it may become."""
        self.writing.changed()

    def on_composer_key(self, message: Composer.Key) -> None:
        """Do what a key of the composer is for."""
        transcript = self.transcript
        match message.name:
            case "home":
                transcript.action_top()
            case "end":
                transcript.to_end()
            case "pageup" | "pagedown":
                transcript.move((1 if message.name == "pagedown" else -1) * max(1, transcript.size.height - 2))
            case "alt+up" | "alt+down":
                transcript.action_prompt(-1 if message.name == "alt+up" else 1)
            case "tab":
                self.card.focus() if self.card.display else transcript.focus()
            case "shift+tab":
                transcript.focus()
            case "queue":
                self.query_one(Queue).focus()
            case "ctrl+c":
                self.action_cancel()
            case "ctrl+r":
                self.action_replay()
            case "escape":
                if not self.transcript.unmark():
                    self.writing.escape()
            case _:
                self.writing.choice(message.name.removeprefix("choice-"))

    def on_queue_deed(self, message: Queue.Deed) -> None:
        """Change what waits."""
        self.start(lambda: self.writing.queue_deed(message.name, message.prompt))
