"""Taking attachments out of payloads and putting them back."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import json

from holdfast.domain.attachments import LIMIT, attach, detach, media_type, references, stays

if TYPE_CHECKING:
    from holdfast.domain.search.text import Json

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 300
NAME = sha256(PICTURE).hexdigest()
LONG = "word " * LIMIT

_reference_like = st.fixed_dictionaries(
    {"$attachment": st.just(NAME), "size": st.just(len(PICTURE)), "encoding": st.just("base64")}
)
_keys = st.one_of(st.text(max_size=3), st.sampled_from(["$attachment", "$$attachment", "data", "text", "resource"]))
_leaves = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.text(max_size=5), st.just(b64encode(PICTURE).decode())
)
_json = st.recursive(
    st.one_of(_leaves, _reference_like),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_keys, inner, max_size=3)),
    max_leaves=8,
)


def payload(content: object) -> bytes:
    return json.encode({"item_id": "m1", "content": content})


def taken_out(content: object) -> tuple[Json, dict[str, bytes]]:
    data, contents = detach(payload(content), ("content",))
    return cast("dict[str, Json]", json.decode(data))["content"], contents


def put_back(content: object) -> object:
    data, contents = detach(payload(content), ("content",))
    return json.decode(attach(data, lambda each: contents[each.sha256]), type=dict[str, object])["content"]


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image", "mimeType": "image/png", "data": b64encode(PICTURE).decode()},
        {"type": "image", "source": {"type": "base64", "data": b64encode(PICTURE).decode()}},
        {"type": "resource", "resource": {"uri": "file:///a", "blob": b64encode(PICTURE).decode()}},
        {"type": "input_image", "image_url": "data:image/png;base64," + b64encode(PICTURE).decode()},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64," + b64encode(PICTURE).decode()}},
    ],
)
def test_a_picture_leaves_its_payload_as_the_bytes_that_it_is(block: dict[str, object]) -> None:
    shown, contents = taken_out([block])

    assert contents == {NAME: PICTURE}
    assert len(json.encode(shown)) < 400
    assert put_back([block]) == [block]


@pytest.mark.parametrize(
    ("block", "content"),
    [
        ({"type": "resource", "resource": {"uri": "file:///a", "text": LONG + '"\\é\n'}}, LONG + '"\\é\n'),
        ({"data": urlsafe_b64encode(PICTURE).decode().rstrip("=")}, urlsafe_b64encode(PICTURE).decode().rstrip("=")),
        ({"url": "data:text/plain," + LONG}, "data:text/plain," + LONG),
    ],
)
def test_a_long_text_that_is_no_base64_leaves_as_text(block: dict[str, object], content: str) -> None:
    _, contents = taken_out([block])

    assert list(contents.values()) == [content.encode()]
    assert put_back([block]) == [block]


@pytest.mark.parametrize(
    "content",
    [
        [{"type": "text", "text": LONG}],
        [{"type": "text", "text": b64encode(PICTURE).decode()}],
        [{"type": "image", "data": b64encode(PICTURE[:1000]).decode()}],
        {"stdout": LONG},
        b64encode(PICTURE).decode(),
        {"resource": "x", "text": LONG},
    ],
)
def test_what_was_said_and_what_is_short_stays_byte_by_byte(content: object) -> None:
    data = payload(content)

    assert detach(data, ("content",)) == (data, {})


def test_members_that_are_ours_are_left_alone() -> None:
    data = json.encode({"grown": {"insert": b64encode(PICTURE).decode(), "data": b64encode(PICTURE).decode()}})

    assert detach(data, ("content",)) == (data, {})


def test_half_a_character_stays_where_it_is() -> None:
    data = b'{"content":{"resource":{"text":"\\ud800' + b"x" * LIMIT + b'"}}}'

    assert detach(data, ("content",)) == (data, {})


def test_everything_around_an_attachment_keeps_its_bytes() -> None:
    encoded = b64encode(PICTURE)
    data = b'{"content": [ 1.50e1 , {"a":1,"a":2, "data" : "%b" }, "\\u00e9\\/" ]}' % encoded

    after, contents = detach(data, ("content",))

    assert after.startswith(b'{"content": [ 1.50e1 , {"a":1,"a":2, "data" : {"$attachment":')
    assert after.endswith(b' }, "\\u00e9\\/" ]}')
    assert attach(after, lambda each: contents[each.sha256]) == data


def test_what_a_peer_writes_like_a_reference_is_not_one() -> None:
    forged = {"$attachment": NAME, "size": 1, "encoding": "base64"}

    shown, contents = taken_out({"a": forged, "$$attachment": 1})

    assert contents == {}
    assert not list(references(json.encode(shown)))
    assert put_back({"a": forged, "$$attachment": 1}) == {"a": forged, "$$attachment": 1}


def test_a_reference_in_a_text_is_a_text() -> None:
    said = f'{{"$attachment":"{NAME}","size":1,"encoding":"base64"}}'

    assert put_back([said, {said: said}]) == [said, {said: said}]
    assert not list(references(payload([said, {said: said}])))


def test_content_that_is_not_there_leaves_its_reference() -> None:
    data, _ = detach(payload([{"data": b64encode(PICTURE).decode()}]), ("content",))

    assert attach(data, lambda _: None) == data
    assert [each.sha256 for each in references(data)] == [NAME]


@given(_json)
def test_whatever_a_peer_sends_comes_back(content: Json) -> None:
    assert put_back(content) == content


@given(_json)
def test_what_stays_has_nothing_to_put_back(content: Json) -> None:
    raw = json.encode(content)

    assert not stays(raw) or not list(references(raw))


@pytest.mark.parametrize(
    ("start", "shown"),
    [
        (PICTURE, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"<svg xmlns=", "application/octet-stream"),
        (b"<!doctype html>", "application/octet-stream"),
        (b"", "application/octet-stream"),
    ],
)
def test_only_pictures_made_of_dots_have_a_type_that_is_shown(start: bytes, shown: str) -> None:
    assert media_type(start, text=False) == shown
