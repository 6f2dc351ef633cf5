"""One step for each schema version ever left behind: payload of version n in, payload of version n + 1 out.

A step is never changed once a version with it was released, so it names no constant that might be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Raw

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Payload = dict[str, Raw]
"""The fields of a payload, each verbatim: what a step does not name, it cannot change."""


def _session_created_1(payload: Payload) -> Payload:
    """It says whose session it is. Before, there was one person, and nobody said so."""
    return payload | {"owner": Raw(b'"owner"')}


UPCASTERS: Final[Mapping[tuple[str, int], Callable[[Payload], Payload]]] = {
    ("session-created", 1): _session_created_1,
}
