"""NIfTI, NRRD and MetaImage give the right numbers in the right place, or one true sentence."""

from __future__ import annotations

import gzip
import os
import zlib

import numpy as np
import pytest

from inference.errors import BadInputError
from inference.lungs import find_lungs
from inference.studies import Code, Unit, load, scan, thumbnail
from tests.factories import write_series
from tests.unit.studies.cases.written_volumes import (
    END,
    HU,
    LAST,
    PLACE,
    RAS,
    RAW,
    SHAPE,
    SPACING,
    check_truth,
    meta,
    nifti,
    nifti_2,
    nifti_head,
    nrrd,
    opened,
    refusal,
)


def said(volume, code: Code) -> str:
    (problem,) = [problem for problem in volume.problems if problem.code == code]
    return problem.sentence


def codes(volume) -> set[str]:
    return {problem.code for problem in volume.problems}


class TestRightNumbers:
    """What a file says is what is shown, however it is written."""

    @pytest.mark.parametrize("order", ["<", ">"])
    @pytest.mark.parametrize("dtype", ["i2", "i4", "i8", "f4", "f8"])
    @pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
    def test_nifti_of_every_type_and_order(self, tmp_path, name, dtype, order):
        volume = opened(nifti(tmp_path / name, HU, dtype, order))
        check_truth(volume)
        assert (volume.unit, volume.has_orientation, codes(volume)) == (Unit.HU, True, set())

    def test_nifti_2(self, tmp_path):
        check_truth(opened(nifti_2(tmp_path / "a.nii", HU)))

    def test_nifti_that_is_compressed_or_not_against_its_name(self, tmp_path):
        plain = nifti(tmp_path / "a.nii", HU).read_bytes()
        (tmp_path / "b.nii.gz").write_bytes(plain)
        check_truth(opened(tmp_path / "b.nii.gz"))
        (tmp_path / "c.nii").write_bytes(gzip.compress(plain[:999]) + gzip.compress(plain[999:]))
        check_truth(opened(tmp_path / "c.nii"))

    def test_scaling_is_applied_and_nothing_else_is(self, tmp_path):
        stored = (HU.astype(int) + 1000) * 2
        said = {"slope": 0.5, "intercept": -1000}
        volume = opened(nifti(tmp_path / "a.nii", stored, "u2", **said))
        check_truth(volume)
        assert volume.unit is Unit.HU
        volume = opened(nifti(tmp_path / "b.nii", HU.astype(int) + 1024, "u2"))
        assert (volume.unit, int(volume.array.min())) == (Unit.GREY, 34)
        assert "below 34" in refusing_hu(volume)

    @pytest.mark.parametrize("units", [(1, 0.001), (3, 1000.0)])
    def test_metres_and_micrometres_are_turned_into_millimetres(self, tmp_path, units):
        code, per_mm = units
        sizes = (1, *(step * per_mm for step in SPACING))
        path = nifti(tmp_path / "a.nii", HU, units=code, affine=RAS * per_mm, pixdim=sizes)
        check_truth(opened(path))

    @pytest.mark.parametrize("skip", [0, 77])
    def test_voxels_of_a_pair_are_beside_its_header(self, tmp_path, skip):
        head = nifti_head(SHAPE, magic=b"ni1\0", offset=skip)
        (tmp_path / "a.hdr").write_bytes(bytes(head))
        (tmp_path / "a.img").write_bytes(bytes(skip) + RAW)
        check_truth(opened(tmp_path / "a.hdr"))
        (study,) = scan(tmp_path)
        assert [series.description for series in study.series] == ["a.hdr"]
        assert "open the “.hdr” beside it" in refusal(tmp_path / "a.img")
        (tmp_path / "a.img").unlink()
        assert "“a.img”, which holds the voxels of “a.hdr”, is missing" in refusal(
            tmp_path / "a.hdr"
        )

    def test_analyze_is_called_by_its_name(self, tmp_path):
        assert "Analyze" in refusal(nifti(tmp_path / "a.nii", HU, magic=b"\0\0\0\0"))

    @pytest.mark.parametrize(
        ("encoding", "written"),
        [
            ("raw", RAW),
            ("gzip", gzip.compress(RAW)),
            ("ascii", " ".join(map(str, HU.ravel())).encode() + b"\n"),
        ],
    )
    @pytest.mark.parametrize("beside", [False, True])
    def test_nrrd_of_every_encoding(self, tmp_path, encoding, written, beside):
        path = tmp_path / ("a.nhdr" if beside else "a.nrrd")
        if beside:
            (tmp_path / "a.dat").write_bytes(b"two\nlines\n" + written)
            skip = {"data_file": "./a.dat", "line_skip": "2"}
            nrrd(path, b"", encoding=encoding, **skip)
        else:
            nrrd(path, written, encoding=encoding)
        check_truth(opened(path))
        assert thumbnail(scan(path)[0].series[0]).max() > 0

    def test_nrrd_of_bytes_in_the_other_order_and_at_the_end(self, tmp_path):
        data = b"somebody's notes" + HU.astype(">i2").tobytes()
        check_truth(opened(nrrd(tmp_path / "a.nrrd", data, endian="big", byte_skip="-1")))
        check_truth(opened(nrrd(tmp_path / "b.nrrd", data, endian="big", byte_skip="16")))

    @pytest.mark.parametrize("sign", ["right-anterior-superior", "LAS"])
    def test_nrrd_in_the_patients_other_spaces(self, tmp_path, sign):
        x = "-" if sign.startswith("r") else ""
        directions, place = f"({x}0.7,0,0) (0,-0.9,0) (0,0,3)", f"({x}-15,25,4)".replace("--", "")
        path = nrrd(
            tmp_path / "a.nrrd", RAW, space=sign, space_directions=directions, space_origin=place
        )
        volume = opened(path)
        check_truth(volume)
        assert volume.has_orientation

    @pytest.mark.parametrize("space", ["scanner-xyz", "3D-right-handed", None])
    def test_nrrd_in_no_patients_space_has_sizes_and_no_sides(self, tmp_path, space):
        dimension = None if space else "3"
        volume = opened(nrrd(tmp_path / "a.nrrd", RAW, space=space, space_dimension=dimension))
        check_truth(volume)
        assert (volume.has_geometry, volume.has_orientation) == (True, False)
        assert Code.NO_ORIENTATION in codes(volume)

    @pytest.mark.parametrize(
        ("written", "fields"),
        [
            (RAW, {}),
            (RAW, {"ElementSpacing": None, "ElementSize": "0.7 0.9 3"}),
            (RAW, {"Offset": None, "Position": "-15 -25 4"}),
            (HU.astype(">i2").tobytes(), {"BinaryDataByteOrderMSB": "True"}),
            (HU.astype("<i4").tobytes(), {"ElementType": "MET_LONG"}),
            (zlib.compress(RAW), {"CompressedData": "True"}),
            ("\n".join(map(str, HU.ravel())).encode(), {"BinaryData": "False"}),
            (" ".join(f"{v:.1f}" for v in HU.ravel()).encode(), {"BinaryData": "f"}),
            (b"notes" * 30 + RAW, {"HeaderSize": "-1"}),
        ],
    )
    def test_metaimage_in_every_writing(self, tmp_path, written, fields):
        path = meta(tmp_path / "a.mha", written, **fields)
        volume = opened(path)
        check_truth(volume)
        assert not codes(volume)
        assert thumbnail(scan(path)[0].series[0]).max() > 0

    def test_a_spacing_below_zero_leads_the_other_way(self, tmp_path):
        path = meta(tmp_path / "a.mha", RAW, ElementSpacing="0.7 0.9 -3", Offset="-15 -25 16")
        volume = opened(path)
        np.testing.assert_array_equal(volume.array, HU[::-1])
        np.testing.assert_allclose(volume.position(0, 0, 0), PLACE)
        assert "along LPI" in said(volume, Code.REORIENTED)

    def test_a_volume_without_sizes_says_so(self, tmp_path):
        for path in (
            meta(tmp_path / "a.mha", RAW, ElementSpacing=None),
            nrrd(tmp_path / "a.nrrd", RAW, space_directions=None, space_origin=None, space=None),
        ):
            volume = opened(path)
            np.testing.assert_array_equal(volume.array, HU)
            assert (volume.has_geometry, volume.has_orientation) == (False, False)
            assert codes(volume) >= {Code.NO_SPACING, Code.NO_ORIENTATION}

    @pytest.mark.parametrize(
        "matrix", ["1 0 0 0 1 0 0 0.25882 0.96593", "1 0 0 0 1 0 0 -.5 .86603"]
    )
    def test_a_sheared_metaimage_stays_sheared(self, tmp_path, matrix):
        volume = opened(meta(tmp_path / "a.mha", RAW, TransformMatrix=matrix))
        y, z = (float(value) for value in matrix.split()[-2:])
        np.testing.assert_allclose(volume.position(0, 0, 4), (-15, -25 + 12 * y, 4 + 12 * z))
        assert Code.GANTRY_TILT in codes(volume)

    @pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
    def test_a_sheared_sform_is_the_volumes_affine(self, tmp_path, name):
        affine = RAS.copy()
        affine[1, 2] = 3 * np.tan(np.radians(20))
        sizes = (1, *np.linalg.norm(affine[:, :3], axis=0))
        volume = opened(nifti(tmp_path / name, HU, affine=affine, pixdim=sizes))
        np.testing.assert_array_equal(volume.array, HU)
        np.testing.assert_allclose(
            volume.position(0, 0, 4), (-15, -25 - 4 * affine[1, 2], 16), atol=1e-4
        )
        assert "20.0° off a right angle" in said(volume, Code.GANTRY_TILT)


