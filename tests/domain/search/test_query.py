from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.errors import UsageError
from holdfast.domain.search.query import Query, Term, Where, admits, parse


def us(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> int:
    return int(datetime(year, month, day, hour, minute, tzinfo=UTC).timestamp()) * 1_000_000


def term(*words: str, prefix: bool = False) -> Term:
    return Term(words, prefix)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("login", Query((term("login"),))),
        ("  Login\tRACE ", Query((term("login"), term("race")))),
        ('"Login race" x', Query((term("login", "race"), term("x")))),
        ("“smart quotes”", Query((term("smart", "quotes"),))),
        ("auth/store.py", Query((term("auth", "store", "py"),))),
        ("std::vector http://x.y", Query((term("std", "vector"), term("http", "x", "y")))),
        ("a -b", Query((term("a"),), (term("b"),))),
        ('a -"b c"', Query((term("a"),), (term("b", "c"),))),
        ("a --verbose", Query((term("a"),), (term("verbose"),))),
        ("a-b", Query((term("a", "b"),))),
        ("log*", Query((term("log", prefix=True),))),
        ('"log in"*', Query((term("log", "in", prefix=True),))),
        ('"a * b"', Query((term("a", "b"),))),
        ("a -log*", Query((term("a"),), (term("log", prefix=True),))),
        ("agent:Claude", Query(where=(Where("agent", "Claude"),))),
        ('x cwd:"/my shop"', Query((term("x"),), where=(Where("cwd", "/my shop"),))),
        ("x -agent:codex IN:5f0c", Query((term("x"),), where=(Where("agent", "codex", True), Where("in", "5f0c")))),
        ("after:2026-03-12", Query(after=us(2026, 3, 12))),
        ("before:2026-03", Query(before=us(2026, 3, 1))),
        ("after:2025 after:2026 before:2028 before:2027", Query(after=us(2026, 1, 1), before=us(2027, 1, 1))),
        ("after:2026-03-12T10:30", Query(after=us(2026, 3, 12, 10, 30))),
        ("after:2026-03-12T10:30+02:00", Query(after=us(2026, 3, 12, 8, 30))),
        ("AND OR NOT", Query((term("and"), term("or"), term("not")))),
    ],
)
def test_a_query_is_understood(text: str, query: Query) -> None:
    assert parse(text) == query


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ('"never closed', "never closed"),
        ('a"b"', "space around"),
        ('"a"b', "space around"),
        ('""', "nothing to look for"),
        ("a !!!", "nothing to look for"),
        ("a - b", "nothing to look for"),
        ("*", "nothing to look for"),
        ("**kwargs", "end of a word"),
        ("a*b", "end of a word"),
        ("a*", "nearly everything"),
        ("-a", "only says what not"),
        ("-a agent:x", "only says what not"),
        ("agent:", "agent:claude"),
        ('in:""', "nothing follows in"),
        ("before:", "no date"),
        ("before:yesterday", "no date"),
        ("after:2026-13-01", "no date"),
        ("after:2026-02-30", "no date"),
        ("after:0000", "no date"),
        ("-before:2026", "say after"),
        ("x" * 3_000, "3,000 characters"),
        ("x " * 100, "more than 64"),
        ("before:\udc80", "no date"),
    ],
)
def test_what_cannot_be_understood_is_refused_in_one_line(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told) as refusal:
        parse(text)

    assert len(str(refusal.value).splitlines()) == 1
    assert len(str(refusal.value)) < 200


@given(st.one_of(st.text(), st.text(alphabet='ab"*-: \n\0\ud800“é世agentcwdinbeforeafter0123', max_size=60)))
def test_whatever_is_typed_there_is_a_query_or_a_refusal(text: str) -> None:
    with suppress(UsageError):
        query = parse(text)
        assert all(each.words and all(map(str.isalnum, each.words)) for each in (*query.wanted, *query.unwanted))


@pytest.mark.parametrize(
    ("text", "admitted"),
    [
        ("x", True),
        ("agent:CLAUDE", True),
        ("agent:codex", False),
        ("agent:codex agent:claude", True),
        ("-agent:codex", True),
        ("-agent:claude", False),
        ("cwd:/srv/shop", True),
        ("cwd:/srv/", True),
        ("cwd:/", True),
        ("cwd:/srv/sho", False),
        ("cwd:shop", True),
        ("cwd:srv/shop/web", True),
        ("cwd:op", False),
        ("in:5f0c7d2e", True),
        ("in:5f0c", True),
        ("in:5f0", False),
        ("agent:claude cwd:/other", False),
    ],
)
def test_conditions_on_the_session(text: str, admitted: bool) -> None:
    query = parse(f"{text} x")

    assert admits(query, "5f0c7d2e", "claude", "/srv/shop/web") is admitted
    assert admits(parse("agent:x x"), "1", None, None) is False
