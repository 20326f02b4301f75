"""Real and odd files from the shared folder, where it is at hand."""

from __future__ import annotations

import os
from pathlib import Path

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

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="shared data are not at hand")


@pytest.mark.parametrize("path", OPENED, ids=lambda path: path.name)
def test_it_opens(path):
    (study,) = scan(path)
    (series,) = study.series
    volume = load(series)
    assert volume.shape == (len(series.slices), series.rows, series.columns)
    assert volume.modality in {"CT", "CR", "DX"}
    if volume.modality == "CT" and path.name not in {"test5.dcm", "eCT_Supplemental.dcm"}:
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


def test_the_tilted_phantom_is_said_to_be_tilted():
    volume = load(scan(SHARED / "dcm_qa_ct")[0].series[0])
    (problem,) = [p for p in volume.problems if p.code == Code.GANTRY_TILT]
    assert "16.5°" in problem.sentence
