"""What may be changed with a daemon or without one, asked of a daemon."""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING, assert_never

from msgspec import Struct, json

from holdfast.domain.answers import Compaction, ImportReport
from holdfast.domain.errors import DaemonLostError, NotRunningError
from holdfast.domain.session import commands
from holdfast.domain.timestamps import to_text
from holdfast.frontends.client import shapes
from holdfast.frontends.client.reading import DaemonReading, of
from holdfast.frontends.client.shapes import read

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from holdfast.domain.ports import Progress
    from holdfast.domain.projections.roster import Row
    from holdfast.domain.recorded import Actor, StreamId
    from holdfast.domain.session.commands import Personal


class _Erased(Struct):
    remains: str | None = None


_erased = json.Decoder(_Erased)
_report = json.Decoder(ImportReport)
_compaction = json.Decoder(Compaction)
_digests = json.Decoder(dict[str, str])


class DaemonWorkspace(DaemonReading):
    """Both sides of a daemon; everything raises what `Exchange.get` does."""

    def change(self, session_id: StreamId, command: Personal, *, cause: str | None, actor: Actor) -> Row:
        """Carry out a command and return the row afterwards. Who asks is known from the exchange."""
        del actor
        verb, body = _asked(command)
        return shapes.row(self._exchange.send("POST", f"{of(session_id)}/{verb}", {**body, "client_id": cause}))

    def erase(self, session_id: StreamId, *, actor: Actor) -> str | None:
        """Erase the content of a session for good; return where traces may remain, in words."""
        del actor
        body = self._exchange.send("DELETE", of(session_id), timeout_s=None)
        return read(_erased, body).remains if body else None

    def compact(
        self, session_id: StreamId | None = None, *, actor: Actor, progress: Progress | None = None
    ) -> Compaction:
        """Tell the messages of ended turns as wholes and keep only digests of their pieces."""
        del actor
        return read(_compaction, self._exchange.worked("POST", "/compact", {"session": session_id}, progress))

    def rebuild(self, progress: Progress | None = None) -> dict[str, str]:
        """Drop every view, build it anew from the log, and return a digest of each."""
        return read(_digests, self._exchange.worked("POST", "/rebuild", {}, progress))

    def import_(self, sources: Sequence[str], progress: Progress | None = None) -> ImportReport:
        """Import transcripts; paths are as this process sees them, not as the daemon would."""
        asked = {"sources": _absolute(sources), "watch": False}
        return read(_report, self._exchange.worked("POST", "/imports", asked, progress))

    def watch(self, sources: Sequence[str], progress: Progress | None = None) -> Generator[ImportReport]:
        """Let the daemon import transcripts and follow them as they grow, until the generator is closed.

        One that went away is waited for, and follows them anew: it knows from its log how far it had come.
        """
        asked = {"sources": _absolute(sources), "watch": True}
        again = False
        while True:
            try:
                with closing(self._exchange.results("POST", "/imports", asked, progress)) as results:
                    for report in (read(_report, result) for result in results):
                        if report.events or not again:
                            yield report
            except DaemonLostError:
                pass  # it is waited for below
            except NotRunningError:
                if not self._exchange.met:
                    raise
            again = True
            self._exchange.come_back()


def _absolute(sources: Sequence[str]) -> list[str]:
    """Return sources as the daemon finds them, whose working folder is another; names of tools stay as they are."""
    return [
        os.path.abspath(source) if os.path.lexists(source) else source  # noqa: PTH100 - takes `..` out
        for source in sources
    ]


def _asked(command: Personal) -> tuple[str, dict[str, object]]:
    """Return the verb that carries out `command`, and what it is told."""
    match command:
        case commands.Rename(title=title):
            return "rename", {"title": title}
        case commands.MarkRead(version=version):
            return "read", {"version": version}
        case commands.MarkUnread():
            return "unread", {}
        case commands.Mute(muted=muted, until=until):
            return "mute", {"muted": muted, "until": None if until is None else to_text(until)}
        case commands.Pin(pinned=pinned):
            return "pin", {"pinned": pinned}
        case _:
            assert_never(command)
