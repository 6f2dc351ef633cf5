"""The command line in this process, over a library in memory."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import pytest
from msgspec import json

from holdfast.frontends.cli.main import main
from tests.frontends.cli.memory import MemoryDoors, MemoryLibrary


class Result(NamedTuple):
    """What a command line came to."""

    code: int
    out: str
    err: str

    def json(self) -> Any:  # JSON; a test says what it expects in it
        """Return what it printed, as JSON."""
        return json.decode(self.out)


class Run(Protocol):
    """`run("ls", "--json")` carries out one command line."""

    def __call__(self, *args: str) -> Result: ...


@pytest.fixture
def library() -> MemoryLibrary:
    """A library without sessions."""
    return MemoryLibrary()


@pytest.fixture
def run(library: MemoryLibrary, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command line over that library, its streams no terminals."""

    def run(*args: str) -> Result:
        code = main(MemoryDoors(library), args)
        out, err = capsys.readouterr()
        return Result(code, out, err)

    return run
