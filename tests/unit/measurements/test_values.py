"""Golden values on a phantom of known sizes and HU."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from inference.measurements import Kind, Measurement, measure
from inference.measurements.regions import mask_of
from inference.measurements.values import DETECTOR_NOTE, NO_SPACING_NOTE
from inference.studies.codes import Code
from inference.studies.model import Problem, Unit


def on(volume, kind, *points, slice_=2.0):
    return Measurement.on(volume, kind, [(*point, slice_) for point in points])


def said(volume, kind, *points):
    return measure(on(volume, kind, *points), volume)


def tilted(angle=20.0):
    """Slices of 0.5 × 0.8 mm, tilted about the x axis, but stacked along z: a tilted gantry."""
    turn = math.radians(angle)
    affine = np.eye(4)
    affine[:3, 0] = (0.5, 0.0, 0.0)
    affine[:3, 1] = 0.8 * np.array([0.0, math.cos(turn), math.sin(turn)])
    affine[:3, 2] = (0.0, 0.0, 2.0)
    affine[:3, 3] = (-20.0, 31.0, 7.0)
    return affine


class TestLengthsAndAngles:
    """Through the affine, in mm."""

    @pytest.mark.parametrize("affine", [np.diag([0.5, 0.8, 2.0, 1.0]), tilted()])
    def test_a_length_is_that_of_the_spacing(self, phantom, affine):
        volume = phantom(affine=affine)
        assert said(volume, Kind.LENGTH, (0, 0), (40, 0)).length == pytest.approx(20.0)
        assert said(volume, Kind.LENGTH, (0, 0), (0, 40)).length == pytest.approx(32.0)
        both = said(volume, Kind.LENGTH, (10, 10), (16, 15))
        assert both.length == pytest.approx(5.0)
        assert both.lines == ("5.0 mm",)

    def test_a_length_across_slices_follows_a_sheared_grid(self, phantom):
        volume = phantom(affine=tilted(30.0))
        line = Measurement.on(volume, Kind.LENGTH, [(5, 10, 0), (5, 10, 3)], axis=0)
        assert measure(line, volume).length == pytest.approx(6.0)
        # One row on (0.8 mm, leaning by 30°) and one slice on (2 mm along z).
        lean = Measurement.on(volume, Kind.LENGTH, [(5, 10, 0), (5, 11, 1)], axis=0)
        expected = math.hypot(0.8 * math.cos(math.pi / 6), 2.0 + 0.4)
        assert measure(lean, volume).length == pytest.approx(expected)

    def test_an_angle_is_that_in_the_patient_not_on_the_grid(self, phantom):
        volume = phantom()
        assert said(volume, Kind.ANGLE, (30, 10), (10, 10), (10, 30)).angle == pytest.approx(90.0)
        # 16 columns are 8 mm, 10 rows are 8 mm: 45° in mm, not on the grid.
        half = said(volume, Kind.ANGLE, (30, 10), (10, 10), (26, 20))
        assert half.angle == pytest.approx(45.0)
        assert half.lines == ("45.0°",)
        flat = said(volume, Kind.ANGLE, (30, 10), (10, 10), (2, 10))
        assert flat.angle == pytest.approx(180.0)

    def test_an_angle_without_a_leg_is_not_computed(self, phantom):
        none = said(phantom(), Kind.ANGLE, (10, 10), (10, 10), (26, 20))
        assert none.angle is None
        assert none.lines == ("not computed",)

    def test_a_cobb_angle_is_the_acute_one_however_the_lines_are_drawn(self, phantom):
        volume = phantom()
        one, other = ((0, 0), (40, 0)), ((10, 20), (26, 30))
        for first in (one, one[::-1]):
            for second in (other, other[::-1]):
                values = said(volume, Kind.COBB, *first, *second)
                assert values.angle == pytest.approx(45.0)
        assert values.lines == ("45.0° Cobb",)

    def test_without_spacing_it_is_pixels_and_said_so(self, phantom):
        volume = phantom(affine=np.eye(4), has_geometry=False, has_orientation=False)
        line = on(volume, Kind.LENGTH, (0, 0), (30, 40))
        values = measure(line, volume)
        assert line.positions is None
        assert values.lines == ("50.0 px",)
        assert values.notes == (NO_SPACING_NOTE,)

    def test_a_length_on_the_detector_is_flagged(self, phantom):
        doubt = Problem(Code.IMAGER_SPACING, "On the detector.")
        values = said(phantom(problems=(doubt,)), Kind.LENGTH, (0, 0), (40, 0))
        assert values.lines == ("20.0 mm on detector",)
        assert values.notes == (DETECTOR_NOTE,)


class TestRegions:
    """Stored values by the pixel-centre rule; areas from the outline."""

    def test_the_box_of_known_size_and_value(self, phantom):
        # Its outer edges: half a pixel beyond the centres of its outer pixels.
        values = said(phantom(), Kind.RECTANGLE, (9.5, 4.5), (29.5, 14.5))
        assert values.area == pytest.approx(20 * 0.5 * 10 * 0.8)
        region = values.region
        assert (region.pixels, region.left_out) == (200, 0)
        assert (region.mean, region.sd, region.minimum, region.maximum) == (40.0, 0.0, 40.0, 40.0)
        assert values.lines == ("80.0 mm², 200 pixels", "mean 40.0 HU, SD 0.0", "min 40, max 40")

    def test_corners_may_come_in_any_order(self, phantom):
        one = said(phantom(), Kind.RECTANGLE, (29.5, 4.5), (9.5, 14.5))
        assert (one.area, one.region.pixels) == (pytest.approx(80.0), 200)

    def test_the_ramp_has_the_mean_and_sd_of_its_numbers(self, phantom):
        region = said(phantom(), Kind.RECTANGLE, (39.6, 4.6), (59.4, 14.4)).region
        assert region.mean == pytest.approx(49.5)
        # Of 20 successive whole numbers, divided by n.
        assert region.sd == pytest.approx(math.sqrt((20**2 - 1) / 12))
        assert (region.minimum, region.maximum) == (40.0, 59.0)

    def test_a_centre_on_the_outline_belongs_and_one_beside_it_does_not(self, phantom):
        volume = phantom()
        assert said(volume, Kind.RECTANGLE, (10, 5), (29, 14)).region.pixels == 200
        assert said(volume, Kind.RECTANGLE, (10.01, 5), (29, 14)).region.pixels == 190
        square = said(volume, Kind.FREEHAND, (10, 5), (29, 5), (29, 14), (10, 14))
        assert square.region.pixels == 200
        assert said(volume, Kind.ELLIPSE, (20, 30), (40, 50)).region.maximum == 100

    def test_the_disk_is_all_of_its_value_and_its_area_that_of_a_circle(self, phantom):
        values = said(phantom(), Kind.ELLIPSE, (20, 30), (40, 50))
        assert values.area == pytest.approx(math.pi * 5.0 * 8.0)
        inside = sum(x * x + y * y <= 100 for x in range(-10, 11) for y in range(-10, 11))
        assert values.region.pixels == inside
        assert (values.region.mean, values.region.sd) == (100.0, 0.0)

    def test_a_freehand_outline_has_the_area_of_its_polygon(self, phantom):
        values = said(phantom(), Kind.FREEHAND, (10, 10), (30, 10), (10, 30))
        assert values.area == pytest.approx(0.5 * 10.0 * 16.0)
        assert values.notes == ()

    def test_an_outline_that_crosses_itself_says_so(self, phantom):
        values = said(phantom(), Kind.FREEHAND, (10, 20), (20, 30), (20, 20), (10, 30))
        assert any("crosses itself" in note for note in values.notes)
        assert values.area == pytest.approx(values.region.pixels * 0.4)

    def test_padding_takes_nothing_from_the_area_of_an_outline_that_crosses_itself(self, phantom):
        points = ((10, 20), (20, 30), (20, 20), (10, 30))
        whole = said(phantom(), Kind.FREEHAND, *points)
        array = phantom().array.copy()
        array[2, :25] = -2000
        padded = said(phantom(array=array, padding=-2000), Kind.FREEHAND, *points)
        assert padded.region.left_out > 0
        assert padded.area == pytest.approx(whole.area)

    @pytest.mark.parametrize("seed", range(8))
    def test_the_pixels_of_an_outline_are_those_that_opencv_finds_inside_or_on_it(
        self, phantom, seed
    ):
        rng = np.random.default_rng(seed)
        turn = np.sort(rng.uniform(0, 2 * np.pi, 17))
        reach = rng.uniform(3, 20, 17)
        points = np.stack([40 + reach * np.cos(turn), 30 + reach * np.sin(turn)], axis=1)
        if seed % 2:  # corners on pixel centres are the hard case
            points = np.round(points)
        region = on(phantom(), Kind.FREEHAND, *points)
        mask, top, left = mask_of(region, (60, 80))
        whole = np.zeros((60, 80), bool)
        whole[top : top + mask.shape[0], left : left + mask.shape[1]] = mask
        contour = points.astype(np.float32)
        expected = [
            [cv2.pointPolygonTest(contour, (x, y), False) >= 0 for x in range(80)]
            for y in range(60)
        ]
        np.testing.assert_array_equal(whole, expected)

    def test_padding_and_nan_are_left_out_and_counted(self, phantom):
        array = phantom().array.astype(np.float32)
        array[2, 5, 10:30] = np.nan
        array[2, 6, 10:30] = -2000
        volume = phantom(array=array, padding=-2000.0)
        values = said(volume, Kind.RECTANGLE, (9.5, 4.5), (29.5, 14.5))
        assert (values.region.pixels, values.region.left_out) == (160, 40)
        assert values.region.mean == 40.0
        assert values.area == pytest.approx(80.0)
        assert "(40 without data)" in values.lines[0]
        assert said(volume, Kind.PROBE, (12, 5)).lines == ("no data",)

    def test_a_region_between_pixel_centres_has_no_mean(self, phantom):
        values = said(phantom(), Kind.RECTANGLE, (10.2, 5.2), (10.8, 5.8))
        assert (values.region.pixels, values.region.mean) == (0, None)
        assert "not computed: no pixel centre inside" in values.lines[1]

    def test_a_region_of_padding_alone_has_no_mean(self, phantom):
        values = said(phantom(padding=-1000.0), Kind.RECTANGLE, (70, 30), (75, 35))
        assert (values.region.pixels, values.region.left_out) == (0, 36)
        assert "no pixel has a value" in values.lines[1]

    def test_a_region_may_reach_beyond_the_picture(self, phantom):
        region = said(phantom(), Kind.RECTANGLE, (-5, -5), (2, 1)).region
        assert region.pixels == 3 * 2

    @pytest.mark.parametrize(
        ("axis", "corners", "area", "pixels"),
        [
            (1, [(10, 7, 1), (19, 7, 4)], 9 * 0.5 * 3 * 2.0, 40),
            (0, [(12, 4, 1), (12, 9, 4)], 5 * 0.8 * 3 * 2.0, 24),
        ],
    )
    def test_regions_in_other_planes(self, phantom, axis, corners, area, pixels):
        volume = phantom()
        region = Measurement.on(volume, Kind.RECTANGLE, corners, axis=axis)
        values = measure(region, volume)
        assert values.area == pytest.approx(area)
        assert values.region.pixels == pixels
        assert (values.region.minimum, values.region.maximum) == (-1000, 40)


class TestProbes:
    """One pixel."""

    def test_a_probe_gives_the_stored_value(self, phantom):
        assert said(phantom(), Kind.PROBE, (45, 7)).lines == ("45 HU",)
        assert said(phantom(), Kind.PROBE, (0, 0)).lines == ("−1000 HU",)

    def test_a_picture_without_hu_gives_grey(self, phantom):
        volume = phantom(unit=Unit.GREY, modality="DX")
        assert said(volume, Kind.PROBE, (45, 7)).lines == ("grey 45",)


def test_texts_and_arrows_have_no_number(phantom):
    assert said(phantom(), Kind.ARROW, (45, 7), (50, 9)).lines == ()
    assert said(phantom(), Kind.TEXT, (45, 7)).summary == ""
