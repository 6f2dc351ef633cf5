"""Search over a million items: each kind of query, as the command line and the page ask it, on both databases."""

from __future__ import annotations

from functools import partial
from itertools import accumulate, islice
from random import Random
from statistics import median
from typing import TYPE_CHECKING, Final

import msgspec
from sqlalchemy import insert, text

from holdfast.adapters.storage import schema
from holdfast.adapters.storage.event_ids import new_event_id
from holdfast.adapters.storage.opening import open_store
from holdfast.adapters.storage.reader import Reader
from holdfast.adapters.storage.reading import head_position, stream_number
from holdfast.adapters.storage.settings import StoreSettings
from holdfast.adapters.storage.views import passages
from holdfast.adapters.storage.views.projector import FOLDS
from holdfast.adapters.storage.views.roster import roster_row
from holdfast.adapters.storage.views.tables import track
from holdfast.domain.projections.items import Item
from holdfast.domain.search.query import parse
from holdfast.domain.session import events as e
from holdfast.domain.session.session import Context, Session, fold, record
from holdfast.domain.session.state import OWNER
from holdfast.domain.timestamps import to_text
from tests.benchmarks.material import new_session
from tests.benchmarks.report import Figure, Goal, Row
from tests.benchmarks.rounds import milliseconds
from tests.support.postgres import PostgresServer
from tests.support.programs import MISSING, PROGRAMS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from holdfast.adapters.storage.store import Store
    from holdfast.adapters.storage.writer import WriteTransaction
    from tests.benchmarks.rounds import Measure
    from tests.benchmarks.scale import Scale

_GOAL: Final = Goal("at most", 100, "value")
_HITS: Final = 20
_A_SESSION: Final = 1_000
_AT_ONCE: Final = 2_000
_NEEDLES: Final = 7

_AGENTS: Final = ("claude", "codex", "gemini", "opencode")
_BEGAN_US: Final = 1_640_995_200_000_000
_STEP_US: Final = 126_000_000
"""A million of these are four years."""

_VOCABULARY: Final = 60_000
_SHAPES: Final = ((8, 5), (25, 3), (80, 2))
"""Words of an item, and how often there is one of so many."""


def on_sqlite(folder: Path, scale: Scale) -> Figure:
    """Measure it on SQLite."""
    settings = StoreSettings.from_url(f"sqlite:///{folder}/log.db", home=folder)
    return Figure("search", _work("SQLite", scale), tuple(_measured(settings, folder, scale)))


def on_postgres(folder: Path, scale: Scale) -> Figure:
    """Measure it on a PostgreSQL server that is made for it."""
    program = PROGRAMS["postgres"].find()
    if program is None:
        missing = f"{PROGRAMS['postgres'].title}{MISSING}{PROGRAMS['postgres'].package}"
        return Figure("search-pg", _work("PostgreSQL", scale), (), missing)
    server = PostgresServer(program.parent)
    try:
        server.start()
        settings = StoreSettings.from_url(server.url(server.create_database()))
        return Figure("search-pg", _work("PostgreSQL", scale), tuple(_measured(settings, folder, scale)))
    finally:
        server.close()


def _work(database: str, scale: Scale) -> str:
    return f"search {scale.items:,} items on {database}, the best {_HITS} shown"


def _measured(settings: StoreSettings, folder: Path, scale: Scale) -> Iterator[Row]:
    with open_store(settings, checkpoints=folder / "checkpoints") as store:
        named = _fill(store, scale.items)
        reader = Reader(store)
        asked = {what: _query(reader, words) for what, words in queries(named, scale.items).items()}
        for ask in asked.values():
            ask()  # as everything else here: what was never read from the disk is not what is measured
        samples: dict[str, list[float]] = {what: [] for what in asked}
        for _ in range(scale.rounds * 3):
            for what, ask in asked.items():
                samples[what].append(ask())
    for what, took in samples.items():
        yield Row(what, "ms", median(took), _GOAL, samples=tuple(took))
    every = [each for took in samples.values() for each in took]
    yield Row("all of them, median", "ms", median(every), _GOAL)
    yield Row("all of them, the slowest one", "ms", max(every), _GOAL)


