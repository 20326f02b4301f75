"""The list of lesions, against balls of known size, density and place."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from inference import lesion_data as module
from inference.findings import Findings, Manifestation
from inference.lesion_data import (
    DEPTHS_MM,
    HU_EDGES,
    PERIPHERAL_MM,
    Lesions,
    Place,
    Side,
    Zone,
)
from inference.lesions import find_lesions
from inference.lung_regions import depth_in_slice
from inference.quantify import MIN_LESION_VOXELS
from inference.studies.model import Unit, Volume
from tests import factories

GGO, CONSOLIDATION, EFFUSION = Manifestation
SPACING = (5.0, 1.5, 1.5)  # slices, rows, columns
SIZE_MM = (320.0, 240.0, 330.0)
RIGHT_X, LEFT_X, HALF = 80.0, 250.0, (120.0, 90.0, 60.0)
"""Centres of the two lungs along the columns, and half axes along slices, rows, columns, in mm."""

Ball = tuple[Manifestation, tuple[float, float, float], float, int]
"""What, centre (mm along slices, rows, columns from the first voxel), radius in mm, HU."""


def _inside(
    shape: tuple[int, ...], spacing: tuple[float, ...], centre: tuple[float, ...],
    half: tuple[float, ...],
) -> np.ndarray:  # fmt: skip
    away = 0.0
    for axis, grid in enumerate(np.ogrid[tuple(slice(n) for n in shape)]):
        away = away + ((grid * spacing[axis] - centre[axis]) / half[axis]) ** 2
    return np.asarray(away <= 1.0)


class Chest:
    """Two ellipsoid lungs, the patient's right one at small columns, slices from feet to head."""

    def __init__(self, spacing: tuple[float, float, float] = SPACING) -> None:
        self.spacing = spacing
        self.shape = tuple(round(size / step) for size, step in zip(SIZE_MM, spacing, strict=True))
        middle = (SIZE_MM[0] / 2, SIZE_MM[1] / 2)
        self.lungs = np.zeros(self.shape, bool)
        for x in (RIGHT_X, LEFT_X):
            self.lungs |= _inside(self.shape, spacing, (*middle, x), HALF)
        self.array = np.where(self.lungs, -850, 40).astype(np.int16)
        self.masks = {key: np.zeros(self.shape, bool) for key in Manifestation}
        self.affine = np.diag([spacing[2], spacing[1], spacing[0], 1.0])
        self.affine[:3, 3] = (-165.0, -100.0, 700.0)

    def add(self, key: Manifestation, centre: tuple[float, ...], radius: float, hu: int) -> None:
        """Put a ball in."""
        ball = _inside(self.shape, self.spacing, centre, (radius,) * 3)
        self.masks[key] |= ball
        self.array[ball] = hu

    def volume(self, **settings: Any) -> Volume:
        """Give it as a volume."""
        given: dict[str, Any] = {
            "array": self.array, "affine": self.affine, "unit": Unit.HU, "modality": "CT",
            "has_geometry": True, "has_orientation": True, "series_uid": "1.2.3",
        }  # fmt: skip
        return factories.make_volume(**{**given, **settings})

    def find(self, *, lungs: bool = True, **settings: Any) -> Lesions:
        """List what was put in."""
        volume = self.volume(**settings)
        found = find_lesions(findings_of(volume, self.masks, self.lungs if lungs else None), volume)
        assert found is not None
        return found

    def turned(self, *axes: int) -> Chest:
        """Give the same patient with rows, columns or slices stored the other way round."""
        other = Chest(self.spacing)
        other.lungs, other.array = np.flip(self.lungs, axes), np.flip(self.array, axes)
        other.masks = {key: np.flip(mask, axes) for key, mask in self.masks.items()}
        other.affine = self.affine.copy()
        for axis in axes:
            column = 2 - axis
            other.affine[:3, 3] += self.affine[:3, column] * (self.shape[axis] - 1)
            other.affine[:3, column] *= -1
        return other


def findings_of(
    volume: Volume, masks: dict[Manifestation, np.ndarray], lungs: np.ndarray | None
) -> Findings:
    """Findings with these masks."""
    return factories.make_findings(volume, factories.to_codes(masks), lungs=lungs)


@pytest.fixture
def chest() -> Chest:
    """A ball near the surface low in the right lung, another in the middle of the left one."""
    made = Chest()
    # Slices 70, 160 and 250 mm are the middles of the lower, middle and upper third.
    made.add(GGO, (80.0, 120.0, 42.0), 12.0, -600)
    made.add(CONSOLIDATION, (160.0, 120.0, LEFT_X), 18.0, 20)
    return made


