"""The stable codes of errors on the wire: which class each one is, so that a client raises what the daemon raised."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from holdfast.domain import errors
from holdfast.domain.errors import AmbiguousNameError, HoldfastError

if TYPE_CHECKING:
    from collections.abc import Sequence


def code_of(error: type[HoldfastError]) -> str:
    """Return the code of a class: its name in small letters, `SessionEndedError` is `session_ended`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", error.__name__.removesuffix("Error")).lower()


def rebuilt(code: str, detail: str, *, name: str = "", candidates: Sequence[str] = ()) -> HoldfastError:
    """Return the error that a problem document tells of; one whose code is not known is a plain `HoldfastError`.

    Args:
        code: The document's `code`.
        detail: Its `detail`, which becomes the message.
        name: Its `name`, where several sessions fit a name.
        candidates: Its `candidates`, the ids that fit.
    """
    kind = ERRORS.get(code, HoldfastError)
    if kind is AmbiguousNameError:
        return AmbiguousNameError(name, tuple(candidates))
    return kind(detail)


ERRORS: Final[dict[str, type[HoldfastError]]] = {
    code_of(kind): kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, HoldfastError) and kind is not HoldfastError
}
"""Every class of the one tree by its code."""
