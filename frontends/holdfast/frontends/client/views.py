"""A view as a frontend holds it: the items of a snapshot, changed by patches, and readable without a connection."""

from __future__ import annotations

from time import time
from typing import TYPE_CHECKING, Literal, cast

import anyio

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from holdfast.domain.errors import HoldfastError

Json = dict[str, object]
ViewName = Literal["roster", "inbox", "transcript", "offers"]


class View:
    """What the daemon last told of a view.

    Attributes:
        items: By id, in the order of the snapshot and then of their coming.
        position: Which position of the log they show.
        before: Cursor of the page before the first item, for `GET /sessions/{id}/transcript?before=`.
        live: Whether changes are coming in. While it is False, the items are as of `as_of`.
        as_of: When the daemon was last heard of, seconds since the epoch.
        refused: Why there is no such view, where the daemon said so.
    """

    def __init__(self, name: ViewName, session: str | None = None, *, limit: int | None = None, ended: bool = False):
        """Describe what is looked at; nothing is known of it yet."""
        self.name = name
        self.session = session
        self.limit = limit
        self.ended = ended
        self.items: dict[str, Json] = {}
        self.position = 0
        self.before: str | None = None
        self.live = False
        self.as_of = 0.0
        self.refused: HoldfastError | None = None
        self._known = False
        self._serial = 0
        self._changed: dict[str, int] = {}
        self._news = anyio.Event()

    async def changes(self) -> AsyncGenerator[frozenset[str]]:
        """Yield the ids of what changed, again and again; first everything there is.

        What changes while nobody asks is given at once, so a slow reader sees fewer, greater changes.

        Raises:
            HoldfastError: The daemon refuses the view.
        """
        seen = -1
        while True:
            news = self._news
            if self.refused is not None:
                raise self.refused
            if self._known and self._serial > seen:
                changed = frozenset(item_id for item_id, serial in self._changed.items() if serial > seen)
                seen = self._serial
                yield changed
            else:
                await news.wait()

    async def until_known(self) -> None:
        """Return once there was a first snapshot.

        Raises:
            HoldfastError: The daemon refuses the view.
        """
        while not self._known:
            if self.refused is not None:
                raise self.refused
            await self._news.wait()

    def subscription(self, sub: str) -> Json:
        """Return the frame that asks for this view."""
        frame: Json = {"type": "subscribe", "sub": sub, "view": self.name, "session": self.session}
        if self.limit is not None:
            frame["limit"] = self.limit
        if self.ended:
            frame["ended"] = True
        return frame

    def take_snapshot(self, frame: Mapping[str, object]) -> None:
        """Begin anew from a snapshot."""
        before, self.items = self.items, {str(item["id"]): item for item in cast("list[Json]", frame["items"])}
        self._serial += 1
        self._changed |= dict.fromkeys(before.keys() | self.items.keys(), self._serial)
        self.position = cast("int", frame["position"])
        self.before = cast("str | None", frame.get("before"))
        self._known = True
        self._heard()

    def take_patch(self, frame: Mapping[str, object]) -> bool:
        """Apply a patch; False where it does not follow what is here, and the view has to be asked for again."""
        if frame["from"] != self.position:
            return False
        self._serial += 1
        for op in cast("list[Json]", frame["ops"]):
            item_id = str(cast("Json", op["item"])["id"] if op["op"] == "put" else op.get("id"))
            self._changed[item_id] = self._serial
            self._apply(item_id, op)
        self.position = cast("int", frame["position"])
        self._heard()
        return True

    def take_refusal(self, error: HoldfastError) -> None:
        """Note that there is no such view."""
        self.refused = error
        self.lose()

    def lose(self) -> None:
        """Note that no changes come in any more; what is here stays."""
        self.live = False
        self._ring()

    def _apply(self, item_id: str, op: Mapping[str, object]) -> None:
        """An operation counts only if it is later than the item it is about; what is ephemeral always counts."""
        before = self.items.get(item_id)
        match op["op"]:
            case "put":
                item = cast("Json", op["item"])
                if before is None or _later(item, before):
                    self.items[item_id] = item
            case "append" if before is not None and _later(op, before):
                before["text"] = str(before.get("text") or "")[: cast("int", op["at"])] + str(op["text"])
                before["position"] = op["position"]
            case "drop":
                self.items.pop(item_id, None)
            case "set" if before is not None:
                before.update(cast("Json", op["fields"]))
            case _:
                pass  # of an item that is not here, or of a later daemon

    def _heard(self) -> None:
        self.live = True
        self.refused = None
        self.as_of = time()
        self._ring()

    def _ring(self) -> None:
        self._news.set()
        self._news = anyio.Event()


def _later(one: Mapping[str, object], other: Mapping[str, object]) -> bool:
    return cast("int", one["position"]) > cast("int", other["position"])
