"""One agent as a program of its own: what `cast` plays, on standard input and output. Standard library only."""

from __future__ import annotations

import sys
from json import loads
from time import monotonic, sleep

rate, seconds = float(sys.argv[1]), float(sys.argv[2])
piece = (
    '{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"s","update":{"sessionUpdate":'
    '"agent_message_chunk","content":{"type":"text","text":"~%d:%.6f~ some words "}}}}\n'
)
results = {
    "initialize": '{"protocolVersion":1,"agentCapabilities":{}}',
    "session/new": '{"sessionId":"s"}',
    "session/prompt": '{"stopReason":"end_turn"}',
}

for line in sys.stdin:
    message = loads(line)
    method = message.get("method")
    if method == "session/prompt":
        begun = monotonic()
        for number in range(int(rate * seconds)):
            sleep(max(0.0, begun + number / rate - monotonic()))
            sys.stdout.write(piece % (number, monotonic()))
            sys.stdout.flush()
    if method in results:
        sys.stdout.write(f'{{"jsonrpc":"2.0","id":"{message["id"]}","result":{results[method]}}}\n')
        sys.stdout.flush()
