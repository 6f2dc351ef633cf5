"""What is said or run is found: on both databases, folded or not, by the same words and with the same answer."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from itertools import product
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Raw, json
from sqlalchemy import text

from holdfast.adapters.storage.opening import open_store
from holdfast.adapters.storage.settings import StoreSettings
from holdfast.adapters.storage.views import indexed
from holdfast.adapters.storage.workspace import Workspace
from holdfast.domain.content import of_text
from holdfast.domain.errors import NotFoundError, UsageError
from holdfast.domain.recorded import Actor, StreamId
from holdfast.domain.search.query import parse
from holdfast.domain.search.text import PASSAGE
from holdfast.domain.session import commands as c
from holdfast.domain.session import events as e

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from holdfast.adapters.storage.store import Store
    from holdfast.domain.search.query import Query
    from holdfast.domain.session.facts import Fact
    from tests.support.postgres import PostgresServer

ME = Actor("human", "cli")
NONE: frozenset[str] = frozenset()
SHOP, MILL = StreamId("aaaa1111-shop"), StreamId("bbbb2222-mill")


def say(workspace: Workspace, session: StreamId, *facts: Fact) -> None:
    workspace.execute(session, c.Observe(facts), cause=None, actor=ME)


def create(workspace: Workspace, session: StreamId, agent: str, cwd: str, title: str) -> None:
    workspace.execute(session, c.Create("acp", agent=agent, cwd=cwd, title=title), cause=None, actor=ME)


def fill(workspace: Workspace) -> None:
    """Append two sessions with every kind of thing that can be found."""
    create(workspace, SHOP, "claude", "/srv/shop", "Fix the race")
    say(
        workspace,
        SHOP,
        e.MessageSent("q1", of_text("Why does the login race with the logout?")),
        e.ThoughtAppended("h1", "Perhaps a mutex is missing"),
        e.ToolCalled("t1", "t1", "Read: auth/session_store.py", "read", "completed", Raw(b'{"path": "auth"}')),
        e.TextAppended("a1", "The login is called twice; "),
        e.TextAppended("a1", "see Crème brûlée, 你好世界 and naïve."),
    )
    create(workspace, MILL, "codex", "/srv/mill/web", "Grind")
    say(
        workspace,
        MILL,
        e.ToolCalled(
            "t2", "t2", "Bash: make", output=Raw(json.encode({"stdout": "3 tests passed, login ok", "n": 417}))
        ),
        e.TextAppended("a2", "login login login: all about the login"),
    )


@pytest.fixture
def filled(workspace: Workspace) -> Workspace:
    """A store of the test's own, with both sessions."""
    fill(workspace)
    return workspace


@pytest.fixture(
    scope="module", params=product(["sqlite", "postgres"], ["folded", "not folded", "half folded"]), ids=" ".join
)
def found(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., list[str]]]:
    """Search, and tell the ids of the items, whatever the views have seen by now. One store for all who only ask."""
    database, seen = request.param
    with ExitStack() as stack:
        url = f"sqlite:///{tmp_path_factory.mktemp('found') / 'log.db'}"
        if database == "postgres":
            server: PostgresServer = request.getfixturevalue("postgres_cluster")
            url = stack.enter_context(server.database())
        workspace = Workspace(stack.enter_context(open_store(StoreSettings.from_url(url))))
        fill(workspace)
        if seen != "not folded":
            workspace.catch_up()
        if seen == "half folded":
            say(workspace, MILL, e.TextAppended("a2", "."))

        def search(query: str, limit: int = 20) -> list[str]:
            return [hit.item_id for hit in workspace.search(parse(query), limit=limit)]

        yield search


@pytest.mark.parametrize(
    ("query", "items"),
    [
        ("login", {"q1", "a1", "t2", "a2"}),
        ("LOGIN race", {"q1"}),
        ('"login race"', {"q1"}),
        ('"race login"', NONE),
        ("login -race", {"a1", "t2", "a2"}),
        ('login -"called twice"', {"q1", "t2", "a2"}),
        ("log*", {"q1", "a1", "t2", "a2"}),
        ("logo*", {"q1"}),
        ('"login ra"*', {"q1"}),
        ("mutex", {"h1"}),
        ("session_store.py", {"t1"}),
        ("auth/session*", {"t1"}),
        ("417", {"t2"}),
        ("creme BRULEE naive", {"a1"}),
        ("世界", {"a1"}),
        ("界世", NONE),
        ("login agent:claude", {"q1", "a1"}),
        ("login -agent:Claude", {"t2", "a2"}),
        ("login cwd:/srv/mill", {"t2", "a2"}),
        ("login cwd:/srv/mil", NONE),
        ("login cwd:web", {"t2", "a2"}),
        ("login in:aaaa", {"q1", "a1"}),
        ("login in:aaaa in:bbbb2222", {"q1", "a1", "t2", "a2"}),
        ("login before:2001-01-01", NONE),
        ("login after:2001 before:9999", {"q1", "a1", "t2", "a2"}),
        ("login after:9998", NONE),
        ("agent:codex", {"t2", "a2"}),
        ("stdout", NONE),
        ("s1", NONE),
    ],
)
def test_a_query_finds(found: Callable[..., list[str]], query: str, items: frozenset[str]) -> None:
    answer = found(query)

    assert (frozenset(answer), len(answer)) == (items, len(items))


