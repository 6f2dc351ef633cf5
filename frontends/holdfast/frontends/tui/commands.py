"""What the switcher offers to do, here and now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.frontends.tui.acts import ACTS, BY_NAME
from holdfast.frontends.tui.switcher import Command, Switcher

if TYPE_CHECKING:
    from holdfast.frontends.tui.app import HoldfastApp
    from holdfast.frontends.tui.roster.entries import Entry

_GENERAL = (
    Command("new", "New session", "n"),
    Command("inbox", "Inbox: whatever needs you", "i"),
    Command("search", "Search everything", "/"),
    Command("ended", "Show ended sessions, or not", "z"),
    Command("theme", "Light or dark", ""),
    Command("help", "All keys", "?"),
    Command("detach", "Leave; every session goes on", "Ctrl+Q"),
)


async def offer(app: HoldfastApp) -> None:
    """Let the person type where to go or what to do, and do it."""
    entry = chosen(app)
    here = [] if entry is None else [act for act in ACTS if act.fits(entry)]
    commands = [Command(f"act-{act.name}", act.label, _key(act.keys)) for act in here]
    if entry is not None:
        commands.append(Command("inspect", "Inspect: events, connection, frames", "e"))
        commands.append(Command("replay", "Play it again, with a scrubber", "Ctrl+R"))
    if app.source is not None and app.source.state == "waiting":
        commands.append(Command("start", "Start the daemon"))
    answer = await app.push_screen_wait(Switcher(app.sessions.ordered, [*commands, *_GENERAL]))
    kind, _, name = (answer or "").partition(" ")
    if kind == "session":
        app.open(name)
    elif name.startswith("act-") and entry is not None:
        await BY_NAME[name.removeprefix("act-")].do(app, entry)
    elif name == "detach":
        app.exit(0)
    elif name == "start":
        await app.start_daemon()
    elif name == "help":
        app.action_help()
    elif name == "theme":
        app.theme = "holdfast-dark" if app.theme == "holdfast-light" else "holdfast-light"
    elif name:
        app.action_go(name)


def chosen(app: HoldfastApp) -> Entry | None:
    """Return the session that the screen is about, or that its cursor is on."""
    session = getattr(app.screen, "session", None)
    return app.sessions.get(session) if isinstance(session, str) else None


def _key(keys: str) -> str:
    return keys.replace("alt+r", "Alt+R")
