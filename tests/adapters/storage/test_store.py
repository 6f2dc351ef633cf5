"""What every store does, on both databases and both event loops."""

from __future__ import annotations

import dataclasses
import json
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import anyio
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, text, update

from holdfast.adapters.storage import schema
from holdfast.adapters.storage.mapper import to_stored
from holdfast.adapters.storage.opening import open_store
from holdfast.adapters.storage.reading import by_cause, source_offset
from holdfast.adapters.storage.settings import StoreSettings
from holdfast.domain.errors import (
    StoreBusyError,
    StoreClosedError,
    StoreFencedError,
    StoreReadOnlyError,
    VersionConflictError,
)
from holdfast.domain.recorded import Actor, Recorded, Source
from holdfast.domain.session.events import TextAppended
from tests.adapters.storage.given import RECORDED_AT, Stores, row, said

if TYPE_CHECKING:
    from concurrent.futures import Future

    from holdfast.adapters.storage.jobs import WriteTransaction
    from holdfast.adapters.storage.reading import Feed
    from holdfast.adapters.storage.store import Store


async def test_an_append_answers_with_gapless_positions(store: Store) -> None:
    assert await store.append([said("a", 1), said("a", 2)]) == [1, 2]
    assert await store.append([said("b", 1)]) == [3]
    assert store.head() == 3


def test_an_event_comes_back_as_it_was_written(store: Store) -> None:
    event = Recorded(
        said("s", 1).originator_id, 1, said("s", 1).event_id, RECORDED_AT, TextAppended("m", "\0 ü \N{GRINNING FACE}"),
        "command-1", Actor("human", "phone"), RECORDED_AT - 5, Source(b"12345678", 99),
    )  # fmt: skip

    store.append_now([event])

    (found,) = store.events("s")
    assert found == msgspec.structs.replace(event, position=1)


def test_an_unexpected_version_is_a_conflict_and_leaves_nothing(store: Store) -> None:
    store.append_now([said("s", 1)])

    for version in (1, 3, 0):
        with pytest.raises(VersionConflictError):
            store.append_now([said("s", version)])
    with pytest.raises(VersionConflictError):
        store.append_now([said("s", 2), said("s", 4)])

    assert store.head() == 1
    assert store.append_now([said("s", 2)]) == [2]


def test_a_new_stream_begins_at_one(store: Store) -> None:
    with pytest.raises(VersionConflictError):
        store.append_now([said("s", 2)])


def test_the_same_events_again_are_answered_with_their_first_positions(store: Store) -> None:
    events = [said("s", 1), said("s", 2)]
    first = store.append_now(events)
    store.append_now([said("t", 1)])

    assert store.append_now(events) == first
    assert store.append_now(events[:1]) == first[:1]
    assert store.head() == 3


def test_the_same_events_again_are_known_after_a_restart(stores: Stores) -> None:
    event = said("s", 1)
    with stores.open() as store:
        store.append_now([event])

    assert stores.open().append_now([event]) == [1]


async def test_of_two_copies_in_one_group_one_is_written(store: Store) -> None:
    event = said("s", 1)
    positions: list[list[int]] = []

    async def append() -> None:
        positions.append(await store.append([event]))

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(append)

    assert positions == [[1]] * 5
    assert store.head() == 1


async def test_a_conflict_does_not_touch_the_others_of_its_group(store: Store) -> None:
    outcomes: dict[str, object] = {}

    async def append(name: str, event: Recorded) -> None:
        try:
            outcomes[name] = await store.append([event])
        except VersionConflictError:
            outcomes[name] = "conflict"

    async with anyio.create_task_group() as tasks:
        for number in range(10):
            tasks.start_soon(append, f"good {number}", said(f"s{number}", 1))
            tasks.start_soon(append, f"bad {number}", said(f"t{number}", 7))

    assert sorted(str(outcomes[f"good {number}"]) for number in range(10)) == sorted(f"[{n}]" for n in range(1, 11))
    assert {outcomes[f"bad {number}"] for number in range(10)} == {"conflict"}


def test_a_payload_that_the_database_refuses_fails_alone(store: Store) -> None:
    stored = to_stored(said("bad", 1))
    broken = dataclasses.replace(stored, state=b"\xff")
    futures = [store.submit([event]) for event in (to_stored(said("a", 1)), broken, to_stored(said("b", 1)))]

    assert futures[0].result()
    assert futures[1].exception() is not None
    assert futures[2].result()
    assert store.append_now([said("a", 2)])


