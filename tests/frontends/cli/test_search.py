from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec import Raw

from holdfast.domain.content import of_text
from holdfast.domain.session import events as e
from tests.frontends.cli.memory import MemoryLibrary
from tests.frontends.cli.running import on_terminal

if TYPE_CHECKING:
    from tests.frontends.cli.conftest import Run

FIRST, SECOND = "0199aaaa-0000-4000-8000-000000000001", "0199bbbb-0000-4000-8000-000000000002"


@pytest.fixture
def library() -> MemoryLibrary:
    """Two sessions that speak of logins."""
    library = MemoryLibrary()
    library.happened(
        FIRST,
        e.SessionCreated("acp", "owner", agent="claude", cwd="/srv/shop", title="Fix the race"),
        e.MessageSent("u1", of_text("Why does the login race?")),
        e.ThoughtAppended("h1", "Let me think"),
        e.TextAppended("a1", "The login is called twice."),
        e.ToolCalled("c1", "c1", "Bash: make", output=Raw(b'"42 passed"')),
        e.TextAppended("a2", "Done."),
    )
    library.happened(
        SECOND, e.SessionCreated("acp", "owner", agent="codex", title="Issue #12"), e.TextAppended("b1", "no login")
    )
    return library


def test_search_prints_where_why_and_how_to_get_there(run: Run) -> None:
    ran = run("search", "login twice")

    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0].startswith("Fix the race · 2025-11-20 ")
    assert lines[0].endswith(" · assistant")
    assert lines[1:3] == ["  The login is called twice.", f"  /sessions/{FIRST}#a1"]


def test_search_json_is_an_array_of_hits(run: Run) -> None:
    hits = run("search", "login", "race", "--json").json()

    assert [hit["item_id"] for hit in hits] == ["u1"]
    assert hits[0] | {"position": 0} == {
        "session_id": FIRST,
        "item_id": "u1",
        "position": 0,
        "title": "Fix the race",
        "snippet": "Why does the ⟦login⟧ ⟦race⟧?",
        "permalink": f"/sessions/{FIRST}#u1",
        "kind": "message",
        "role": "user",
        "at": "2025-11-20T12:00:02.000Z",
    }


def test_nothing_found_is_no_failure(run: Run) -> None:
    assert run("search", "nothing", "--json") == (0, "[]\n", "")
    ran = run("search", "nothing")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.count("\n") == 1


def test_a_word_after_a_dash_is_part_of_the_query(run: Run) -> None:
    for query in (("login -race",), ("login", "-race"), ("-race", "login"), ("login", "-h", "-race")):
        assert [hit["item_id"] for hit in run("search", *query, "--json").json()] == ["a1", "b1"]
    assert len(run("search", "login", "--limit", "1", "--json").json()) == 1


@pytest.mark.parametrize("query", ['"open', "agent:", "before:soon", "*", "-only", "", "!!!"])
def test_a_query_that_cannot_be_parsed_is_a_usage_error(run: Run, library: MemoryLibrary, query: str) -> None:
    ran = run("search", query)

    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("holdfast: ")
    assert ran.err.count("\n") == 1
    assert library.opened == []


@pytest.mark.parametrize(
    "name",
    [
        f"{FIRST}#h1",
        "0199aaaa#h1",
        "Fix the race#h1",
        f"/sessions/{FIRST}#h1",
        f"http://localhost:1/sessions/{FIRST}#h1",
    ],
)
def test_show_takes_a_permalink(run: Run, name: str) -> None:
    page = run("show", name, "--json").json()

    assert page["session"]["id"] == FIRST
    assert [item["id"] for item in page["items"]] == ["u1", "h1", "a1", "c1", "a2"]
    assert "▸ h1" in run("show", name).out


def test_a_title_with_a_hash_names_its_session(run: Run) -> None:
    assert [item["id"] for item in run("show", "Issue #12", "--json").json()["items"]] == ["b1"]


def test_an_item_that_is_not_there_is_not_found(run: Run) -> None:
    for name in (f"{FIRST}#b1", "nobody#u1", f"{FIRST}#"):
        ran = run("show", name)
        assert (ran.code, ran.out, ran.err.count("\n")) == (3, "", 1)
    assert run("show", f"{FIRST}#h1", "--last", "1").code == 2


@pytest.mark.slow
def test_a_terminal_highlights_the_hits() -> None:
    ran = on_terminal("friendly", "search", "login")

    assert ran.code == 0
    assert "\x1b[1;33mlogin\x1b[0m" in ran.printed
