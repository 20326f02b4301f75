"""Fit, zoom and pan as numbers."""

from __future__ import annotations

import pytest

from viewer.viewport.framing import Framing

FRAMING = Framing(width=600, height=400, columns=100, rows=100, column_mm=1.0, row_mm=2.0)


def test_the_whole_picture_fits_with_true_aspect():
    assert FRAMING.scale_y == pytest.approx(4.0)
    assert FRAMING.scale_x == pytest.approx(2.0)
    assert FRAMING.to_view(0, 0) == pytest.approx((200.0, 0.0))
    assert FRAMING.to_view(100, 100) == pytest.approx((400.0, 400.0))


def test_zooming_keeps_the_point_under_the_cursor():
    before = FRAMING.to_picture(250.0, 120.0)
    closer = FRAMING.zoomed(3.0, 250.0, 120.0)
    assert closer.scale_x == pytest.approx(6.0)
    assert closer.to_picture(250.0, 120.0) == pytest.approx(before)


def test_zooming_back_and_forth_has_limits():
    assert FRAMING.zoomed(1e9, 300, 200).zoom == 40.0
    assert FRAMING.zoomed(1e-9, 300, 200).zoom == 0.25


def test_panning_moves_the_picture_with_the_hand():
    column, row = FRAMING.to_picture(300.0, 200.0)
    assert FRAMING.panned(10.0, -20.0).to_view(column, row) == pytest.approx((310.0, 180.0))


def test_the_picture_cannot_be_lost_by_panning():
    lost = FRAMING.panned(1e6, -1e6)
    assert lost.to_picture(300.0, 200.0) == pytest.approx((0.0, 100.0))


def test_pixels_are_hit_from_edge_to_edge_and_not_beyond():
    assert FRAMING.pixel_at(200.0, 0.0) == (0, 0)
    assert FRAMING.pixel_at(201.9, 3.9) == (0, 0)
    assert FRAMING.pixel_at(202.1, 4.1) == (1, 1)
    assert FRAMING.pixel_at(399.9, 399.9) == (99, 99)
    assert FRAMING.pixel_at(199.9, 100.0) is None
    assert FRAMING.pixel_at(400.1, 100.0) is None


def test_fitting_undoes_zoom_and_pan():
    assert FRAMING.zoomed(3.0, 0.0, 0.0).panned(5.0, 5.0).fitted() == FRAMING


def test_a_view_without_size_is_still_a_view():
    assert FRAMING.resized(0.0, 0.0).scale_x > 0