def refusing_hu(volume) -> str:
    return said(volume, Code.NO_HU)


class TestTwoAffines:
    """The sform is the place; a qform that differs is said, and so are sizes that do."""

    OTHER = np.array([[0.7, 0, 0, -60.0], [0, 0.9, 0, -20.0], [0, 0, 3.0, 4.0]])

    @pytest.mark.parametrize(("q", "s"), [(1, 1), (1, 2), (2, 1), (4, 3)])
    def test_the_sform_is_used_and_the_other_one_said(self, tmp_path, q, s):
        volume = opened(nifti(tmp_path / "a.nii", HU, q=q, s=s, affine=self.OTHER))
        # The first stored voxel is the last but in slices.
        assert volume.array[0, -1, -1] == HU[0, 0, 0]
        np.testing.assert_allclose(volume.position(LAST[0], LAST[1], 0), (60, 20, 4), atol=1e-4)
        assert "qform and sform" in said(volume, Code.GEOMETRY_TWICE)

    def test_two_that_agree_are_not_said(self, tmp_path):
        assert not codes(opened(nifti(tmp_path / "a.nii", HU, q=1)))

    def test_the_qform_alone(self, tmp_path):
        volume = opened(nifti(tmp_path / "a.nii", HU, q=1, s=0, affine=np.full((3, 4), np.nan)))
        check_truth(volume)
        assert volume.has_orientation

    def test_sizes_that_are_not_those_of_the_sform_are_said(self, tmp_path):
        volume = opened(nifti(tmp_path / "a.nii", HU, pixdim=(1, 0.7, 0.9, 5.0)))
        check_truth(volume)
        assert "how large its voxels are" in said(volume, Code.GEOMETRY_TWICE)

    def test_a_volume_stored_otherwise_is_the_same_volume(self, tmp_path):
        # So that whatever is computed of it lies at the same place.
        x, y, z = END
        affine = np.array([[0.7, 0, 0, -x], [0, 0.9, 0, -y], [0, 0, -3.0, z]])
        volume = opened(nifti(tmp_path / "a.nii.gz", HU[::-1, ::-1, ::-1], affine=affine))
        check_truth(volume)
        assert "along RAI" in said(volume, Code.REORIENTED)
        affine = RAS[:, [1, 2, 0, 3]]
        volume = opened(nifti(tmp_path / "b.nii", HU.transpose(2, 0, 1), affine=affine))
        check_truth(volume)
        assert "along PSL" in said(volume, Code.REORIENTED)


