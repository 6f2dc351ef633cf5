"""What people asked of a peer, and wait for: another mode, another value of an option."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import anyio

from holdfast.domain.errors import ConflictError
from holdfast.domain.transport import ConnectError

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.domain.recorded import StreamId
    from holdfast.domain.transport import Wish

WISH_S: Final = 30.0


class Wishes:
    """Those of one connection that have no answer yet, by their keys."""

    def __init__(self) -> None:
        self._waiting: dict[str, _Waiting] = {}

    async def ask(self, session_id: StreamId, key: str, wish: Wish, post: Callable[[], None]) -> None:
        """Have a wish posted and return once the peer has agreed, and the log says so.

        Raises:
            ConflictError: It did not, or cannot be asked.
        """
        waiting = self._waiting[key] = _Waiting()
        try:
            post()
            with anyio.move_on_after(WISH_S):
                await waiting.done.wait()
        except ConnectError as error:
            raise ConflictError(str(error)) from error
        finally:
            self._waiting.pop(key, None)
        if waiting.refusal is not None:
            others = f"; `holdfast mode {session_id}` lists those it has" if wish.kind == "mode" else ""
            msg = f"the peer refused {wish.kind} {wish.value!r}: {waiting.refusal}{others}"
            raise ConflictError(msg)
        if not waiting.done.is_set():
            msg = f"the peer did not answer within {WISH_S:.0f} s whether it takes {wish.kind} {wish.value!r}"
            raise ConflictError(msg)

    def answer(self, key: str, refusal: str | None) -> None:
        """Tell whoever waits for this one, if anybody does."""
        if key in self._waiting:
            self._waiting[key].answer(refusal)

    def over(self) -> None:
        """Nothing will be answered any more."""
        for waiting in self._waiting.values():
            waiting.answer("the connection is over")


class _Waiting:
    """Somebody who waits for a wish to be granted."""

    def __init__(self) -> None:
        self.done = anyio.Event()
        self.refusal: str | None = None

    def answer(self, refusal: str | None) -> None:
        self.refusal = refusal
        self.done.set()
