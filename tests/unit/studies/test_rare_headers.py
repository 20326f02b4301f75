"""Headers that few files have, and that would change a number or the order of slices."""

from __future__ import annotations

import numpy as np
import pytest

from inference.studies import Code, load, scan


def read(path):
    return load(scan(path)[0].series[0])


def test_a_fractional_intercept_is_not_cut_off(write_slice):
    volume = read(write_slice(RescaleSlope=1, RescaleIntercept=-1023.5))

    assert volume.array[0, 0, 0] == 24 - 1023.5
    assert volume.array[0, 5, 7] == 1064 - 1023.5


def test_spacing_in_the_patient_comes_before_that_on_the_detector(write_slice):
    volume = read(
        write_slice(Modality="DX", PixelSpacing=[0.5, 0.4], ImagerPixelSpacing=[0.75, 0.6])
    )

    assert volume.spacing[1:] == pytest.approx((0.5, 0.4))
    assert Code.IMAGER_SPACING not in {problem.code for problem in volume.problems}


def test_padding_of_signed_pixels_may_be_written_unsigned(make_dataset, tmp_path):
    pixels = np.full((40, 40), -2000, np.int16)
    pixels[10:30, 10:30] = 40
    ds = make_dataset(pixels, RescaleIntercept=0)
    ds.add_new("PixelPaddingValue", "US", 65536 - 2000)
    ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)

    volume = read(tmp_path)

    assert volume.padding == -2000
    assert (volume.array[0] == volume.padding).sum() == 40 * 40 - 20 * 20


@pytest.mark.parametrize("flags", [("00", "01"), ("01", "00")])
def test_one_lossy_slice_makes_the_volume_lossy(write_slice, tmp_path, flags):
    for i, flag in enumerate(flags):
        write_slice(
            f"{i}.dcm", ImagePositionPatient=[-10.0, -20.0, 2.0 * i], InstanceNumber=i + 1,
            SOPInstanceUID=f"1.2.3.4.{i + 1}", LossyImageCompression=flag,
        )  # fmt: skip

    volume = read(tmp_path)

    assert volume.shape[0] == 2
    assert volume.lossy


def test_without_positions_slice_locations_give_the_order(write_slice, tmp_path):
    """Instance numbers and names run against them."""
    for i, location in enumerate([15.0, 5.0, 10.0]):
        pixels = np.full((40, 40), 24 + int(location), np.uint16)
        write_slice(
            f"{i}.dcm", pixels, ImagePositionPatient=None, InstanceNumber=i + 1,
            SOPInstanceUID=f"1.2.3.4.{i + 1}", SliceLocation=location,
        )  # fmt: skip

    volume = read(tmp_path)

    assert [int(v) + 1000 for v in volume.array[:, 0, 0]] == [5, 10, 15]
    assert Code.NO_POSITION in {problem.code for problem in volume.problems}
