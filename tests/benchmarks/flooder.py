"""An agent that, once it is asked anything, says lines of two bytes for ever. Standard library only."""

from __future__ import annotations

import sys
from json import loads

results = {
    "initialize": '{"protocolVersion":1,"agentCapabilities":{}}',
    "session/new": '{"sessionId":"s"}',
}

for line in sys.stdin:
    message = loads(line)
    method = message.get("method")
    if method in results:
        sys.stdout.write(f'{{"jsonrpc":"2.0","id":"{message["id"]}","result":{results[method]}}}\n')
        sys.stdout.flush()
    while method == "session/prompt":
        sys.stdout.write("y\n" * 32_768)
