"""The frames that are put together here are those of the library."""

from __future__ import annotations

import pytest
from websockets.frames import Frame, Opcode

from holdfast.frontends.gateway.stream.pipe import head


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 1_000_000])
def test_a_text_of_any_size_has_the_head_that_the_library_gives_it(size: int) -> None:
    text = b"x" * size

    assert head(size) + text == Frame(Opcode.TEXT, text).serialize(mask=False)
