"""The process that plays many agents: each answers a prompt with pieces of text at an even pace, stamped as they leave.

Arguments: the socket to listen on, pieces a second, seconds. They begin together, once every one of them has a prompt,
so that nothing that is measured is a matter of who came first. Ends with its standard input.
"""

from __future__ import annotations

import selectors
import socket
import sys
from json import loads
from time import monotonic, sleep
from typing import Any

PIECE = (
    b'{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"%b","update":{"sessionUpdate":'
    b'"agent_message_chunk","content":{"type":"text","text":"~%d:%.6f~ some words "}}}}\n'
)
ANSWER = b'{"jsonrpc":"2.0","id":%b,"result":%b}\n'
GREETING = b'{"protocolVersion":1,"agentCapabilities":{}}'


class Player:
    """One agent."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.prompt = b""
        self.session = b""
        self._rest = b""
        self._sessions = 0

    def hear(self) -> bool:
        """Take what the client says; False when it has gone."""
        data = self.connection.recv(1 << 16)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            message: dict[str, Any] = loads(line)
            name = b'"%b"' % str(message.get("id")).encode()
            match message.get("method"):
                case "session/prompt":
                    self.prompt, self.session = name, message["params"]["sessionId"].encode()
                case "initialize":
                    self.connection.sendall(ANSWER % (name, GREETING))
                case "session/new":
                    self._sessions += 1
                    self.connection.sendall(ANSWER % (name, b'{"sessionId":"s%d"}' % self._sessions))
                case _:
                    pass
        return bool(data)


def main() -> None:
    path, rate, seconds = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(1024)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    selector.register(sys.stdin, selectors.EVENT_READ)
    players: list[Player] = []
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            if key.fileobj is listener:
                connection, _ = listener.accept()
                players.append(Player(connection))
                selector.register(connection, selectors.EVENT_READ, players[-1])
            elif key.fileobj is sys.stdin:
                return
            elif not key.data.hear():
                selector.unregister(key.fileobj)
                players.remove(key.data)
        if players and all(player.prompt for player in players):
            speak(players, rate, int(rate * seconds))


def speak(players: list[Player], rate: float, count: int) -> None:
    """Let each say its pieces, all of them in turn; late ones follow at once, and keep the stamp of when they left."""
    begun, total = monotonic() + 0.05, len(players)
    for number in range(count * total):
        wait = begun + number / (rate * total) - monotonic()
        if wait > 0.0005:
            sleep(wait)
        player = players[number % total]
        player.connection.sendall(PIECE % (player.session, number // total, monotonic()))
    for player in players:
        player.connection.sendall(ANSWER % (player.prompt, b'{"stopReason":"end_turn"}'))
        player.prompt = b""


if __name__ == "__main__":
    main()