def queries(session: str, items: int) -> dict[str, str]:
    """Return the queries by what they are an example of; `session` is one of a thousand."""
    common, often, seldom = _word(0), _word(20), _word(3_000)
    early, middle, later, late = (_day(items, part) for part in (0.05, 0.5, 0.52, 0.99))
    return {
        "a word that nobody said": "nobodysaidthis",
        "a rare word": "needle",
        "a word of some": seldom,
        "the most common word": common,
        "two common words": f"{common} {often}",
        "a common and a rare word": f"{common} needle",
        "a rare phrase": f'"needle {common}"',
        "a phrase of common words": f'"{common} {often}"',
        "a common beginning": f"{common[:2]}*",
        "two common beginnings": f"{common[:2]}* {often[:2]}*",
        "a common beginning, long ago": f"{common[:2]}* before:{early}",
        "a beginning beside a word": f"{seldom} {often[:3]}*",
        "a word without another": f"{often} -{common}",
        "a phrase without a word": f'"{common} {often}" -{seldom}',
        "an agent": "agent:codex",
        "a common word, one agent": f"{common} agent:codex",
        "a common word, one folder": f"{common} cwd:/srv/project7",
        "a common word, one session": f"{common} in:{session}",
        "a common word, long ago": f"{common} before:{early}",
        "a word of some, between two days": f"{seldom} after:{middle} before:{later}",
        "a common word, one agent, long ago": f"{common} agent:claude before:{early}",
        "all of the last days": f"after:{late}",
    }


def _query(reader: Reader, words: str) -> Measure:
    query = parse(words)
    return milliseconds(lambda: reader.search(query, limit=_HITS))


def _fill(store: Store, items: int) -> str:
    """Put items into the views as the folds leave them, without a log that says so: that takes ten times as long.

    Returns:
        The name of one session.
    """
    count = max(4, items // _A_SESSION)
    sessions = [new_session() for _ in range(count)]
    for number, name in enumerate(sessions):
        begun = e.SessionCreated(
            transport="acp",
            owner=OWNER,
            agent=_AGENTS[number % len(_AGENTS)],
            cwd=f"/srv/project{number % 50}",
            title=f"Session {number}",
        )
        at = Context(_at((number + 1) * items // count), new_event_id)
        happened = record(Session(name), [begun], at)
        store.append_now(happened, roster_row(fold(Session(name), happened)))
    with store.reading() as connection:
        streams = [stream_number(connection, name) or 0 for name in sessions]
    store.write(_without_index)
    said = _said(streams, items)
    while batch := list(islice(said, _AT_ONCE)):
        store.write(partial(_put, batch))
    store.write(_finished)
    return sessions[-1]


def _said(streams: Sequence[int], items: int) -> Iterator[tuple[int, Item]]:
    """Yield items with their session: words as often as in any language, a few of them needles."""
    dice = Random(20_26)
    vocabulary = [_word(number) for number in range(_VOCABULARY)]
    weights = list(accumulate(1 / (number + 1) for number in range(_VOCABULARY)))
    lengths = [length for length, often in _SHAPES for _ in range(often)]
    for number in range(items):
        words = dice.choices(vocabulary, cum_weights=weights, k=dice.choice(lengths))
        if number % (items // _NEEDLES) == 0:
            words[:0] = ["needle", _word(0)]
        item = Item(f"i{number}", "message", number + 1, 1, _at(number), role="assistant", text=" ".join(words))
        yield streams[number * len(streams) // items], item


def _put(batch: Sequence[tuple[int, Item]], transaction: WriteTransaction) -> None:
    rows = [
        {
            "stream": stream,
            "ordinal": item.ordinal,
            "id": item.id,
            "position": item.position,
            "kind": item.kind,
            "body": msgspec.json.encode(item).decode(),
        }
        for stream, item in batch
    ]
    transaction.connection.execute(insert(schema.items), rows)
    found = [passages.Indexed(stream, item.ordinal, item.at, [item.text]) for stream, item in batch]
    passages.add(transaction.connection, found)


def _without_index(transaction: WriteTransaction) -> None:
    if transaction.connection.dialect.name == "postgresql":
        transaction.connection.execute(text("DROP INDEX passage_words"))


def _finished(transaction: WriteTransaction) -> None:
    connection = transaction.connection
    head = head_position(connection)
    for view in FOLDS:
        track(connection, view, head)
    if connection.dialect.name == "postgresql":
        schema.make_index(connection)
        connection.execute(text("ANALYZE"))  # as its own housekeeping does within a minute


def _word(number: int) -> str:
    """Return a word: the greater the number, the rarer it is, and the longer."""
    letters = "etaoinshrdlu"
    word = letters[number % len(letters)]
    while number := number // len(letters):
        word += letters[number % len(letters)]
    return word + letters[len(word)]


def _at(number: int) -> int:
    return _BEGAN_US + number * _STEP_US


def _day(items: int, part: float) -> str:
    return to_text(_at(int(items * part)))[:10]
