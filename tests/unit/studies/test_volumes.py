"""NIfTI, NRRD and MHA lie where SimpleITK says they do, and read from the feet."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK

from inference.errors import BadInputError
from inference.studies import Code, SourceKind, Unit, load, scan, thumbnail

NAMES = ["a.nii", "a.nii.gz", "a.nrrd", "a.mha", "a.mhd"]


def codes(volume) -> set[str]:
    return {problem.code for problem in volume.problems}


def image(direction=None, dtype=np.int16, shape=(6, 40, 48)) -> SimpleITK.Image:
    array = np.random.default_rng(0).integers(-1000, 400, shape).astype(dtype)
    made = SimpleITK.GetImageFromArray(array)
    made.SetSpacing((0.7, 0.8, 2.5))
    made.SetOrigin((-11.0, 22.0, -33.0))
    if direction is not None:
        made.SetDirection(np.asarray(direction, float).ravel().tolist())
    return made


def rotation() -> np.ndarray:
    a, b = np.radians(12), np.radians(-7)
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_z = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    return about_x @ about_z


@pytest.mark.parametrize("name", NAMES)
def test_an_oblique_volume_keeps_its_values_and_its_place(tmp_path, name):
    made = image(rotation())
    SimpleITK.WriteImage(made, str(tmp_path / name))
    (study,) = scan(tmp_path / name)
    (series,) = study.series
    assert (series.kind, series.modality) == (SourceKind.VOLUME, "CT")
    assert (len(series.slices), series.rows, series.columns) == (6, 40, 48)
    volume = load(series)
    np.testing.assert_array_equal(volume.array, SimpleITK.GetArrayFromImage(made))
    assert volume.array.dtype == np.int16
    for index in [(0, 0, 0), (47, 0, 0), (3, 39, 5)]:
        expected = made.TransformIndexToPhysicalPoint(index)
        np.testing.assert_allclose(volume.position(*index), expected, atol=1e-3)
    assert volume.unit is Unit.HU
    assert volume.has_orientation
    assert not volume.problems


@pytest.mark.parametrize(
    "direction",
    [np.diag([-1, -1, 1]), np.diag([1, 1, -1]), [[0, 0, 1], [1, 0, 0], [0, -1, 0]]],
)
def test_other_axes_are_turned_and_every_voxel_stays_where_it_was(tmp_path, direction):
    made = image(direction, shape=(34, 40, 48))
    SimpleITK.WriteImage(made, str(tmp_path / "a.nrrd"))
    volume = load(scan(tmp_path)[0].series[0])
    assert Code.REORIENTED in codes(volume)
    assert volume.affine[2, 2] > 0
    for k, j, i in [(0, 0, 0), (5, 30, 20), (31, 2, 33)]:
        there = made.TransformPhysicalPointToIndex(volume.position(i, j, k).tolist())
        assert volume.array[k, j, i] == made[there]


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([-1000.0, 5.0], np.int16),
        ([-1000.0, 0.5], np.float32),
        ([0.0, 60000.0], np.uint16),
        ([-1000.0, 60000.0], np.float32),
    ],
)
def test_the_narrowest_exact_type_is_used(tmp_path, values, dtype):
    array = np.full((3, 40, 40), values[0])
    array[0, 0, 0] = values[1]
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(array), str(tmp_path / "a.mha"))
    volume = load(scan(tmp_path)[0].series[0])
    assert volume.array.dtype == dtype
    assert volume.array[0, 0, 0] == values[1]


def test_values_without_air_are_grey(tmp_path):
    array = np.zeros((3, 40, 40), np.uint8)
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(array), str(tmp_path / "a.nrrd"))
    volume = load(scan(tmp_path)[0].series[0])
    assert volume.unit is Unit.GREY
    assert Code.NO_HU in codes(volume)
    assert not volume.is_ct


def test_values_that_are_no_numbers_are_replaced(tmp_path):
    array = np.full((3, 40, 40), -900.0, np.float32)
    array[1, 2, 3], array[0, 0, 0] = np.nan, 100
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(array), str(tmp_path / "a.mha"))
    volume = load(scan(tmp_path)[0].series[0])
    assert volume.array[1, 2, 3] == -900
    assert Code.NOT_FINITE in codes(volume)


def test_a_flat_image_is_one_slice_without_sides(tmp_path):
    array = np.arange(1600, dtype=np.int16).reshape(40, 40)
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(array), str(tmp_path / "a.mha"))
    volume = load(scan(tmp_path)[0].series[0])
    assert volume.shape == (1, 40, 40)
    assert volume.modality == "OT"
    assert not volume.has_orientation
    np.testing.assert_array_equal(volume.array[0], array)


def test_nifti_without_orientation_shows_no_sides(tmp_path):
    path = tmp_path / "a.nii"
    SimpleITK.WriteImage(image(), str(path))
    data = bytearray(path.read_bytes())
    data[252:256] = bytes(4)  # qform_code and sform_code
    path.write_bytes(bytes(data))
    volume = load(scan(path)[0].series[0])
    assert not volume.has_orientation
    assert Code.NO_ORIENTATION in codes(volume)


@pytest.mark.parametrize("name", ["a.mha", "a.mhd", "a.nrrd"])
def test_compressed_voxels_are_read(tmp_path, name):
    made = image()
    SimpleITK.WriteImage(made, str(tmp_path / name), True)
    volume = load(scan(tmp_path / name)[0].series[0])
    np.testing.assert_array_equal(volume.array, SimpleITK.GetArrayFromImage(made))


def test_a_fourth_dimension_of_one_is_dropped(tmp_path):
    made = SimpleITK.JoinSeries([image(rotation())])
    SimpleITK.WriteImage(made, str(tmp_path / "a.nii"))
    volume = load(scan(tmp_path)[0].series[0])
    assert volume.shape == (6, 40, 48)
    expected = image(rotation()).TransformIndexToPhysicalPoint((3, 4, 5))
    np.testing.assert_allclose(volume.position(3, 4, 5), expected, atol=1e-3)


def test_a_volume_that_changed_is_refused_in_words(tmp_path):
    SimpleITK.WriteImage(image(), str(tmp_path / "a.nrrd"))
    (series,) = scan(tmp_path)[0].series
    SimpleITK.WriteImage(image(shape=(7, 40, 48)), str(tmp_path / "a.nrrd"))
    with pytest.raises(BadInputError, match="has changed"):
        load(series)


def test_a_folder_of_volumes_is_one_study(tmp_path):
    for name in ("a.nii.gz", "b.nrrd"):
        SimpleITK.WriteImage(image(), str(tmp_path / name))
    (study,) = scan(tmp_path)
    assert [(s.number, s.description) for s in study.series] == [(1, "a.nii.gz"), (2, "b.nrrd")]
    assert study.uid != scan(tmp_path / "a.nii.gz")[0].uid
    assert study.series[0].uid == scan(tmp_path / "a.nii.gz")[0].series[0].uid


@pytest.mark.parametrize("name", NAMES[:4])
@pytest.mark.parametrize("direction", [None, np.diag([-1, -1, 1]), rotation()])
def test_each_time_point_is_a_series_of_its_own(tmp_path, name, direction):
    times = [image(direction) + 10 * t for t in range(3)]
    SimpleITK.WriteImage(SimpleITK.JoinSeries(times), str(tmp_path / name))
    (study,) = scan(tmp_path / name)
    assert [s.description for s in study.series] == [f"time {t} · {name}" for t in (1, 2, 3)]
    assert [s.number for s in study.series] == [1, 2, 3]
    assert len({s.uid for s in study.series}) == 3
    for time, series in enumerate(study.series):
        volume = load(series)
        (problem,) = [p for p in volume.problems if p.code == Code.TIME_POINTS]
        assert f"this is number {time + 1}" in problem.sentence
        (alone,) = [times[time]]
        for i, j, k in [(0, 0, 0), (20, 30, 3), (47, 39, 5)]:
            there = alone.TransformPhysicalPointToIndex(volume.position(i, j, k).tolist())
            assert volume.array[k, j, i] == alone[there]
        assert thumbnail(series).max() > 0


def test_a_file_that_lost_time_points_is_refused_in_words(tmp_path):
    SimpleITK.WriteImage(SimpleITK.JoinSeries([image(), image()]), str(tmp_path / "a.nii"))
    series = scan(tmp_path)[0].series[1]
    SimpleITK.WriteImage(SimpleITK.JoinSeries([image()]), str(tmp_path / "a.nii"))
    with pytest.raises(BadInputError, match="has changed"):
        load(series)
