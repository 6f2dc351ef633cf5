"""What stands in a message beside words, read without trust, and what a file of it is called."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import pytest

from holdfast.frontends.tui.session.enclosed import Enclosed, enclosed

if TYPE_CHECKING:
    from holdfast.frontends.client.views import Json

PICTURE = b64encode(b"not really a picture").decode()
KEPT = {"$attachment": "77" * 32, "size": 5_000_773, "encoding": "base64"}


def message(*blocks: object) -> Json:
    return {"kind": "message", "role": "user", "content": list(blocks)}


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ({"type": "image", "mimeType": "image/png", "data": PICTURE}, "image  image/png  20 bytes"),
        ({"type": "image", "mimeType": "image/png", "data": KEPT}, "image  image/png  4.8 MiB"),
        ({"type": "audio", "mimeType": "audio/wav", "data": "AAAA" * 1000}, "audio  audio/wav  2.9 KiB"),
        ({"type": "resource_link", "name": "a.py", "uri": "file:///a.py", "size": 12}, "resource link  a.py  12 bytes"),
        (
            {"type": "resource", "resource": {"uri": "file:///b.txt", "mimeType": "text/plain", "text": "words"}},
            "resource  file:///b.txt  text/plain  5 bytes",
        ),
        ({"type": "image", "source": {"media_type": "image/gif", "data": PICTURE}}, "image  image/gif  20 bytes"),
        ({"type": "image", "data": "?? no base64 ??"}, "image"),
        ({"type": "image", "data": 7, "mimeType": ["odd"], "name": None}, "image"),
    ],
)  # fmt: skip
def test_each_says_what_it_is(block: Json, words: str) -> None:
    (found,) = enclosed(message({"type": "text", "text": "look"}, block))
    assert found.words == words


def test_content_is_here_or_kept_elsewhere_or_only_a_link() -> None:
    here, kept, link = enclosed(
        message(
            {"type": "image", "data": PICTURE}, {"type": "image", "data": KEPT}, {"type": "resource_link", "uri": "x"}
        )
    )
    assert (here.here, here.can_be_saved) == (b"not really a picture", True)
    assert (kept.here, kept.reference, kept.can_be_saved) == (None, "77" * 32, True)
    assert not link.can_be_saved


def test_a_picture_that_a_tool_looked_at_is_found_as_deep_as_tools_put_it() -> None:
    block = {"type": "image", "mimeType": "image/png", "data": PICTURE}
    item: Json = {
        "kind": "tool_call",
        "content": [{"type": "content", "content": block}],
        "output": {"content": [block]},
    }
    assert len(enclosed(item)) == 2


@pytest.mark.parametrize("content", [None, "words", 7, {}, [None, 7, "x", []], [[[[[[[[{"type": "image"}]]]]]]]]])
def test_odd_content_holds_nothing(content: object) -> None:
    assert enclosed({"kind": "message", "content": content}) == []


@pytest.mark.parametrize(
    ("name", "media_type", "file"),
    [
        ("", "image/png", "image-0197abcd-1.png"),
        ("", "odd/odd", "image-0197abcd-1.bin"),
        ("holiday", "image/jpeg", "holiday.jpg"),
        ("file:///home/me/photo one.png", "image/png", "photo-one.png"),
        ("../../etc/passwd", "", "passwd"),
        ("..", "", "image-0197abcd-1.bin"),
        (".bashrc", "", "bashrc"),
        ("-rf", "", "rf"),
        ("a\x1b[31m\u202e.png", "", "a--31m-.png"),
        ("C:\\temp\\a.png", "", "a.png"),
        ("x" * 300 + ".png", "", "x" * 56 + ".png"),
    ],
)
def test_a_file_is_called_so_that_it_stays_where_it_belongs(name: str, media_type: str, file: str) -> None:
    assert Enclosed("image", name, media_type, 0).file_name("0197abcdef", 1) == file
