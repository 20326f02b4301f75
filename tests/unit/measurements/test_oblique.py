"""Measuring on oblique planes, against places and values that are worked out voxel by voxel."""

from __future__ import annotations

import csv
import json
import math
from itertools import product

import numpy as np
import pytest

from inference.measurements import Kind, Measurement, Slant, measure
from inference.measurements.model import carried
from inference.measurements.store import load, save
from inference.measurements.table import rows, write
from inference.measurements.values import OBLIQUE_NOTE
from inference.studies.model import Unit
from tests import factories

STRAIGHT = np.diag([0.5, 0.8, 2.0, 1.0])
LEANING = STRAIGHT + np.array([[0, 0, 0, -20], [0, 0, 0.6, 31], [0, 0, 0, 7], [0, 0, 0, 0.0]])
"""As of a CT whose gantry was tilted."""
GRADIENT = np.array([3.0, -2.0, 5.0])
SHAPE = (20, 40, 60)
"""(slices, rows, columns)"""


def slant(degrees=35.0, turn=20.0, step=0.5):
    """Lean a coronal plane back, and turn it about the long axis of the patient."""
    lean, about = math.radians(degrees), math.radians(turn)
    rotate = np.array(
        [[math.cos(about), -math.sin(about), 0], [math.sin(about), math.cos(about), 0], [0, 0, 1]]
    )
    right = rotate @ (1.0, 0.0, 0.0)
    down = rotate @ (0.0, math.sin(lean), -math.cos(lean))
    return Slant(tuple(right), tuple(down), step)


def scan(affine=LEANING, **changes):
    """A volume whose value is a linear function of the place, so that interpolating is exact."""
    slices, rows_, columns = np.mgrid[[slice(n) for n in SHAPE]]
    voxels = np.stack([columns, rows_, slices], axis=-1)
    places = voxels @ affine[:3, :3].T + affine[:3, 3]
    given = {
        "array": (places @ GRADIENT).astype(np.float32), "affine": affine, "unit": Unit.HU,
        "modality": "CT", "has_geometry": True, "has_orientation": True, "series_uid": "1.2.3",
    } | changes  # fmt: skip
    return factories.make_volume(**given)


def middle(volume):
    return np.array(volume.position(*(n / 2 for n in reversed(volume.shape))))


def drawn(volume, kind, plane, *flat):
    """Draw on a plane through the middle; points are mm along its right and down."""
    back = np.linalg.inv(volume.affine)
    points = []
    for right, down in flat:
        place = middle(volume) + right * np.array(plane.right) + down * np.array(plane.down)
        points.append(tuple(back[:3, :3] @ place + back[:3, 3]))
    return Measurement.on(volume, kind, points, 1, slant=plane)


def lattice(volume, plane, inside):
    """Places of all samples near the middle that lie inside, one by one."""
    right, down, normal = np.array(plane.right), np.array(plane.down), plane.normal
    centre = middle(volume)
    found = []
    start = round(centre @ right / plane.step), round(centre @ down / plane.step)
    for i, j in product(range(-40, 41), repeat=2):
        across, along = (start[0] + i) * plane.step, (start[1] + j) * plane.step
        if inside(across - centre @ right, along - centre @ down):
            found.append(across * right + along * down + (centre @ normal) * normal)
    return np.array(found)