class TestNoNumbers:
    """NaN and the infinities are counted and said, and become an end of the scale."""

    @pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.nrrd", "a.mha"])
    @pytest.mark.parametrize("dtype", ["f4", "f8"])
    def test_each_goes_to_its_end(self, tmp_path, name, dtype):
        values = HU.astype(dtype)
        values[:, :2] = np.nan
        values[1, 30, 20], values[2, 30, 21], values[3, 3, 3] = np.inf, np.inf, -np.inf
        data, path = values.astype("<" + dtype).tobytes(), tmp_path / name
        kind = "float" if dtype == "f4" else "double"
        if name == "a.nrrd":
            nrrd(path, data, type=kind)
        elif name == "a.mha":
            meta(path, data, ElementType=f"MET_{kind.upper()}")
        else:
            nifti(path, values, dtype)
        volume = opened(path)
        fine = np.isfinite(values)
        np.testing.assert_array_equal(volume.array[fine], values[fine])
        lowest, highest = values[fine].min(), values[fine].max()
        assert set(volume.array[np.isnan(values) | np.isneginf(values)]) == {lowest}
        assert set(volume.array[np.isposinf(values)]) == {highest}
        assert said(volume, Code.NOT_FINITE) == (
            "440 voxels are not numbers and were replaced by the lowest value; 1 voxel is "
            "infinitely low and was replaced by the lowest value; 2 voxels are infinitely high "
            "and were replaced by the highest value."
        )
        assert thumbnail(scan(path)[0].series[0]).max() > 0

    def test_numbers_beyond_float32_are_infinite(self, tmp_path):
        values = HU.astype("f8")
        values[0, 0, 0] = 1e200
        volume = opened(nifti(tmp_path / "a.nii", values, "f8"))
        assert volume.array[0, 0, 0] == HU.max()
        assert "1 voxel is infinitely high" in said(volume, Code.NOT_FINITE)

    @pytest.mark.parametrize("outside", [-2048.0, np.nan])
    def test_what_a_scanner_did_not_see_is_no_lung(self, tmp_path, outside):
        z, y, x = np.indices((12, 90, 90)) - np.array([6, 45, 45]).reshape(3, 1, 1, 1)
        values = np.where((x / 42) ** 2 + (y / 30) ** 2 < 1, 30.0, -1000.0)
        for side in (-20, 20):
            values[((x - side) / 14) ** 2 + (y / 20) ** 2 + (z / 6) ** 2 < 1] = -870.0
        # Voxels of 4 × 4 × 8 mm, that is 0.128 ml.
        expected = 0.128 * (values == -870.0).sum()
        values[x**2 + y**2 > 43**2] = outside
        affine = np.array([[-4.0, 0, 0, 0], [0, -4.0, 0, 0], [0, 0, 8.0, 0]])
        path = nifti(tmp_path / "a.nii.gz", values, "f4", affine=affine, pixdim=(1, 4, 4, 8))
        volume = opened(path)
        lungs = find_lungs(volume)
        assert lungs.mask.sum() * volume.voxel_ml == pytest.approx(expected, rel=0.05)
        assert (Code.NOT_FINITE in codes(volume)) == np.isnan(outside)

    def test_nothing_but_nan(self, tmp_path):
        (series,) = scan(nifti(tmp_path / "a.nii", np.full(SHAPE, np.nan), "f4"))[0].series
        with pytest.raises(BadInputError, match="no numbers at all"):
            load(series)


