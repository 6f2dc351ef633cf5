"""Whatever needs a person, over all sessions: each request with the exact thing it would allow."""

from __future__ import annotations

from time import monotonic, time
from typing import TYPE_CHECKING, ClassVar, Final, cast

from rich.cells import cell_len
from textual import on, work
from textual.binding import Binding
from textual.screen import Screen

from holdfast.domain.errors import HoldfastError
from holdfast.frontends.tui.answers import keys, lettered, numbered
from holdfast.frontends.tui.banner import Banner
from holdfast.frontends.tui.bars import Bar, Hints
from holdfast.frontends.tui.cells import Span, clip, fill, harmless
from holdfast.frontends.tui.choices import Choice, Choices
from holdfast.frontends.tui.dialogs import OneLine
from holdfast.frontends.tui.gist import asked_for
from holdfast.frontends.tui.presence import leaving
from holdfast.frontends.tui.words import age
from holdfast.frontends.wording import count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from textual.app import ComposeResult

    from holdfast.frontends.client.views import Json
    from holdfast.frontends.tui.app import HoldfastApp
    from holdfast.frontends.tui.sessions import Sessions
    from holdfast.frontends.tui.source import Source

GUARD_S: Final = 0.3
"""How long a request stands under the cursor before a key answers it: what was typed for something else does not."""

_LINES: Final = 8
"""Lines of what would be allowed, where it is long; Enter opens the session, which shows all of it."""

_HINTS = (
    ("a", "allow once"),
    ("A", "always"),
    ("d", "deny"),
    ("z", "later"),
    ("Enter", "open the session"),
    ("Esc", "back"),
)


