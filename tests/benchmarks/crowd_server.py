"""The other process of the live figures: a stream over a store of its own, that writes events when it is told to.

Lines on standard input: `burst N` writes as fast as it can, `pace N RATE` that many a second, `memory` answers with the
resident set in KiB. With `plain` as an argument, each client has a queue of its own and each event is a frame.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute

from holdfast.adapters.storage.event_ids import new_event_id
from holdfast.domain.answers import LogEvent
from holdfast.domain.recorded import Recorded
from holdfast.domain.session.codec import encode
from holdfast.domain.session.events import TextAppended
from holdfast.domain.session.facts import Unknown
from holdfast.domain.wire import event as encode_event
from tests.frontends.gateway.serving import ONE, Serving

if TYPE_CHECKING:
    from starlette.types import ASGIApp
    from starlette.websockets import WebSocket

_BATCH = 128
_TEXT = "x" * 120


class Plain(Serving):
    """What one would write first: everybody's queue is filled, and emptied, event by event."""

    def __init__(self, home: Path) -> None:
        self._queues: set[asyncio.Queue[str]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        super().__init__(home)

    def app(self, stream: Any) -> ASGIApp:
        del stream
        return Starlette(routes=[WebSocketRoute("/api/v1/stream", self._serve_plainly)])

    async def _serve_plainly(self, websocket: WebSocket) -> None:
        self._loop = asyncio.get_running_loop()
        await websocket.accept("holdfast.v1")
        queue: asyncio.Queue[str] = asyncio.Queue()
        self._queues.add(queue)
        while True:
            await websocket.send_text(await queue.get())

    def publish(self, events: list[Recorded]) -> None:
        lines = [encode_event(_logged(event)).decode() for event in events]

        def put() -> None:
            for queue in self._queues:
                for line in lines:
                    queue.put_nowait(line)

        assert self._loop is not None
        self._loop.call_soon_threadsafe(put)


def _logged(event: Recorded) -> LogEvent:
    encoded = encode(event.event)
    unknown = Unknown(encoded.tag, encoded.schema, encoded.data.decode())
    return LogEvent(msgspec.structs.replace(event, event=unknown, position=event.originator_version), "session",
                    encoded.tag, msgspec.Raw(encoded.data))  # fmt: skip


def write(serving: Serving, version: int, count: int) -> int:
    events = [
        Recorded(ONE, number, new_event_id(), time.time_ns() // 1000, TextAppended("m1", _TEXT))
        for number in range(version + 1, version + 1 + count)
    ]
    serving.store.append_now(events)
    if isinstance(serving, Plain):
        serving.publish(events)
    return version + count


def main() -> None:
    folder, kind = Path(sys.argv[1]), sys.argv[2]
    serving = Plain(folder) if kind == "plain" else Serving(folder)
    serving.begin()
    version = serving.workspace.load(ONE).version
    print(serving.url, flush=True)
    for line in sys.stdin:
        match line.split():
            case ["burst", count]:
                for _ in range(int(count) // _BATCH):
                    version = write(serving, version, _BATCH)
                print("done", flush=True)
            case ["pace", count, rate]:
                begun = time.monotonic()
                for number in range(int(count) // 10):
                    version = write(serving, version, 10)
                    time.sleep(max(0.0, begun + (number + 1) * 10 / float(rate) - time.monotonic()))
                print("done", flush=True)
            case ["memory"]:
                pages = int(Path("/proc/self/statm").read_text().split()[1])
                print(pages * 4, flush=True)
            case _:
                break
    if kind == "plain":
        os._exit(0)  # it does not even notice when a client goes
    serving.close()


if __name__ == "__main__":
    main()