@pytest.mark.parametrize("affine", [STRAIGHT, LEANING], ids=["straight", "tilted gantry"])
@pytest.mark.parametrize("lean", [0.0, 35.0, -70.0])
class TestNumbers:
    """Lengths, angles and areas in mm of the patient, whatever the grid."""

    def test_lengths_and_angles(self, affine, lean):
        volume, plane = scan(affine), slant(lean)
        line = drawn(volume, Kind.LENGTH, plane, (-3, 1), (3, 9))
        assert measure(line, volume).lines == ("10.0 mm",)
        corner = drawn(volume, Kind.ANGLE, plane, (4, 0), (0, 0), (4, 4))
        assert measure(corner, volume).angle == pytest.approx(45.0)
        lines = drawn(volume, Kind.COBB, plane, (0, 0), (5, 0), (0, 3), (5, 8))
        assert measure(lines, volume).angle == pytest.approx(45.0)

    def test_regions(self, affine, lean):
        volume, plane = scan(affine), slant(lean)
        shapes = {
            Kind.RECTANGLE: ([(-3.2, -2.1), (4.1, 1.3)], 7.3 * 3.4,
                             lambda x, y: -3.2 <= x <= 4.1 and -2.1 <= y <= 1.3),
            Kind.ELLIPSE: ([(-4.0, 2.6), (4.0, -2.6)], math.pi * 4.0 * 2.6,
                           lambda x, y: (x / 4.0) ** 2 + (y / 2.6) ** 2 <= 1.0),
            Kind.FREEHAND: ([(0.0, -3.1), (3.1, 0.0), (0.0, 3.1), (-3.1, 0.0)], 2 * 3.1**2,
                            lambda x, y: abs(x) + abs(y) <= 3.1),
        }  # fmt: skip
        for kind, (points, area, inside) in shapes.items():
            said = measure(drawn(volume, kind, plane, *points), volume)
            expected = lattice(volume, plane, inside) @ GRADIENT
            assert said.area == pytest.approx(area), kind
            assert said.region.pixels == len(expected) > 50, kind
            assert said.region.mean == pytest.approx(expected.mean(), abs=1e-3), kind
            assert said.region.sd == pytest.approx(expected.std(), abs=1e-3), kind
            assert said.region.minimum == pytest.approx(expected.min(), abs=1e-3), kind
            assert said.region.maximum == pytest.approx(expected.max(), abs=1e-3), kind
            assert OBLIQUE_NOTE in said.notes
            assert f"{len(expected)} samples" in said.lines[0]


def test_a_region_in_a_ball_has_the_ball_alone():
    """A ball of 100 HU, 6 mm in radius, in air; the plane goes through its middle."""
    volume = scan(np.diag([0.5, 0.5, 0.5, 1.0]))
    slices, rows_, columns = np.mgrid[[slice(n) for n in SHAPE]]
    away = (columns - 30.0) ** 2 + (rows_ - 20.0) ** 2 + (slices - 10.0) ** 2
    volume.array[:] = np.where(away <= 144, 100.0, -1000.0)
    plane = slant(50.0)
    inner = measure(drawn(volume, Kind.ELLIPSE, plane, (-4, -4), (4, 4)), volume)
    assert (inner.region.mean, inner.region.sd) == pytest.approx((100.0, 0.0))
    outer = measure(drawn(volume, Kind.ELLIPSE, plane, (-8, -8), (8, 8)), volume)
    assert outer.region.minimum == pytest.approx(-1000.0)
    assert outer.region.maximum == pytest.approx(100.0)


def test_a_probe_tells_of_the_voxel_it_lies_in():
    volume = scan()
    probe = drawn(volume, Kind.PROBE, slant(), (1.3, 0.4))
    column, row, slice_ = (round(v) for v in probe.points[0])
    assert measure(probe, volume).value == volume.array[slice_, row, column]
    outside = drawn(volume, Kind.PROBE, slant(), (100.0, 0.0))
    assert measure(outside, volume).lines == ("no data",)


def test_half_a_voxel_around_the_outermost_centres_belongs_to_the_volume():
    """A slice is as thick as its neighbours; beyond that there is nothing."""
    volume, plane = scan(STRAIGHT), slant(0.0, 0.0)
    # 5 mm across from the tenth column on, and from 3 mm below the first centre to 3 mm above it.
    corners = [(10.0, 20.0, -1.5), (20.0, 20.0, 1.5)]
    box = Measurement.on(volume, Kind.RECTANGLE, corners, 1, slant=plane)
    region = measure(box, volume).region
    assert region.pixels + region.left_out == 11 * 13
    # Samples lie every 0.5 mm; the rim begins at −1 mm, where rounding may go either way.
    assert region.pixels in {11 * 8, 11 * 9}


