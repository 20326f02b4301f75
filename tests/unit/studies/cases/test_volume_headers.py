"""What a header may hold or leave out beside what is needed, and what changes meanwhile."""

from __future__ import annotations

import struct

import numpy as np
import pytest
import SimpleITK

from inference.errors import BadInputError
from inference.studies import Code, load, scan
from inference.studies.volumes import middle_slice
from tests.unit.studies.cases.written_volumes import (
    HU,
    RAW,
    SHAPE,
    SPACING,
    check_truth,
    meta,
    nifti,
    nrrd,
    opened,
    refusal,
)


def test_notes_and_keys_of_nrrd_mean_nothing(tmp_path):
    path = nrrd(tmp_path / "a.nrrd", RAW)
    head, voxels = path.read_bytes().split(b"\n\n", 1)
    more = b"\n# spacings: 9 9 9\nspacings:=9 9 9\nspace:=somewhere: else\r\ncontent: a: b\n\n"
    path.write_bytes(head + more + voxels)
    check_truth(opened(path))


def test_units_of_nrrd(tmp_path):
    cm = "(0.07,0,0) (0,0.09,0) (0,0,0.3)"
    said = {"space_units": '"cm" "cm" "cm"', "space_origin": "(-1.5,-2.5,0.4)"}
    check_truth(opened(nrrd(tmp_path / "a.nrrd", RAW, space_directions=cm, **said)))


def test_spacings_of_nrrd_are_sizes_without_sides(tmp_path):
    said = {"space": None, "space_directions": None, "space_origin": None}
    volume = opened(nrrd(tmp_path / "a.nrrd", RAW, spacings="0.7 0.9 3", **said))
    np.testing.assert_allclose(volume.spacing, SPACING[::-1])
    assert (volume.has_geometry, volume.has_orientation) == (True, False)


@pytest.mark.parametrize(
    "said",
    [
        {"spacings": "0.7 0.9"},
        {"space_directions": "(0.7,0) (0,0.9)", "space_dimension": "2"},
        {"space_directions": "(0.7,0,0) (0,0.9,0)", "space": "left-posterior-superior"},
    ],
)
def test_a_flat_nrrd_is_one_slice_that_lies_nowhere(tmp_path, said):
    fields = dict.fromkeys(("space", "space_directions", "space_origin", "kinds")) | said
    volume = opened(nrrd(tmp_path / "a.nrrd", RAW, SHAPE[1:], **fields))
    np.testing.assert_array_equal(volume.array[0], HU[0])
    np.testing.assert_allclose(volume.spacing[1:], (0.9, 0.7))
    assert (volume.modality, volume.has_orientation) == ("OT", False)


@pytest.mark.parametrize(
    "said",
    [
        {"space_directions": "none (0.7,0,0) (0,0.9,0) (0,0,3)", "kinds": None},
        {"space_directions": "none (0.7,0,0) (0,0.9,0) (0,0,3)",
         "kinds": "list domain domain domain"},
        {"kinds": "domain domain domain vector"},
    ],
)  # fmt: skip
def test_several_numbers_for_each_voxel_are_refused(tmp_path, said):
    path = nrrd(tmp_path / "a.nrrd", RAW * 2, (2, *SHAPE), **said)
    assert "save it as grey values" in refusal(path)


@pytest.mark.parametrize("kind", ["list", "time", "???"])
@pytest.mark.parametrize("text", [False, True])
def test_times_of_nrrd_follow_one_another(tmp_path, kind, text):
    both = np.stack([HU, HU + 7])
    path = nrrd(
        tmp_path / "a.nrrd",
        " ".join(map(str, both.ravel())).encode() if text else both.astype("<i2").tobytes(),
        both.shape,
        encoding="text" if text else "raw",
        space_directions="(0.7,0,0) (0,0.9,0) (0,0,3) none",
        kinds=f"domain domain domain {kind}",
    )
    first, second = (load(series) for series in scan(path)[0].series)
    check_truth(first)
    np.testing.assert_array_equal(second.array, HU + 7)


def test_scaling_of_metaimage(tmp_path):
    stored = ((HU.astype(int) + 1000) * 4).astype("<u2").tobytes()
    said = {"ElementToIntensityFunctionSlope": "0.25", "ElementType": "MET_USHORT"}
    check_truth(
        opened(meta(tmp_path / "a.mha", stored, ElementToIntensityFunctionOffset="-1000", **said))
    )


