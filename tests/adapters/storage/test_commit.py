"""The commit function alone, over a log that lives in a list and fails when it is told to."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from holdfast.adapters.storage.chain import GENESIS, extend, keyed
from holdfast.adapters.storage.commit import Batch, Head, Heads, LogRow, Outcome, Request, commit
from holdfast.adapters.storage.mapper import to_entry
from holdfast.domain.errors import VersionConflictError
from tests.adapters.storage.given import row, said


@dataclass
class ListLog:
    """A `LogConnection` without a database."""

    rows: list[LogRow] = field(default_factory=list[LogRow])
    names: dict[str, int] = field(default_factory=dict[str, int])
    calls: list[str] = field(default_factory=list[str])
    reads: int = 0
    fails_at: str = ""
    _pending: Batch | None = None

    def begin(self) -> None:
        self._call("begin")

    def head_of(self, stream: str) -> Head | None:
        self.reads += 1
        mine = [r for r in self.rows if r[1] == self.names.get(stream)]
        if not mine:
            return None
        return Head(mine[-1][1], stream, "session", mine[-1][2], mine[-1][15], mine[-1][0], keyed(b"salt"))

    def stored(self, stream: int, first: int, last: int) -> list[tuple[int, bytes, int]]:
        return [(r[2], r[3], r[0]) for r in self.rows if r[1] == stream and first <= r[2] <= last]

    def keeps(self, name: str) -> bool:
        del name
        return False

    def write(self, batch: Batch) -> None:
        self._call("write")
        self._pending = batch

    def commit(self) -> None:
        self._call("commit")
        assert self._pending is not None
        self.rows += self._pending.rows
        self.names |= {name: number for number, _, name, _ in self._pending.keys}

    def rollback(self) -> None:
        self._call("rollback")

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if name == self.fails_at:
            raise OSError(name)


class Nobody:
    def settle(self, outcome: Outcome) -> None:
        raise AssertionError(outcome)  # the thread settles, not the commit


def asking(*versions: int, stream: str = "s", with_row: bool = False) -> Request:
    entries = [to_entry(said(stream, version)) for version in versions]
    return Request(entries, row() if with_row else None, Nobody())


def test_heads_move_when_it_is_durable() -> None:
    log, heads = ListLog(), Heads()

    batch = commit(log, heads, [asking(1, 2), asking(1, stream="t")])

    assert batch.outcomes == [[1, 2], [3]]
    assert log.calls == ["begin", "write", "commit"]
    assert (heads.position, heads.next_stream, heads.by_id["s"].version) == (3, 3, 2)
    assert heads.log_hash == extend(GENESIS, [r[15] for r in log.rows])


@pytest.mark.parametrize("step", ["begin", "write", "commit"])
def test_heads_stay_when_anything_fails(step: str) -> None:
    log, heads = ListLog(), Heads()
    commit(log, heads, [asking(1)])
    before = (heads.position, heads.log_hash, heads.next_stream, heads.by_id["s"].version, heads.by_id["s"].hash)
    log.fails_at = step

    with pytest.raises(OSError, match=step):
        commit(log, heads, [asking(2), asking(1, stream="new")])

    assert (
        heads.position, heads.log_hash, heads.next_stream, heads.by_id["s"].version, heads.by_id["s"].hash
    ) == before  # fmt: skip
    assert "new" not in heads.by_id
    log.fails_at = ""
    assert commit(log, heads, [asking(2)]).outcomes == [[2]]


def test_nothing_is_written_when_no_request_fits() -> None:
    log, heads = ListLog(), Heads()

    (outcome,) = commit(log, heads, [asking(5)]).outcomes

    assert isinstance(outcome, VersionConflictError)
    assert log.calls == ["begin", "rollback"]


def test_a_known_stream_costs_no_read() -> None:
    log, heads = ListLog(), Heads()
    commit(log, heads, [asking(1)])
    log.reads = 0

    commit(log, heads, [asking(2), asking(3)])

    assert log.reads == 0


def test_a_forgotten_stream_is_read_again() -> None:
    log, heads = ListLog(), Heads()
    commit(log, heads, [asking(1)])
    heads.forget()

    assert commit(log, heads, [asking(2)]).outcomes == [[2]]
    assert log.reads > 0


def test_memory_for_heads_is_bounded() -> None:
    log, heads = ListLog(), Heads(limit=10)

    for number in range(25):
        commit(log, heads, [asking(1, stream=f"s{number}")])

    assert len(heads.by_id) <= 10


def test_requests_of_one_group_build_on_each_other() -> None:
    log, heads = ListLog(), Heads()

    batch = commit(log, heads, [asking(1), asking(1), asking(2), asking(4), asking(3)])

    assert [o if isinstance(o, list) else "conflict" for o in batch.outcomes] == [[1], "conflict", [2], "conflict", [3]]
    assert [r[2] for r in log.rows] == [1, 2, 3]


def test_one_roster_row_a_stream_is_the_last_one() -> None:
    log, heads = ListLog(), Heads()

    batch = commit(log, heads, [asking(1, with_row=True), asking(2, with_row=True), asking(9, with_row=True)])

    assert list(batch.roster) == ["s"]
    assert batch.tips["s"][1] == 2


def test_each_stream_has_a_salt_of_its_own() -> None:
    log, heads = ListLog(), Heads()

    batch = commit(log, heads, [asking(1), asking(1, stream="t")])

    salts = [salt for _, _, _, salt in batch.keys]
    assert len(set(salts)) == 2
    assert {len(salt) for salt in salts} == {32}
