"""What a person takes out of a session: words and links to the clipboard, pictures and files to this folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from anyio import to_thread

from holdfast.frontends.tui.files import write_new
from holdfast.frontends.tui.palette import app_of
from holdfast.frontends.tui.session import items
from holdfast.frontends.tui.session.enclosed import enclosed

if TYPE_CHECKING:
    from holdfast.frontends.tui.session.items import Json
    from holdfast.frontends.tui.session.view import SessionView


class Taking:
    """Takes things out of one session."""

    def __init__(self, view: SessionView) -> None:
        """Take out of what a view shows."""
        self._view = view

    def take(self, deed: str, item: Json) -> None:
        """`copy` the words of an item, copy a `link` to it, or `save` what is in it beside words."""
        match deed:
            case "copy":
                self._copy(words_of(item))
            case "link":
                self._view.start(lambda: self._copy_link(item))
            case _:
                self._view.start(lambda: self._save(item))

    def copy_marked(self) -> bool:
        """Copy what is marked with the mouse; return whether anything was."""
        words = self._view.transcript.selection.text()
        if words:
            self._copy(words)
        self._view.transcript.unmark()
        return bool(words)

    def _copy(self, words: str, said: str = "Copied") -> None:
        app_of(self._view).copy_to_clipboard(words.encode(errors="replace").decode())
        self._say(said)

    async def _copy_link(self, item: Json) -> None:
        view = self._view
        place = f"/sessions/{view.session}#{item.get('id')}"
        if view.live:
            place = f"{items.text(await view.source.ask('GET', '/status'), 'url')}{place}"
        self._copy(place, f"Copied {place}")

    async def _save(self, item: Json) -> None:
        """Write each to a file of its own, never over one that is there."""
        view = self._view
        found = [each for each in enclosed(item) if each.can_be_saved]
        if not found:
            self._say("there is no picture or file in it")
        for at, each in enumerate(found, 1):
            content = each.here
            if content is None:
                content = await view.source.attachment(view.session, each.reference)
            try:
                path = await to_thread.run_sync(write_new, Path.cwd() / each.file_name(view.session, at), content)
            except OSError as error:
                view.post_message(view.Said(f"it cannot be written: {error.strerror}", "error"))
                return
            self._say(f"Saved as {path}")

    def _say(self, text: str) -> None:
        self._view.post_message(self._view.Said(text))


def words_of(item: Json) -> str:
    """Return what is copied of an item."""
    if item.get("kind") == "tool_call":
        given = [f"{name}: {value}" if name else value for name, value in items.arguments(item.get("input"))]
        return "\n".join(filter(None, (items.text(item, "title"), *given, items.output(item))))
    if item.get("kind") == "plan":
        return "\n".join(f"[{'x' if status == 'completed' else ' '}] {what}" for status, what in items.plan(item))
    return (
        items.text(item, "text") or items.spoken(item) or items.text(item, "title") or items.plain(item.get("content"))
    )