def test_samples_beside_padding_or_the_volume_have_no_value():
    volume = scan(padding=-2000)
    plane = slant()
    box = drawn(volume, Kind.RECTANGLE, plane, (-3.2, -2.1), (4.1, 1.3))
    whole = measure(box, volume).region
    assert whole.left_out == 0
    volume.array[:, :, 33:] = -2000
    part = measure(box, volume).region
    assert part.pixels + part.left_out == whole.pixels
    assert part.left_out > 10
    assert part.minimum > -300, "no sample is drawn towards the padding"
    beside = drawn(scan(), Kind.RECTANGLE, plane, (-3.2, -2.1), (60.0, 1.3))
    assert measure(beside, scan()).region.left_out > 20


def test_a_region_beside_the_volume_says_so():
    volume = scan()
    box = drawn(volume, Kind.RECTANGLE, slant(), (100.0, 0.0), (110.0, 8.0))
    assert measure(box, volume).lines[1] == "mean not computed: no sample has a value"
    tiny = drawn(volume, Kind.RECTANGLE, slant(step=50.0), (2.0, 2.0), (3.0, 3.0))
    assert measure(tiny, volume).lines[1] == "mean not computed: no sample inside"


def test_an_outline_that_crosses_itself_has_the_area_of_its_samples():
    step = 0.02
    volume, plane = scan(), slant(step=step)
    bow = drawn(volume, Kind.FREEHAND, plane, (-3, -3), (3, 3), (3, -3), (-3, 3))
    said = measure(bow, volume)
    assert said.area == pytest.approx(said.region.pixels * step**2)
    # Two triangles; of the samples on the rim, 1 in 150, any may fall in or out.
    assert said.area == pytest.approx(18.0, rel=0.01)


class TestWhereItIsDrawn:
    """On its own plane, and lines also on others that hold them."""

    def test_on_its_own_plane_alone(self):
        volume, plane = scan(), slant()
        depth = float(plane.normal @ middle(volume))
        line = drawn(volume, Kind.LENGTH, plane, (-3, 1), (3, 9))
        assert line.lies_aslant(plane, depth)
        assert line.lies_aslant(plane, depth + 0.2)
        assert not line.lies_aslant(plane, depth + 0.5)
        other = slant(-20.0)
        assert not line.lies_aslant(other, float(other.normal @ middle(volume)))
        assert not any(line.lies_on(axis, index) for axis in range(3) for index in range(60))

    def test_a_region_is_drawn_on_its_plane_however_its_picture_is_turned(self):
        volume, plane = scan(), slant()
        depth = float(plane.normal @ middle(volume))
        box = drawn(volume, Kind.RECTANGLE, plane, (-3, -2), (4, 1))
        rolled = Slant(plane.down, tuple(-value for value in plane.right), plane.step)
        assert box.lies_aslant(rolled, depth)
        leaning = slant(35.5)
        assert not box.lies_aslant(leaning, float(leaning.normal @ middle(volume)))
        straight = Measurement.on(volume, Kind.RECTANGLE, [(1, 1, 3), (5, 5, 3)])
        upright = Slant((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), 0.5)
        assert not straight.lies_aslant(upright, straight.positions[0][2])

    def test_a_line_of_a_slice_is_drawn_on_an_oblique_plane_that_holds_it(self):
        volume = scan(STRAIGHT)
        line = Measurement.on(volume, Kind.LENGTH, [(4, 10, 3), (20, 10, 3)])
        assert line.lies_aslant(Slant((1.0, 0.0, 0.0), (0.0, 0.0, -1.0), 0.5), 8.0)