def test_several_streams_are_written_together_or_not_at_all(store: Store) -> None:
    assert store.append_now([said("s", 1), said("t", 1), said("s", 2)]) == [1, 2, 3]
    with pytest.raises(VersionConflictError):
        store.append_now([said("s", 3), said("t", 1)])

    assert [event.originator_version for event in store.events("s")] == [1, 2]


def test_the_roster_row_is_written_with_its_events(store: Store) -> None:
    store.append_now([said("s", 1)], row('{"n":1}'))
    store.append_now([said("s", 2)], row('{"n":2}', ended=True, updated_at=7))

    with store.reading() as connection:
        (found,) = connection.execute(select(schema.sessions)).all()
        hash_ = connection.scalar(select(schema.events.c.hash).where(schema.events.c.position == 2))
    assert (found.id, found.version, found.position, found.ended, found.updated_at) == ("s", 2, 2, True, 7)
    assert (json.loads(found.row), found.hash) == ({"n": 2}, hash_)


def test_a_conflict_leaves_the_roster_alone(store: Store) -> None:
    store.append_now([said("s", 1)], row('{"n":1}'))
    with pytest.raises(VersionConflictError):
        store.append_now([said("s", 1)], row('{"n":2}'))

    with store.reading() as connection:
        assert connection.scalar(select(schema.sessions.c.row)) == '{"n":1}'


def test_an_append_without_a_row_still_moves_the_chains_head_in_the_roster(store: Store) -> None:
    store.append_now([said("s", 1)], row('{"n":1}'))
    store.append_now([said("s", 2)])

    with store.reading() as connection:
        found = connection.execute(select(schema.sessions)).one()
        hash_ = connection.scalar(select(schema.events.c.hash).where(schema.events.c.version == 2))
    assert (found.version, found.position, found.hash, found.row) == (2, 2, hash_, '{"n":1}')


def test_positions_go_on_after_a_restart(stores: Stores) -> None:
    with stores.open() as store:
        store.append_now([said("s", 1), said("s", 2)])

    assert stores.open().append_now([said("s", 3)]) == [3]


def test_the_position_of_a_deleted_newest_row_is_never_given_again(stores: Stores) -> None:
    with stores.open() as store:
        store.append_now([said("s", 1), said("s", 2), said("t", 1)])
        store.write(lambda transaction: _delete_from(transaction, 3))

    assert stores.open().append_now([said("u", 1)]) == [4]


def _delete_from(transaction: WriteTransaction, position: int) -> None:
    transaction.connection.execute(delete(schema.events).where(schema.events.c.position >= position))


def test_a_store_has_one_writer(stores: Stores) -> None:
    stores.open()

    with pytest.raises(StoreBusyError, match="process"):
        stores.open()


def test_the_next_writer_comes_in_when_the_first_one_left(stores: Stores) -> None:
    stores.open().close()

    assert stores.open().append_now([said("s", 1)]) == [1]


def test_a_writer_whose_epoch_has_passed_writes_nothing(store: Store, stores: Stores) -> None:
    store.append_now([said("s", 1)])
    store.write(
        lambda transaction: transaction.connection.execute(update(schema.store).values(epoch=schema.store.c.epoch + 1))
    )

    with pytest.raises(StoreFencedError):
        store.append_now([said("s", 2)])
    with pytest.raises(StoreFencedError):
        store.append_now([said("s", 2)])
    with pytest.raises(StoreFencedError):
        store.write(lambda _: None)

    assert stores.open(write=False).head() == 1


def test_every_opening_is_a_new_epoch(stores: Stores) -> None:
    epochs: list[int] = []
    for _ in range(3):
        with stores.open() as store, store.reading() as connection:
            epochs.append(connection.scalars(select(schema.store.c.epoch)).one())

    assert epochs[0] < epochs[1] < epochs[2]


def test_what_is_disposable_is_made_again_when_it_is_missing(stores: Stores) -> None:
    with stores.open() as store:
        store.append_now([said("s", 1)], row())
        before = store.write(lambda t: t.connection.execute(select(schema.store)).one())
        store.write(_drop_the_views)

    with stores.open() as store:
        assert store.append_now([said("s", 2)], row()) == [2]
        with store.reading() as connection:
            after = connection.execute(select(schema.store)).one()
    assert after.epoch > before.epoch


def _drop_the_views(transaction: WriteTransaction) -> None:
    for table in schema.metadata.sorted_tables:
        if table.name not in schema.LASTING:
            table.drop(transaction.connection)


