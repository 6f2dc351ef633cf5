"""What stands for the daemon in the kill tests: consumes frames and prompts an agent, with a real SQLite file.

Run as `standin.py FOLDER DATABASE MUTANT BACKEND`. Each line on standard input, `EPOCH|CRASH|WORK`, begins a life in a
process forked for it, whose number is printed. A life prints one byte at every point where it could be killed and ends
itself at the point CRASH; with WORK `finish` it takes no new work and exits 0 when all is answered.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import sys
import uuid
from pathlib import Path

import anyio

from holdfast.adapters.supervision.host import folder
from holdfast.adapters.supervision.host.client import Connection, connect
from holdfast.adapters.supervision.host.reader import Lines

SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = OFF;
CREATE TABLE frames (id INTEGER PRIMARY KEY, offset INTEGER NOT NULL, data TEXT NOT NULL);
CREATE TABLE cursor (offset INTEGER NOT NULL);
CREATE TABLE intents (prompt INTEGER PRIMARY KEY, key TEXT UNIQUE NOT NULL, answered INTEGER NOT NULL DEFAULT 0);
CREATE TABLE questions (offset INTEGER PRIMARY KEY, prompt INTEGER NOT NULL, answered INTEGER NOT NULL DEFAULT 0);
"""
POINTS = {
    "connected": b"c",
    "between frame and cursor": b"b",
    "frame committed": b"f",
    "answer written": b"a",
    "answer settled": b"s",
    "intent committed": b"i",
    "prompt written": b"p",
    "acknowledged": b"k",
}
IN_FLIGHT = 3


class Life:
    """One life of the daemon, from its start to its death."""

    def __init__(self, place: Path, database: Path, mutant: str, order: str) -> None:
        epoch, self.crash, self.work = order.split("|")
        self.place, self.mutant, self.epoch = place, mutant, int(epoch)
        self.db = sqlite3.connect(database, isolation_level=None)
        self.answered = anyio.Event()

    def point(self, name: str) -> None:
        os.write(1, POINTS[name])
        if name == self.crash:
            os.kill(os.getpid(), signal.SIGKILL)

    async def live(self) -> None:
        host = folder.describe(self.place)
        assert host is not None
        connection = await connect(host, epoch=self.epoch)
        self.point("connected")
        async with anyio.create_task_group() as nursery:
            nursery.start_soon(connection.run)
            nursery.start_soon(self.consume, connection)
            await self.produce(connection)
            nursery.cancel_scope.cancel()

    async def consume(self, connection: Connection) -> None:
        await self.answer(connection)
        source = "cursor" if self.mutant == "split" else "frames"
        (offset,) = self.db.execute(f"SELECT coalesce(max(offset), 0) FROM {source}").fetchone()
        with connection.reader(offset) as reader:
            lines = Lines(reader, 1 << 16)
            while line := await lines.next():
                self.commit(line.offset, line.data.decode())
                self.point("frame committed")
                await self.answer(connection)
                if line.offset % 7 == 0:
                    settled = [key for (key,) in self.db.execute("SELECT key FROM intents WHERE answered")]
                    await connection.ack(line.offset, settled)
                    self.point("acknowledged")

    def commit(self, offset: int, data: str) -> None:
        frame = json.loads(data)
        self.db.execute("BEGIN IMMEDIATE")
        self.db.execute("INSERT INTO frames (offset, data) VALUES (?, ?)", (offset, data))
        if "question" in frame:
            asked = offset, frame["question"]
            self.db.execute("INSERT OR IGNORE INTO questions (offset, prompt) VALUES (?, ?)", asked)
        if "response" in frame:
            self.db.execute("UPDATE intents SET answered = 1 WHERE key = ?", (frame["response"],))
        self.db.execute("COMMIT")
        if self.mutant == "split":
            self.point("between frame and cursor")
            self.db.execute("INSERT INTO cursor (offset) VALUES (?)", (offset,))
        if "response" in frame:
            self.answered.set()
            self.answered = anyio.Event()

    async def answer(self, connection: Connection) -> None:
        open_ = self.db.execute("SELECT offset, prompt FROM questions WHERE NOT answered ORDER BY offset").fetchall()
        for offset, prompt in open_:
            key = f"r:{connection.host.incarnation}:{offset}"
            await connection.write(key, json.dumps({"answer": prompt}).encode() + b"\n")
            self.point("answer written")
            self.db.execute("UPDATE questions SET answered = 1 WHERE offset = ?", (offset,))
            self.point("answer settled")

    async def produce(self, connection: Connection) -> None:
        open_ = self.db.execute("SELECT prompt, key FROM intents WHERE NOT answered ORDER BY prompt").fetchall()
        for prompt, key in open_:
            await self.prompt(connection, prompt, key)
        while True:
            event = self.answered
            (waiting,) = self.db.execute("SELECT count(*) FROM intents WHERE NOT answered").fetchone()
            if self.work == "finish" and not waiting:
                return
            if self.work == "finish" or waiting >= IN_FLIGHT:
                await event.wait()
                continue
            (prompt,) = self.db.execute("SELECT coalesce(max(prompt), 0) + 1 FROM intents").fetchone()
            key = uuid.uuid4().hex
            if self.mutant == "hasty":
                await self.prompt(connection, prompt, key)
            self.db.execute("INSERT INTO intents (prompt, key) VALUES (?, ?)", (prompt, key))
            self.point("intent committed")
            if self.mutant != "hasty":
                await self.prompt(connection, prompt, key)

    async def prompt(self, connection: Connection, prompt: int, key: str) -> None:
        await connection.write(key, json.dumps({"prompt": prompt, "id": key}).encode() + b"\n")
        self.point("prompt written")


def main() -> None:
    place, database, mutant, backend = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]
    if not database.exists():
        sqlite3.connect(database).executescript(SCHEMA)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            anyio.run(Life(place, database, mutant, line.rstrip("\n")).live, backend=backend)
            return
        os.write(1, f"<{child}>".encode())
        _, status = os.waitpid(child, 0)
        os.write(1, f"[{os.waitstatus_to_exitcode(status)}]".encode())


if __name__ == "__main__":
    main()
