from __future__ import annotations

import pytest

from holdfast.domain.errors import AmbiguousNameError, CursorError, HoldfastError, SessionEndedError
from holdfast.frontends.codes import ERRORS, code_of, rebuilt


@pytest.mark.parametrize("kind", ERRORS.values())
def test_every_error_comes_back_as_the_class_it_was(kind: type[HoldfastError]) -> None:
    error = rebuilt(code_of(kind), "what happened", name="5f0c", candidates=["5f0c1", "5f0c2"])

    assert type(error) is kind


def test_codes_are_the_names_of_the_classes_in_small_letters() -> None:
    assert ERRORS["session_ended"] is SessionEndedError
    assert ERRORS["cursor"] is CursorError


def test_an_ambiguous_name_keeps_its_candidates() -> None:
    error = rebuilt("ambiguous_name", "", name="5f0c", candidates=["5f0c1", "5f0c2"])

    assert isinstance(error, AmbiguousNameError)
    assert error.candidates == ("5f0c1", "5f0c2")
    assert str(error).startswith("'5f0c' fits 2 sessions")


def test_a_code_of_a_later_version_is_an_error_all_the_same() -> None:
    error = rebuilt("not_invented_yet", "something happened")

    assert type(error) is HoldfastError
    assert str(error) == "something happened"
