"""What one writes in a session: the draft, what it is completed with, how it is sent, and what waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast
from urllib.parse import quote

from anyio import to_thread

from holdfast.domain.errors import HoldfastError
from holdfast.frontends.tui.session import items
from holdfast.frontends.tui.session.completion import Choice, Wanted, content, fitting
from holdfast.frontends.tui.session.composer import Chips, Offer
from holdfast.frontends.tui.session.drafts import Draft, Drafts
from holdfast.frontends.tui.session.queue import Queue

if TYPE_CHECKING:
    from holdfast.frontends.tui.session.items import Json
    from holdfast.frontends.tui.session.view import SessionView

_SAVE_S: Final = 0.4
_NO_COMMANDS: Final = Wanted("command", "")


class Writing:
    """Moves what the composer of a view holds."""

    def __init__(self, view: SessionView, drafts: Drafts) -> None:
        """Write in a session."""
        self._view = view
        self._drafts = drafts
        self._saving = False
        self._sending = False
        self._editing: tuple[str, Draft] | None = None
        self._offers: Json | None = None
        self._offered: tuple[object, ...] = ()
        self._asked = 0
        self._choosing_mode = False

    def begin(self) -> None:
        """Go on with the draft that there is."""
        composer = self._view.composer
        composer.restore(self._drafts.load(self._view.session))
        self._view.query_one(Chips).show(composer.draft.pasted)
        self.row_changed()

    def row_changed(self) -> None:
        """Know whether one can write, what to say where nothing is written, and what the agent offers."""
        view, composer = self._view, self._view.composer
        writable = view.writable
        if composer.display != writable:
            composer.display = writable
            view.query_one(Chips).display = writable and bool(composer.draft.pasted)
            if not writable:
                view.transcript.focus()
        composer.queued = len(view.query_one(Queue).waiting)
        agent = items.text(view.row, "agent") or "the agent"
        busy = view.row.get("lifecycle") == "streaming" or bool(items.number(view.row, "queued"))
        if self._editing is not None:
            words = "Change the message, Enter saves, Esc goes back"
        elif not view.live:
            words = "The daemon is away: what you write is kept"
        else:
            words = f"Queue a message for {agent}" if busy else f"Message {agent}, / for commands, @ for files"
        composer.placeholder = words
        signs = view.row.get("offers")
        offered = tuple(cast("Json", signs).values()) if isinstance(signs, dict) else ()
        if writable and view.live and (self._offers is None or offered != self._offered):
            self._offered = offered
            self._offers = self._offers or {}
            view.start(self._load_offers)

    async def _load_offers(self) -> None:
        try:
            self._offers = await self._view.source.ask("GET", f"/sessions/{quote(self._view.session)}/offers")
        except HoldfastError:
            self._offers = {}  # a daemon that is older, or away: it is asked again when the row says so
        self.offer()

    def remember(self) -> None:
        """Know what was sent before."""
        listing = self._view.transcript.listing
        said = [
            items.spoken(each)
            for each in listing.items()
            if each.get("role") == "user" and each.get("kind") == "message"
        ]
        self._view.composer.know_sent(said[-200:])

    # The draft

    def changed(self) -> None:
        """Keep the draft soon, and offer what its end may become."""
        self._view.query_one(Chips).show(self._view.composer.draft.pasted)
        self.offer()
        if not self._saving and self._editing is None:
            self._saving = True
            self._view.set_timer(_SAVE_S, self._save_soon)

    def _save_soon(self) -> None:
        async def save() -> None:
            self._saving = False
            await to_thread.run_sync(self.save)

        self._view.start(save)

    def save(self) -> None:
        """Keep the draft now."""
        draft = self._view.composer.draft if self._editing is None else self._editing[1]
        try:
            self._drafts.save(self._view.session, draft)
        except OSError as error:
            self._view.post_message(self._view.Said(f"the draft cannot be kept: {error.strerror}", "warning"))

    async def send(self) -> None:
        """Send what is written; it stays until the daemon has it. Raises `HoldfastError`."""
        view, composer = self._view, self._view.composer
        draft = composer.draft
        if self._editing is not None:
            await self._save_edit(self._editing[0], draft)
            return
        if self._sending or not draft:
            return
        if not view.live:
            view.post_message(view.Said("the daemon is away: this is kept, and can be sent when it is back", "warning"))
            return
        self._sending = True
        sent = Draft(draft.text, draft.id, list(draft.pasted), list(draft.files))
        try:
            given = content(sent, items.text(view.row, "cwd") or None)
            await view.command("prompts", {"content": given}, client_id=sent.id)
        finally:
            self._sending = False
        self._sent(sent)
        await to_thread.run_sync(self.save)

    def _sent(self, sent: Draft) -> None:
        """Take what was sent out of the draft; what was written meanwhile stays."""
        view, composer = self._view, self._view.composer
        view.transcript.to_end()
        if self._editing is not None:
            self._editing = (self._editing[0], Draft())
            return
        rest = composer.text.removeprefix(sent.text)
        composer.restore(Draft(rest, pasted=composer.draft.pasted[len(sent.pasted) :]))
        self.changed()

    def escape(self) -> None:
        """Leave what one is in: a choice, an edit, the session."""
        if self._editing is not None:
            self._end_edit()
        else:
            self._view.post_message(self._view.Left())

    # What can be completed

    def offer(self) -> None:
        """Offer what fits what is being written."""
        view = self._view
        if self._choosing_mode:
            return
        wanted = view.composer.wants()
        if wanted is None:
            self._show(None, [])
        elif wanted.kind == "command":
            self._show(wanted, self._commands(wanted.word))
        else:
            self._asked += 1
            mine = self._asked
            view.start(lambda: self._offer_files(wanted, mine))

    def _commands(self, word: str) -> list[Choice]:
        known = {
            items.text(each, "name"): items.text(each, "description")
            for each in items.objects((self._offers or {}).get("commands"))
        }
        return [Choice(f"/{name} ", f"/{name}", known[name]) for name in fitting(word, known)]

    async def _offer_files(self, wanted: Wanted, mine: int) -> None:
        view = self._view
        if not view.live:
            return
        found = await view.source.files(view.session, wanted.word)
        if mine == self._asked and view.composer.wants() == wanted:
            self._show(wanted, [Choice(f"@{path} ", path) for path in fitting(wanted.word, found)])

    def _show(self, wanted: Wanted | None, choices: list[Choice]) -> None:
        self._view.query_one(Offer).show(wanted, choices)
        self._view.composer.completing = bool(choices)

    def choice(self, key: str) -> None:
        """Move between the choices, take one, or none."""
        offer = self._view.query_one(Offer)
        if key in ("up", "down"):
            offer.move(-1 if key == "up" else 1)
            return
        taken = offer.choices[offer.at] if key in ("enter", "tab") and offer.choices else None
        wanted, mode = offer.wanted, self._choosing_mode
        self._choosing_mode = False
        self._show(None, [])
        if taken is None:
            return
        if mode:
            verb, _, value = taken.insert.partition(" ")
            body: Json = {"mode": value} if verb == "mode" else {"option": verb.removeprefix("option="), "value": value}
            self._view.start(lambda: self._view.command("mode" if verb == "mode" else "option", body))
        elif wanted is not None:
            self._view.composer.complete(wanted, taken)

    async def offer_modes(self) -> None:
        """Offer the agent's modes, and the values of its options. Raises `HoldfastError`."""
        view = self._view
        if self._choosing_mode or not view.writable or not view.live:
            return
        await self._load_offers()
        offers = self._offers or {}
        now = items.text(offers, "mode") or items.text(view.row, "mode")
        choices: list[Choice] = []
        for each in items.objects(offers.get("modes")):
            mode = items.text(each, "id")
            label = f"{'● ' if mode == now else '  '}{items.text(each, 'name') or mode}"
            choices.append(Choice(f"mode {mode}", label, items.text(each, "description")))
        for option in items.objects(offers.get("options")):
            if option.get("category") == "mode" and choices:
                continue
            name, value = items.text(option, "name") or items.text(option, "id"), items.text(option, "value")
            for each in items.objects(option.get("choices")):
                chosen = items.text(each, "id")
                label = f"{'● ' if chosen == value else '  '}{name}: {items.text(each, 'name') or chosen}"
                choices.append(
                    Choice(f"option={items.text(option, 'id')} {chosen}", label, items.text(each, "description"))
                )
        if not choices:
            view.post_message(view.Said("this agent offers no modes"))
            return
        view.composer.focus()
        self._choosing_mode = True
        self._show(_NO_COMMANDS, choices)

    # The queue

    async def load_queue(self) -> None:
        """Know what waits. Raises `HoldfastError`."""
        view = self._view
        if not view.live:
            return
        queue = await view.source.queue(view.session)
        view.query_one(Queue).show(queue, held=view.details.held)
        view.composer.queued = len(view.query_one(Queue).waiting)

    async def queue_deed(self, deed: str, prompt: Json) -> None:
        """Change what waits. Raises `HoldfastError`."""
        view = self._view
        prompt_id = items.text(prompt, "prompt_id")
        place = f"/sessions/{quote(view.session)}/queue"
        match deed:
            case "edit" if prompt_id:
                self._editing = (prompt_id, view.composer.draft)
                view.composer.restore(Draft(items.text(prompt, "text")))
                view.query_one(Chips).show([])
                view.composer.focus()
                self.row_changed()
                return
            case "drop" if prompt_id:
                await view.source.ask("DELETE", f"{place}/{quote(prompt_id)}")
            case "resume":
                await view.source.ask("POST", f"{place}/resume", {})
                view.focus_writing()
            case _:
                view.focus_writing()
                return
        await self.load_queue()

    async def _save_edit(self, prompt_id: str, draft: Draft) -> None:
        view = self._view
        text = draft.text.strip()
        if text:
            place = f"/sessions/{quote(view.session)}/queue/{quote(prompt_id)}"
            await view.source.ask("PATCH", place, {"content": text, "client_id": draft.id})
        self._end_edit()
        await self.load_queue()

    def _end_edit(self) -> None:
        if self._editing is not None:
            _, draft = self._editing
            self._editing = None
            self._view.composer.restore(draft)
            self._view.query_one(Chips).show(draft.pasted)
            self.row_changed()
