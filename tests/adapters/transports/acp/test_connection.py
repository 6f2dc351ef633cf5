from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from holdfast.adapters.transports.acp.protocol.connection import (
    IN_PASSING,
    OPEN_LIMIT,
    Answered,
    Asked,
    Connection,
    Notified,
    Observation,
    Refused,
    Spoke,
    TooLong,
    Unreadable,
    Withdrawn,
    answer_key,
)
from holdfast.adapters.transports.acp.protocol.framing import Lines, Messages
from holdfast.domain.recorded import Source
from holdfast.domain.transport import Write
from tests.adapters.transports.acp.scene import INCARNATION, chunk, line, question, update
from tests.adapters.transports.acp.test_envelope import GARBAGE

HEX = INCARNATION.hex()
NOTHING_ASKED = Raw(b"{}")


def sent(write: Write | None) -> dict[str, Any]:
    assert write is not None
    found: dict[str, Any] = json.loads(write.data)
    return found


def only(observations: list[Observation]) -> Observation:
    (observation,) = observations
    return observation


def test_a_request_carries_its_key_as_its_id() -> None:
    write = Connection(INCARNATION).request("0197", "session/prompt", Raw(b'{"a":1}'))

    assert write == Write("0197", b'{"jsonrpc":"2.0","id":"0197","method":"session/prompt","params":{"a":1}}\n')


def test_what_stands_on_many_lines_goes_out_on_one() -> None:
    write = Connection(INCARNATION).notify("k", "m", Raw(b'{\r\n  "a": "b\\nc"\n}'))

    assert write.data.count(b"\n") == 1
    assert sent(write)["params"] == {"a": "b\nc"}


def test_an_answer_finds_its_request_once() -> None:
    connection = Connection(INCARNATION, Lines(50))
    connection.request("k1", "session/new", NOTHING_ASKED)
    answer = line({"jsonrpc": "2.0", "id": "k1", "result": None})

    first, second = connection.receive(answer + answer)

    assert first == Answered(Source(INCARNATION, 50 + len(answer)), "k1", "session/new", Raw(b"null"))
    assert isinstance(second, Unreadable)
    assert not connection.expects("k1")


@pytest.mark.parametrize("name", ["7", 7, 7.0, None, True, [7], "K1"])
def test_an_answer_whose_id_is_another_is_none(name: object) -> None:
    connection = Connection(INCARNATION)
    connection.request("k1", "session/prompt", NOTHING_ASKED)
    connection.expect("07", "session/prompt")

    assert isinstance(only(connection.receive(line({"id": name, "result": {}}))), Unreadable)
    assert connection.expects("k1")
    assert connection.expects("07")


def test_a_number_does_not_answer_a_text() -> None:
    connection = Connection(INCARNATION)
    connection.expect("7", "session/prompt")

    assert isinstance(only(connection.receive(b'{"id":7,"result":{}}\n')), Unreadable)
    assert isinstance(only(connection.receive(b'{"id":"7","result":{}}\n')), Answered)


def test_after_a_restart_the_answer_is_known_by_the_log() -> None:
    before = Connection(INCARNATION)
    before.request("k1", "session/prompt", NOTHING_ASKED)
    after = Connection(INCARNATION)
    after.expect("k1", "session/prompt")

    observation = only(after.receive(b'{"id":"k1","error":{"code":-32603,"message":"no"}}\n'))

    assert isinstance(observation, Answered)
    assert observation.error is not None
    assert observation.error.code == -32603


@pytest.mark.parametrize("rpc_id", [0, "0", "026f890e-899e", 10**30, 1.5, "ä"])
def test_a_question_is_answered_under_its_own_id(rpc_id: object) -> None:
    connection = Connection(INCARNATION)
    data = line(question(rpc_id))
    asked = only(connection.receive(data))

    assert isinstance(asked, Asked)
    assert asked.key == f"r:{HEX}:{len(data)}" == answer_key(asked.source)
    write = connection.answer(asked.key, Raw(b'{"outcome":1}'))
    assert sent(write) == {"jsonrpc": "2.0", "id": rpc_id, "result": {"outcome": 1}}
    assert write is not None
    assert write.key == asked.key
    assert connection.answer(asked.key, Raw(b"1")) is None
    assert connection.refuse(asked.key, 1, "late") is None


def test_after_a_restart_a_question_is_answered_with_the_same_bytes() -> None:
    before = Connection(INCARNATION)
    asked = only(before.receive(line(question("q"))))
    assert isinstance(asked, Asked)
    after = Connection(INCARNATION)
    after.recall(asked.key, asked.verbatim)

    assert after.answer(asked.key, Raw(b"{}")) == before.answer(asked.key, Raw(b"{}"))


