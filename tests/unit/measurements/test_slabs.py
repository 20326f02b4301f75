"""Measuring on slabs: values of several planes that are shown as one, lengths in their picture."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from inference.measurements import Kind, Measurement, Slant, measure
from inference.measurements.model import carried
from inference.measurements.slabs import Merge, SlabPlanes
from inference.measurements.store import load, save
from inference.measurements.table import write
from inference.measurements.values import PROJECTED_NOTE
from inference.studies.model import Unit
from tests import factories

AFFINE = np.array([[0.5, 0, 0, -10], [0, 0.8, 0, 30], [0, 0, 2, 5], [0, 0, 0, 1.0]])
SHAPE = (9, 20, 24)
"""(slices, rows, columns)"""
MEAN = SlabPlanes(Merge.MEAN, 1, 2, 2.0)
HIGHEST = SlabPlanes(Merge.MAXIMUM, 2, 2, 2.0)
LOWEST = SlabPlanes(Merge.MINIMUM, 1, 1, 2.0)
BOX = [(4.0, 3.0, 4.0), (9.0, 7.0, 4.0)]


def scan(**changes):
    """A volume in which no two voxels next to each other are alike."""
    noise = np.random.default_rng(1).integers(-900, 900, SHAPE).astype(np.int16)
    given = {
        "array": noise, "affine": AFFINE, "unit": Unit.HU, "modality": "CT", "has_geometry": True,
        "has_orientation": True, "series_uid": "1.2.3",
    } | changes  # fmt: skip
    return factories.make_volume(**given)


class TestTheSlab:
    """It knows its planes."""

    def test_count_thickness_and_words(self):
        assert (MEAN.count, MEAN.mm) == (4, 8.0)
        assert MEAN.words == "mean of 4 planes, 8.0 mm"
        assert HIGHEST.words == "MIP of 5 planes, 10.0 mm"
        assert LOWEST.brief == "MinIP of 3 planes"

    @pytest.mark.parametrize(
        "given", [(0, 0, 1.0), (-1, 3, 1.0), (1, -1, 1.0), (1, 1, 0.0), (1, 1, float("nan"))]
    )
    def test_what_is_no_slab_is_refused(self, given):
        with pytest.raises(ValueError, match="planes"):
            SlabPlanes(Merge.MEAN, *given)


class TestValues:
    """Against numpy, plane by plane."""

    @pytest.mark.parametrize("axis", [0, 1, 2])
    @pytest.mark.parametrize(
        ("slab", "merge"), [(MEAN, np.mean), (HIGHEST, np.max), (LOWEST, np.min)]
    )
    def test_of_a_region(self, axis, slab, merge):
        volume = scan()
        low, high = np.array([4, 3, 4]), np.array([7, 6, 6])
        low[axis] = high[axis] = 4
        box = Measurement.on(volume, Kind.RECTANGLE, [tuple(low), tuple(high)], axis, slab=slab)
        picked = [slice(a, b + 1) for a, b in zip(low, high, strict=True)]
        picked[axis] = slice(4 - slab.before, 4 + slab.after + 1)
        merged = merge(volume.array[tuple(reversed(picked))].astype(float), axis=2 - axis)
        region = measure(box, volume).region
        assert (region.pixels, region.left_out) == (merged.size, 0)
        found = (region.mean, region.sd, region.minimum, region.maximum)
        assert found == pytest.approx((merged.mean(), merged.std(), merged.min(), merged.max()))

    def test_what_has_no_value_in_one_plane_is_left_out(self):
        array = scan().array.copy()
        array[3, 5, 6] = -2000
        volume = scan(array=array, padding=-2000)
        inside = Measurement.on(volume, Kind.RECTANGLE, BOX, slab=LOWEST)
        assert (measure(inside, volume).region.pixels, measure(inside, volume).region.left_out) == (
            29,
            1,
        )
        assert measure(inside, volume).region.minimum > -2000
        beside = Measurement.on(
            volume, Kind.RECTANGLE, [(x, y, 7.0) for x, y, _ in BOX], slab=LOWEST
        )
        assert measure(beside, volume).region.left_out == 0

    def test_none_of_it_has_a_value(self):
        volume = scan(array=np.full(SHAPE, np.nan, np.float32))
        box = Measurement.on(volume, Kind.RECTANGLE, BOX, slab=MEAN)
        assert measure(box, volume).region.left_out == 30
        assert "not computed" in measure(box, volume).summary

    @pytest.mark.parametrize(("slab", "merge"), [(MEAN, np.mean), (HIGHEST, np.max)])
    def test_of_a_probe(self, slab, merge):
        volume = scan()
        probe = Measurement.on(volume, Kind.PROBE, [(6, 5, 4)], slab=slab)
        planes = volume.array[4 - slab.before : 4 + slab.after + 1, 5, 6]
        assert measure(probe, volume).value == pytest.approx(merge(planes))

    def test_a_probe_beside_padding_has_none(self):
        array = scan().array.copy()
        array[5, 5, 6] = -2000
        volume = scan(array=array, padding=-2000)
        assert measure(Measurement.on(volume, Kind.PROBE, [(6, 5, 4)]), volume).value is not None
        on_slab = Measurement.on(volume, Kind.PROBE, [(6, 5, 4)], slab=LOWEST)
        assert measure(on_slab, volume).lines == ("no data",)

    def test_a_mean_is_written_with_a_decimal_a_maximum_without(self):
        volume = scan()
        probes = (Measurement.on(volume, Kind.PROBE, [(6, 5, 4)], slab=s) for s in (MEAN, HIGHEST))
        mean, highest = (measure(probe, volume).summary for probe in probes)
        assert "." in mean
        assert "." not in highest


class TestAslant:
    """On an oblique slab the samples above each other are merged."""

    def test_of_a_region(self):
        # A value that grows along the normal alone: a plane has one value, the slab's follow.
        right, down = (1.0, 0.0, 0.0), (0.0, 0.6, -0.8)
        plane = Slant(right, down, 0.5)
        slices, rows_, columns = np.mgrid[[slice(n) for n in SHAPE]]
        places = np.stack([columns, rows_, slices], -1) @ AFFINE[:3, :3].T + AFFINE[:3, 3]
        volume = scan(array=(100.0 * places @ plane.normal).astype(np.float32))
        middle = np.array(volume.position(12, 10, 4))
        back = np.linalg.inv(AFFINE)
        corners = [middle + a * np.array(right) + b * np.array(down) for a, b in ((-1, -1), (1, 1))]
        points = [tuple(back[:3, :3] @ corner + back[:3, 3]) for corner in corners]
        depth = 100.0 * float(middle @ plane.normal)

        def mean(slab):
            made = Measurement.on(volume, Kind.RECTANGLE, points, 1, slant=plane, slab=slab)
            return measure(made, volume).region.mean

        step = 100.0 * 0.5
        assert mean(None) == pytest.approx(depth, abs=0.1)
        assert mean(SlabPlanes(Merge.MEAN, 1, 2, 0.5)) == pytest.approx(depth + step / 2, abs=0.1)
        assert mean(SlabPlanes(Merge.MAXIMUM, 1, 2, 0.5)) == pytest.approx(
            depth + 2 * step, abs=0.1
        )
        assert mean(SlabPlanes(Merge.MINIMUM, 1, 2, 0.5)) == pytest.approx(depth - step, abs=0.1)
        probe = Measurement.on(
            volume, Kind.PROBE, [tuple(back[:3, :3] @ middle + back[:3, 3])], 1, slant=plane,
            slab=SlabPlanes(Merge.MAXIMUM, 4, 4, 0.5),
        )  # fmt: skip
        assert measure(probe, volume).value > depth + 2 * step

    def test_beside_the_volume_there_are_no_values(self):
        plane = Slant((1.0, 0.0, 0.0), (0.0, 0.6, -0.8), 0.5)
        volume = scan()
        points = [(4.0, 1.0, 4.0), (9.0, 1.0, 4.0), (6.0, 1.0, 4.0)]
        points[2] = tuple(np.array(points[2]) + np.linalg.solve(AFFINE[:3, :3], plane.down))
        near = Measurement.on(volume, Kind.FREEHAND, points, 1, slant=plane)
        assert measure(near, volume).region.left_out == 0
        deep = replace(near, slab=SlabPlanes(Merge.MEAN, 9, 9, 0.5))
        assert measure(deep, volume).region.left_out > 0


class TestWords:
    """The reader is told."""

    def test_a_length_is_that_of_the_picture(self):
        volume = scan()
        line = Measurement.on(volume, Kind.LENGTH, [(2, 3, 4), (12, 3, 4)], slab=MEAN)
        assert measure(line, volume).lines == ("5.0 mm",)
        assert measure(line, volume).notes == (PROJECTED_NOTE,)
        assert line.sop_instance_uid == ""

    def test_values_name_their_slab(self):
        volume = scan()
        box = Measurement.on(volume, Kind.RECTANGLE, BOX, slab=MEAN)
        assert measure(box, volume).notes == ("of the mean of 4 planes, 8.0 mm",)
        text = Measurement.on(volume, Kind.TEXT, [(6, 5, 4)], text="here", slab=MEAN)
        assert measure(text, volume).notes == ()


class TestWhereItIsDrawn:
    """What says something of values, where these are shown; lines wherever they are held."""

    def on(self, kind, slab, points=BOX, axis=2):
        points = points[: kind.points]
        return Measurement.on(scan(), kind, points, axis, slab=slab)

    @pytest.mark.parametrize("kind", [Kind.RECTANGLE, Kind.PROBE])
    def test_values(self, kind):
        thin, thick = self.on(kind, None), self.on(kind, MEAN)
        assert thin.lies_on(2, 4)
        assert not thin.lies_on(2, 4, MEAN), "the picture shows other values"
        assert thick.lies_on(2, 4, MEAN)
        assert not thick.lies_on(2, 4)
        assert not thick.lies_on(2, 5, MEAN)
        assert not thick.lies_on(2, 4, HIGHEST)
        assert not thick.lies_on(1, 3, MEAN)

    def test_a_line_of_one_plane_is_drawn_on_slabs_that_hold_it(self):
        line = self.on(Kind.LENGTH, None)
        assert [k for k in range(9) if line.lies_on(2, k)] == [4]
        assert [k for k in range(9) if line.lies_on(2, k, MEAN)] == [2, 3, 4, 5]
        assert [k for k in range(9) if line.lies_on(2, k, HIGHEST)] == [2, 3, 4, 5, 6]
        level = self.on(Kind.LENGTH, None, [(4.0, 3.0, 4.0), (9.0, 3.0, 4.0)])
        assert level.lies_on(1, 2, HIGHEST)

    def test_a_line_of_a_slab_only_on_slabs_across_its_axis(self):
        line = self.on(Kind.LENGTH, MEAN, [(4.0, 3.0, 4.0), (9.0, 3.0, 4.0)])
        assert line.lies_on(2, 5, HIGHEST)
        assert not line.lies_on(2, 4)
        assert not line.lies_on(1, 3, HIGHEST)

    def test_aslant(self):
        plane = Slant((1.0, 0.0, 0.0), (0.0, 0.0, -1.0), 0.8)
        other = Slant((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), 0.8)
        slab = SlabPlanes(Merge.MEAN, 1, 1, 0.8)
        volume = scan()
        points = [(4.0, 3.0, 4.0), (9.0, 3.0, 4.0)]
        depth = float(plane.depths(np.array([volume.position(*points[0])]))[0])
        thin = Measurement.on(volume, Kind.LENGTH, points, 1, slant=plane)
        thick = Measurement.on(volume, Kind.LENGTH, points, 1, slant=plane, slab=slab)
        assert thin.lies_aslant(plane, depth + 0.8, slab)
        assert not thin.lies_aslant(plane, depth + 0.8)
        assert not thin.lies_aslant(plane, depth + 1.7, slab)
        assert thick.lies_aslant(plane, depth, slab)
        assert not thick.lies_aslant(plane, depth)
        across = float(other.depths(np.array([volume.position(*points[0])]))[0])
        assert thin.lies_aslant(other, across)
        assert not thick.lies_aslant(other, across, slab)


class TestKeeping:
    """It comes back, goes along, and is written."""

    def test_it_is_read_as_it_was_written(self, tmp_path):
        volume = scan()
        made = Measurement.on(volume, Kind.RECTANGLE, BOX, slab=MEAN)
        save((made,), volume, tmp_path)
        assert load(volume, tmp_path).measurements == (made,)

    def test_a_file_of_before_slabs_is_still_read(self, tmp_path):
        volume = scan()
        made = Measurement.on(volume, Kind.RECTANGLE, BOX)
        save((made,), volume, tmp_path)
        (path,) = tmp_path.iterdir()
        document = json.loads(path.read_text())
        document["version"] = 2
        del document["measurements"][0]["slab"]
        path.write_text(json.dumps(document))
        assert load(volume, tmp_path).measurements == (made,)

    @pytest.mark.parametrize("before", [-1, 0.5])
    def test_a_slab_that_cannot_be_is_damage(self, tmp_path, before):
        volume = scan()
        save((Measurement.on(volume, Kind.RECTANGLE, BOX, slab=MEAN),), volume, tmp_path)
        (path,) = tmp_path.iterdir()
        path.write_text(path.read_text().replace('"before": 1', f'"before": {before}'))
        kept = load(volume, tmp_path)
        assert kept.measurements == ()
        assert "damaged" in kept.notes[0]

    def test_it_goes_along_where_its_planes_are(self):
        made = Measurement.on(scan(), Kind.RECTANGLE, BOX, slab=MEAN)

        def cut(first, stop):
            affine = AFFINE.copy()
            affine[2, 3] += 2.0 * first
            return scan(array=scan().array[first:stop], affine=affine)

        here = cut(2, 8)
        found = carried(made, here)
        assert found.plane == 2
        assert measure(found, here).region == measure(made, scan()).region
        assert carried(made, cut(4, 9)) is None, "the plane before it is missing"
        assert carried(made, cut(0, 6)) is None, "one after it is missing"
        apart = AFFINE.copy()
        apart[2, 2] = 1.0
        assert carried(made, scan(affine=apart)) is None, "planes lie elsewhere"

    def test_the_table_names_the_slab(self, tmp_path):
        volume = scan()
        made = (
            Measurement.on(volume, Kind.RECTANGLE, BOX, slab=MEAN),
            Measurement.on(volume, Kind.LENGTH, BOX, number=2),
        )
        write(made, volume, tmp_path / "m.csv")
        with (tmp_path / "m.csv").open(encoding="utf-8-sig") as file:
            thick, thin = csv.DictReader(file)
        assert [thick[k] for k in ("index", "slab", "slab_planes", "slab_mm")] == [
            "5", "mean", "4", "8.0",
        ]  # fmt: skip
        assert thick["notes"] == "of the mean of 4 planes, 8.0 mm"
        assert (thin["slab"], thin["slab_planes"], thin["slab_mm"]) == ("", "", "")
        write(made, replace(volume, has_geometry=False), tmp_path / "m.json")
        entry = json.loads((tmp_path / "m.json").read_text())["measurements"][0]
        assert (entry["slab_planes"], entry["slab_mm"]) == (4, None)