def test_metaimage_without_axes_shows_no_sides(tmp_path):
    volume = opened(meta(tmp_path / "a.mha", RAW, TransformMatrix=None))
    check_truth(volume)
    assert (volume.has_geometry, volume.has_orientation) == (True, False)


def test_what_a_header_says_is_quoted_without_its_control_characters(tmp_path):
    text = refusal(meta(tmp_path / "a.mha", RAW, ElementType="\x1b[31mMET\x07"))
    assert "“\ufffd[31mMET\ufffd” for its ElementType" in text


def test_a_file_that_is_cut_short_meanwhile(tmp_path, monkeypatch):
    for path in (nifti(tmp_path / "a.nii", HU), meta(tmp_path / "a.mha", RAW)):
        (series,) = scan(path)[0].series
        with monkeypatch.context() as patch:
            # As if it had its full length when that was looked at.
            patch.setattr("inference.studies.stored._check_room", lambda _: None)
            path.write_bytes(path.read_bytes()[:-9000])
            with pytest.raises(BadInputError, match="cut off"):
                load(series)


def test_the_header_is_looked_at_again_when_voxels_are_read(tmp_path):
    path = nifti(tmp_path / "a.nii", HU)
    (series,) = scan(path)[0].series
    data = bytearray(path.read_bytes())
    struct.pack_into("<h", data, 70, 1536)
    path.write_bytes(bytes(data))
    with pytest.raises(BadInputError, match="type 1536"):
        load(series)
    path.unlink()
    with pytest.raises(BadInputError, match="not there any more"):
        load(series)


def test_what_nifti_may_leave_at_zero(tmp_path):
    volume = opened(nifti(tmp_path / "a.nii", HU, offset=0, slope=0, intercept=99, units=0))
    check_truth(volume)
    volume = opened(nifti(tmp_path / "b.nii", HU, s=0))
    np.testing.assert_array_equal(volume.array, HU)
    np.testing.assert_allclose(volume.spacing, SPACING[::-1], rtol=1e-6)
    assert (volume.has_geometry, volume.has_orientation) == (True, False)


def test_a_flat_nifti_is_one_slice_that_lies_nowhere(tmp_path):
    volume = opened(nifti(tmp_path / "a.nii", HU[2]))
    np.testing.assert_array_equal(volume.array, HU[2:3])
    np.testing.assert_allclose(volume.spacing[1:], (0.9, 0.7), rtol=1e-6)
    assert (volume.modality, volume.has_orientation) == ("OT", False)


def test_nrrd_of_space_and_time(tmp_path):
    directions = "(0.7,0,0,0) (0,0.9,0,0) (0,0,3,0) (0,0,0,1)"
    path = nrrd(
        tmp_path / "a.nrrd", RAW * 2, (2, *SHAPE), kinds=None, space="LPST",
        space_directions=directions, space_origin="(-15,-25,4,0)",
    )  # fmt: skip
    first, second = (load(series) for series in scan(path)[0].series)
    check_truth(first)
    check_truth(second)
    assert first.has_orientation
    path = nrrd(tmp_path / "b.nrrd", RAW, space=None, space_dimension="7")
    assert "“7” for its space dimension" in refusal(path)


def test_the_header_of_nrrd_alone(tmp_path):
    path = nrrd(tmp_path / "a.nhdr", b"")
    assert "does not name the file that holds its voxels" in refusal(path)
    (tmp_path / "v.raw").write_bytes(RAW)
    path.write_bytes(path.read_bytes().rstrip() + b"\ndata file: v.raw")
    check_truth(opened(path))


def test_fractions_written_as_text(tmp_path):
    words = b" ".join(b"%.2f" % value for value in HU.ravel() + 0.25)
    path = meta(tmp_path / "a.mha", words, BinaryData="False", ElementType="MET_FLOAT")
    np.testing.assert_array_equal(opened(path).array, HU + np.float32(0.25))


def test_voxels_at_the_end_of_what_is_too_short(tmp_path):
    assert "cut off" in refusal(nrrd(tmp_path / "a.nrrd", RAW[:-9], byte_skip="-1"))
    assert "cut off" in refusal(meta(tmp_path / "a.mha", RAW[:-9], HeaderSize="-1"))


