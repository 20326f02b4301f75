"""A pane's slab, as a measurement keeps it, and which pane shows what."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from inference.measurements import Kind, Measurement, Slant
from inference.measurements.slabs import Merge, SlabPlanes
from tests import factories
from viewer.measuring.seen import is_seen, pane_that_shows
from viewer.measuring.slabs import slab_of, slab_planes
from viewer.panes import Content, Pane, Slab, SlabMode
from viewer.tilt import Tilt

MEAN = Slab(SlabMode.MEAN, 10.0)
THIN = Slab(SlabMode.THIN, 10.0)
AXIAL, CORONAL = Pane(Content.AXIAL), Pane(Content.CORONAL)
LINE = [(2.0, 3.0, 4.0), (7.0, 5.0, 4.0)]


@pytest.fixture
def volume():
    return factories.make_volume(np.zeros((9, 20, 24), np.int16), np.diag([1.0, 1.0, 2.0, 1.0]))


def test_planes_are_those_that_are_shown():
    assert slab_planes(THIN, 4, 2.0, 9) is None
    assert slab_planes(MEAN, 4, 2.0, 9) == SlabPlanes(Merge.MEAN, 2, 2, 2.0)
    assert slab_planes(replace(MEAN, mm=8.0), 4, 2.0, 9) == SlabPlanes(Merge.MEAN, 1, 2, 2.0)
    assert slab_planes(MEAN, 0, 2.0, 9) == SlabPlanes(Merge.MEAN, 0, 2, 2.0)
    assert slab_planes(MEAN, 8, 2.0, 9) == SlabPlanes(Merge.MEAN, 2, 0, 2.0)
    assert slab_planes(MEAN, 4, 30.0, 9) is None, "one plane is thicker than that"
    assert slab_planes(MEAN, 0, 2.0, 1) is None


@pytest.mark.parametrize("mode", [SlabMode.MAXIMUM, SlabMode.MINIMUM, SlabMode.MEAN])
def test_a_pane_can_be_made_to_show_them_again(mode):
    for many in range(2, 12):
        for index in range(9):
            shown = slab_planes(Slab(mode, many * 1.7), index, 1.7, 9)
            if shown is None:
                assert (many, index) == (2, 8), "of two planes the second one is missing"
                continue
            assert slab_planes(slab_of(shown), index, 1.7, 9) == shown, (many, index)


def test_it_is_never_thicker_than_a_pane_takes():
    assert slab_of(SlabPlanes(Merge.MEAN, 20, 20, 2.5)).mm == 100.0


class TestSeen:
    """Keys work on what some pane shows."""

    def test_on_a_slab(self, volume):
        slab = slab_planes(MEAN, 4, 2.0, 9)
        thick = Measurement.on(volume, Kind.LENGTH, LINE, slab=slab)
        here, below = (3.0, 3.0, 4.0), (3.0, 3.0, 8.0)
        assert not is_seen(thick, volume, here, [AXIAL, CORONAL])
        assert is_seen(thick, volume, here, [CORONAL, replace(AXIAL, slab=MEAN)])
        assert not is_seen(thick, volume, below, [replace(AXIAL, slab=MEAN)])
        assert not is_seen(thick, volume, here, [replace(CORONAL, slab=MEAN), Pane(Content.VOLUME)])

    def test_a_line_of_one_plane_in_a_slab_beside_it(self, volume):
        thin = Measurement.on(volume, Kind.LENGTH, LINE)
        beside = (3.0, 3.0, 6.0)
        assert not is_seen(thin, volume, beside, [AXIAL])
        assert is_seen(thin, volume, beside, [replace(AXIAL, slab=MEAN)])


class TestShowing:
    """A click in the table changes no more than it must."""

    def test_nothing_where_it_is_shown_already(self, volume):
        slab = slab_planes(MEAN, 4, 2.0, 9)
        thick = Measurement.on(volume, Kind.RECTANGLE, LINE, slab=slab)
        assert pane_that_shows(thick, volume, [CORONAL, replace(AXIAL, slab=MEAN)], 0) is None
        thin = Measurement.on(volume, Kind.RECTANGLE, LINE)
        assert pane_that_shows(thin, volume, [CORONAL, AXIAL], 0) is None
        line = Measurement.on(volume, Kind.LENGTH, LINE)
        assert pane_that_shows(line, volume, [replace(AXIAL, slab=MEAN)], 0) is None

    def test_nothing_where_no_pane_could(self, volume):
        thick = Measurement.on(volume, Kind.LENGTH, LINE, slab=slab_planes(MEAN, 4, 2.0, 9))
        assert pane_that_shows(thick, volume, [CORONAL, Pane(Content.VOLUME)], 0) is None

    def test_the_slab_comes_back(self, volume):
        thick = Measurement.on(volume, Kind.LENGTH, LINE, slab=slab_planes(MEAN, 4, 2.0, 9))
        number, pane = pane_that_shows(thick, volume, [CORONAL, AXIAL, AXIAL], 2)
        assert (number, pane) == (2, replace(AXIAL, slab=MEAN)), "the active one is taken"
        number, pane = pane_that_shows(thick, volume, [CORONAL, AXIAL, AXIAL], 0)
        assert number == 1

    def test_values_of_one_plane_make_the_pane_thin(self, volume):
        box = Measurement.on(volume, Kind.RECTANGLE, LINE)
        assert pane_that_shows(box, volume, [replace(AXIAL, slab=MEAN)], 0) == (
            0,
            replace(AXIAL, slab=THIN),
        )

    def test_aslant(self, volume):
        slant = Slant((1.0, 0.0, 0.0), (0.0, 0.6, -0.8), 1.0)
        there = np.array(LINE[0]) + np.array([1.0, 0.6, -0.4])
        points = [LINE[0], tuple(there)]
        slab = SlabPlanes(Merge.MAXIMUM, 1, 1, 1.0)
        for made, expected in (
            (Measurement.on(volume, Kind.LENGTH, points, 1, slant=slant), MEAN),
            (Measurement.on(volume, Kind.RECTANGLE, points, 1, slant=slant), THIN),
            (
                Measurement.on(volume, Kind.LENGTH, points, 1, slant=slant, slab=slab),
                Slab(SlabMode.MAXIMUM, 3.0),
            ),
        ):
            oblique = Pane(Content.OBLIQUE, slab=MEAN)
            number, pane = pane_that_shows(made, volume, [AXIAL, oblique], 0)
            assert (number, pane.content) == (1, Content.OBLIQUE)
            assert pane.tilt == Tilt(slant.right, slant.down)
            assert pane.slab == expected