@pytest.mark.parametrize("session", ["aaa", "cccc", '"aaaa1111-shop x"', "aaaa\0", "aaaa\udc80", "%%%%"])
def test_a_session_that_is_not_there_is_said_to_be_missing(found: Callable[..., list[str]], session: str) -> None:
    with pytest.raises(NotFoundError, match="there is no session in:"):
        found(f"login in:aaaa in:{session}")

    assert found(f"mutex -in:{session}") == ["h1"]


@pytest.mark.parametrize(
    ("query", "items"),
    [
        ("fix", {"q1"}),
        ("FIX rac*", {"q1"}),
        ('"the race" fix', {"q1"}),
        ('"race the" fix', NONE),
        ("fix -race", NONE),
        ("grind", {"t2"}),
        ("gri* agent:claude", NONE),
        ("grind cwd:/srv/mill in:bbbb after:2001", {"t2"}),
        ("grind before:2001", NONE),
        ("make grind", NONE),
        ("grind make", NONE),
    ],
)
def test_a_title_leads_to_the_first_item_of_its_session(
    found: Callable[..., list[str]], query: str, items: frozenset[str]
) -> None:
    assert set(found(query)) == items


def test_a_title_is_not_told_beside_what_its_session_says_of_it(found: Callable[..., list[str]]) -> None:
    assert found("race") == ["q1"]


def test_a_hit_in_a_title_says_so(filled: Workspace) -> None:
    (hit,) = filled.search(parse("grind"))

    assert hit.permalink == f"/sessions/{MILL}#t2"
    assert (hit.kind, hit.role, hit.title, hit.snippet) == ("title", None, "Grind", "⟦Grind⟧")
    assert hit.at < filled.page(MILL).items[0].at


def test_a_session_that_says_nothing_yet_is_found_by_its_title(filled: Workspace) -> None:
    create(filled, StreamId("cccc3333"), "claude", "/", "Quiet grind")

    quiet, other = filled.search(parse("grind"))

    assert (quiet.item_id, quiet.permalink) == ("", "/sessions/cccc3333")
    assert other.session_id == MILL


def test_a_title_is_found_by_what_it_is_now(filled: Workspace) -> None:
    assert filled.search(parse("grind"))

    filled.execute(MILL, c.Rename("Sharpen"), cause=None, actor=ME)

    assert filled.search(parse("grind")) == []
    assert [hit.session_id for hit in filled.search(parse("sharpen"))] == [MILL]
    filled.erase(MILL, actor=ME)
    assert filled.search(parse("sharpen")) == []


def test_titles_leave_room_for_what_was_said(filled: Workspace) -> None:
    for number in range(9):
        create(filled, StreamId(f"dddd{number}"), "claude", "/", "login")

    kinds = [hit.kind for hit in filled.search(parse("login"), limit=4)]

    assert kinds.count("title") == 1
    assert [hit.kind for hit in filled.search(parse("login"), limit=20)].count("title") == 9


def test_no_more_is_found_than_was_asked_for(found: Callable[..., list[str]]) -> None:
    assert len(found("login", limit=3)) == 3


def test_what_is_about_it_stands_before_what_names_it_once(filled: Workspace) -> None:
    say(filled, MILL, e.TextAppended("a3", "Here login is but one of many other words that stand in a long sentence."))
    filled.catch_up()

    answer = [hit.item_id for hit in filled.search(parse("login"))]

    assert answer[0] == "a2"
    assert answer.index("a2") < answer.index("a3")


def test_a_hit_says_where_and_why(filled: Workspace) -> None:
    filled.catch_up()
    (hit,) = filled.search(parse("mutex"))

    assert hit.permalink == f"/sessions/{SHOP}#h1"
    assert (hit.session_id, hit.item_id, hit.title, hit.kind) == (SHOP, "h1", "Fix the race", "thought")
    assert hit.snippet == "Perhaps a ⟦mutex⟧ is missing"
    assert hit.position == next(item.position for item in filled.page(SHOP).items if item.id == "h1")


