from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from holdfast.domain.errors import UsageError
from holdfast.domain.search.query import parse
from holdfast.domain.search.written import written


@pytest.mark.parametrize(
    "text",
    [
        "login",
        '"the login race" -flaky pre* "two wor"*',
        "agent:claude -cwd:/srv/shop in:5f0c7d2e fix",
        'cwd:"a folder" after:2026-03-12 before:2026-03-12T10:00:01.000002',
        "日本語のタイトル",
    ],
)
def test_what_was_typed_and_what_is_written_mean_the_same(text: str) -> None:
    query = parse(text)

    assert parse(written(query)) == query


@given(st.text(alphabet='ab"*-: \n“é世ﬃ½agentcwdinbeforeafter0123', max_size=60))
@example("\N{VULGAR FRACTION ONE HALF}")
def test_every_query_can_be_written(text: str) -> None:
    try:
        query = parse(text)
    except UsageError:
        return

    assert parse(written(query)) == query