def test_a_store_without_its_head_row_finds_the_same_log_hash(stores: Stores) -> None:
    with stores.open() as store:
        store.append_now([said("s", 1), said("t", 1)])
        hash_ = store.write(lambda t: t.connection.scalar(select(schema.store.c.log_hash)))
        store.write(lambda t: t.connection.execute(delete(schema.store)))
    with stores.open() as store, store.reading() as connection:
        assert connection.scalar(select(schema.store.c.log_hash)) == hash_


def test_a_store_opened_for_reading_cannot_write(store: Store, stores: Stores) -> None:
    store.append_now([said("s", 1)])
    reader = stores.open(write=False)

    with pytest.raises(StoreReadOnlyError):
        reader.append_now([said("s", 2)])
    with pytest.raises(StoreReadOnlyError), reader.reading() as connection:
        connection.execute(text("DELETE FROM events"))
    assert [event.position for event in reader.log()] == [1]


def test_a_closed_store_says_so(stores: Stores) -> None:
    store = stores.open()
    store.close()
    store.close()

    for attempt in (lambda: store.append_now([said("s", 1)]), store.head, lambda: store.write(lambda _: None)):
        with pytest.raises(StoreClosedError):
            attempt()


def test_closing_writes_what_is_queued(stores: Stores) -> None:
    store = stores.open()
    futures = [store.submit([to_stored(said(f"s{number}", 1))]) for number in range(50)]
    store.close()

    assert sorted(future.result()[0] for future in futures) == list(range(1, 51))


@pytest.mark.slow
def test_twelve_writers_and_a_tailing_reader_miss_nothing(store: Store, stores: Stores) -> None:
    each = 60
    seen: list[int] = []
    reader = stores.open(write=False)

    def tail() -> None:
        while len(seen) < 12 * each:
            seen.extend(event.position or 0 for event in reader.log(after=seen[-1] if seen else 0))

    def write(name: str) -> None:
        for version in range(1, each + 1):
            store.append_now([said(name, version)])

    with ThreadPoolExecutor(13) as threads:
        jobs = [threads.submit(tail), *(threads.submit(write, f"s{number}") for number in range(12))]
        for job in jobs:
            job.result()

    assert seen == list(range(1, 12 * each + 1))


def test_a_job_writes_in_a_transaction_of_its_own_and_may_append(store: Store) -> None:
    store.append_now([said("s", 1)])

    def work(transaction: WriteTransaction) -> list[int]:
        first = transaction.append([said("s", 2)], row())
        second = transaction.append([said("s", 3), said("new", 1)])
        transaction.connection.execute(schema.projections.insert().values(name="x", position=4))
        head = transaction.head("s")
        assert head is not None
        assert head.version == 3
        return first + second

    assert store.write(work) == [2, 3, 4]
    assert store.append_now([said("s", 4), said("new", 2)]) == [5, 6]


def test_a_job_that_fails_leaves_nothing_and_the_store_goes_on(store: Store) -> None:
    def work(transaction: WriteTransaction) -> None:
        transaction.append([said("s", 1)], row())
        raise KeyError("x")

    with pytest.raises(KeyError):
        store.write(work)

    with store.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(schema.keys)) == 1
    assert store.append_now([said("s", 1)]) == [1]


def test_jobs_and_appends_happen_in_the_order_in_which_they_were_asked_for(store: Store) -> None:
    futures: list[Future[list[int]]] = []
    for number in range(1, 20):
        futures.append(store.submit([to_stored(said("s", number))]))
        count = store.write(lambda t: t.connection.scalar(select(func.max(schema.events.c.position))))
        assert count == number


def test_events_are_read_by_version_and_by_position(store: Store) -> None:
    for version in range(1, 6):
        store.append_now([said("a", version), said("b", version)])

    assert [e.originator_version for e in store.events("a", after=1, until=4)] == [2, 3, 4]
    assert [e.position for e in store.log(after=2, until=5)] == [3, 4, 5]
    assert [e.position for e in store.log(after=2, stream="b")] == [4, 6, 8, 10]
    assert [e.position for e in store.log(types=["text-appended"])] == list(range(1, 11))
    assert list(store.log(types=["tool-called"])) == list(store.log(stream="none")) == list(store.events("none")) == []


