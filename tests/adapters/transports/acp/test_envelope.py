from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from holdfast.adapters.transports.acp.protocol.envelope import (
    BATCH,
    DEPTH,
    Garbage,
    Message,
    Notification,
    Request,
    Response,
    RpcError,
    RpcId,
    canonical_id,
    read,
    rpc_id,
)


def only(data: bytes) -> Message:
    (message,) = read(data)
    return message


def test_a_request() -> None:
    message = only(b'{"jsonrpc":"2.0","id": 0,"method":"session/request_permission","params":{"a": 1.50}}')

    assert message == Request(rpc_id_of(b"0"), Raw(b"0"), "session/request_permission", Raw(b'{"a": 1.50}'))


def rpc_id_of(verbatim: bytes) -> RpcId:
    found = canonical_id(Raw(verbatim))
    assert found is not None
    return found


def test_a_notification() -> None:
    assert only(b'{"method":"session/update"}') == Notification("session/update", Raw(b""))


@pytest.mark.parametrize("data", [b'{"id":7,"result":null}', b'{"id":7,"result":{"a":1},"error":null}'])
def test_an_answer(data: bytes) -> None:
    message = only(data)

    assert isinstance(message, Response)
    assert (message.id, message.error, message.data) == (b"7", None, data)


def test_an_answer_with_an_error() -> None:
    message = only(b'{"id":"x","result":null,"error":{"code":-32000,"message":"Sign in","data":[1]}}')

    assert isinstance(message, Response)
    assert message.error == RpcError(-32000, "Sign in", Raw(b"[1]"))


@pytest.mark.parametrize("error", [b'"boo"', b"{}", b'{"code":"x"}', b"[]", b"7"])
def test_an_error_of_no_known_shape_is_one_nevertheless(error: bytes) -> None:
    message = only(b'{"id":1,"error":' + error + b"}")

    assert isinstance(message, Response)
    assert message.error == RpcError(0, "", Raw(error))


def test_ids_keep_their_type() -> None:
    assert rpc_id_of(b"1") != rpc_id_of(b'"1"')
    assert rpc_id_of(b'"\\u0061"') == rpc_id_of(b'"a"') == rpc_id("a")
    assert rpc_id_of(b"1") != rpc_id_of(b"1.0")
    assert rpc_id_of(b"9" * 5000) == b"9" * 5000
    assert [canonical_id(Raw(verbatim)) for verbatim in (b"true", b"[1]", b'{"a":1}')] == [None] * 3


def test_several_at_once() -> None:
    messages = read(b'[{"id":1,"result":1},{"method":"m"},7]')

    assert [type(message) for message in messages] == [Response, Notification, Garbage]


@pytest.mark.parametrize("data", [b"", b" ", b"\r", b"\t\r"])
def test_a_blank_line_is_nothing(data: bytes) -> None:
    assert read(data) == []


DEEP = b'{"method":"m","params":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
JUST_DEEP_ENOUGH = b'{"method":"m","params":' + b"[" * (DEPTH - 1) + b"]" * (DEPTH - 1) + b"}"

GARBAGE = [
    b"Loading model ...",
    b"\x1b[32mINFO\x1b[0m started",
    b"42",
    b"null",
    b'"text"',
    b"[]",
    b"{}",
    b"[" + b"1," * BATCH + b"1]",
    b"[1,",
    b'{"id":1}',
    b'{"method":7}',
    b'{"method":"m","result":1}',
    b'{"id":1,"result":1,"error":{"code":1}}',
    b'{"id":null,"error":{"code":-32700}}',
    b'{"result":1}',
    b'{"id":[1],"method":"m"}',
    b'{"id":true,"result":1}',
    b'{"id":NaN,"result":1}',
    b'{"id":1,"result":NaN}',
    b'{"id":1,"result":1',
    b'{"id":1,"result":"\x01"}',
    b'{"method":"m"} {"method":"m"}',
    b"\xff\xfe{\x00}\x00",
    DEEP,
    DEEP.replace(b"[", b'{"a":').replace(b"]", b"}"),
    b'"' * 100_000,
    b"\\" * 100_000 + b"[" * 1000,
    b'"a\\' * 50_000 + b"{" * 1000,
]


@pytest.mark.parametrize("data", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_is_kept_and_explained(data: bytes) -> None:
    message = only(data)

    assert isinstance(message, Garbage)
    assert message.reason
    assert message.data == data.strip()


def test_depth_is_counted_outside_of_texts() -> None:
    assert isinstance(only(JUST_DEEP_ENOUGH), Notification)
    assert isinstance(only(JUST_DEEP_ENOUGH.replace(b"[[", b"[[[", 1).replace(b"]]", b"]]]", 1)), Garbage)
    assert isinstance(only(b'{"method":"m","params":"' + b"[{\\\\" * 10_000 + b'"}'), Notification)
    assert isinstance(only(b'{"method":"m","params":[' + b"[]," * 10_000 + b"[]]}"), Notification)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (b"\\ud83d", "\ufffd"),
        (b"a\\uD83Db", "a\ufffdb"),
        (b"\\ude00\\ud83d", "\ufffd\ufffd"),
        (b"\\ud83d\\ud83d\\ude00", "\ufffd\U0001f600"),
        (b"\\ud83d\\ude00", "\U0001f600"),
        (b"\\\\ud83d", "\\ud83d"),
        (b"\\\\\\ud83d", "\\\ufffd"),
        (b"\xff", "\ufffd"),
        (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd"),
        ("ä€😀".encode(), "ä€😀"),
    ],
)
def test_what_the_log_could_not_hold_is_replaced(sent: bytes, kept: str) -> None:
    message = only(b'{"method":"m","params":"' + sent + b'"}')

    assert isinstance(message, Notification)
    assert msgspec.json.decode(message.params) == kept


def test_of_two_fields_with_one_name_the_last_counts() -> None:
    message = only(b'{"id":1,"id":"1","method":"a","method":"b"}')

    assert isinstance(message, Request)
    assert (message.id, message.method) == (b'"1"', "b")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
FIELDS = st.sampled_from(["jsonrpc", "id", "method", "params", "result", "error", "code", "message"])
ALMOST = st.dictionaries(FIELDS, JSON, max_size=5) | st.lists(st.dictionaries(FIELDS, JSON, max_size=5), max_size=3)


@given(st.binary() | ALMOST.map(lambda value: json.dumps(value).encode()))
def test_nothing_that_can_be_sent_raises(data: bytes) -> None:
    for message in read(data):
        assert isinstance(message, Notification | Request | Response | Garbage)


@given(ALMOST.map(lambda value: json.dumps(value).encode()), st.data())
def test_nothing_half_sent_raises(data: bytes, draw: st.DataObject) -> None:
    at = draw.draw(st.integers(0, len(data)))

    read(data[:at] + draw.draw(st.binary(max_size=3)) + data[at + 1 :])


@given(ALMOST)
def test_what_passes_can_be_read_from_the_log(value: object) -> None:
    for message in read(json.dumps(value).encode()):
        if isinstance(message, Notification | Request) and message.params:
            stored = msgspec.json.encode({"body": message.params}).decode()
            assert "body" in msgspec.json.decode(stored, type=dict[str, Raw])
