"""Frontends that come and go beside a real agent: it is connected to once, whatever they do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from websockets.sync.client import connect

from tests.frontends.gateway.serving import Client, Json

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

    from tests.frontends.daemon import Daemon

pytestmark = pytest.mark.slow


def attach(daemon: Daemon) -> ClientConnection:
    return connect(f"ws://127.0.0.1:{daemon.port}/api/v1/stream", compression=None, max_size=None, max_queue=None)


def until_idle(client: Client, row: Json) -> Json:
    """Follow the roster until the turn has ended, answering what is asked."""
    while row["lifecycle"] == "streaming" or row["queued"] or row["lifecycle"] == "created":
        for op in client.receive("patch")["ops"]:
            if op["op"] == "put":
                row = op["item"]
    return row


def test_fifty_attachments_leave_one_connection_to_the_peer(daemon: Daemon) -> None:
    begun = daemon.post("/sessions", {"agent": "demo", "cwd": str(daemon.home.parent), "prompt": "hello"}).json()
    session = begun["id"]
    for _ in range(50):
        with attach(daemon) as connection:
            client = Client(connection)
            client.send(type="hello", client="fleeting", token=daemon.token)
            client.send(type="subscribe", sub="t", view="transcript", session=session)
            client.send(type="subscribe", sub="r", view="roster")
            client.send(type="focus", session=session)
            client.receive("snapshot")
            client.receive("snapshot")
    with attach(daemon) as connection:
        client = Client(connection)
        client.send(type="hello", client="lasting", token=daemon.token)
        client.send(type="subscribe", sub="r", view="roster")
        (row,) = client.receive("snapshot")["items"]
        row = until_idle(client, row)
        client.send(type="subscribe", sub="t", view="transcript", session=session)
        items = client.receive("snapshot")["items"]

    with daemon.streaming(f"/events?session={session}") as lines:
        types = [event["type"] for event in lines]
    assert types.count("attached") == 1
    assert types.count("prompt-sent") == 1
    assert next(item["text"] for item in items if item["kind"] == "message") == "hello"
    assert len({item["id"] for item in items}) == len(items)
    assert daemon.get("/status").json()["agents"] == 1
    daemon.post("/shutdown", {"agents": True})
    assert daemon.wait() == 0
