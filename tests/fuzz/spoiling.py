"""Inputs that were good once: bytes changed, cut, repeated and moved, and values of JSON replaced by odd ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st

from holdfast.adapters.importers.lines import is_array, is_object

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST = 6
"""Changes to one input."""

_SNIPPETS: Final = (
    b"\n", b"\r", b"\0", b"\xff", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x80\xae", b"\\ud83d", b"\\u0000", b'"',
    b"'", b"\\", b"[", b"]", b"{", b"}", b"{}", b"[]", b"null", b"NaN", b"1e999", b"-0", b"9" * 40, b"," * 9, b":",
    b"*", b"(", b"-", b" ", b"=", b"%00", b"../", b"[" * 3_000, b'{"a":' * 3_000, b"a.b." * 500, b"A" * 70_000,
)  # fmt: skip
_VALUES: Final[Sequence[Any]] = (
    None, True, False, 0, -1, 1.5, 2**31, 2**63, -(2**63) - 1, 10**40, 1e300, "", " ", "\0", "\ud83d", "\u202e",
    "x" * 5_000, "../../etc/passwd", "2026-02-30T25:61:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00",
    [], {}, [[]], [None], {"": None}, [{"type": "text"}], [{"type": "text", "text": 7}], ["a"] * 300,
    {"type": "text", "text": "\udc80"},
)  # fmt: skip

byte_changes = st.one_of(
    st.tuples(st.just("set"), st.integers(0), st.integers(0, 255)),
    st.tuples(st.just("cut"), st.integers(0), st.integers(1, 200)),
    st.tuples(st.just("end"), st.integers(0), st.just(0)),
    st.tuples(st.just("again"), st.integers(0), st.integers(1, 200)),
    st.tuples(st.just("put"), st.integers(0), st.sampled_from(range(len(_SNIPPETS)))),
)
value_changes = st.one_of(
    st.tuples(st.just("value"), st.integers(0), st.sampled_from(range(len(_VALUES)))),
    st.tuples(st.just("drop"), st.integers(0), st.just(0)),
    st.tuples(st.just("swap"), st.integers(0), st.integers(0)),
)


@st.composite
def spoiled(draw: st.DrawFn, seeds: Sequence[bytes]) -> bytes:
    """Draw one of `seeds` with a few changes, or with none, or bytes that were never any good."""
    if draw(st.integers(0, 19)) == 0:
        return draw(st.binary(max_size=300))
    data = draw(st.sampled_from(seeds))
    for what, at, how in draw(st.lists(value_changes, max_size=_MOST)):
        data = _with_other_values(data, what, at, how)
    for what, at, how in draw(st.lists(byte_changes, max_size=_MOST)):
        data = _with_other_bytes(data, what, at % (len(data) + 1), how)
    return data


def _with_other_bytes(data: bytes, what: str, at: int, how: int) -> bytes:
    match what:
        case "set":
            return data[:at] + bytes([how]) + data[at + 1 :]
        case "cut":
            return data[:at] + data[at + how :]
        case "end":
            return data[:at]
        case "again":
            return data[:at] + data[at : at + how] + data[at:]
        case _:
            return data[:at] + _SNIPPETS[how] + data[at:]


def _with_other_values(data: bytes, what: str, at: int, how: int) -> bytes:
    """Change one value of one line of JSON, or of the one document that all of it is; other lines stay as they are."""
    lines = [data] if _json(data) is not None else data.split(b"\n")
    chosen = at % len(lines)
    if what == "swap":
        other = how % len(lines)
        lines[chosen], lines[other] = lines[other], lines[chosen]
        return b"\n".join(lines)
    root = [_json(lines[chosen])]
    if root[0] is None:
        return data
    places = list(_places(root))
    holder, key = places[(at // len(lines)) % len(places)]
    if what == "value":
        holder[key] = _VALUES[how]
    elif holder is root:
        return data
    else:
        del holder[key]
    lines[chosen] = json.dumps(root[0]).encode("utf-8", "surrogatepass")
    return b"\n".join(lines)


def _json(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _places(root: list[Any]) -> list[tuple[Any, Any]]:
    """Return every place of a value as what holds it and its key there."""
    found: list[tuple[Any, Any]] = []
    waiting: list[Any] = [root]
    while waiting:
        holder: Any = waiting.pop()
        keys: list[Any] = [*(holder if is_object(holder) else range(len(holder)))]
        for key in keys:
            found.append((holder, key))
            if is_object(holder[key]) or is_array(holder[key]):
                waiting.append(holder[key])
    return found