class TestKeeping:
    """Between runs, in tables, and on another grid."""

    def kept(self, volume):
        plane = slant()
        return (
            drawn(volume, Kind.ELLIPSE, plane, (-4, -4), (4, 4)),
            drawn(volume, Kind.LENGTH, plane, (-3, 1), (3, 2)),
        )

    def test_it_is_read_as_it_was_written(self, tmp_path):
        volume = scan()
        made = self.kept(volume)
        save(made, volume, tmp_path)
        assert load(volume, tmp_path).measurements == made

    def test_a_file_of_before_oblique_planes_is_still_read(self, tmp_path):
        volume = scan()
        line = Measurement.on(volume, Kind.LENGTH, [(4, 10, 3), (20, 10, 3)])
        save((line,), volume, tmp_path)
        (path,) = tmp_path.iterdir()
        document = json.loads(path.read_text("utf-8"))
        document["version"] = 1
        del document["measurements"][0]["slant"]
        path.write_text(json.dumps(document), "utf-8")
        assert load(volume, tmp_path).measurements == (line,)

    @pytest.mark.parametrize("step", [0.0, -1.0])
    def test_a_plane_that_cannot_be_is_damage(self, tmp_path, step):
        volume = scan()
        save(self.kept(volume), volume, tmp_path)
        (path,) = tmp_path.iterdir()
        document = json.loads(path.read_text("utf-8"))
        document["measurements"][0]["slant"]["step"] = step
        path.write_text(json.dumps(document), "utf-8")
        assert "are damaged" in load(volume, tmp_path).notes[0]

    def test_it_goes_along_to_other_slices_of_the_series(self):
        volume = scan()
        line = self.kept(volume)[1]
        affine = volume.affine.copy()
        affine[:3, 3] += affine[:3, 2]
        fewer = scan(affine, array=volume.array[1:])
        there = carried(line, fewer)
        assert np.allclose(there.positions, line.positions)
        assert there.points[0][2] == pytest.approx(line.points[0][2] - 1.0)
        assert measure(there, fewer) == measure(line, volume)
        assert carried(line, scan(affine, array=volume.array[:3])) is None

    def test_the_table_names_no_slice(self, tmp_path):
        volume = scan()
        made = self.kept(volume)
        assert [(row["plane"], row["index"]) for row in rows(made, volume)] == [
            ("oblique", None)
        ] * 2
        write(made, volume, tmp_path / "table.csv")
        text = (tmp_path / "table.csv").read_text("utf-8-sig")
        entry = next(csv.DictReader(text.splitlines()))
        assert (entry["plane"], entry["index"]) == ("oblique", "")
        assert OBLIQUE_NOTE in entry["notes"]
        write(made, volume, tmp_path / "table.json")
        entry = json.loads((tmp_path / "table.json").read_text("utf-8"))["measurements"][0]
        assert entry["oblique_lps"]["right"] == pytest.approx(slant().right)
        assert entry["oblique_lps"]["step"] == 0.5


@pytest.mark.parametrize(
    "sides",
    [((1, 0, 0), (0, 2, 0), 1), ((1, 0, 0), (1, 0, 0), 1), ((1, 0, 0), (0, 1, 0), 0)],
    ids=["length", "parallel", "step"],
)
def test_a_plane_has_sides_at_right_angles(sides):
    with pytest.raises(ValueError, match=r"right angles|apart"):
        Slant(*sides)


def test_points_beside_the_plane_make_no_measurement():
    volume, plane = scan(), slant()
    line = drawn(volume, Kind.LENGTH, plane, (-3, 1), (3, 2))
    column, row, slice_ = line.points[1]
    with pytest.raises(ValueError, match="lie in one plane"):
        line.moved(volume, [line.points[0], (column, row, slice_ + 2.0)])
    with pytest.raises(ValueError, match="a position for each point"):
        Measurement.on(scan(has_orientation=False), Kind.LENGTH, line.points, 1, slant=plane)
