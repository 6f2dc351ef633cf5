"""Follows the log and has people told: what to say is decided in the domain, here it is written down and then shown."""

from __future__ import annotations

from contextlib import aclosing, suppress
from datetime import UTC, datetime
from logging import getLogger
from math import inf
from typing import TYPE_CHECKING
from uuid import uuid4
from zoneinfo import ZoneInfo

import anyio
import msgspec

from holdfast.domain.errors import CursorError, HoldfastError
from holdfast.domain.notifying.policy import STALE_S, Circumstances, Outcome, Show, Silent, Withdraw, decide
from holdfast.domain.notifying.standing import TYPES, Standing, begun
from holdfast.domain.projections.roster import Row
from holdfast.domain.session import events as e
from holdfast.frontends.tray.decoding import decoded
from holdfast.frontends.tray.earlier import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

    from holdfast.domain.preferences import Chosen
    from holdfast.domain.recorded import Recorded, StreamId
    from holdfast.frontends.client.stream import Stream
    from holdfast.frontends.client.views import Json, View
    from holdfast.frontends.tray.port import Desktop


_log = getLogger(__name__)


class Teller:
    """What is known of every session, and what people are being told."""

    def __init__(
        self,
        stream: Stream,
        desktop: Desktop,
        chosen: Callable[[], Chosen],
        now: Callable[[], int],
        changed: Callable[[], None],
    ) -> None:
        """Tell on `desktop` what `stream` brings.

        Args:
            stream: The attachment to the daemon.
            desktop: Where people are told.
            chosen: Returns their settings.
            now: Returns the time, in microseconds since the epoch.
            changed: Called when `kinds` has changed.
        """
        self.kinds: dict[str, str | None] = {}
        self._stream = stream
        self._desktop = desktop
        self._chosen = chosen
        self._now = now
        self._changed = changed
        self._known: dict[str, Standing] = {}
        self._shown: dict[str, Show] = {}

    async def run(self, roster: View, inbox: View) -> None:
        """Tell what happens from the roster's snapshot on, for ever; what was before is for icon and menu alone."""
        # Telling waits for the daemon, whose answer comes behind events: so events are taken meanwhile.
        send, receive = anyio.create_memory_object_stream[Outcome](inf)
        async with anyio.create_task_group() as tasks, send, receive:
            tasks.start_soon(self._tell, receive)
            tasks.start_soon(self._look_back, dict(inbox.items))
            await self._follow(roster, send)

    async def _look_back(self, waiting: dict[str, Json]) -> None:
        """Learn what those questions are about that were there before."""
        for request_id, item in waiting.items():
            with suppress(HoldfastError):  # it stays unknown, and can be denied
                kind = await kind_of(self._stream, str(item["session_id"]), request_id)
                self.kinds.setdefault(request_id, kind)
                self._changed()

    async def _follow(self, roster: View, outcomes: MemoryObjectSendStream[Outcome]) -> None:
        after: str | int | None = None
        while True:
            if after is None:
                self._known = {name: begun(msgspec.convert(row, Row)) for name, row in roster.items.items()}
                after = roster.position
            try:
                async with aclosing(self._stream.events(after, types=TYPES)) as deliveries:
                    async for delivery in deliveries:
                        for event in delivery.events:
                            outcome = self._take(event, roster)
                            if outcome is not None:
                                outcomes.send_nowait(outcome)
                        after = delivery.cursor
            except CursorError:  # another log has taken the place of ours: begin anew
                after = None
                await self._desktop.withdraw_all()
            except HoldfastError as error:  # nothing is skipped while the daemon cannot read it
                _log.warning("the log cannot be followed", exc_info=error)
            await anyio.sleep(1)  # the roster of another log comes with the same connection, a moment later

    def item_of(self, session_id: StreamId) -> str | None:
        """Return the item that the notification of a session is about, None where there is none any more."""
        shown = self._shown.get(session_id)
        return None if shown is None else shown.item_id

    def _take(self, event: Json, roster: View) -> Outcome | None:
        recorded = decoded(event)
        if recorded is None:
            return None
        name = str(recorded.originator_id)
        known = self._known.get(name) or Standing()
        focused = bool(roster.items.get(name, {}).get("focused"))
        around = circumstances(self._chosen(), self._now(), focused=focused)
        self._known[name], outcome = decide(known, recorded, around)
        self._note(known, recorded)
        match outcome:
            case Show(session_id=session_id):
                self._shown[session_id] = outcome
            case Withdraw(session_id=session_id):
                self._shown.pop(session_id, None)
            case _:
                pass
        return outcome

    def _note(self, known: Standing, recorded: Recorded) -> None:
        match recorded.event:
            case e.PermissionRequested(request_id=request_id, item_id=item_id):
                self.kinds[request_id] = known.tool(item_id)
                self._changed()
            case e.PermissionAnswered(request_id=request_id) | e.PermissionExpired(request_id=request_id):
                self.kinds.pop(request_id, None)
            case e.SessionErased():
                self._known.pop(str(recorded.originator_id), None)
            case _:
                pass

    async def _tell(self, outcomes: MemoryObjectReceiveStream[Outcome]) -> None:
        async for outcome in outcomes:
            await self._carry_out(outcome)

    async def _carry_out(self, outcome: Outcome) -> None:
        match outcome:
            case Show(news=None):
                await self._desktop.notify(outcome)
            case Show(session_id=session_id, news=item_id):
                # First in the log, so that neither a restart nor another frontend tells it again. A daemon that is
                # away for long makes history of it.
                with suppress(HoldfastError), anyio.move_on_after(STALE_S):
                    await self._stream.command("notified", session_id, {"item_id": item_id}, client_id=uuid4().hex)
                    if session_id in self._shown:  # it may be over by now
                        await self._desktop.notify(outcome)
            case Withdraw(session_id=session_id):
                await self._desktop.withdraw(session_id)
            case Silent():
                pass


def circumstances(chosen: Chosen, now: int, *, focused: bool) -> Circumstances:
    """Return what beside the log decides; the clock on the wall is that of the quiet hours' time zone."""
    zone = chosen.notifications.time_zone
    moment = datetime.fromtimestamp(now / 1_000_000, UTC)
    wall = moment.astimezone(ZoneInfo(zone) if zone else None).time()
    return Circumstances(chosen.notifications, now, wall, focused)
