"""Requests made from the OpenAPI document, good and spoiled: a real daemon answers each as the document says."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks as openapi_checks

from tests.frontends.daemon import PATIENCE_S, Daemon
from tests.frontends.gateway.test_api import EXAMPLE, EXAMPLE_ID

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

EXAMPLES: Final = int(os.environ.get("HOLDFAST_FUZZ_EXAMPLES", "5"))
"""Requests for each operation."""

# These end the daemon or wait: their own tests show what they do.
LEFT_OUT: Final = {"POST /api/v1/shutdown", "POST /api/v1/demo/plug", "GET /api/v1/sessions/{id}/wait"}

ENDLESS: Final = "GET /api/v1/events"
"""Never ends by itself where `follow` is taken for true, so that it must not be asked with just anything."""

SLOW: Final = (HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large)

# What a schema cannot say: that exactly one peer is named, that a cursor is one of this store. And wrong credentials
# are limited after thirty, which the check for them does not expect.
EXCLUDED: Final[list[Any]] = [getattr(openapi_checks, name) for name in ("positive_data_acceptance", "ignored_auth")]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon that knows one session."""
    made = Daemon(tmp_path_factory.mktemp("fuzzed") / "home")
    try:
        made.start()
        assert made.post("/imports", {"sources": [str(EXAMPLE)]}).status == 200
        yield made
    finally:
        made.close()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_whatever_is_asked_is_answered_as_documented(asked: Daemon, mode: GenerationMode) -> None:
    schema: Any = schemathesis.openapi.from_dict(asked.get("/openapi.json").json())
    refusals = ["400", "401", "403", "404", "405", "409", "410", "415", "422", "431"]
    schema.config.checks.negative_data_rejection.expected_statuses = refusals
    schema.config.generation.with_security_parameters = False
    headers = {"Authorization": f"Bearer {asked.token}"}

    labels: list[str] = []
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.label in LEFT_OUT or (mode is GenerationMode.NEGATIVE and operation.label == ENDLESS):
            continue
        labels.append(operation.label)

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(max_examples=EXAMPLES, phases=[Phase.generate], database=None, suppress_health_check=SLOW)
        def ask(case: Any) -> None:
            harmless(case, spoiled=mode is GenerationMode.NEGATIVE)
            case.call_and_validate(
                base_url=asked.url, headers=headers, timeout=PATIENCE_S, excluded_checks=EXCLUDED, allow_redirects=False
            )

        with suppress(Unsatisfiable):  # it takes nothing that could be spoiled
            ask()

    assert len(labels) > 30
    assert asked.get(f"/sessions/{EXAMPLE_ID}").status == 200
    assert [line for line in asked.log() if line["level"] in ("error", "critical")] == []


def harmless(case: Any, *, spoiled: bool) -> None:
    """Keep a request away from this machine: it must not read its disk, run its programs or follow for ever."""
    if case.query and case.query.get("follow"):
        case.query.pop("follow")
    parameters: dict[str, str] = case.path_parameters or {}
    if "id" in parameters and case.method != "DELETE" and len(parameters["id"]) % 2:
        parameters["id"] = EXAMPLE_ID
    if case.operation.path.endswith("/end"):
        parameters["id"] = "nobody"
    given: object = case.body
    if not isinstance(given, dict) or spoiled:
        return
    body = cast("dict[str, object]", given)
    body.pop("wait_s", None)
    for name in ("sources", "command"):
        words = body.get(name)
        if isinstance(words, list):
            body[name] = [f"/nowhere/{word}" for word in cast("list[object]", words)]
