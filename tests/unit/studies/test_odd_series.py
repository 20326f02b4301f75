"""Every real and odd file at hand: what becomes of it. Skipped where they are not there.

They lie in ``shared/data/dicom`` beside the repository, or below the folder that the environment
variable SECONDREAD_SHARED names.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from inference.errors import BadInputError
from inference.studies import Code, load, scan

ROOT = Path(os.environ.get("SECONDREAD_SHARED", Path(__file__).parents[4] / "shared"))
DICOM = ROOT / "data" / "dicom"

pytestmark = pytest.mark.skipif(not DICOM.is_dir(), reason="shared data are not at hand")


@dataclass(frozen=True)
class Opened:
    """A series as it must open: modality, slices × rows × columns, unit, and its doubts."""

    modality: str
    shape: tuple[int, int, int]
    unit: str
    codes: tuple[Code, ...] = ()


def ct(slices: int, side: int = 512, *codes: Code) -> Opened:
    return Opened("CT", (slices, side, side), "HU", codes)


ONE = ct(1, 512, Code.SINGLE_SLICE)
NO_HU = Opened("CT", (2, 512, 512), "grey", (Code.NO_HU,))
RG = Opened("CR", (1, 1955, 1841), "grey", (Code.NO_SPACING,))
VIEW = Opened("CR", (1, 1955, 1841), "grey", (Code.SEPARATE_IMAGES, Code.NO_SPACING))
DX = Opened("DX", (1, 1024, 1024), "grey", (Code.NO_SPACING,))
TILT = ct(10, 512, Code.GANTRY_TILT)

_CORNERSTONE = "more/cornerstonejs_CTImage.dcm"
COPY = ct(1, 512, Code.DUPLICATE_SLICES, Code.SAME_POSITION, Code.SINGLE_SLICE)
COARSE = (Code.SINGLE_SLICE, Code.HU_COARSE)
FILM = Opened("CT", (1, 512, 512), "grey", (Code.INVALID_UID, Code.NO_SPACING, Code.NO_HU))

SERIES: dict[str, tuple[Opened, ...]] = {
    # Three patients, thin slices, and every sixth slice of thin ones.
    "covid_ct_md/P001": (ct(148),),
    "covid_ct_md/cap001": (ct(28, 512, Code.SLICE_GAP),),
    "covid_ct_md/normal001": (ct(26, 512, Code.SLICE_GAP),),
    # A phantom under a tilted gantry.
    "dcm_qa_ct": (TILT,),
    "dcm_qa_ct/philips_tilt": (TILT,),
    # A CT with its segmentation, which is left out.
    "dcmqi": (ct(3),),
    "dcmqi/01.dcm": (ONE,),
    "dcmqi/02.dcm": (ONE,),
    "dcmqi/03.dcm": (ONE,),
    "lungmask": (ct(2),),
    "lungmask/0.dcm": (ONE,),
    "lungmask/1.dcm": (ONE,),
    # One slice in eleven transfer syntaxes, most of which give the same values. The 8 bits of JPEG
    # process 1 are declared to be HU, 32 apart, and are. Chest slices of other scanners; and a grey
    # secondary capture of 8 bits that says CT, with a rescale of 1 and 0 and of no type: no HU.
    "more": (
        *[COPY] * 5, ct(1, 512, Code.DUPLICATE_SLICES, Code.SAME_POSITION, *COARSE), *[ONE] * 4,
        FILM,
    ),
    _CORNERSTONE: (ONE,),
    **{f"{_CORNERSTONE}_{name}.dcm": (ONE,) for name in (
        "BigEndianExplicitTransferSyntax_1.2.840.10008.1.2.2",
        "JPEG2000LosslessOnlyTransferSyntax_1.2.840.10008.1.2.4.90",
        "JPEG2000TransferSyntax_1.2.840.10008.1.2.4.91",
        "JPEGLSLossyTransferSyntax_1.2.840.10008.1.2.4.81",
        "JPEGProcess10_12TransferSyntax_1.2.840.10008.1.2.4.55",
        "JPEGProcess14TransferSyntax_1.2.840.10008.1.2.4.57",
        "JPEGProcess6_8TransferSyntax_1.2.840.10008.1.2.4.53",
        "LittleEndianExplicitTransferSyntax_1.2.840.10008.1.2.1",
        "RLELosslessTransferSyntax_1.2.840.10008.1.2.5",
    )},
    f"{_CORNERSTONE}_JPEGProcess1TransferSyntax_1.2.840.10008.1.2.4.50.dcm": (
        ct(1, 512, *COARSE),
    ),
    "more/dcm4che_CT-JPEGLosslessSV1.dcm": (ONE,),
    "more/fo-dicom_test1.dcm": (FILM,),
    **{f"more/kbar1_{name}.dcm": (ONE,) for name in ("MS0008_153", "SL0083_48", "ST0109_80")},
    # A whole chest, and the effusion drawn in it, a volume of its own.
    "plethora_volume": (
        ct(102), Opened("CT", (102, 512, 512), "grey", (Code.REORIENTED, Code.NO_HU)),
    ),
    # One slice in six transfer syntaxes (one of them under another study), and an X-ray in two.
    "nema_wg04": (
        *[ct(1, 512, Code.SAME_POSITION, Code.SINGLE_SLICE)] * 5, ONE, VIEW, VIEW,
    ),
    **{f"nema_wg04/CT1_{name}.dcm": (ONE,) for name in (
        "J2KI", "J2KR", "JLSL", "JLSN", "JPLL", "RLE",
    )},
    "nema_wg04/RG1_J2KI.dcm": (RG,),
    "nema_wg04/RG1_JLSN.dcm": (RG,),
    # One picture under several headers, one of which says CT.
    "nih_dx": (
        Opened("DX", (1, 1024, 1024), "grey", (Code.DUPLICATE_SLICES, Code.NO_SPACING)), DX,
    ),
    **{f"nih_dx/test{number}.dcm": (DX,) for number in (1, 2, 4, 6)},
    "nih_dx/test5.dcm": (Opened("CT", (1, 1024, 1024), "grey", (Code.NO_SPACING, Code.NO_HU)),),
    # Tests of a library's: tiny pixels, a wrong J2K sign, enhanced CT, VR UN.
    "pydicom": (ct(1, 128, Code.SINGLE_SLICE), ONE, NO_HU, ONE),
    "pydicom/CT_small.dcm": (ct(1, 128, Code.SINGLE_SLICE),),
    "pydicom/J2K_pixelrep_mismatch.dcm": (ONE,),
    "pydicom/eCT_Supplemental.dcm": (NO_HU,),
    "pydicom/explicit_VR-UN.dcm": (ONE,),
}  # fmt: skip

STUDIES: dict[str, tuple[int, tuple[Code, ...]]] = {
    "dcmqi": (1, (Code.OTHER_OBJECTS,)),
    "more": (6, ()),
    "nema_wg04": (3, ()),
    "nih_dx": (2, ()),
    "plethora_volume": (2, ()),
    "pydicom": (4, ()),
}
"""Number of studies and what is said of them, where that is not one without a doubt."""

REFUSED = {
    "dcmqi/liver.dcm": "“liver.dcm” holds no CT or X-ray image, only other DICOM objects: 1 SEG.",
}


def opened(path: Path) -> tuple[Sequence[Opened], tuple[int, tuple[str, ...]]]:
    studies = scan(path)
    volumes = [load(series) for study in studies for series in study.series]
    found = [
        Opened(v.modality, v.shape, v.unit.value, tuple(Code(p.code) for p in v.problems))
        for v in volumes
    ]
    return found, (len(studies), tuple(p.code for study in studies for p in study.problems))


@pytest.mark.parametrize("name", SERIES)
def test_it_opens_as_it_should(name):
    found, studies = opened(DICOM / name)
    key = str
    assert sorted(found, key=key) == sorted(SERIES[name], key=key)
    assert studies == STUDIES.get(name, (1, ()))


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_in_a_sentence(name):
    with pytest.raises(BadInputError) as caught:
        scan(DICOM / name)
    assert str(caught.value) == REFUSED[name]


def test_the_table_names_all_that_is_there():
    patients = [path for path in (DICOM / "covid_ct_md").iterdir() if path.is_dir()]
    files = [path for path in DICOM.glob("*/*") if path.is_file()]
    folders = [
        path for path in DICOM.iterdir() if path.is_dir() and path.name != "covid_ct_md"
    ] + list(DICOM.glob("dcm_qa_ct/*"))
    there = {path.relative_to(DICOM).as_posix() for path in (*patients, *files, *folders)}
    assert there == SERIES.keys() | REFUSED.keys()


def test_several_patients_at_once():
    assert len(scan(DICOM / "covid_ct_md")) == 3