def test_what_a_ball_measures(chest: Chest) -> None:
    large, small = chest.find().lesions
    assert (large.number, large.key, small.number, small.key) == (1, CONSOLIDATION, 2, GGO)
    assert large.volume_ml == pytest.approx(4 / 3 * np.pi * 1.8**3, rel=0.03)
    assert small.volume_ml == pytest.approx(4 / 3 * np.pi * 1.2**3, rel=0.06)
    assert (large.mean_hu, large.sd_hu) == (20.0, 0.0)
    assert large.diameter_mm == pytest.approx(36.0, abs=1.5)
    column, row, slice_ = large.voxel
    assert (slice_ * 5.0, row * 1.5, column * 1.5) == pytest.approx((160, 120, LEFT_X), abs=1.0)
    assert large.position_mm == pytest.approx(tuple(chest.volume().position(*large.voxel)))


def test_where_a_ball_lies(chest: Chest) -> None:
    large, small = chest.find().lesions
    assert (large.side, large.zone, large.place) == (Side.LEFT, Zone.MIDDLE, Place.CENTRAL)
    assert (small.side, small.zone, small.place) == (Side.RIGHT, Zone.LOWER, Place.PERIPHERAL)


@pytest.mark.parametrize(
    ("level", "zone"),
    [(60.0, Zone.LOWER), (112.0, Zone.LOWER), (130.0, Zone.MIDDLE), (192.0, Zone.MIDDLE),
     (208.0, Zone.UPPER), (260.0, Zone.UPPER)],
)  # fmt: skip
def test_thirds_of_the_height(level: float, zone: Zone) -> None:
    chest = Chest()
    chest.add(GGO, (level, 120.0, RIGHT_X), 9.0, -600)
    assert chest.find().lesions[0].zone is zone


@pytest.mark.parametrize("axes", [(2,), (1,), (0,), (0, 1, 2)])
def test_left_is_left_however_it_is_stored(chest: Chest, axes: tuple[int, ...]) -> None:
    here, there = chest.find(), chest.turned(*axes).find()
    for one, other in zip(here.lesions, there.lesions, strict=True):
        assert (one.side, one.zone, one.place) == (other.side, other.zone, other.place)
        assert one.position_mm == pytest.approx(other.position_mm, abs=5.0)
        assert one.volume_ml == pytest.approx(other.volume_ml)


def test_a_coronal_series(chest: Chest) -> None:
    """Slices from front to back, rows from head to feet."""
    seen = Chest()
    order = (1, 0, 2)
    turned = chest.turned(0)
    seen.lungs = np.ascontiguousarray(turned.lungs.transpose(order))
    seen.array = np.ascontiguousarray(turned.array.transpose(order))
    seen.masks = {k: np.ascontiguousarray(m.transpose(order)) for k, m in turned.masks.items()}
    seen.affine = turned.affine[:, [0, 2, 1, 3]]
    for one, other in zip(chest.find().lesions, seen.find().lesions, strict=True):
        assert (one.side, one.zone) == (other.side, other.zone)
        assert one.mean_hu == other.mean_hu


def test_a_tilted_gantry(chest: Chest) -> None:
    """Sheared slices: patient sides and thirds hold, a voxel's volume is the determinant's."""
    tilted = chest.affine.copy()
    tilted[1, 2] = 1.5
    found = chest.find(affine=tilted)
    assert [(one.side, one.zone) for one in found.lesions] == [
        (Side.LEFT, Zone.MIDDLE), (Side.RIGHT, Zone.LOWER)
    ]  # fmt: skip
    assert found.lesions[0].volume_ml == pytest.approx(chest.find().lesions[0].volume_ml)


def test_pixels_that_are_no_squares() -> None:
    chest = Chest((5.0, 3.0, 1.0))
    chest.add(GGO, (160.0, 120.0, RIGHT_X), 30.0, -600)
    chest.add(GGO, (160.0, 42.0, LEFT_X), 11.0, -600)
    central, outer = chest.find().lesions
    assert central.diameter_mm == pytest.approx(60.0, abs=2.0)
    assert (central.place, outer.place) == (Place.CENTRAL, Place.PERIPHERAL)


