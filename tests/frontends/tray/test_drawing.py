"""The icon in pixels: told apart by shape, in every size, whatever the colours."""

from __future__ import annotations

from typing import get_args

import pytest

from holdfast.frontends.tray.drawing import SIZES, Pixels, drawn
from holdfast.frontends.tray.port import Mark

MARKS: tuple[Mark, ...] = get_args(Mark)


def shape(pixels: Pixels) -> tuple[bool, ...]:
    """Which pixels are covered, without their colours."""
    return tuple(alpha > 127 for alpha in pixels.data[0::4])


@pytest.mark.parametrize("mark", MARKS)
def test_a_picture_has_every_size(mark: Mark) -> None:
    pictures = drawn(mark, 3)

    assert [each.size for each in pictures] == list(SIZES)
    assert all(len(each.data) == each.size**2 * 4 for each in pictures)
    assert all(any(shape(each)) for each in pictures)


@pytest.mark.parametrize("at", range(len(SIZES)))
def test_marks_differ_in_shape_and_not_in_colour_alone(at: int) -> None:
    shapes = {shape(drawn(mark, 0)[at]) for mark in MARKS}

    assert len(shapes) == len(MARKS)


def test_numbers_differ_up_to_nine() -> None:
    pictures = [drawn("needs_you", number)[-1].data for number in range(11)]

    assert len(set(pictures)) == 11
    assert drawn("needs_you", 10)[-1].data == drawn("needs_you", 4_000)[-1].data


def test_a_number_stands_on_the_mark_that_needs_one_alone() -> None:
    assert drawn("working", 3)[0].data == drawn("working", 0)[0].data
