"""A small CT series on disk, its volume, and findings as an analysis would give them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from inference.findings import (
    Calibrated,
    Domain,
    Estimate,
    Findings,
    Manifestation,
    ModelProvenance,
    Timings,
)
from inference.quantify import measure
from inference.studies.model import (
    Problem,
    Series,
    SliceSource,
    SourceKind,
    Study,
    Unit,
    Volume,
    Window,
)

SLICES, ROWS, COLUMNS = 6, 40, 48
SPACING = (5.0, 0.8, 0.7)  # slices, rows, columns
ORIGIN = (-11.0, -9.5, -100.0)


def _uid(*what: str) -> str:
    return str(generate_uid(entropy_srcs=["export tests", *what]))


def _dataset(index: int, pixels: np.ndarray) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = _uid("instance", str(index))
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    ds.SOPClassUID = CTImageStorage
    ds.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    ds.StudyInstanceUID, ds.SeriesInstanceUID = _uid("study"), _uid("series")
    ds.FrameOfReferenceUID = _uid("frame")
    ds.PatientName, ds.PatientID = "Doe^Jane", "1234567"
    ds.PatientBirthDate, ds.PatientSex = "", "O"
    ds.StudyDate, ds.StudyTime, ds.StudyID = "20200317", "120000", "1"
    ds.AccessionNumber = ds.ReferringPhysicianName = ds.Manufacturer = ""
    ds.PositionReferenceIndicator = ""
    ds.Modality, ds.SeriesNumber, ds.InstanceNumber = "CT", 3, index + 1
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.ImagePositionPatient = [ORIGIN[0], ORIGIN[1], ORIGIN[2] + SPACING[0] * index]
    ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    ds.PixelSpacing = [SPACING[1], SPACING[2]]
    ds.SliceThickness = SPACING[0]
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = pixels.shape
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
    ds.RescaleIntercept, ds.RescaleSlope = 0, 1
    ds.PixelData = pixels.astype("<i2").tobytes()
    ds["PixelData"].VR = "OW"
    return ds


@pytest.fixture
def volume(tmp_path: Path) -> Volume:
    """A CT of six slices, with its DICOM files."""
    rng = np.random.default_rng(1)
    array = rng.integers(-900, -800, (SLICES, ROWS, COLUMNS)).astype(np.int16)
    folder = tmp_path / "source"
    folder.mkdir()
    sources = []
    for index in range(SLICES):
        ds = _dataset(index, array[index])
        path = folder / f"{index}.dcm"
        ds.save_as(path, enforce_file_format=True)
        sources.append(SliceSource(path, 0, str(ds.SOPInstanceUID), str(CTImageStorage)))
    affine = np.diag([SPACING[2], SPACING[1], SPACING[0], 1.0])
    affine[:3, 3] = ORIGIN
    return Volume(
        array=array,
        affine=affine,
        unit=Unit.HU,
        modality="CT",
        has_geometry=True,
        has_orientation=True,
        series_uid=_uid("series"),
        study_uid=_uid("study"),
        frame_of_reference=_uid("frame"),
        windows=(Window(40, 400, "File 1"),),
        slices=tuple(sources),
        problems=(Problem("uneven-spacing", "Two slices lie 6 mm apart.", (sources[0].path,)),),
    )


@pytest.fixture
def rewrite() -> Callable[[Volume, Callable[[int, pydicom.Dataset], None]], None]:
    """Change the source files of a volume in place."""

    def apply(volume: Volume, change: Callable[[int, pydicom.Dataset], None]) -> None:
        for index, source in enumerate(volume.slices):
            ds = pydicom.dcmread(source.path)
            change(index, ds)
            ds.save_as(source.path)

    return apply


@pytest.fixture
def series(volume: Volume) -> Series:
    return Series(volume.series_uid, SourceKind.DICOM, "CT", "Thorax", volume.slices,
                  ROWS, COLUMNS, 3, "CHEST")  # fmt: skip


@pytest.fixture
def study(volume: Volume, series: Series) -> Study:
    return Study(volume.study_uid, "Chest CT", "20200317", "Doe^Jane", "1234567", (series,))


@pytest.fixture
def findings(volume: Volume) -> Findings:
    """Ground glass in slices 1 to 3, consolidation in slice 2, no effusion."""
    masks = {key: np.zeros(volume.shape, bool) for key in Manifestation}
    masks[Manifestation.GGO][1:4, 4:12, 5:14] = True
    masks[Manifestation.CONSOLIDATION][2, 15:20, 18:25] = True
    lungs = np.zeros(volume.shape, bool)
    lungs[:, 2:22, 2:30] = True
    per_slice = np.full((SLICES, 3), np.nan, np.float32)
    per_slice[1:5] = np.linspace(0.1, 0.9, 12).reshape(4, 3)
    covid = np.full((SLICES, 2), np.nan, np.float32)
    covid[1:5, 0] = (0.9, 0.8, 0.7, 0.6)
    covid[1:5, 1] = 1 - covid[1:5, 0]
    analysed = np.zeros(SLICES, bool)
    analysed[1:5] = True
    return Findings(
        system="elbana",
        series_uid=volume.series_uid,
        shape=volume.shape,
        affine=volume.affine,
        estimates=(
            Estimate("covid-2", "COVID-19", ("COVID-19", "Not COVID-19"), (0.8, 0.2), covid, True,
                     "recognition", "Mean of the highest third of the slices."),
            Estimate("manifestations", "Manifestations", tuple(k.label for k in Manifestation),
                     (0.9, 0.6, 0.1), per_slice, False, "manifestations", "Highest slice."),
        ),
        segments=tuple(measure(k, masks[k], volume, lungs, "streams") for k in Manifestation),
        lungs=lungs,
        lung_ml=float(lungs.sum()) * volume.voxel_ml,
        analysed=analysed,
        timings=Timings(0.5, 0.1, 0.2, 0.3, 0.4, 0.05, 1.6),
        models=tuple(
            ModelProvenance(name, name, "Net", "1.0", "0" * 64, "nothing", "CC BY-NC 4.0")
            for name in ("recognition", "manifestations", "streams")
        ),
        device="cpu",
        created="2026-01-02T03:04:05+00:00",
        notes=("2 slices without lung were skipped.",),
        domain=Domain(False, 1 / 3, ("This does not look like a chest CT slice.",), "domain"),
    )  # fmt: skip


@pytest.fixture
def calibrated(findings: Findings) -> Findings:
    """The same with a calibrated recognition; of "Not COVID-19" no band is known."""
    covid, manifestations = findings.estimates
    after = Calibrated(
        study=(0.7, 0.1 + 0.2), bands=((0.55, 0.85), None), per_slice=covid.per_slice * 0.5,
        of_slices=True, shares=(0.25, 0.75), n=172, groups=73,
    )  # fmt: skip
    known = replace(covid, calibrated=after, calibration="Calibrated on 172 pictures.")
    return replace(findings, estimates=(known, manifestations))


@pytest.fixture
def xray(findings: Findings) -> Findings:
    """Findings without segmentation."""
    return replace(findings, segments=(), lungs=None, lung_ml=None)