@pytest.mark.parametrize(
    "method",
    [
        "fs/read_text_file",
        "fs/write_text_file",
        "terminal/create",
        "terminal/output",
        "terminal/wait_for_exit",
        "terminal/kill",
        "terminal/release",
        "elicitation/create",
        "craft/drainMidTurnQueue",
        "_x/y",
        "",
    ],
)
def test_what_we_do_not_serve_is_refused(method: str) -> None:
    data = line({"jsonrpc": "2.0", "id": 1, "method": method, "params": {}})

    refused = only(Connection(INCARNATION).receive(data))

    assert isinstance(refused, Refused)
    assert refused.write.key == f"r:{HEX}:{len(data)}"
    assert sent(refused.write) == {"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "Method not found"}}


def test_two_requests_of_one_batch_have_two_keys() -> None:
    connection = Connection(INCARNATION)
    data = line([question(1), update("x"), {"id": 2, "method": "fs/read_text_file"}, 7])

    asked, told, refused, rest = connection.receive(data)

    assert isinstance(asked, Asked)
    assert isinstance(told, Notified)
    assert isinstance(refused, Refused)
    assert isinstance(rest, Unreadable)
    assert {each.source for each in (asked, told, refused, rest)} == {Source(INCARNATION, len(data))}
    assert (asked.key, refused.write.key) == (f"r:{HEX}:{len(data)}", f"r:{HEX}:{len(data)}.2")


class TestCancelling:
    def test_the_agent_takes_its_question_back(self) -> None:
        connection = Connection(INCARNATION)
        asked = only(connection.receive(line(question(1))))
        assert isinstance(asked, Asked)

        withdrawn = only(connection.receive(line({"method": "$/cancel_request", "params": {"requestId": 1}})))

        assert isinstance(withdrawn, Withdrawn)
        assert withdrawn.key == asked.key
        refusal = connection.refuse(asked.key, -32800, "Request cancelled")
        assert sent(refusal)["error"]["code"] == -32800

    @pytest.mark.parametrize("params", [{"requestId": "1"}, {"requestId": 2}, {}, None, {"requestId": [1]}])
    def test_taking_back_something_else_changes_nothing(self, params: object) -> None:
        connection = Connection(INCARNATION)
        connection.receive(line(question(1)))

        told = only(connection.receive(line({"method": "$/cancel_request", "params": params})))

        assert isinstance(told, Notified)

    def test_of_two_questions_with_one_id_the_latest_is_meant(self) -> None:
        connection = Connection(INCARNATION)
        _, second = connection.receive(line(question(1)) + line(question(1)))
        assert isinstance(second, Asked)

        withdrawn = only(connection.receive(line({"method": "$/cancel_request", "params": {"requestId": 1}})))

        assert isinstance(withdrawn, Withdrawn)
        assert withdrawn.key == second.key

    def test_we_take_ours_back_and_still_hear_the_answer(self) -> None:
        connection = Connection(INCARNATION)
        connection.request("k1", "session/list", NOTHING_ASKED)

        assert sent(connection.cancel("k1")) == {
            "jsonrpc": "2.0",
            "method": "$/cancel_request",
            "params": {"requestId": "k1"},
        }
        answer = only(connection.receive(b'{"id":"k1","error":{"code":-32800,"message":""}}\n'))
        assert isinstance(answer, Answered)


def test_an_answer_that_a_daemon_before_may_have_heard_means_nothing_and_any_other_is_told() -> None:
    connection = Connection(INCARNATION)
    connection.request(f"{IN_PASSING}mode", "session/set_mode", NOTHING_ASKED)
    answer = b'{"id":"passing:mode","result":{}}\n'

    assert isinstance(only(connection.receive(answer)), Answered)
    assert connection.receive(answer) == []
    assert isinstance(only(connection.receive(b'{"id":"mode","result":{}}\n')), Unreadable)


def test_too_many_open_questions_are_refused() -> None:
    connection = Connection(INCARNATION)
    flood = b"".join(line(question(number)) for number in range(OPEN_LIMIT + 5))

    observations = connection.receive(flood)

    assert sum(isinstance(each, Asked) for each in observations) == OPEN_LIMIT
    assert sum(isinstance(each, Refused) for each in observations) == 5


def test_a_line_over_the_limit_is_the_last_thing_observed() -> None:
    connection = Connection(INCARNATION, Lines(limit_bytes=200))

    observations = connection.receive(line(update("x")) + b"y" * 1000)

    assert [type(each) for each in observations] == [Notified, TooLong]
    assert [type(each) for each in connection.receive(line(update("x")))] == [TooLong]


def test_the_same_over_a_websocket() -> None:
    connection = Connection(INCARNATION, Messages())
    message = line(question()).strip()

    asked = only(connection.receive(message))

    assert isinstance(asked, Asked)
    assert asked.source.offset == len(message) == connection.offset
    answer = connection.answer(asked.key, Raw(b"{}"))
    assert answer is not None
    assert not answer.data.endswith(b"\n")


TALK = [
    line(chunk("I will ", "m1")),
    line(chunk("😀")),
    line(question("q")),
    line(update("available_commands_update", availableCommands=[])),
    line([update("x"), update("y")]),
    line({"id": "k1", "result": {"stopReason": "end_turn"}}),
    b"\n",
    b"\r\n",
    *(garbage + b"\n" for garbage in GARBAGE[:12]),
]


def watched(pieces: list[bytes]) -> list[Observation]:
    """Return what is observed, pieces of text that came together one by one."""
    connection = Connection(INCARNATION, Lines(limit_bytes=20_000))
    connection.expect("k1", "session/prompt")
    observed = [observation for piece in pieces for observation in connection.receive(piece)]
    return [each for one in observed for each in (one.told() if isinstance(one, Spoke) else (one,))]


@given(st.lists(st.sampled_from(TALK), max_size=12), st.lists(st.integers(0), max_size=30))
def test_however_it_is_sliced_it_means_the_same(talk: list[bytes], cuts: list[int]) -> None:
    data = b"".join(talk)
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]

    assert watched([data[a:b] for a, b in pairwise(edges)]) == watched([data])


@given(st.lists(st.binary(max_size=200), max_size=10))
def test_no_bytes_raise(pieces: list[bytes]) -> None:
    watched([*pieces, b"\n"])
