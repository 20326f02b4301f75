"""The chest is found in a picture of any framing, and shown whole when it is not seen well."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from inference.framing import aerated_lungs, chest_box, frame
from inference.preprocess import Box

SIDE = 200


def ellipse(row: float, column: float, height: float, width: float) -> np.ndarray:
    rows, columns = np.ogrid[:SIDE, :SIDE]
    inside = ((rows - row) / height) ** 2 + ((columns - column) / width) ** 2 <= 1
    return np.asarray(inside)


BODY = ellipse(100, 100, 60, 80)
LEFT, RIGHT = ellipse(100, 65, 42, 26), ellipse(100, 135, 42, 26)


def chest(*aerated: np.ndarray) -> np.ndarray:
    """A grey body in the middle of air, a table below it, and what is aerated dark."""
    picture = np.zeros((SIDE, SIDE), dtype=np.uint8)
    picture[BODY] = 215
    picture[175:180, 20:180] = 215
    for lung in aerated:
        picture[lung] = 40
    return picture


def around(mask: np.ndarray) -> Box:
    return Box.around(mask, margin=0.0)


def test_lungs_are_shown_with_a_margin_that_keeps_the_wall() -> None:
    box = chest_box(chest(LEFT, RIGHT))
    lungs, body = around(LEFT | RIGHT), around(BODY)
    pad = round(0.1 * 121)
    assert abs(box.top - (lungs.top - pad)) <= 2
    assert abs(box.left - (lungs.left - pad)) <= 2
    assert abs(box.bottom - (lungs.bottom + pad)) <= 2
    assert box.bottom <= body.bottom + 2


@pytest.mark.parametrize(
    "aerated",
    [(LEFT,), (), (ellipse(75, 65, 15, 26), ellipse(75, 135, 15, 26))],
    ids=["one lung white", "both white", "the lower halves white"],
)
def test_the_body_is_shown_when_a_lung_is_not_seen(aerated: tuple[np.ndarray, ...]) -> None:
    box, body = chest_box(chest(*aerated)), around(BODY)
    for found, right in zip(
        (box.top, box.bottom, box.left, box.right),
        (body.top, body.bottom, body.left, body.right),
        strict=True,
    ):
        assert abs(found - right) <= 2, "the table is no body"


def test_air_around_does_not_matter() -> None:
    small = cv2.copyMakeBorder(chest(LEFT, RIGHT), 90, 10, 60, 40, cv2.BORDER_CONSTANT, value=0)
    near, far = chest_box(chest(LEFT, RIGHT)), chest_box(small)
    assert abs(far.top - near.top - 90) <= 1
    assert abs(far.right - near.right - 60) <= 1


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_an_even_picture_is_shown_whole(grey: int) -> None:
    picture = np.full((40, 60), grey, dtype=np.uint8)
    assert aerated_lungs(picture) == []
    assert chest_box(picture) == Box(0, 40, 0, 60)


def test_framings() -> None:
    picture = chest(LEFT, RIGHT)
    assert frame(picture, "whole") is None
    assert frame(picture, "chest") == chest_box(picture)