def test_depth_is_where_an_erosion_by_a_disc_stops() -> None:
    lungs = np.zeros((60, 90), bool)
    lungs[5:55, 10:80] = True
    volume = factories.make_volume(np.zeros((1, 60, 90), np.int16), np.diag([2.0, 2.0, 5.0, 1.0]))
    depth = depth_in_slice(lungs, volume)
    assert depth[30, 10] == pytest.approx(2.0)
    assert depth[30, 14] == pytest.approx(10.0)
    assert depth[4, 30] == 0.0
    uneven = replace(volume, affine=np.diag([2.0, 1.0, 5.0, 1.0]))
    assert depth_in_slice(lungs, uneven)[5 + 7, 40] == pytest.approx(8.0)
    # What a slice cuts off is a surface, too.
    assert depth_in_slice(np.ones((9, 9), bool), volume)[0, 4] == pytest.approx(2.0)


def test_what_lies_exactly_at_the_border_is_peripheral(chest: Chest) -> None:
    """15 mm deep, ten pixels, is still the periphery."""
    chest.lungs[:] = False
    chest.lungs[10:50, 20:140, 20:100] = True
    chest.masks = {key: np.zeros(chest.shape, bool) for key in Manifestation}
    chest.masks[GGO][30, 27:32, 55:66] = True  # depths of 8 to 12 pixels, 12 to 18 mm
    (lesion,) = chest.find().lesions
    assert lesion.peripheral_share == pytest.approx(3 / 5)


def test_the_trachea_above_the_lungs_is_no_height(chest: Chest) -> None:
    """A few voxels of it, which count as the right lung, would move all thirds up."""
    chest.masks[GGO][:] = False
    chest.add(GGO, (125.0, 120.0, RIGHT_X), 9.0, -600)  # the middle third begins at 120
    assert [one.zone for one in chest.find().lesions if one.key is GGO] == [Zone.MIDDLE]
    middle = round(150 / SPACING[2])
    top = np.flatnonzero(chest.lungs.any(axis=(1, 2)))[-1]
    chest.lungs[top + 1 : -1, 76:84, middle - 4 : middle + 2] = True
    assert chest.lungs[-2].any()
    assert [one.zone for one in chest.find().lesions if one.key is GGO] == [Zone.MIDDLE]


def test_lesions_that_touch_at_a_corner_are_one_and_specks_are_counted() -> None:
    chest = Chest()
    mask = chest.masks[GGO]
    mask[30, 60:66, 40:46] = True
    mask[31, 66:72, 46:52] = True
    mask[40, 60:62, 40:42] = True
    found = chest.find()
    assert [one.voxels for one in found.lesions] == [72]
    assert (found.specks, found.specks_ml) == (1, pytest.approx(4 * 5 * 1.5 * 1.5 / 1000))


def test_ground_glass_and_consolidation_that_touch_are_two_lines_and_one_pattern() -> None:
    chest = Chest()
    chest.add(GGO, (160.0, 120.0, RIGHT_X), 18.0, -600)
    chest.masks[CONSOLIDATION][30:34, 78:82, 50:56] = True
    chest.masks[GGO] &= ~chest.masks[CONSOLIDATION]
    found = chest.find()
    assert sorted(one.key for one in found.lesions) == [CONSOLIDATION, GGO]
    assert found.patterns.count == 1


def test_the_list_is_as_long_as_the_count(chest: Chest) -> None:
    rng = np.random.default_rng(3)
    for _ in range(12):
        chest.masks[GGO][tuple(slice(p, p + 4) for p in rng.integers(5, 55, 3))] = True
    volume = chest.volume()
    findings = findings_of(volume, chest.masks, chest.lungs)
    found = find_lesions(findings, volume)
    assert found is not None
    for segment in findings.segments:
        listed = [one for one in found.lesions if one.key is segment.key]
        assert len(listed) == segment.lesions
        assert all(one.voxels >= MIN_LESION_VOXELS for one in listed)


def test_the_centre_of_a_bent_lesion_lies_in_it() -> None:
    chest = Chest()
    ring = _inside(chest.shape, SPACING, (160.0, 120.0, RIGHT_X), (20.0,) * 3)
    ring &= ~_inside(chest.shape, SPACING, (160.0, 120.0, RIGHT_X), (15.0,) * 3)
    chest.masks[GGO] = ring
    column, row, slice_ = chest.find().lesions[0].voxel
    assert ring[slice_, row, column]


