"""For every parser a defect that its check is shown to find: what it should have refused or caught comes through."""

# A defect replaces what is private, and takes whatever its arguments are.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import json
import re
import sys
import tomllib
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from holdfast.adapters.configuration import file
from holdfast.adapters.importers import lines
from holdfast.adapters.storage import exported, store
from holdfast.adapters.supervision.host import protocol
from holdfast.adapters.transports.acp.protocol import envelope
from holdfast.domain import attachments, content
from holdfast.domain.errors import NotFoundError, UsageError
from holdfast.domain.exported import read_header
from holdfast.domain.search import query

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from holdfast.domain.exported import EventLine

    Replace = Callable[[object, str, object], None]


def _all_is_an_object(replace: Replace) -> None:
    """A list, a number, a text is taken for an object."""

    def is_object(_value: object) -> bool:
        return True

    replace(lines, "is_object", is_object)


def _only_json_comes(replace: Replace) -> None:
    """What an agent says is JSON, or so it was thought."""
    replace(envelope, "_UNREADABLE", ())


def _any_header(replace: Replace) -> None:
    """The header of a message may be any JSON, and what is none is not caught."""
    replace(protocol, "_header", json.loads)


def _only_dates_come(replace: Replace) -> None:
    """What follows before: and after: is a date, or so it was thought."""

    def date(_field: str, text: str) -> int:
        return int(datetime.fromisoformat(text).timestamp())

    replace(query, "_date", date)


def _only_toml_comes(replace: Replace) -> None:
    """Whatever is wrong with the file ends the program."""

    def parsed(data: bytes, _path: Path) -> file.Configuration:
        return msgspec.convert(tomllib.loads(data.decode()), file.Configuration)

    replace(file, "parsed", parsed)


def _any_salt(replace: Replace) -> None:
    """The salt of an export may be any text."""
    replace(exported, "_header", read_header)


def _the_hash_that_it_names(replace: Replace) -> None:
    """An event has the hash that stands beside it."""

    def believe(_self: object, event: EventLine, *_: object) -> bytes:
        return bytes.fromhex(event.hash)

    replace(exported._Link, "__call__", believe)


def _any_number(replace: Replace) -> None:
    """A cursor is not looked at any closer."""

    def position(cursor: object, *_: object) -> int:
        return int(str(cursor).rpartition(".")[2])

    replace(store, "decode_cursor", position)


def _nothing_is_escaped(replace: Replace) -> None:
    """What a peer sends may look like a reference of ours."""
    replace(attachments, "_OWN_KEY", re.compile(rb"(?!)"))


def _only_blocks_come(replace: Replace) -> None:
    """Content is a list of blocks, or so it was thought."""
    replace(content, "_UNREADABLE", ())


def _bodies_that_fit(replace: Replace) -> None:
    """The body of a request is what the operation takes, or so it was thought."""
    from holdfast.frontends.gateway import operations

    def decoded(body: bytes, takes: type[Any]) -> object:
        return msgspec.json.decode(body, type=takes)

    replace(operations, "decoded", decoded)


def _refusals_are_errors(replace: Replace) -> None:
    """Whoever asks for what there is not, or in a wrong way, is told of an error of ours."""
    from holdfast.frontends.gateway import problems

    kept = [each for each in problems._STATUSES if each[0] not in {UsageError, NotFoundError}]
    replace(problems, "_STATUSES", tuple(kept))


def _frames_that_fit(replace: Replace) -> None:
    """A frame is one of ours, or so it was thought."""
    from holdfast.frontends.gateway.stream import frames

    decode = frames._decode

    def careless(text: str) -> frames.Frame:
        try:
            return decode(text)
        except msgspec.MsgspecError as error:
            raise LookupError from error

    replace(frames, "_decode", careless)


WEAKENED: Final[dict[str, Callable[[Replace], None]]] = {
    "claude": _all_is_an_object,
    "codex": _all_is_an_object,
    "gemini lines": _all_is_an_object,
    "gemini document": _all_is_an_object,
    "opencode": _all_is_an_object,
    "acp recording": _all_is_an_object,
    "acp frames": _only_json_comes,
    "host wire": _any_header,
    "query": _only_dates_come,
    "config.toml": _only_toml_comes,
    "exported session": _any_salt,
    "evidence bundle": _the_hash_that_it_names,
    "cursor": _any_number,
    "attachments": _nothing_is_escaped,
    "content blocks": _only_blocks_come,
    "http bodies": _bodies_that_fit,
    "http requests": _refusals_are_errors,
    "stream frames": _frames_that_fit,
}
"""By the name of the parser in `TARGETS`."""


def main(name: str) -> None:
    """Be a daemon with a defect in it; the arguments of the process are the daemon's."""
    from holdfast.bootstrap.daemon.__main__ import main as daemon

    WEAKENED[name](setattr)
    sys.exit(daemon())