def test_an_item_is_shown_with_what_stands_around_it(filled: Workspace) -> None:
    for fold in (False, True):
        if fold:
            filled.catch_up()
        assert [item.id for item in filled.around(SHOP, "h1", each_side=1).items] == ["q1", "h1", "t1"]
        assert [item.id for item in filled.around(SHOP, "a1", each_side=1).items] == ["t1", "a1"]
        assert [item.id for item in filled.around(SHOP, "h1", each_side=0).items] == ["h1"]
        for missing in ("nothing", "a2", "\0"):
            with pytest.raises(NotFoundError):
                filled.around(SHOP, missing)


def test_a_text_that_changed_is_found_by_what_it_says_now(workspace: Workspace) -> None:
    create(workspace, SHOP, "claude", "/srv", "x")
    say(workspace, SHOP, e.MessageSent("m1", of_text("apples")))
    workspace.catch_up()
    say(workspace, SHOP, e.MessageEdited("m1", of_text("pears")))

    for fold in (False, True):
        if fold:
            workspace.catch_up()
        assert ids(workspace, "apples") == []
        assert ids(workspace, "pears") == ["m1"]


def test_a_long_output_is_searched_to_its_end_and_shown_where_the_hit_is(workspace: Workspace) -> None:
    create(workspace, SHOP, "claude", "/srv", "x")
    lines = [f"line {number}" for number in range(PASSAGE * 2)]
    lines[-2] = "needle here"
    say(workspace, SHOP, e.ToolCalled("t1", "t1", "Bash", output=Raw(json.encode("\n".join(lines)))))

    for fold in (False, True):
        if fold:
            workspace.catch_up()
        (hit,) = workspace.search(parse('"needle here"'))
        assert "⟦needle here⟧" in hit.snippet
        assert len(hit.snippet) < 400
    assert ids(workspace, "line") == ["t1"]


def test_an_erased_session_is_not_found_and_leaves_no_word_in_the_files(tmp_path: Path) -> None:
    """The mutant: an index that is not merged names the words it was told to forget."""
    with open_store(StoreSettings.from_url(f"sqlite:///{tmp_path}/log.db")) as store:
        workspace = Workspace(store)
        for session, secret in ((SHOP, "xylophone"), (MILL, "quicksilver")):
            create(workspace, session, "claude", "/srv", "x")
            for number in range(60):
                say(workspace, session, e.TextAppended(f"m{number}", f"{secret}{number} said {secret}"))
                workspace.catch_up()
        assert traces(tmp_path, b"xylophone")

        workspace.erase(SHOP, actor=ME)

        assert ids(workspace, "xylophone") == []
        assert len(workspace.search(parse("quicksilver"), limit=100)) == 60
        assert traces(tmp_path, b"xylophone") == 0
        assert traces(tmp_path, b"quicksilver")
    assert traces(tmp_path, b"xylophone") == 0


def test_an_erased_session_is_not_found(filled: Workspace) -> None:
    filled.catch_up()
    filled.erase(SHOP, actor=ME)

    for fold in (False, True):
        if fold:
            filled.catch_up()
        assert set(ids(filled, "login")) == {"t2", "a2"}
    assert filled.digests() == filled.rebuild()


@pytest.mark.parametrize("dropped", ["passages", "passage_words"])
def test_a_dropped_index_fills_itself_again(
    filled: Workspace, store: Store, reopened: Callable[[], Workspace], dropped: str
) -> None:
    filled.catch_up()
    if dropped == "passage_words" and store.write(lambda tx: tx.connection.dialect.name) != "sqlite":
        pytest.skip("an index that PostgreSQL lacks is only slow")
    before = filled.digests()
    store.write(lambda tx: tx.connection.execute(text(f"DROP TABLE {dropped}")).rowcount)
    workspace = reopened()

    for fold in (False, True):
        if fold:
            workspace.catch_up()
        assert set(ids(workspace, "login")) == {"q1", "a1", "t2", "a2"}
    assert workspace.digests() == before


def test_a_store_that_was_never_indexed_is_searched_by_readers(filled: Workspace, store: Store, store_url: str) -> None:
    filled.catch_up()
    store.write(lambda tx: tx.connection.execute(text("DROP TABLE passages")).rowcount)
    store.write(lambda tx: tx.connection.execute(text("DELETE FROM projections WHERE name = 'search'")).rowcount)

    with open_store(StoreSettings.from_url(store_url), write=False) as reading:
        reader = Workspace(reading)
        assert set(ids(reader, "login")) == {"q1", "a1", "t2", "a2"}
        assert "search" in reader.digests()


