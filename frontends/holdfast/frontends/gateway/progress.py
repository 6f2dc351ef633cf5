"""What takes long, answered in lines: how far it is, then what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import anyio
from anyio import from_thread, to_thread
from msgspec import json

from holdfast.frontends.gateway.operations import Call, found, streamed
from holdfast.frontends.gateway.problems import describe

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from starlette.responses import Response

    from holdfast.domain.ports import Progress

T = TypeVar("T")

_EVERY_S = 0.2


async def answered(call: Call, work: Callable[[Progress | None], T]) -> Response:
    """Run `work` on a worker thread and answer with what it returns.

    To a client that asked for lines it is told how far it is meanwhile: `{"progress": [what, done, total]}`, and at the
    end `{"result": …}` or `{"problem": …}`.
    """
    if not call.lines:
        return found(await to_thread.run_sync(work, None))
    return streamed(steps(work))


async def steps(work: Callable[[Progress | None], T]) -> AsyncGenerator[bytes]:
    """Yield lines of JSON: how far `work` is, on its worker thread, and at the end what it came to."""
    latest: list[tuple[str, int, int | None]] = []
    outcome: list[dict[str, object]] = []
    done = anyio.Event()

    def report(what: str, count: int, total: int | None) -> None:
        latest[:] = [(what, count, total)]

    def run() -> None:
        try:
            outcome.append({"result": work(report)})
        except Exception as error:  # noqa: BLE001 - the stream has begun: what went wrong is its last line
            outcome.append({"problem": describe(error)})
        from_thread.run_sync(done.set)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(to_thread.run_sync, run)
        while not done.is_set():
            with anyio.move_on_after(_EVERY_S):
                await done.wait()
            if latest:
                yield json.encode({"progress": latest.pop()}) + b"\n"
    yield json.encode(outcome[0]) + b"\n"
