from __future__ import annotations

import pytest
from msgspec import Raw

from holdfast.domain.errors import StoreDamagedError
from holdfast.domain.session import events as e
from holdfast.domain.session.codec import decode, encode
from holdfast.domain.session.facts import BY_TAG
from holdfast.domain.session.upcasters import UPCASTERS

OLD = b'{"transport":"acp","target":"opencode acp","title":"Shop","model":"large"}'
"""As version 1 wrote it."""


def test_every_version_ever_written_has_its_step() -> None:
    steps = {(tag, version) for tag, registration in BY_TAG.items() for version in range(1, registration.schema)}

    assert set(UPCASTERS) == steps


def test_a_session_of_version_1_belongs_to_the_one_person_there_was() -> None:
    fact = decode("session-created", 1, OLD)

    assert fact == e.SessionCreated("acp", "owner", "opencode acp", title="Shop", model="large")
    assert encode(fact).schema == 2


def test_the_step_is_needed() -> None:
    with pytest.raises(StoreDamagedError, match="owner"):
        decode("session-created", 2, OLD)


def test_a_step_keeps_what_it_does_not_name_verbatim() -> None:
    payload = {"transport": Raw(b'"acp"'), "odd": Raw(b'{"b": 1.0,  "a":1e5}')}

    assert UPCASTERS["session-created", 1](payload) == payload | {"owner": Raw(b'"owner"')}
    assert "owner" not in payload
