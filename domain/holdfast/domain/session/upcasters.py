"""One step for each schema version ever left behind: payload of version n in, payload of version n + 1 out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Payload = dict[str, object]

UPCASTERS: Mapping[tuple[str, int], Callable[[Payload], Payload]] = {}