class InboxScreen(Screen[None]):
    """All requests, the oldest first."""

    app: HoldfastApp

    BINDINGS: ClassVar = [
        Binding("escape,q", "back", "Back"),
        *(Binding(key, f"answer('{key}')", "Answer", show=False) for key in "aA123456789"),
        Binding("d", "deny", "Deny"),
        Binding("z", "later", "Later"),
        Binding("slash", "app.go('search')", "Search"),
    ]

    def __init__(self, source: Source, sessions: Sessions) -> None:
        super().__init__()
        self._source = source
        self._sessions = sessions
        self._requests: dict[str, Json] = {}
        self._later: list[str] = []
        self._mine: set[str] = set()
        self._since = monotonic()
        self._deaf: Callable[[], None] = _nothing

    @property
    def session(self) -> str | None:
        """The session that the cursor's request is of."""
        request = self._requests.get(self.query_one(Choices).key or "")
        return None if request is None else str(request["session_id"])

    def compose(self) -> ComposeResult:
        """Put the parts below each other."""
        yield Bar()
        yield Banner()
        yield Choices(nothing="nothing needs you")
        yield Hints(_HINTS)

    def on_mount(self) -> None:
        """Follow what waits."""
        self.query_one(Banner).attend(self._source)
        self.query_one(Choices).focus()
        self._deaf = self._sessions.listen(self._show)
        self._show()

    def on_unmount(self) -> None:
        """Follow it no more."""
        self._deaf()

    def _show(self) -> None:
        if leaving(self):
            return
        now = {str(each["request_id"]): each for each in self._sessions.requests}
        for request_id in self._requests.keys() - now.keys() - self._mine:
            self._tell(self._requests[request_id])
        changed = now.keys() != self._requests.keys()
        self._requests = now
        if not changed and now:
            return
        self._later = [each for each in self._later if each in now]
        order = [*(each for each in now if each not in self._later), *self._later]
        choices = self.query_one(Choices)
        before = choices.key
        choices.show([Choice(each, _card(now[each], self._called(now[each]))) for each in order])
        if choices.key != before:
            self._since = monotonic()
        self.query_one(Bar).say(
            [Span(" Inbox", "bold accent"), Span(f"  {count(len(now), 'request')}" if now else "", "dim")]
        )

    def _called(self, request: Json) -> str:
        entry = self._sessions.get(str(request["session_id"]))
        return entry.name if entry is not None else str(request["session_id"])[:8]

    @on(Choices.Moved)
    def _moved(self) -> None:
        self._since = monotonic()

    @on(Choices.Chosen)
    def _open(self, event: Choices.Chosen) -> None:
        request = self._requests.get(event.key)
        if request is not None:
            self.dismiss(None)
            self.app.open(str(request["session_id"]), event.key)

    @work(exclusive=True, group="told")
    async def _tell(self, request: Json) -> None:
        """Say who answered it, where it was not us."""
        request_id = str(request["request_id"])
        try:
            page = await self._source.around(str(request["session_id"]), request_id, each_side=1)
        except HoldfastError:
            return  # the session is gone, and whoever erased it knows
        for item in cast("list[Json]", page["items"]):
            if item["id"] == request_id:
                how = str(item.get("decision") or item.get("status") or "")
                who = str(item.get("decided_by") or "")
                by = f" by {who}" if who else ""
                self.app.say(f"“{request['title']}” was answered elsewhere{by}: {how}")

    def action_answer(self, key: str) -> None:
        """Give the answer of a key, where the agent offers one for it."""
        request = self._chosen()
        if request is None:
            return
        options = lettered(request) | {str(at): option for at, (option, _) in enumerate(numbered(request), 1)}
        if key in options:
            self._answer(request, options[key], None)
        else:
            self.app.say("its agent offers no such answer")

    @work
    async def action_deny(self) -> None:
        """Ask for a reason, and refuse."""
        request = self._chosen()
        if request is None:
            return
        reason = await self.app.push_screen_wait(OneLine("Deny: why?", hint="Enter denies, also without a reason"))
        if reason is None:
            return
        self._answer(request, lettered(request).get("d"), reason.strip() or None)

    def action_later(self) -> None:
        """Put it at the end; it is still asked."""
        request = self._chosen()
        if request is not None:
            self._later.append(str(request["request_id"]))
            self._requests = {}
            self._show()
            self.query_one(Choices).action_edge(-1)

    def action_back(self) -> None:
        """Go back."""
        self.dismiss(None)

    def _chosen(self) -> Json | None:
        """Return the request under the cursor, once it has stood there long enough for the person to have seen it."""
        if monotonic() - self._since < GUARD_S or self._source.read_only:
            return None
        return self._requests.get(self.query_one(Choices).key or "")

    @work
    async def _answer(self, request: Json, option: str | None, reason: str | None) -> None:
        request_id = str(request["request_id"])
        self._mine.add(request_id)
        body: Json = {"request_id": request_id, "option_id": option, "reason": reason}
        if await self.app.do("answer", None, body) is None:
            self._mine.discard(request_id)


def _nothing() -> None:
    """Be what is called where nothing was begun."""


def _card(request: Json, name: str) -> Callable[[int], Sequence[Sequence[Span]]]:
    def draw(width: int) -> Sequence[Sequence[Span]]:
        when = age(str(request["requested_at"]), time())
        title = fill(harmless(str(request["title"])), max(4, width - len(when) - 5))
        lines: list[list[Span]] = [
            [Span(" "), Span("● ", "needs"), Span(title, "bold"), Span(f" {when} ", "faint")],
            [Span("   "), Span(clip(harmless(name), width - 4), "dim")],
        ]
        asked = asked_for(request.get("input"), max(8, width - 6))
        lines += [[Span("   "), Span("│ ", "rule"), Span(line)] for line in asked[:_LINES]]
        if len(asked) > _LINES:
            more = count(len(asked) - _LINES, "more line")
            lines.append([Span("   "), Span("│ ", "rule"), Span(f"… {more}: Enter shows all", "needs")])
        lines += [*_offered(request, width), []]
        return lines

    return draw


def _offered(request: Json, width: int) -> Iterator[list[Span]]:
    """Yield the keys that answer it, each beside its word, in as many lines as they need."""
    row, used = [Span("   ")], 3
    for key, does in keys(request):
        size = cell_len(does) + len(key) + 4
        if used + size > width and len(row) > 1:
            yield row
            row, used = [Span("   ")], 3
        row += [Span(key, "bold accent"), Span(f" {clip(does, width - 8)}   ", "dim")]
        used += size
    yield row