def test_a_query_that_fits_very_much_ranks_the_newest(filled: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    filled.catch_up()
    monkeypatch.setattr(indexed, "CANDIDATES", 2)
    monkeypatch.setattr(indexed, "POSTGRES_CANDIDATES", 2)
    monkeypatch.setattr(indexed, "COMMON", 2)

    assert set(ids(filled, "login")) == {"t2", "a2"}


def test_many_sessions_are_told_by_their_rows(filled: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    filled.catch_up()
    monkeypatch.setattr(indexed, "SCOPES", 0)

    assert set(ids(filled, "login agent:codex")) == {"t2", "a2"}


def test_sessions_with_many_passages_are_not_looked_up_one_by_one(
    filled: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled.catch_up()
    looked_up = set(ids(filled, "login agent:codex"))
    monkeypatch.setattr(indexed, "FEW", 1)

    assert set(ids(filled, "login agent:codex")) == looked_up == {"t2", "a2"}


TRICKS = (
    *(
        "AND",
        "OR",
        "NOT",
        "NEAR(a b)",
        "words",
        ":",
        "scope:s1",
        '"a b"',
        "a*",
        "-b",
        '"',
        "*",
        "-",
        "^a",
        "{a}",
        "a+b",
    ),
    *("agent:", "agent:x", "cwd:/", "in:", "in:aaaa", "before:", "before:2020", "after:99999", "-after:2020"),
    *("after:0001-01-01T00:00+14:00", "½", "ﷺ", "İ", "' ; DROP TABLE events; --", "%", "_", "\\", "<->", "!a", "a&|b"),
)
NASTY = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="ab\"*-():^+{}'\\&|!<>~@/ \0\ud800é世:", max_size=30),
    st.lists(st.sampled_from(TRICKS), max_size=8).map(" ".join),
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=NASTY)
def test_whatever_is_typed_is_answered_or_refused(filled: Workspace, query: str) -> None:
    filled.catch_up()

    with suppress(UsageError):
        filled.search(parse(query))


WORDS = st.sampled_from(["ab", "abc", "b", "c-d", "É", "世界", "x_y", "ß"])
TEXTS = st.lists(WORDS, min_size=1, max_size=6).map(" ".join)
TERMS = st.one_of(
    WORDS, st.lists(WORDS, min_size=2, max_size=3).map(lambda some: f'"{" ".join(some)}"'), st.just("ab*")
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(TEXTS, min_size=1, max_size=8),
    queries=st.lists(
        st.lists(st.tuples(st.sampled_from(["", "", "-"]), TERMS), min_size=1, max_size=3).map(
            lambda terms: " ".join(sign + term for sign, term in terms)
        ),
        min_size=1,
        max_size=6,
    ),
    split=st.integers(0, 8),
)
def test_the_index_finds_exactly_what_a_look_at_each_item_finds(
    workspace: Workspace, texts: list[str], queries: list[str], split: int
) -> None:
    session = StreamId(f"s-{len(list(workspace.events()))}")
    create(workspace, session, "claude", "/srv", "x")
    for number, said in enumerate(texts):
        if number == split:
            workspace.catch_up()
        say(workspace, session, e.TextAppended(f"m{number}", said))
    asked: list[Query] = []
    for query in queries:
        with suppress(UsageError):  # one that only says what not to find
            asked.append(parse(f"{query} in:{session}"))

    before = [sorted(hit.item_id for hit in workspace.search(query)) for query in asked]
    workspace.catch_up()

    assert [sorted(hit.item_id for hit in workspace.search(query)) for query in asked] == before


def test_an_item_that_says_the_same_is_not_indexed_again(tmp_path: Path) -> None:
    def rows(store: Store) -> list[tuple[object, ...]]:
        with store.reading() as connection:
            return [tuple(row) for row in connection.execute(text("SELECT id, words FROM passages"))]

    with open_store(StoreSettings.from_url(f"sqlite:///{tmp_path}/log.db")) as store:
        workspace = Workspace(store)
        create(workspace, SHOP, "claude", "/srv", "x")
        say(workspace, SHOP, e.ToolCalled("t1", "t1", "Bash", status="pending"), e.TextAppended("m1", "hello"))
        workspace.catch_up()
        before = rows(store)
        say(workspace, SHOP, e.ToolUpdated("t1", "t1", status="completed"))
        workspace.catch_up()

        assert rows(store) == before


def ids(workspace: Workspace, query: str) -> list[str]:
    return [hit.item_id for hit in workspace.search(parse(query))]


def traces(folder: Path, secret: bytes) -> int:
    return sum(path.read_bytes().count(secret) for path in folder.glob("log.db*"))
