"""A new session: with whom, where, and what is said first. Nothing exists before that is sent."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Label

from holdfast.domain.errors import HoldfastError
from holdfast.frontends.tui.cells import Span, clip, fill, harmless
from holdfast.frontends.tui.choices import Choice, Choices
from holdfast.frontends.tui.fuzzy import fits
from holdfast.frontends.wording import folder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult

    from holdfast.frontends.client.views import Json
    from holdfast.frontends.tui.app import HoldfastApp
    from holdfast.frontends.tui.sessions import Sessions
    from holdfast.frontends.tui.source import Source

_WAIT_S = 5


class NewSession(ModalScreen[None]):
    """Asks for everything on one card."""

    app: HoldfastApp

    DEFAULT_CSS = """
    NewSession { align: center middle; background: $background 55%; }
    NewSession > Vertical { width: 92; max-width: 100%; height: auto; max-height: 100%; background: $surface;
        border-left: outer $primary; padding: 1 2 0 2; overflow-y: auto; scrollbar-size-vertical: 1; }
    NewSession Label { color: $text-dim; width: 100%; }
    NewSession #title { color: $foreground; text-style: bold; margin-bottom: 1; }
    NewSession #said { height: auto; color: $warning; }
    NewSession #hint { margin: 1 0; }
    NewSession.-low > Vertical { padding: 0 1; }
    NewSession.-low #title, NewSession.-low #hint { display: none; }
    NewSession.-low Input, NewSession.-low #agents { margin-bottom: 0; }
    NewSession.-low #agents { max-height: 2; }
    NewSession Input { margin-bottom: 1; }
    NewSession #agents { background: $surface; height: auto; max-height: 5; margin-bottom: 1; }
    NewSession #folders { background: $surface; height: auto; max-height: 4; margin-bottom: 1; }
    """
    BINDINGS: ClassVar = [
        Binding("escape", "back", "Back", priority=True),
        Binding("down", "folder(1)", "Down", priority=True),
        Binding("up", "folder(-1)", "Up", priority=True),
    ]

    def __init__(self, source: Source, sessions: Sessions) -> None:
        super().__init__()
        self._source = source
        self._recent = _recent(sessions)
        self._busy = False

    def compose(self) -> ComposeResult:
        """Put the questions below each other."""
        with Vertical():
            yield Label("New session", id="title")
            yield Label("With")
            yield Choices(id="agents", nothing="looking for agents …")
            yield Label("In the folder")
            yield Input(value=_home(str(Path.cwd())), id="folder", select_on_focus=False)
            yield Choices(id="folders")
            yield Label("What is to be done?")
            yield Input(id="prompt", placeholder="the session begins with this")
            yield Label("", id="said", markup=False)
            yield Label("Enter begins it   Tab next field   Esc back", id="hint")

    def on_mount(self) -> None:
        """Look for agents, and begin at what is said."""
        folders = self.query_one("#folders", Choices)
        folders.can_focus = False
        folders.display = False
        self.set_focus(self.query_one("#prompt", Input))
        self._find()

    @work
    async def _find(self) -> None:
        try:
            agents = await self._source.agents()
        except HoldfastError as error:
            self._say(str(error))
            return
        choices = self.query_one("#agents", Choices)
        found = [each for each in agents if each["found"]]
        missing = [each for each in agents if not each["found"]]
        choices.nothing = "no agent was found on this machine"
        choices.styles.height = min(5, max(1, len(found) + len(missing)))
        choices.show([Choice(str(each["name"]), _agent(each)) for each in (*found, *missing)])

    @on(Input.Changed, "#folder")
    def _typed(self, event: Input.Changed) -> None:
        folders = self.query_one("#folders", Choices)
        fitting = [each for each in self._recent if fits(event.value.replace("~", ""), each) and each != event.value]
        folders.display = bool(fitting) and self.query_one("#folder", Input).has_focus
        folders.styles.height = min(4, len(fitting))
        folders.show([Choice(each, _folder(each)) for each in fitting], keep=False)

    def on_descendant_focus(self) -> None:
        """Show folders only while one is typed."""
        self.query_one("#folders", Choices).display = (
            self.query_one("#folder", Input).has_focus and len(self.query_one("#folders", Choices).keys) > 0
        )

    def action_folder(self, by: int) -> None:
        """Choose a folder below the line, or an agent, or go to another field."""
        if self.query_one("#agents", Choices).has_focus:
            self.query_one("#agents", Choices).action_move(by)
        elif self.query_one("#folder", Input).has_focus and self.query_one("#folders", Choices).keys:
            folders = self.query_one("#folders", Choices)
            folders.action_move(by)
        elif by > 0:
            self.focus_next()
        else:
            self.focus_previous()

    @on(Input.Submitted, "#folder")
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        folders = self.query_one("#folders", Choices)
        if folders.display and folders.key is not None and not Path(event.value).expanduser().is_dir():
            event.input.value = folders.key
        self.query_one("#prompt", Input).focus()

    @on(Choices.Chosen)
    def _chosen(self, event: Choices.Chosen) -> None:
        event.stop()
        if event.choices.id == "folders":
            self.query_one("#folder", Input).value = event.key
        self.query_one("#prompt", Input).focus()

    @on(Input.Submitted, "#prompt")
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        agent = self.query_one("#agents", Choices).key
        cwd = Path(self.query_one("#folder", Input).value.strip() or ".").expanduser()
        if not event.value.strip():
            self._say("say what is to be done: the session begins with it")
        elif agent is None:
            self._say("there is no agent to begin with")
        elif not cwd.is_dir():
            self._say(f"{cwd} is no folder")
        elif not self._busy:
            self._busy = True
            self._begin(agent, str(cwd.absolute()), event.value)

    @work
    async def _begin(self, agent: str, cwd: str, prompt: str) -> None:
        self._say(f"{agent} is starting …")
        try:
            body: Json = {"agent": agent, "cwd": cwd, "prompt": prompt}
            row = cast("Json", await self._source.command("sessions", None, body))
        except HoldfastError as error:
            self._busy = False
            self._say(str(error))
            return
        self.dismiss(None)
        self.app.open(str(row["id"]))

    def _say(self, text: str) -> None:
        self.query_one("#said", Label).update(harmless(text))

    def action_back(self) -> None:
        """Forget it; nothing was begun."""
        self.dismiss(None)


def _recent(sessions: Sessions) -> list[str]:
    """Return the folders that sessions worked in, the latest first, and that are still there."""
    latest = sorted(sessions.ordered, key=lambda each: each.updated_at, reverse=True)
    folders = dict.fromkeys(each.cwd for each in latest if each.cwd)
    return [_home(each) for each in list(folders)[:40] if Path(each).is_dir()][:12]


def _home(path: str) -> str:
    return folder(path)


def _folder(path: str) -> Callable[[int], Sequence[Sequence[Span]]]:
    return lambda width: [[Span(" "), Span(clip(harmless(path), width - 2), "dim")]]


def _agent(agent: Json) -> Callable[[int], Sequence[Sequence[Span]]]:
    def draw(width: int) -> Sequence[Sequence[Span]]:
        name = fill(harmless(str(agent["name"])), 12)
        if agent["found"]:
            return [
                [
                    Span(" "),
                    Span(name, "bold"),
                    Span(" "),
                    Span(clip(harmless(str(agent["path"] or "built in")), width - 15), "faint"),
                ]
            ]
        how = f"not here: {agent['install'] or ''}"
        return [[Span(" "), Span(name, "faint"), Span(" "), Span(clip(harmless(how), width - 15), "faint")]]

    return draw
