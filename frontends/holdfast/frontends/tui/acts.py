"""What can be done to a session, wherever it is shown: by the keys of a screen, or by the switcher."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from holdfast.domain.timestamps import to_text
from holdfast.frontends.tui.dialogs import OneLine, OneOf, Sure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from holdfast.frontends.tui.app import HoldfastApp
    from holdfast.frontends.tui.roster.entries import Entry


@dataclass(frozen=True)
class Act:
    """One thing that can be done to a session.

    Attributes:
        name: What names it in a binding.
        label: What it is called for people.
        keys: The keys that do it, where none types.
        do: Does it.
        fits: Whether it makes sense for a session.
    """

    name: str
    label: str
    keys: str
    do: Callable[[HoldfastApp, Entry], Awaitable[object]]
    fits: Callable[[Entry], bool]


async def mark_unread(app: HoldfastApp, entry: Entry) -> None:
    """Let it count as unread."""
    await app.command("unread", entry, {}, said="marked unread")


async def mark_read(app: HoldfastApp, entry: Entry) -> None:
    """Let it count as read."""
    await app.command("read", entry, {}, said="marked read")


async def mute(app: HoldfastApp, entry: Entry) -> None:
    """Ask for how long, and silence it; one that is silent speaks again."""
    if entry.muted(app.now()):
        await app.command("mute", entry, {"muted": False}, said="not muted any more")
        return
    spans = [("15", "15 minutes"), ("60", "1 hour"), ("480", "8 hours"), ("1440", "1 day"), ("", "until you say so")]
    chosen = await app.push_screen_wait(OneOf(f"Mute “{entry.name}” for", spans))
    if chosen is None:
        return
    until = None
    if chosen:
        until = to_text(int(app.now() * 1e6) + timedelta(minutes=int(chosen)) // timedelta(microseconds=1))
    label = dict(spans)[chosen]
    await app.command("mute", entry, {"until": until}, said=f"muted {label if not chosen else f'for {label}'}")


async def pin(app: HoldfastApp, entry: Entry) -> None:
    """Keep it at the top, or not any more."""
    said = "not pinned any more" if entry.pinned else "pinned"
    await app.command("pin", entry, {"pinned": not entry.pinned}, said=said)


async def rename(app: HoldfastApp, entry: Entry) -> None:
    """Ask for a title, and give it."""
    title = await app.push_screen_wait(OneLine("Rename", entry.name))
    if title is not None and title.strip() and title != entry.title:
        await app.command("rename", entry, {"title": title.strip()}, said="renamed")


async def end(app: HoldfastApp, entry: Entry) -> None:
    """Ask once, and end it."""
    sure = Sure(f"End “{entry.name}”?", "Its agent goes for good; its history stays.", "ends it")
    if await app.push_screen_wait(sure):
        await app.command("end", entry, {}, said="ended")


async def remove(app: HoldfastApp, entry: Entry) -> None:
    """Ask once, by a key that nothing else takes, and erase it."""
    what = "All that was said in it is erased for good, here and in every view of it. That it was there stays provable."
    if await app.push_screen_wait(Sure(f"Remove “{entry.name}”?", what, "removes it for good", key="y")):
        await app.erase(entry)


async def reconnect(app: HoldfastApp, entry: Entry) -> None:
    """Connect it now."""
    await app.command("reconnect", entry, {}, said="connecting")


async def cancel(app: HoldfastApp, entry: Entry) -> None:
    """Ask its agent to stop."""
    await app.command("cancel", entry, {}, said="asked to stop")


async def export(app: HoldfastApp, entry: Entry) -> None:
    """Ask for a format, and write the session to a file in this folder."""
    formats = [("md", "Markdown"), ("html", "HTML, one page"), ("jsonl", "JSONL, verifiable, can be imported again")]
    match await app.push_screen_wait(OneOf(f"Export “{entry.name}” as", formats)):
        case "md" | "html" | "jsonl" as kind:
            await app.write_out(entry, kind)
        case _:
            pass


def _always(entry: Entry) -> bool:
    del entry
    return True


def _alive(entry: Entry) -> bool:
    return entry.word != "ended"


ACTS = (
    Act("unread", "Mark unread", "m", mark_unread, lambda entry: not entry.unread and _alive(entry)),
    Act("read", "Mark read", "", mark_read, lambda entry: bool(entry.unread)),
    Act("mute", "Mute, or unmute", "M", mute, _alive),
    Act("pin", "Pin, or unpin", "p", pin, _alive),
    Act("rename", "Rename", "R", rename, _alive),
    Act("export", "Export to a file", "x", export, _always),
    Act("cancel", "Stop the turn", "", cancel, lambda entry: entry.word in ("working", "needs_you")),
    Act("reconnect", "Connect now", "alt+r", reconnect, _alive),
    Act("end", "End the session", "E", end, _alive),
    Act("remove", "Remove it for good", "X", remove, _always),
)
BY_NAME = {act.name: act for act in ACTS}