@pytest.mark.parametrize("chunk", [1, 3, 14, 50])
def test_a_feed_reads_on_from_where_it_was_in_chunks_of_any_size(store: Store, chunk: int) -> None:
    for version in range(1, 8):
        store.append_now([said("a", version), said("b", version)])
    whole = store.feed(chunk=chunk)
    one_stream = store.feed(chunk=chunk, stream="b")
    one_type = store.feed(chunk=chunk, types=["text-appended"])

    assert _read(store, whole) == _read(store, one_type) == list(range(1, 15))
    assert _read(store, one_stream) == list(range(2, 15, 2))
    assert whole.position == one_stream.position == one_type.position == 14


def _read(store: Store, feed: Feed) -> list[int | None]:
    positions: list[int | None] = []
    with store.reading() as connection:
        at_end = False
        while not at_end:
            events, at_end = feed.read(connection)
            positions += [event.position for event in events]
    return positions


def test_a_stream_that_begins_after_its_feed_is_found(store: Store) -> None:
    feed = store.feed(stream="late")
    store.append_now([said("a", 1)])
    with store.reading() as connection:
        assert feed.read(connection) == ([], True)
    store.append_now([said("late", 1)])
    with store.reading() as connection:
        events, _ = feed.read(connection)
    assert [event.position for event in events] == [2]


def test_the_events_of_a_command_are_found_by_its_client_id(store: Store) -> None:
    store.append_now([said("s", 1), said("s", 2, cause="c1"), said("s", 3, cause="c1"), said("t", 1, cause="c1")])

    with store.reading() as connection:
        assert [event.originator_version for event in by_cause(connection, "s", "c1")] == [2, 3]
        assert by_cause(connection, "s", "c2") == by_cause(connection, "none", "c1") == []


def test_the_greatest_offset_of_a_source_tells_where_to_read_on(store: Store) -> None:
    events = [
        Recorded(
            e.originator_id, e.originator_version, e.event_id, e.recorded_at, e.event, source=Source(b"A" * 8, offset)
        )
        for e, offset in ((said("s", 1), 10), (said("s", 2), 25))
    ]
    store.append_now(events)

    with store.reading() as connection:
        assert source_offset(connection, "s", b"A" * 8) == 25
        assert source_offset(connection, "s", b"B" * 8) is None
        assert source_offset(connection, "none", b"A" * 8) is None


async def test_an_inline_store_commits_in_the_callers_thread(stores: Stores) -> None:
    store = stores.open(inline=True)

    assert await store.append([said("s", 1)]) == [1]
    assert await store.write_async(lambda _: threading.current_thread()) is threading.current_thread()
    assert store.append_now([said("s", 2)]) == [2]
    with pytest.raises(VersionConflictError):
        await store.append([said("s", 2)])


async def test_a_cancelled_append_may_be_asked_for_again(store: Store) -> None:
    event = said("s", 1)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await store.append([event])

    assert await store.append([event]) == [1]


def test_one_store_serves_several_event_loops(store: Store) -> None:
    async def main(name: str) -> None:
        for version in range(1, 20):
            await store.append([said(name, version)])

    def run(name: str, backend: str) -> None:
        anyio.run(main, name, backend=backend)

    with ThreadPoolExecutor(4) as threads:
        backends = ["asyncio", "trio", "asyncio", "trio"]
        jobs = [threads.submit(run, f"s{number}", backend) for number, backend in enumerate(backends)]
        for job in jobs:
            job.result()

    assert store.head() == 4 * 19


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.booleans()), max_size=30))
def test_any_mixture_of_requests_leaves_gapless_streams(plan: list[tuple[int, int, bool]]) -> None:
    """Given any versions, repeats and groups, the log is exactly what was acknowledged."""
    with tempfile.TemporaryDirectory() as folder, _inline(folder) as store:
        acknowledged: dict[bytes, int] = {}
        known: list[Recorded] = []
        for stream, ahead, again in plan:
            last = max((e.originator_version for e in known if e.originator_id == f"s{stream}"), default=0)
            event = known[ahead % len(known)] if again and known else said(f"s{stream}", last + ahead)
            try:
                (position,) = store.append_now([event])
            except VersionConflictError:
                assert event.originator_version != last + 1
                assert event not in known
            else:
                assert acknowledged.setdefault(event.event_id, position) == position
                if event not in known:
                    assert event.originator_version == last + 1 or (last == 0 and event.originator_version == 0)
                    known.append(event)
        assert {e.event_id: e.position for e in store.log()} == acknowledged
        assert sorted(acknowledged.values()) == list(range(1, len(acknowledged) + 1))


def _inline(folder: str) -> Store:
    return open_store(StoreSettings.from_url(f"sqlite:///{folder}/log.db"), environ={}, inline=True)
