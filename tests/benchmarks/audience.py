"""The process with a frontend on each session: it looks at the transcript and notes when each piece of text arrives.

Arguments: the daemon's URL, its token, pieces of each session, the sessions. Says `ready` once all have their snapshot,
then, when every piece has come, one line of JSON: milliseconds from when the agent said it, in order of arrival.
"""

from __future__ import annotations

import re
import selectors
import sys
from json import dumps
from time import monotonic
from typing import Final

from tests.benchmarks.crowd import Reader

_STAMP: Final = re.compile(rb"~(\d+):([\d.]+)~")
_PATIENCE_S: Final = 60.0


class Listener:
    """One frontend."""

    def __init__(self, url: str, token: str, session: str) -> None:
        self.reader = Reader(url, token)
        self.session = session
        self.heard = 0
        self._rest = b""

    def subscribe(self) -> None:
        """Look at the session."""
        self.reader.shake_hands([{"type": "subscribe", "sub": "t", "view": "transcript", "session": self.session}])

    def take(self, delays: list[float]) -> bool:
        """Note what came; tell whether there was anything.

        Raises:
            AssertionError: A piece is missing, or came before an earlier one.
        """
        data = self._rest + self.reader.take()
        now = monotonic()
        end = 0
        for found in _STAMP.finditer(data):
            end = found.end()
            number = int(found[1])
            if number < self.heard:
                continue  # in an item that was sent whole
            assert number == self.heard, f"{self.session}: {number} came after {self.heard - 1}"
            self.heard += 1
            delays.append((now - float(found[2])) * 1000)
        self._rest = data[max(end, len(data) - 64) :]
        return len(data) > 0


def main() -> None:
    url, token, count, sessions = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]
    listeners = [Listener(url, token, session) for session in sessions]
    for listener in listeners:
        listener.subscribe()
    delays: list[float] = []
    with selectors.DefaultSelector() as selector:
        for listener in listeners:
            while b'"snapshot"' not in listener.reader.take():
                pass
            selector.register(listener.reader.socket, selectors.EVENT_READ, listener)
        print("ready", flush=True)
        quiet = monotonic()
        while len(delays) < count * len(listeners) and monotonic() < quiet + _PATIENCE_S:
            for key, _ in selector.select(1.0):
                before = len(delays)
                key.data.take(delays)
                quiet = monotonic() if len(delays) > before else quiet
    print(dumps([round(delay, 3) for delay in delays]), flush=True)


if __name__ == "__main__":
    main()