def test_what_lies_outside_the_lungs_has_a_side_and_no_depth() -> None:
    chest = Chest()
    chest.add(EFFUSION, (60.0, 215.0, LEFT_X), 10.0, 10)
    (lesion,) = chest.find().lesions
    assert (lesion.side, lesion.zone) == (Side.LEFT, Zone.LOWER)
    assert lesion.peripheral_share is None
    assert lesion.place is None


def test_an_effusion_has_no_depth_even_where_it_overlaps_the_lung_mask() -> None:
    chest = Chest()
    chest.add(EFFUSION, (160.0, 120.0, LEFT_X), 10.0, 10)
    assert chest.find().lesions[0].place is None


@pytest.mark.parametrize(("columns", "known"), [(9, False), (10, True)])
def test_of_what_lies_almost_outside_the_mask_no_depth_is_said(columns: int, known: bool) -> None:
    chest = Chest()
    chest.lungs[:] = False
    chest.lungs[20:40, 60:100, 60:100] = True
    chest.masks[GGO][30, 80, 100 - columns : 200 - columns] = True
    share = chest.find().lesions[0].peripheral_share
    assert (share is not None) == known


def test_a_lesion_over_the_midline_is_in_both_lungs() -> None:
    chest = Chest()
    chest.masks[GGO][32, 80, 40:180] = True
    assert chest.find().lesions[0].side is Side.BOTH


def test_airways_that_join_the_lungs_change_nothing(chest: Chest) -> None:
    before = chest.find()
    middle = (RIGHT_X + LEFT_X) / 2
    # A trachea up to the edge of the scan, and two bronchi.
    chest.lungs |= _inside(chest.shape, SPACING, (300.0, 110.0, middle), (130.0, 9.0, 9.0))
    chest.lungs[34:37, 72:78, round(RIGHT_X / 1.5) : round(LEFT_X / 1.5)] = True
    for one, other in zip(before.lesions, chest.find().lesions, strict=True):
        assert (one.side, one.zone) == (other.side, other.zone)


def test_a_lung_that_the_scan_cuts_off_has_no_thirds(chest: Chest) -> None:
    part = Chest()
    part.array, part.lungs = chest.array[20:40], chest.lungs[20:40]
    part.masks = {key: mask[20:40] for key, mask in chest.masks.items()}
    (lesion,) = part.find().lesions
    assert (lesion.side, lesion.zone) == (Side.LEFT, None)