class TestNames:
    """A file's name is bytes; none ends the process, and all that is said of it can be printed."""

    ODD = os.fsdecode(b"Thorax_\xe4\xff.nii")

    def test_a_name_that_is_no_text(self, tmp_path):
        path = nifti(tmp_path / self.ODD, HU)
        (study,) = scan(path)
        assert study.series[0].description == "Thorax_\ufffd\ufffd.nii"
        check_truth(load(study.series[0]))
        assert scan(path)[0].series[0].uid == study.series[0].uid
        path.write_bytes(b"hello" * 99)
        refusal(path).encode()

    def test_beside_a_good_series(self, tmp_path):
        write_series(tmp_path / "ct", HU)
        (tmp_path / "ct" / self.ODD).write_bytes(b"hello" * 99)
        study = scan(tmp_path / "ct")[0]
        assert load(study.series[0]).shape == SHAPE
        (problem,) = study.problems
        assert "Thorax_\ufffd\ufffd.nii" in problem.sentence

    def test_a_folder_that_is_no_text(self, tmp_path):
        folder = tmp_path / os.fsdecode(b"M\xfcller")
        folder.mkdir()
        assert "M\ufffdller" in refusal(folder)
        nifti(folder / "a.nii", HU)
        assert scan(folder)[0].description == "M\ufffdller"
