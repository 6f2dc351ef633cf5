from __future__ import annotations

from holdfast.domain.errors import AmbiguousNameError


def test_an_ambiguous_name_tells_its_candidates_and_says_where_there_are_more() -> None:
    few = AmbiguousNameError("5f0c", ("5f0c1", "5f0c2"))
    many = AmbiguousNameError("5f0c", tuple(f"5f0c{number}" for number in range(7)))

    assert str(few) == "'5f0c' fits 2 sessions (5f0c1, 5f0c2): give more of the id"
    assert str(many) == "'5f0c' fits 7 sessions (5f0c0, 5f0c1, 5f0c2, 5f0c3, 5f0c4, …): give more of the id"
    assert many.candidates[-1] == "5f0c6"
