"""Registration of facts: a short type tag and a schema version for each class. Nothing is ever imported by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from msgspec import Raw, Struct
from msgspec.structs import fields

if TYPE_CHECKING:
    from collections.abc import Callable


class Fact(Struct, frozen=True, omit_defaults=True):
    """Something that happened. Subclasses are registered with a tag and never change meaning once written.

    Each lists all of its fields, also where another has the same: it is a format of the log, with versions of its own,
    and what two facts inherited could not change in one of them alone.
    """


class Unknown(Fact, frozen=True):
    """An event of a type, or of a schema version, that this version does not know. Kept and shown raw.

    Attributes:
        tag: The type tag as stored.
        schema: The schema version as stored.
        data: The payload as stored, or None once erased.
    """

    tag: str
    schema: int
    data: str | None


class Reduced(Unknown, frozen=True):
    """An event whose payload gave way to its digest before it came here; another event of its session has the words.

    Attributes:
        digest: HMAC-SHA256 of the payload, under the key of the store that reduced it.
    """

    digest: bytes = b""


class Registration(Struct, frozen=True):
    """How a fact class is known in the log.

    Attributes:
        tag: Its type tag.
        schema: The schema version it is written with.
        fact: The class.
        needs_json: Names of its fields that must hold JSON, verbatim.
        may_hold_json: Names of its fields that may.
    """

    tag: str
    schema: int
    fact: type[Fact]
    needs_json: tuple[str, ...] = ()
    may_hold_json: tuple[str, ...] = ()


BY_TAG: dict[str, Registration] = {}
BY_CLASS: dict[type[Fact], Registration] = {}

F = TypeVar("F", bound=Fact)


def registered(tag: str, schema: int = 1) -> Callable[[type[F]], type[F]]:
    """Register a fact class under `tag`, written with schema version `schema`.

    Raises:
        ValueError: The tag is taken.
    """

    def register(fact: type[F]) -> type[F]:
        if tag in BY_TAG:
            msg = f"the type tag {tag!r} is taken by {BY_TAG[tag].fact.__name__}"
            raise ValueError(msg)
        json = [field for field in fields(fact) if field.type is Raw]
        BY_TAG[tag] = BY_CLASS[fact] = Registration(
            tag,
            schema,
            fact,
            tuple(field.name for field in json if field.required),
            tuple(field.name for field in json if not field.required),
        )
        return fact

    return register
