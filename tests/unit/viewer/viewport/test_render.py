"""The frame of pixels, against slow and simple references."""

from __future__ import annotations

import numpy as np
import pytest

from inference.studies.model import Window
from inference.studies.voi import grey_of
from viewer.viewport.render import (
    HeatLayer,
    MaskLayer,
    Placement,
    compose,
    heat_table,
)

RED = (229, 72, 77)


def painted(frame):
    """Where red and blue differ: grey has none of that."""
    return frame[..., 2].astype(int) - frame[..., 0] > 20


def owner(count, origin, scale, size):
    """Picture pixel whose area holds the centre of each device pixel; -1 outside."""
    index = np.floor((np.arange(size) + 0.5 - origin) / scale)
    return np.where((index >= 0) & (index < count), index, -1).astype(int)


@pytest.mark.parametrize("kind", [np.int16, np.uint16, np.uint8, np.float32])
def test_the_window_is_the_linear_function_of_the_standard(kind):
    ramp = np.arange(256 if kind == np.uint8 else 3000).astype(kind)[None]
    window = Window(120.0, 80.0)
    expected = np.clip(((ramp - 119.5) / 79.0 + 0.5) * 255.0, 0, 255)
    assert np.abs(grey_of(ramp, window, inverted=False) - expected).max() <= 0.5 + 1e-3


def test_the_narrowest_window_is_a_threshold():
    row = np.array([[9, 10, 11]], np.int16)
    assert grey_of(row, Window(10.0, 1.0), inverted=False).tolist() == [[0, 255, 255]]


def test_inversion_comes_after_the_window():
    row = np.array([[-2000, 0, 2000]], np.int16)
    window = Window(0.0, 200.0)
    straight = grey_of(row, window, inverted=False)
    assert grey_of(row, window, inverted=True).tolist() == (255 - straight).tolist()


def test_not_a_number_is_black():
    row = np.array([[np.nan, 100.0]], np.float32)
    assert grey_of(row, Window(50.0, 50.0), inverted=False).tolist() == [[0, 255]]


@pytest.mark.parametrize("left", [0.0, 3.3, -17.6])
@pytest.mark.parametrize("scale", [1.0, 1.44, 2.5, 4.0, 7.37, 20.0])
def test_a_mask_covers_the_device_pixels_of_its_own_pixels_and_no_other(left, scale):
    mask = np.random.default_rng(3).random((12, 15)) > 0.6
    grey = np.full(mask.shape, 100, np.uint8)
    placement = Placement(90, 80, left, 5.25, scale, scale * 1.3)
    frame = compose(grey, placement, [MaskLayer(mask, RED, 0.5, outline=False)])
    columns = owner(15, left, scale, 90)
    rows = owner(12, 5.25, scale * 1.3, 80)
    expected = mask[rows][:, columns] & (rows >= 0)[:, None] & (columns >= 0)
    assert np.array_equal(painted(frame), expected)


@pytest.mark.parametrize("scale", [4.0, 6.61, 20.0])
def test_edges_of_mask_and_picture_pixels_are_the_same_when_magnified(scale):
    board = np.indices((9, 9)).sum(axis=0) % 2 == 0
    grey = np.where(board, 200, 40).astype(np.uint8)
    placement = Placement(120, 120, -8.7, 4.4, scale, scale)
    plain = compose(grey, placement)
    frame = compose(grey, placement, [MaskLayer(board, RED, 0.5, outline=False)])
    assert np.array_equal(painted(frame), plain[..., 1] == 200)


@pytest.mark.parametrize("scale", [0.21, 0.5, 0.73, 0.97])
@pytest.mark.parametrize("left", [0.0, 2.6])
def test_a_lesion_of_one_pixel_never_vanishes_when_made_smaller(scale, left):
    for row, column in ((0, 0), (31, 17), (63, 63)):
        mask = np.zeros((64, 64), bool)
        mask[row, column] = True
        placement = Placement(70, 70, left, 1.1, scale, scale)
        frame = compose(
            np.full(mask.shape, 90, np.uint8), placement, [MaskLayer(mask, RED, 1.0, outline=False)]
        )
        down, across = np.nonzero(painted(frame))
        assert len(down) == 1
        assert np.abs(across + 0.5 - (left + (column + 0.5) * scale)).max() <= 1.0
        assert np.abs(down + 0.5 - (1.1 + (row + 0.5) * scale)).max() <= 1.0