def test_one_lung_alone_is_not_called_left_or_right() -> None:
    chest = Chest()
    chest.lungs[:, :, chest.shape[2] // 2 :] = False
    chest.add(GGO, (160.0, 120.0, RIGHT_X), 12.0, -600)
    found = chest.find()
    assert (found.sides_known, found.lungs_known) == (False, True)
    assert (found.lesions[0].side, found.lesions[0].zone) == (None, None)
    assert found.lesions[0].place is Place.CENTRAL


def test_what_cannot_be_known_is_none_and_not_zero(chest: Chest) -> None:
    nowhere = chest.find(has_geometry=False, has_orientation=False, unit=Unit.GREY).lesions[0]
    assert (nowhere.volume_ml, nowhere.mean_hu, nowhere.sd_hu) == (None, None, None)
    assert (nowhere.diameter_mm, nowhere.position_mm, nowhere.place) == (None, None, None)
    assert (nowhere.side, nowhere.zone, nowhere.peripheral_share) == (None, None, None)
    assert nowhere.voxels > 0
    without = chest.find(lungs=False)
    assert (without.lungs_known, without.sides_known) == (False, False)
    assert (without.lesions[0].side, without.lesions[0].place) == (None, None)
    assert without.lesions[0].volume_ml is not None
    assert (without.patterns.percent_of_lung, without.patterns.periphery) == (None, None)


def test_padding_is_left_out_of_the_mean(chest: Chest) -> None:
    chest.array[chest.masks[CONSOLIDATION] & (np.arange(chest.shape[2]) % 2 == 0)] = -2000
    found = chest.find(padding=-2000.0)
    assert found.lesions[0].mean_hu == 20.0
    assert found.patterns.histogram is not None
    assert found.patterns.histogram.below == 0.0


def test_nothing_found_and_nothing_looked_for() -> None:
    empty = Chest()
    found = empty.find()
    assert (found.lesions, found.specks, found.specks_ml) == ((), 0, 0.0)
    assert (found.patterns.count, found.patterns.percent_of_lung) == (0, 0.0)
    assert (found.patterns.histogram, found.patterns.periphery) == (None, None)
    volume = empty.volume()
    unasked = replace(findings_of(volume, empty.masks, None), segments=())
    assert find_lesions(unasked, volume) is None


def test_findings_of_another_volume_are_refused(chest: Chest) -> None:
    volume = chest.volume()
    findings = findings_of(volume, chest.masks, chest.lungs)
    with pytest.raises(ValueError, match="another volume"):
        find_lesions(findings, replace(volume, series_uid="9"))


# -- the four findings ---------------------------------------------------------------------------


def test_count_and_share_leave_effusions_out(chest: Chest) -> None:
    chest.add(EFFUSION, (60.0, 215.0, LEFT_X), 10.0, 10)
    patterns = chest.find().patterns
    voxels = np.count_nonzero(chest.masks[GGO] | chest.masks[CONSOLIDATION])
    assert patterns.count == 2
    assert patterns.percent_of_lung == pytest.approx(100 * voxels / np.count_nonzero(chest.lungs))


def test_the_histogram_has_two_peaks_and_adds_to_one(chest: Chest) -> None:
    histogram = chest.find().patterns.histogram
    assert histogram is not None
    assert sum(histogram.shares) + histogram.below + histogram.above == pytest.approx(1.0)
    ggo = np.count_nonzero(chest.masks[GGO])
    share = ggo / (ggo + np.count_nonzero(chest.masks[CONSOLIDATION]))
    assert histogram.shares[HU_EDGES.index(-600)] == pytest.approx(share)
    assert histogram.shares[HU_EDGES.index(20)] == pytest.approx(1 - share)
    assert histogram.between(-960, -580) == pytest.approx(share)


def test_values_beyond_the_histogram_are_not_lost(chest: Chest) -> None:
    chest.array[chest.masks[GGO]] = HU_EDGES[0] - 1
    chest.array[chest.masks[CONSOLIDATION]] = HU_EDGES[-1]
    histogram = chest.find().patterns.histogram
    assert histogram is not None
    assert sum(histogram.shares) == 0.0
    assert histogram.below + histogram.above == pytest.approx(1.0)


def test_the_peripheral_ratio_is_that_of_the_paper_equation() -> None:
    """Erosion by a disc, slice by slice; the share of the lesion that it takes away."""
    chest = Chest()
    chest.add(GGO, (160.0, 53.0, RIGHT_X), 20.0, -600)
    curve = chest.find().patterns.periphery
    assert curve is not None
    assert curve.inside == 1.0
    assert curve.ratios[0] == 0.0
    assert list(curve.ratios) == sorted(curve.ratios)
    assert curve.ratios[-1] <= 1.0
    for thickness in (6, 15):
        radius = int(thickness / 1.5)
        rows, columns = np.ogrid[-radius : radius + 1, -radius : radius + 1]
        disc = np.hypot(rows, columns) * 1.5 <= thickness
        left = np.stack([ndimage.binary_erosion(s, disc) for s in chest.lungs])
        outer = chest.masks[GGO] & chest.lungs & ~left
        expected = np.count_nonzero(outer) / np.count_nonzero(chest.masks[GGO])
        assert curve.ratios[DEPTHS_MM.index(thickness)] == pytest.approx(expected)
        assert 0.0 < expected < 1.0


def test_what_sticks_out_of_the_lungs_is_said() -> None:
    chest = Chest()
    chest.add(GGO, (160.0, 120.0, RIGHT_X - HALF[2]), 15.0, -600)
    curve = chest.find().patterns.periphery
    assert curve is not None
    assert 0.2 < curve.inside < 0.8
    assert curve.ratios[DEPTHS_MM.index(int(PERIPHERAL_MM))] == pytest.approx(1.0, abs=0.02)


def test_a_lesion_is_peripheral_from_half_on(chest: Chest, monkeypatch: pytest.MonkeyPatch) -> None:
    lesion = chest.find().lesions[1]
    assert lesion.peripheral_share is not None
    assert 0.5 < lesion.peripheral_share < 1.0
    monkeypatch.setattr(module, "PERIPHERAL_SHARE", lesion.peripheral_share + 1e-6)
    assert lesion.place is Place.CENTRAL


def test_lesions_are_not_looked_for_where_the_masks_do_not_lie(chest: Chest) -> None:
    volume = chest.volume()
    moved = volume.affine.copy()
    moved[2, 3] += 5.0
    found = findings_of(volume, chest.masks, chest.lungs)
    with pytest.raises(ValueError, match="another volume"):
        find_lesions(replace(found, affine=moved), volume)
