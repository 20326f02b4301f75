"""Real and odd files from the shared folder, where it is at hand."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from inference.errors import BadInputError
from inference.studies import Code, Unit, load, scan

ROOT = Path(os.environ.get("SECONDREAD_SHARED", Path(__file__).parents[4] / "shared"))
SHARED = ROOT / "data" / "dicom"
OPENED = sorted(
    path
    for path in (*SHARED.glob("covid_ct_md/*"), *SHARED.glob("*/*.dcm"), *SHARED.glob("*_*/*_tilt"))
    if path.name not in {"P001", "liver.dcm"}
)
MORE = SHARED / "more"
SAME_SLICE = "cornerstonejs_CTImage.dcm"

NO_HU = {
    "test5.dcm": "an X-ray under the header of a CT, 8 bits without a rescale",
    "eCT_Supplemental.dcm": "its Rescale Type is US, unspecified",
    "fo-dicom_test1.dcm": "a secondary capture of 8 bits with a rescale of 1 and 0 and of no type",
}
"""CT that must not be called HU, and why."""

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="shared data are not at hand")


@pytest.mark.parametrize("path", OPENED, ids=lambda path: path.name)
def test_it_opens(path):
    (study,) = scan(path)
    (series,) = study.series
    volume = load(series)
    assert volume.shape == (len(series.slices), series.rows, series.columns)
    assert volume.modality in {"CT", "CR", "DX"}
    if volume.modality != "CT" or path.name in NO_HU:
        assert volume.unit is Unit.GREY
    else:
        assert volume.unit is Unit.HU
        assert volume.array.min() < -500


def test_a_segmentation_is_refused():
    with pytest.raises(BadInputError, match="1 SEG"):
        scan(SHARED / "dcmqi" / "liver.dcm")


def test_lossless_syntaxes_of_one_slice_agree():
    arrays = {
        name: load(scan(SHARED / "nema_wg04" / f"CT1_{name}.dcm")[0].series[0]).array
        for name in ("J2KR", "JLSL", "JPLL", "RLE")
    }
    assert all((array == arrays["RLE"]).all() for array in arrays.values())


def hu_of(name):
    volume = load(scan(MORE / name)[0].series[0])
    assert volume.unit is Unit.HU
    return volume


def test_every_lossless_form_of_a_slice_is_the_same():
    known = hu_of(SAME_SLICE).array
    exact = ("BigEndian", "LittleEndian", "JPEG2000LosslessOnly", "JPEGProcess14", "RLELossless")
    names = [path.name for word in exact for path in MORE.glob(f"{SAME_SLICE}_{word}*")]
    assert len(names) == len(exact)
    for name in names:
        volume = hu_of(name)
        assert not volume.lossy
        np.testing.assert_array_equal(volume.array, known)


@pytest.mark.parametrize(
    ("form", "mean", "most"),
    [
        ("JPEG2000TransferSyntax_1.2.840.10008.1.2.4.91", 3, 20),
        ("JPEGLSLossyTransferSyntax_1.2.840.10008.1.2.4.81", 2, 2),
        ("JPEGProcess6_8TransferSyntax_1.2.840.10008.1.2.4.53", 4, 40),
        ("JPEGProcess10_12TransferSyntax_1.2.840.10008.1.2.4.55", 4, 40),
        # Steps of 32 HU, and the conversion did not round to the nearest but down.
        ("JPEGProcess1TransferSyntax_1.2.840.10008.1.2.4.50", 20, 65),
    ],
)
def test_a_lossy_form_of_a_slice_is_near_it(form, mean, most):
    volume = hu_of(f"{SAME_SLICE}_{form}.dcm")
    assert volume.lossy
    difference = np.abs(volume.array - hu_of(SAME_SLICE).array.astype(float))
    assert difference.mean() < mean
    assert difference.max() <= most


def test_the_tilted_phantom_is_said_to_be_tilted():
    volume = load(scan(SHARED / "dcm_qa_ct")[0].series[0])
    (problem,) = [p for p in volume.problems if p.code == Code.GANTRY_TILT]
    assert "16.5°" in problem.sentence
