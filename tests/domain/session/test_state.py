from __future__ import annotations

from holdfast.domain.session import events as e
from holdfast.domain.session.state import Reader, SessionState
from tests.domain.scene import HELLO, asks, given


def test_somebody_who_never_looked_has_seen_nothing() -> None:
    assert SessionState().reader("guest") == Reader("guest")
    assert SessionState().reader() == Reader("owner")


def test_prompts_and_questions_are_found_by_their_id() -> None:
    state = given(e.PromptQueued("p1", HELLO), e.PromptQueued("p2", HELLO), asks("r1"), asks("r2")).state

    assert (prompt := state.prompt("p2")) is not None
    assert prompt.prompt_id == "p2"
    assert (request := state.request("r2")) is not None
    assert request.request_id == "r2"
    assert state.prompt("p3") is None
    assert state.request("r3") is None
