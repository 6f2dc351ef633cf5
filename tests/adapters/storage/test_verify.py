from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sqlalchemy import create_engine
from sqlalchemy.exc import IntegrityError

from holdfast.adapters.storage import chain, walk
from holdfast.adapters.storage.verify import Verdict, verify
from tests.adapters.storage import forging

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

NO_WITNESS = Path("/nonexistent")
HEADER = (
    "stream", "version", "event_id", "type", "schema", "recorded_at",
    "occurred_at", "cause", "actor", "device", "source", "source_offset",
)  # fmt: skip
COLUMNS = (*HEADER, "data", "digest", "hash")
EVENTS = 12


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    is_file = request.param == "sqlite"
    engine = forging.memory() if is_file else create_engine(request.getfixturevalue("postgres_url"))
    yield engine
    engine.dispose()


def verdict(engine: Engine) -> Verdict:
    return verify(engine, NO_WITNESS)


def bad(engine: Engine) -> tuple[int, str | None, int | None, str]:
    found = verdict(engine).first_bad
    assert found is not None
    return found.position, found.session_id, found.version, found.reason


def flipped(value: Any, bit: int) -> Any:
    """Return `value` with one bit changed, whatever its type."""
    if isinstance(value, int):
        changed = value ^ (1 << bit % 64)
        return changed - (1 << 64) if changed >= 1 << 63 else changed
    content = bytearray(value.encode() if isinstance(value, str) else value)
    content[bit // 8 % len(content)] ^= 1 << bit % 8
    return bytes(content)


def test_a_log_as_it_was_written_is_well(engine: Engine) -> None:
    forging.write_log(engine)

    found = verdict(engine)

    assert found.ok
    assert found.checked == EVENTS
    assert found.first_bad is None


def test_an_empty_log_is_well(engine: Engine) -> None:
    forging.write_log(engine, events=3)
    forging.execute(engine, "DELETE FROM events")
    forging.execute(engine, "DELETE FROM sessions")
    forging.execute(engine, "DELETE FROM store")
    if engine.dialect.name == "sqlite":
        forging.execute(engine, "DELETE FROM sqlite_sequence")

    assert verdict(engine).ok
    assert verdict(engine).checked == 0


@pytest.fixture(scope="module")
def written() -> Iterator[tuple[Engine, list[dict[str, Any]]]]:
    """One log for many small damages, each of which is made good again."""
    engine = forging.memory()
    yield engine, forging.write_log(engine)
    engine.dispose()


@pytest.mark.slow
@given(position=st.integers(1, EVENTS), column=st.sampled_from(COLUMNS), bit=st.integers(0, 511))
def test_any_single_bit_of_any_column_is_found_where_it_was_changed(
    written: tuple[Engine, list[dict[str, Any]]], position: int, column: str, bit: int
) -> None:
    engine, rows = written
    was = rows[position - 1][column]
    assume(was is not None)
    try:
        forging.change(engine, position, **{column: flipped(was, bit)})
    except IntegrityError:
        assume(False)  # SQLite itself forbids the change: that version stands elsewhere
    try:
        assert bad(engine)[0::3] == (position, "tampered")
    finally:
        forging.change(engine, position, **{column: was})


@pytest.mark.slow
@given(position=st.integers(1, EVENTS), bit=st.integers(0, 63))
def test_any_single_bit_of_a_position_is_found(
    written: tuple[Engine, list[dict[str, Any]]], position: int, bit: int
) -> None:
    engine, _ = written
    to = flipped(position, bit)
    assume(not 1 <= to <= EVENTS)
    forging.move(engine, position, to)
    try:
        assert bad(engine)[0::3] == (position, "reordered")
    finally:
        forging.move(engine, to, position)
        forging.execute(engine, "UPDATE sqlite_sequence SET seq = :n WHERE name = 'events'", n=EVENTS)


@pytest.mark.parametrize("column", COLUMNS)
def test_a_change_in_each_column_is_found_on_every_dialect(engine: Engine, column: str) -> None:
    rows = forging.write_log(engine)
    row = next(row for row in rows if row[column] is not None and row["position"] > 3)
    value = flipped(row[column], 0)
    if isinstance(row[column], str):
        value = value.decode()
    if column == "version":
        value = row[column] + 100
    if column == "stream":
        value = 99

    forging.change(engine, row["position"], **{column: value})

    assert bad(engine)[0::3] == (row["position"], "tampered")


@pytest.mark.parametrize("column", COLUMNS)
def test_an_absent_value_that_appears_and_a_value_that_disappears_are_found(column: str) -> None:
    engine = forging.memory()
    fresh: dict[str, Any] = {"occurred_at": 0, "cause": "", "device": "", "source": b"", "source_offset": 0}
    rows = forging.write_log(engine)
    present = next((row for row in rows if row[column] is not None), None)
    absent = next((row for row in rows if row[column] is None), None)
    if column in fresh:
        assert present is not None
        forging.change(engine, present["position"], **{column: None})
        assert bad(engine)[0::3] == (present["position"], "tampered")
        forging.change(engine, present["position"], **{column: present[column]})
        assert absent is not None
        forging.change(engine, absent["position"], **{column: fresh[column]})
        assert bad(engine)[0::3] == (absent["position"], "tampered")
    elif column in {"data", "digest"}:
        assert present is not None
        forging.change(engine, present["position"], **{column: None})
        assert bad(engine)[0::3] == (present["position"], "tampered")
    engine.dispose()


@pytest.mark.parametrize("field", HEADER)
def test_a_chain_that_ignored_a_column_would_be_caught_by_these_tests(
    field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutant: with a hash that leaves `field` out, the change above goes unseen, so that test fails."""
    name = {"stream": "stream"}.get(field, field)
    neutral: dict[str, Any] = {
        "stream": "", "version": 0, "event_id": bytes(16), "type": "", "schema": 0, "recorded_at": 0,
        "occurred_at": None, "cause": None, "actor": 0, "device": None, "source": None, "source_offset": None,
    }  # fmt: skip
    order = ("prev", "position", *HEADER, "digest")

    def mutant(*args: Any, **named: Any) -> bytes:
        given = dict(zip(order, args, strict=False)) | named
        return chain.link(**(given | {name: neutral[name]}))

    engine = forging.memory()
    rows = forging.write_log(engine, link=mutant)
    monkeypatch.setattr(walk, "link", mutant)
    row = next(row for row in rows if row[field] is not None and row["position"] > 3)
    if field in {"stream", "version"}:
        forging.execute(engine, "UPDATE keys SET id = 'renamed' WHERE stream = :s", s=row["stream"])
        forging.execute(engine, "DELETE FROM sessions")
        expected = field == "stream"
    else:
        value = flipped(row[field], 0)
        forging.change(engine, row["position"], **{field: value})
        expected = True

    assert verdict(engine).ok is expected
    engine.dispose()


@pytest.mark.parametrize("salt", [b"t" * 32, None])
def test_a_changed_or_removed_salt_is_found_at_the_first_event_of_its_session(
    engine: Engine, salt: bytes | None
) -> None:
    forging.write_log(engine)
    forging.execute(engine, "UPDATE keys SET salt = :salt WHERE stream = 2", salt=salt)

    assert bad(engine) == (2, "beta", 1, "tampered")


def test_a_session_under_another_name_is_found(engine: Engine) -> None:
    forging.write_log(engine)
    forging.execute(engine, "UPDATE keys SET id = 'somebody' WHERE stream = 2")

    assert bad(engine)[0::3] == (2, "tampered")


@pytest.mark.parametrize("kind", ["link", "store", "nonsense"])
def test_a_session_that_is_made_to_pass_for_something_else_is_found(engine: Engine, kind: str) -> None:
    forging.write_log(engine)
    forging.execute(engine, "UPDATE keys SET kind = :kind WHERE stream = 2", kind=kind)

    assert bad(engine) == (2, "beta", 1, "tampered")


def test_a_missing_key_is_found(engine: Engine) -> None:
    forging.write_log(engine)
    forging.execute(engine, "DELETE FROM keys WHERE stream = 2")

    assert bad(engine)[0::3] == (2, "tampered")


def test_another_end_of_a_session_in_the_roster_is_found(engine: Engine) -> None:
    forging.write_log(engine)
    forging.execute(engine, "UPDATE sessions SET hash = :hash WHERE stream = 1", hash=bytes(32))

    assert bad(engine) == (10, "alpha", 4, "tampered")


def test_content_taken_away_without_an_erasure_is_found(engine: Engine) -> None:
    row = forging.write_log(engine)[3]
    digest = chain.payload_digest(b"alpha".ljust(32, b"!"), row["data"].encode())
    forging.change(engine, 4, data=None, digest=digest)

    assert bad(engine) == (4, "alpha", 2, "tampered")


def test_an_event_taken_out_of_the_middle_is_missing(engine: Engine) -> None:
    forging.write_log(engine)
    forging.execute(engine, "DELETE FROM events WHERE position = 5")

    assert bad(engine) == (5, "beta", 2, "missing")


def test_several_events_taken_out_in_a_row_are_missing_from_the_first_one_on(engine: Engine) -> None:
    forging.write_log(engine)
    forging.execute(engine, "DELETE FROM events WHERE position IN (5, 6, 7)")

    assert bad(engine)[0::3] == (5, "missing")


def test_an_event_taken_out_with_the_rest_moved_up_is_missing(engine: Engine) -> None:
    forging.write_log(engine)
    forging.execute(engine, "DELETE FROM events WHERE position = 5")
    for position in range(6, EVENTS + 1):
        forging.move(engine, position, position - 1)

    assert bad(engine)[0::3] == (5, "missing")


def test_the_first_event_taken_out_is_missing(engine: Engine) -> None:
    forging.write_log(engine)
    forging.execute(engine, "DELETE FROM events WHERE position = 1")

    assert bad(engine) == (1, "alpha", 1, "missing")


def test_the_newest_event_taken_off_is_missing(engine: Engine) -> None:
    forging.write_log(engine)
    forging.execute(engine, "DELETE FROM events WHERE position = 12")

    assert bad(engine) == (12, "gamma", 4, "missing")


def test_the_newest_event_is_missed_even_without_the_views(engine: Engine) -> None:
    forging.write_log(engine)
    forging.execute(engine, "DELETE FROM events WHERE position = 11")
    forging.execute(engine, "DELETE FROM events WHERE position = 12")
    forging.execute(engine, "DROP TABLE sessions")
    forging.execute(engine, "DROP TABLE links")

    assert bad(engine)[0::3] == (11, "missing")


def test_views_that_were_dropped_are_no_damage(engine: Engine) -> None:
    forging.write_log(engine)
    for name in ("sessions", "links", "store", "items", "inbox", "projections", "snapshots"):
        forging.execute(engine, f"DROP TABLE {name}")

    assert verdict(engine).ok


@pytest.mark.parametrize(("left", "right"), [(4, 7), (1, 10), (4, 5), (1, 12)])
def test_two_events_that_exchanged_their_positions_are_reordered(engine: Engine, left: int, right: int) -> None:
    forging.write_log(engine)
    forging.move(engine, left, 1000)
    forging.move(engine, right, left)
    forging.move(engine, 1000, right)

    assert bad(engine)[0::3] == (left, "reordered")


@pytest.mark.parametrize(("left", "right"), [(4, 7), (1, 10)])
@pytest.mark.parametrize("hash_too", [True, False])
def test_two_events_of_a_session_that_exchanged_their_content_are_reordered(
    engine: Engine, left: int, right: int, hash_too: bool
) -> None:
    forging.write_log(engine)
    content = tuple(name for name in COLUMNS if name not in {"stream", "version", "hash"})
    forging.swap(engine, left, right, (*content, "hash") if hash_too else content)

    assert bad(engine) == (left, "alpha", 1 + (left - 1) // 3, "reordered")


def test_two_payloads_that_changed_places_are_reordered(engine: Engine) -> None:
    forging.write_log(engine)
    forging.swap(engine, 4, 7, ("data",))

    assert bad(engine) == (4, "alpha", 2, "reordered")


def test_a_payload_that_was_copied_over_another_is_tampered_with(engine: Engine) -> None:
    rows = forging.write_log(engine)
    forging.change(engine, 4, data=rows[6]["data"])

    assert bad(engine) == (4, "alpha", 2, "tampered")


def test_all_positions_in_reverse_are_reordered(engine: Engine) -> None:
    forging.write_log(engine)
    for position in range(1, EVENTS + 1):
        forging.move(engine, position, 1000 + position)
    for position in range(1, EVENTS + 1):
        forging.move(engine, 1000 + position, EVENTS + 1 - position)

    assert bad(engine)[0::3] == (1, "reordered")


def test_an_inserted_event_is_found(engine: Engine) -> None:
    forging.write_log(engine)
    row = forging.row_at(engine, 10)
    _insert(engine, row | {"position": 13, "version": 5, "event_id": b"x" * 16})

    assert bad(engine) == (13, "alpha", 5, "tampered")


def test_an_event_that_was_forged_with_a_right_hash_is_found_by_the_roster(engine: Engine) -> None:
    forging.write_log(engine)
    _insert(engine, _forged(engine, event_id=b"x" * 16))

    assert bad(engine)[0] in {10, 13}


def test_an_event_id_that_stands_twice_is_found_even_with_a_right_hash(engine: Engine) -> None:
    forging.write_log(engine)
    row = _forged(engine, event_id=(4).to_bytes(16))
    _insert(engine, row)
    forging.execute(engine, "DROP TABLE sessions")
    forging.execute(engine, "DROP TABLE store")

    assert bad(engine) == (13, "alpha", 5, "tampered")


def test_a_row_outside_the_log_is_found(engine: Engine) -> None:
    forging.write_log(engine)
    row = forging.row_at(engine, 10)
    _insert(engine, row | {"position": -7, "version": 5, "event_id": b"x" * 16})

    assert bad(engine)[0::3] == (-7, "tampered")


def test_progress_is_told(engine: Engine) -> None:
    forging.write_log(engine)
    told: list[tuple[int, int]] = []

    verify(engine, NO_WITNESS, progress=lambda done, total: told.append((done, total)))

    assert told[-1] == (EVENTS, EVENTS)


def test_without_a_witness_it_says_that_the_end_cannot_be_known(engine: Engine) -> None:
    forging.write_log(engine)

    said = " ".join(verdict(engine).cannot_know)

    assert "no witness" in said
    assert "erased" in said


def test_a_file_with_a_ruined_page_is_bad_from_there_on(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    engine = create_engine(f"sqlite:///{path}")
    forging.write_log(engine, events=300)
    engine.dispose()
    content = bytearray(path.read_bytes())
    at = content.index(b"what was said at 200")
    start = at - at % 4096
    content[start : start + 8] = b"\xff" * 8
    path.write_bytes(content)

    found = verdict(engine).first_bad

    assert found is not None
    assert 1 <= found.position <= 200
    assert found.reason == "tampered"
    engine.dispose()


def _forged(engine: Engine, event_id: bytes) -> dict[str, Any]:
    """Return one more event of `alpha` as somebody makes it who can read the salt and hash."""
    row: dict[str, Any] = {**forging.row_at(engine, 10), "position": 13, "version": 5, "event_id": event_id}
    before = forging.row_at(engine, 10)["hash"]
    header = {name: row[name] for name in HEADER if name != "stream"}
    digest = chain.payload_digest(b"alpha".ljust(32, b"!"), row["data"].encode())
    row["hash"] = chain.link(before, position=13, stream="alpha", digest=digest, **header)
    return row


def _insert(engine: Engine, row: dict[str, Any]) -> None:
    names = ", ".join(f'"{name}"' for name in row)
    values = ", ".join(f":{name}" for name in row)
    forging.execute(engine, f"INSERT INTO events ({names}) VALUES ({values})", **row)