def test_the_turn_of_the_qform_is_that_of_other_readers(tmp_path):
    # Turned about all axes, and left-handed in the file.
    angles = np.radians([12, -7, 25])
    turns = [np.eye(3) for _ in angles]
    for axis, (angle, turn) in enumerate(zip(angles, turns, strict=True)):
        i, j = [n for n in range(3) if n != axis]
        turn[[i, j], [i, j]], turn[i, j], turn[j, i] = np.cos(angle), -np.sin(angle), np.sin(angle)
    image = SimpleITK.GetImageFromArray(HU)
    image.SetDirection((turns[0] @ turns[1] @ turns[2] @ np.diag([1, 1, -1])).ravel().tolist())
    image.SetSpacing(SPACING)
    image.SetOrigin((3, 4, 5))
    SimpleITK.WriteImage(image, str(tmp_path / "a.nii"))
    data = bytearray((tmp_path / "a.nii").read_bytes())
    assert struct.unpack_from("<f", data, 76) == (-1.0,)
    data[254:256] = bytes(2)
    (tmp_path / "a.nii").write_bytes(bytes(data))
    volume = opened(tmp_path / "a.nii")
    assert {problem.code for problem in volume.problems} == {Code.REORIENTED}
    for index in ((0, 0, 0), (43, 0, 2), (7, 37, 4)):
        there = image.TransformPhysicalPointToIndex(volume.position(*index).tolist())
        np.testing.assert_allclose(
            image.TransformIndexToPhysicalPoint(there), volume.position(*index), atol=1e-3
        )
        assert volume.array[index[::-1]] == image[there]


def test_a_turn_that_is_longer_than_one_is_shortened(tmp_path):
    check_truth(opened(nifti(tmp_path / "a.nii", HU, s=0, q=1, qform=(0, 0, 1.2, 15, 25, 4))))


@pytest.mark.parametrize(("shift", "said"), [(0.3, False), (0.4, True)])
def test_two_affines_differ_from_half_a_voxel_on(tmp_path, shift, said):
    volume = opened(nifti(tmp_path / "a.nii", HU, q=1, qform=(0, 0, 1, 15, 25 + shift, 4)))
    check_truth(volume)
    assert (Code.GEOMETRY_TWICE in {problem.code for problem in volume.problems}) == said


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.mha"])
def test_the_thumbnail_is_of_the_middle_slice(tmp_path, name, order):
    # Each slice has its own brightness, and another time has none.
    values = np.repeat(np.arange(5, dtype=np.int16), 40 * 40).reshape(5, 40, 40)
    values = np.where(np.indices(values.shape)[2] < 20, 0, values).transpose(order)
    affine = np.eye(3, 4)[:, [*[2 - axis for axis in order][::-1], 3]]
    path = tmp_path / name
    if name == "a.mha":
        words = " ".join(map(str, np.stack([0 * values, values]).ravel())).encode()
        axes = np.eye(4)
        axes[:3, :3] = (affine[:, :3] * [[-1], [-1], [1]]).T
        meta(
            path, words, (2, *values.shape), BinaryData="False", Offset="0 0 0 0",
            ElementSpacing="1 1 1 1", TransformMatrix=" ".join(map(str, axes.ravel())),
        )  # fmt: skip
    else:
        nifti(path, np.stack([0 * values, values]), affine=affine, pixdim=(1, 1, 1, 1))
    series = scan(path)[0].series[1]
    seen, aspect = middle_slice(series)
    volume = load(series)
    np.testing.assert_array_equal(seen, volume.array[2])
    assert (volume.shape, aspect, int(seen.max()), int(seen.min())) == ((5, 40, 40), 1, 2, 0)


def test_a_checksum_is_that_of_all_times(tmp_path):
    # Each longer than what is read at a time.
    path = nifti(tmp_path / "a.nii.gz", np.zeros((3, 9, 256, 256)))
    data = bytearray(path.read_bytes())
    data[-6] ^= 1
    path.write_bytes(bytes(data))
    for series in scan(path)[0].series:
        with pytest.raises(BadInputError, match="damaged or cut off"):
            load(series)
