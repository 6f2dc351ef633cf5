"""What a disk may hold after the power failed: any of the sectors that were written since the last sync, in any mix.

A trace of one writer's system calls is replayed up to some call. What was synced is there; of the rest, each sector
of 512 or 4,096 bytes is there or not, and a file may or may not have grown or shrunk. Names of files are taken to be
safe at once, and signed checkpoints are left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from random import Random

CALLS = "pwrite64,write,fdatasync,fsync,ftruncate,unlink,rename"
STRACE = ("-xx", "-y", "-s", "1000000", f"--trace={CALLS}")

SECTORS = (512, 4096)
FILES = frozenset({"log.db", "log.db-journal", "log.db-wal", "checkpoints/head"})
ATTACHMENTS = "attachments/"
RECENT = 200
"""Unsynced writes of one file that may be missing; older ones have long been written by the kernel."""

_LINE = re.compile(r"^(?P<pid>\d+) +(?P<call>\w+)\((?:(?P<fd>\d+)<(?P<path>[^>]*)>|\"(?P<name>[^\"]*)\")(?P<rest>.*)")
_RESUMED = re.compile(r"^(?P<pid>\d+) +<\.\.\. (?P<call>\w+) resumed>")
_ACK = re.compile(rb"^ack \S+ \d+ (\d+) ([0-9a-f]{32}) ", re.MULTILINE)


class Step(NamedTuple):
    """One thing that happened: bytes on their way, bytes made safe, or an acknowledgement."""

    kind: Literal["write", "append", "shrink", "sync", "remove", "rename", "ack"]
    path: str = ""
    offset: int = 0
    data: bytes = b""


def read_trace(trace: Path, folder: Path) -> Iterator[Step]:
    """Yield what one traced writer did to the files in a folder, and what it acknowledged in between."""
    syncing: dict[str, str] = {}
    prefix = f"{folder}/"
    with trace.open() as lines:
        for line in lines:
            resumed = _RESUMED.match(line)
            if resumed is not None:
                if "sync" in resumed["call"] and resumed["pid"] in syncing:
                    yield Step("sync", syncing.pop(resumed["pid"]))
                continue
            found = _LINE.match(line)
            if found is None:
                continue
            path = bytes.fromhex(_hex(found["path"] or found["name"])).decode()
            if found["call"] == "write" and found["fd"] == "1":
                yield from (Step("ack", offset=int(ack[1]), data=ack[2]) for ack in _ACK.finditer(_data(found["rest"])))
            name = path.removeprefix(prefix)
            if not _is_followed(name):
                continue
            match found["call"]:
                case "write":
                    yield Step("append", name, 0, _data(found["rest"]))
                case "rename":
                    to = bytes.fromhex(_hex(re.findall(r'"([^"]*)"', found["rest"])[-1])).decode()
                    yield Step("rename", name, 0, to.removeprefix(prefix).encode())
                case "pwrite64":
                    offset = int(re.findall(r", (\d+)(?:\)| <)", found["rest"])[0])
                    yield Step("write", name, offset, _data(found["rest"]))
                case "ftruncate":
                    yield Step("shrink", name, int(re.findall(r", (\d+)", found["rest"])[0]))
                case "unlink":
                    yield Step("remove", name)
                case "fsync" | "fdatasync" if "unfinished" in line:
                    syncing[found["pid"]] = name
                case "fsync" | "fdatasync":
                    yield Step("sync", name)
                case _:
                    pass


def _is_followed(name: str) -> bool:
    return name in FILES or name.startswith(ATTACHMENTS)


def _data(rest: str) -> bytes:
    found = re.search(r'"((?:\\x[0-9a-f]{2})*)"', rest)
    return bytes.fromhex(_hex(found[1])) if found else b""


def _hex(escaped: str) -> str:
    return escaped.replace("\\x", "")


@dataclass
class File:
    """One file: what is safe of it, and what is under way."""

    safe: bytearray
    waiting: list[Step] = field(default_factory=list[Step])

    def take(self, step: Step) -> None:
        """Note a write, or make all before it safe."""
        if step.kind == "sync":
            for waiting in self.waiting:
                _apply(self.safe, waiting)
            self.waiting.clear()
            return
        self.waiting.append(step)
        if len(self.waiting) > RECENT:
            _apply(self.safe, self.waiting.pop(0))

    def image(self, random: Random) -> bytes:
        """Return one of the states in which a power failure may leave it."""
        content = bytearray(self.safe)
        kept = random.choice((0.0, 0.1, 0.5, 0.9, 1.0))
        sector = random.choice(SECTORS)
        for step in self.waiting:
            if step.kind == "shrink":
                if random.random() < kept:
                    _apply(content, step)
                continue
            for offset, data in _sectors(step, sector):
                if random.random() < kept:
                    _apply(content, Step("write", step.path, offset, data))
        return bytes(content)


class Disk:
    """The files of one store while a trace is replayed."""

    def __init__(self, folder: Path) -> None:
        """Begin with what lies in a folder, all of it safe."""
        self._files = {
            str(path.relative_to(folder)): File(bytearray(path.read_bytes()))
            for path in folder.rglob("*")
            if path.is_file() and _is_followed(str(path.relative_to(folder)))
        }

    def take(self, step: Step) -> None:
        """Let one thing happen."""
        if step.kind == "remove":
            self._files.pop(step.path, None)
        elif step.kind == "rename":
            self._files[step.data.decode()] = self._files.pop(step.path, File(bytearray()))
        elif step.kind == "append":
            file = self._files.setdefault(step.path, File(bytearray()))
            at = len(file.safe) + sum(len(each.data) for each in file.waiting)
            file.take(Step("write", step.path, at, step.data))
        elif step.kind != "ack":
            self._files.setdefault(step.path, File(bytearray())).take(step)

    def fail(self, folder: Path, random: Random) -> None:
        """Write into a folder what may be left after the power failed now."""
        for name, file in self._files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.image(random))


def _sectors(step: Step, size: int) -> Iterator[tuple[int, bytes]]:
    start = step.offset
    end = step.offset + len(step.data)
    while start < end:
        stop = min(end, (start // size + 1) * size)
        yield start, step.data[start - step.offset : stop - step.offset]
        start = stop


def _apply(content: bytearray, step: Step) -> None:
    if step.kind == "shrink":
        if len(content) > step.offset:
            del content[step.offset :]
        else:
            content.extend(bytes(step.offset - len(content)))
        return
    end = step.offset + len(step.data)
    if len(content) < end:
        content.extend(bytes(end - len(content)))
    content[step.offset : end] = step.data
