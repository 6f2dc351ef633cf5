"""Both sides of one connection, checked frame by frame against the schema and the rules of the stream."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from holdfast.frontends.conformance.frames import (
    Append,
    CaughtUp,
    ClientFrame,
    Command,
    Error,
    Events,
    Frames,
    Hello,
    Json,
    Ok,
    Patch,
    Ping,
    Pong,
    Put,
    Reset,
    ServerFrame,
    Snapshot,
    Subscribe,
    Unsubscribe,
)
from holdfast.frontends.conformance.frames import Set as SetFields

if TYPE_CHECKING:
    from collections.abc import Callable

FRAME_EVENTS: Final = 64

F = TypeVar("F")


class ViolationError(AssertionError):
    """A frame that the stream does not allow here."""


@dataclass
class _Following:
    position: int | None = None
    caught_up: bool = False
    filtered: bool = False


@dataclass
class _Looking:
    position: int | None = None
    items: dict[str, Json] = field(default_factory=dict[str, Json])


@dataclass
class _Overhearing:
    number: int = 0


class Watcher:
    """Watches one connection from its first frame on. Give it every message, in the order each side sees them.

    Attributes:
        views: The items of each view by subscription and id, as the rules make them.
    """

    def __init__(self) -> None:
        """Begin before the first frame."""
        self.views: dict[str, dict[str, Json]] = {}
        self._said_hello = False
        self._subscriptions: dict[str, _Following | _Looking | _Overhearing] = {}
        self._left: set[str] = set()
        self._commands: set[str] = set()

    def sent(self, text: str | bytes) -> ClientFrame:
        """Check a message of the client.

        Raises:
            ViolationError: It is none of the frames, or not one for now.
        """
        frame = _decoded(text, _client_frame, "the client")
        if isinstance(frame, Hello) == self._said_hello:
            msg = "the first frame, and only the first, is a hello"
            raise ViolationError(msg)
        self._said_hello = True
        match frame:
            case Subscribe():
                self._subscribe(frame)
            case Unsubscribe(sub=sub):
                if self._subscriptions.pop(sub, None) is not None:
                    self._left.add(sub)
            case Command(client_id=client_id):
                self._commands.add(client_id)
            case _:
                pass
        return frame

    def received(self, text: str | bytes) -> ServerFrame:
        """Check a message of the server.

        Raises:
            ViolationError: It is none of the frames, or breaks a rule.
        """
        frame = _decoded(text, _server_frame, "the server")
        match frame:
            case Ok(client_id=client_id):
                self._answered(client_id)
            case Error(client_id=str(client_id)):
                self._answered(client_id)
            case Error(sub=str(sub)):
                self._end(sub)
            case Ping() | Pong() | Error():
                pass
            case _:
                self._of_subscription(frame)
        return frame

    def _subscribe(self, frame: Subscribe) -> None:
        if (frame.events is None) == (frame.view is None):
            msg = "a subscription is of `events` or of a `view`"
            raise ViolationError(msg)
        if frame.sub in self._subscriptions:
            msg = f"the name {frame.sub!r} is in use"
            raise ViolationError(msg)
        wanted = frame.events
        if frame.view == "frames":
            self._subscriptions[frame.sub] = _Overhearing()
        elif wanted is None:
            self._subscriptions[frame.sub] = _Looking()
        else:
            start = wanted.after if isinstance(wanted.after, int) else None if wanted.after else 0
            filtered = wanted.session is not None or wanted.types is not None
            self._subscriptions[frame.sub] = _Following(start, filtered=filtered)

    def _answered(self, client_id: str) -> None:
        if client_id not in self._commands:
            msg = f"an answer to {client_id!r}, which was not asked or was answered before"
            raise ViolationError(msg)
        self._commands.discard(client_id)

    def _of_subscription(self, frame: Events | CaughtUp | Frames | Snapshot | Patch | Reset) -> None:
        subscription = self._subscriptions.get(frame.sub)
        if subscription is None:
            if frame.sub not in self._left:
                msg = f"a frame for {frame.sub!r}, which nobody asked for"
                raise ViolationError(msg)
            return
        match frame, subscription:
            case Events(), _Following():
                _check_events(frame, subscription)
            case CaughtUp(), _Following():
                _check_caught_up(frame, subscription)
            case Frames(), _Overhearing():
                for each in frame.frames:
                    if each.number <= subscription.number:
                        msg = f"frame {each.number} of {frame.sub!r} comes after {subscription.number}"
                        raise ViolationError(msg)
                    subscription.number = each.number
            case Snapshot(), _Looking():
                self._take_snapshot(frame, subscription)
            case Patch(), _Looking():
                _apply(frame, subscription)
            case Reset(), _:
                self._end(frame.sub)
            case _:
                msg = f"{type(frame).__name__.lower()} is nothing that {frame.sub!r} asked for"
                raise ViolationError(msg)

    def _take_snapshot(self, frame: Snapshot, looking: _Looking) -> None:
        if looking.position is not None:
            msg = f"a second snapshot for {frame.sub!r}"
            raise ViolationError(msg)
        looking.position = frame.position
        for item in frame.items:
            _check_item(item)
            if item["position"] > frame.position:
                msg = f"item {item['id']!r} at {item['position']} is later than its snapshot at {frame.position}"
                raise ViolationError(msg)
            looking.items[item["id"]] = item
        self.views[frame.sub] = looking.items

    def _end(self, sub: str) -> None:
        self._subscriptions.pop(sub, None)
        self._left.add(sub)


def _check_events(frame: Events, following: _Following) -> None:
    if not 1 <= len(frame.events) <= FRAME_EVENTS:
        msg = f"{len(frame.events)} events in one frame"
        raise ViolationError(msg)
    for event in frame.events:
        before = following.position
        if (event.session_id is None) == (event.link_id is None):
            msg = f"event {event.position} is of a session or of a link"
            raise ViolationError(msg)
        if before is not None and (
            event.position <= before or (not following.filtered and event.position != before + 1)
        ):
            msg = f"event {event.position} after {before}: something is missing, doubled or out of order"
            raise ViolationError(msg)
        following.position = event.position


def _check_caught_up(frame: CaughtUp, following: _Following) -> None:
    if following.caught_up:
        msg = "caught_up is said once"
        raise ViolationError(msg)
    if following.position is not None and frame.position < following.position:
        msg = f"caught up at {frame.position}, after events up to {following.position}"
        raise ViolationError(msg)
    following.caught_up, following.position = True, frame.position


def _apply(frame: Patch, looking: _Looking) -> None:
    if looking.position is None:
        msg = "a patch before any snapshot"
        raise ViolationError(msg)
    if frame.from_ != looking.position or frame.position < frame.from_:
        msg = f"a patch from {frame.from_} to {frame.position}, where the view is at {looking.position}"
        raise ViolationError(msg)
    ephemeral = all(isinstance(op, SetFields) for op in frame.ops)
    if not frame.ops or (frame.position == frame.from_) != ephemeral:
        msg = "a patch changes something; it moves the position, unless all it has is in no event"
        raise ViolationError(msg)
    looking.position = frame.position
    for op in frame.ops:
        if isinstance(op, Put):
            _check_item(op.item)
            before = looking.items.get(op.item["id"])
            if before is None or op.item["position"] > before["position"]:
                looking.items[op.item["id"]] = op.item
        elif isinstance(op, Append):
            _append(op, looking)
        elif isinstance(op, SetFields):
            looking.items.get(op.id, {}).update(op.fields)
        else:
            looking.items.pop(op.id, None)


def _append(op: Append, looking: _Looking) -> None:
    item = looking.items.get(op.id)
    if item is None or op.position <= item["position"]:
        return
    text = item.get("text") or ""
    if op.at > len(text):
        msg = f"text at {op.at} of {op.id!r}, which has {len(text)} characters: something is missing"
        raise ViolationError(msg)
    item["text"] = text[: op.at] + op.text
    item["position"] = op.position


def _check_item(item: Json) -> None:
    if not isinstance(item.get("id"), str) or not isinstance(item.get("position"), int):
        msg = f"an item has `id` and `position`: {item}"
        raise ViolationError(msg)


def _decoded(text: str | bytes, decode: Callable[[str], F], whose: str) -> F:
    if isinstance(text, bytes):
        msg = f"{whose} sent a binary message"
        raise ViolationError(msg)
    try:
        return decode(text)
    except (msgspec.MsgspecError, RecursionError) as error:
        msg = f"{whose} sent what is no frame: {error} in {text[:200]!r}"
        raise ViolationError(msg) from error


_client_frame: Callable[[str], ClientFrame] = msgspec.json.Decoder(ClientFrame).decode
_server_frame: Callable[[str], ServerFrame] = msgspec.json.Decoder(ServerFrame).decode