def test_opacity_mixes_grey_and_colour():
    grey = np.full((2, 2), 100, np.uint8)
    layer = MaskLayer(np.ones((2, 2), bool), (200, 50, 0), 0.25, outline=False)
    frame = compose(grey, Placement(2, 2, 0, 0, 1, 1), [layer])
    assert np.abs(frame[0, 0, 2::-1].astype(int) - (125, 88, 75)).max() <= 1


def test_an_outline_lies_inside_its_mask_and_leaves_the_middle_free():
    mask = np.zeros((10, 10), bool)
    mask[2:7, 3:8] = True
    grey = np.full(mask.shape, 100, np.uint8)
    frame = compose(
        grey, Placement(200, 200, 0, 0, 20, 20), [MaskLayer(mask, RED, 0.5, outline=True)]
    )
    drawn = painted(frame)
    assert drawn[40, 60:160].all()
    assert drawn[40:140, 60].all()
    assert drawn[139, 60:160].all()
    assert not drawn[46:134, 66:154].any()
    drawn[40:140, 60:160] = False
    assert not drawn.any()


def test_an_outline_is_closed_where_the_mask_touches_the_edge_of_the_picture():
    grey = np.full((4, 4), 100, np.uint8)
    layer = MaskLayer(np.ones((4, 4), bool), RED, 0.5, outline=True)
    drawn = painted(compose(grey, Placement(60, 60, 10, 10, 10, 10), [layer]))
    assert drawn[10, 10:50].all()
    assert drawn[10:50, 49].all()
    assert not drawn[20:40, 20:40].any()


def test_later_masks_lie_over_earlier_ones():
    grey = np.full((2, 2), 100, np.uint8)
    everywhere = np.ones((2, 2), bool)
    layers = [
        MaskLayer(everywhere, (255, 0, 0), 1.0, outline=False),
        MaskLayer(everywhere, (0, 0, 255), 1.0, outline=False),
    ]
    frame = compose(grey, Placement(2, 2, 0, 0, 1, 1), layers)
    assert frame[0, 0].tolist() == [255, 0, 0, 255]


def test_the_heatmap_leaves_pixels_without_evidence_as_they_are():
    grey = np.full((4, 4), 100, np.uint8)
    values = np.zeros((4, 4), np.float32)
    values[:, 3] = 1.0
    frame = compose(grey, Placement(40, 40, 0, 0, 10, 10), heat=HeatLayer(values, 1.0))
    assert (frame[:, :20, :3] == 100).all()
    assert np.abs(frame[20, 39, 2::-1].astype(int) - heat_table()[255]).max() <= 2


def test_the_heatmap_has_perceptually_growing_colours():
    lightness = heat_table().astype(float) @ (0.2126, 0.7152, 0.0722)
    assert (np.diff(lightness) > -1.0).all()
    assert lightness[-1] - lightness[0] > 200


def test_outside_the_picture_it_is_black():
    frame = compose(np.full((4, 4), 255, np.uint8), Placement(40, 30, 12, 5, 4, 4))
    inside = np.zeros((30, 40), bool)
    inside[5:21, 12:28] = True
    assert (frame[inside][:, :3] == 255).all()
    assert (frame[~inside][:, :3] == 0).all()


def test_a_picture_moved_out_of_the_frame_leaves_it_black():
    frame = compose(np.full((4, 4), 255, np.uint8), Placement(40, 30, -100, 5, 4, 4))
    assert not frame[..., :3].any()


def test_a_large_picture_is_averaged_and_not_picked_from():
    stripes = np.tile(np.array([0, 255], np.uint8), (400, 200))
    frame = compose(stripes, Placement(100, 100, 0, 0, 0.25, 0.25))
    assert np.abs(frame[5:-5, 5:-5, 0].astype(int) - 128).max() <= 2


def test_a_turned_slice_is_drawn_as_turned():
    grey = np.arange(6, dtype=np.uint8).reshape(2, 3) * 40
    frame = compose(grey.T[::-1], Placement(10, 15, 0, 0, 5, 5))
    assert frame[::5, ::5, 0].tolist() == grey.T[::-1].tolist()
