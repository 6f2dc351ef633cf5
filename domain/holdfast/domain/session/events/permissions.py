"""Facts about what an agent asks leave for, and what came of it."""

from __future__ import annotations

from hashlib import sha256

from msgspec import Raw, Struct, json

from holdfast.domain.content import NOTHING
from holdfast.domain.session.facts import Fact, registered


class Option(Struct, frozen=True, omit_defaults=True):
    """One answer that the agent offers."""

    option_id: str
    kind: str
    name: str = ""


def arguments_hash(title: str, arguments: Raw) -> str:
    """Return what an answer is bound to: SHA-256 over title and arguments, as a JSON array of two, hexadecimal."""
    return sha256(json.encode([title, arguments])).hexdigest()


@registered("permission-requested")
class PermissionRequested(Fact, frozen=True):
    """The agent asks whether it may do something.

    Attributes:
        request_id: Ours, unique over all sessions.
        turn_id: The turn it belongs to; it expires with that.
        title: What is asked, for people.
        input: The exact arguments.
        options: The answers that are allowed.
        arguments_hash: SHA-256 over title and input as a JSON array, hexadecimal: what an answer is bound to.
        item_id: The use of a tool it is about, where named.
        rpc_id: The peer's own id of the request, verbatim JSON.
    """

    request_id: str
    turn_id: str | None
    title: str
    input: Raw
    options: tuple[Option, ...]
    arguments_hash: str
    item_id: str | None = None
    rpc_id: Raw = NOTHING


@registered("permission-answered")
class PermissionAnswered(Fact, frozen=True):
    """Somebody answered.

    Attributes:
        option_id: The answer that was chosen; nothing cancels the request.
        arguments_hash: What was asked, as the person was shown it.
        reason: Why, in the person's words.
    """

    request_id: str
    option_id: str | None
    arguments_hash: str
    reason: str | None = None


@registered("permission-expired")
class PermissionExpired(Fact, frozen=True):
    """The request can not be answered any more: its turn or its agent is gone."""

    request_id: str
    reason: str
