"""How every frontend says numbers, ages and folders."""

from __future__ import annotations

import pytest

from holdfast.frontends import wording


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0s"), (59, "59s"), (60, "1m"), (3599, "59m"), (86_400 * 20, "2w"), (31_557_600, "1y")],
)
def test_a_span_is_one_number_and_one_letter(seconds: int, said: str) -> None:
    assert wording.span(seconds) == said


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1k"),
        (119_999, "119k"),
        (1_250_000, "1.2M"),
        (12_500_000, "12M"),
        (3 * 10**9, "3.0G"),
    ],
)
def test_an_amount_is_short(number: int, said: str) -> None:
    assert wording.amount(number) == said


def test_counts_have_their_plural() -> None:
    assert [wording.count(n, "event") for n in (0, 1, 1204)] == ["0 events", "1 event", "1,204 events"]


@pytest.mark.parametrize(
    ("home", "path", "said"),
    [
        ("/srv/ada", "/srv/ada/shop", "~/shop"),
        ("/srv/ada", "/srv/ada", "~"),
        ("/srv/ada", "/srv/adam", "/srv/adam"),
        ("/srv/ada/", "/srv/ada/shop", "~/shop"),
        ("/", "/srv", "/srv"),
        ("", "/srv", "/srv"),
    ],
)
def test_the_own_folder_is_a_tilde(monkeypatch: pytest.MonkeyPatch, home: str, path: str, said: str) -> None:
    monkeypatch.setenv("HOME", home)

    assert wording.folder(path) == said
