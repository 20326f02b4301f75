"""Volumes and results for tests, made by what makes them in the program.

Nothing else in the tests constructs them (`tests/unit/test_twins.py`): a hand-made result may be
one that the engine never gives, and then a test is green where the program fails. What a test
needs otherwise it changes by `dataclasses.replace`; their invariants refuse what cannot be.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    generate_uid,
)

from inference.findings import Domain, Findings, Heatmap, Segment, Timings
from inference.heat_energy import energy_inside
from inference.partial import Partial
from inference.studies import Series, SliceSource, Study, Unit, Volume, load, main_series, scan
from inference.taxonomy import TASKS, Manifestation

if TYPE_CHECKING:
    from inference.models import ModelRecord, ModelStore
    from inference.systems.base import Context
    from inference.systems.elbana.runner import Models

__all__ = [
    "GAP",
    "draw_codes",
    "draw_lungs",
    "make_findings",
    "make_heatmap",
    "make_partial",
    "make_volume",
    "models_of",
    "read_ct",
    "read_small_ct",
    "sources",
    "store",
    "to_codes",
    "without_dicom",
    "write_series",
]

SPACING = (5.0, 0.8, 0.7)
"""Millimetres between slices, rows and columns: no two alike, so that none can be taken for
another."""
GAP = 0.4
"""How far apart the logits of two joined models lie, on either side of what they say together."""
METHODS = {"recognition": "Grad-CAM, Mixed_7c", "recognition-ct": "Grad-CAM, Mixed_7c",
           "recognition-cxr": "Grad-CAM, conv_head"}  # fmt: skip


# -- volumes -------------------------------------------------------------------------------------


def write_series(
    folder: Path,
    array: NDArray[np.integer[Any]],
    *,
    spacing: Sequence[float] = SPACING,
    origin: Sequence[float] = (-11.0, -9.5, -100.0),
    slope: int = 1,
    seed: str = "one",
    modality: str = "CT",
    **elements: Any,
) -> Path:
    """Write a DICOM series, one slice a file, and return its folder.

    Parameters
    ----------
    folder
        Made when it is not there.
    array
        Shape (slices, rows, columns): values after the rescale, each a multiple of the slope.
    spacing
        Millimetres between slices, rows and columns.
    origin
        Of the first voxel, LPS millimetres.
    slope
        Of the rescale; the intercept is -1024.
    seed
        Its UIDs depend on it alone.
    modality
        ``"CT"`` or ``"DX"``; of an X-ray nothing is rescaled, and no place is written.
    elements
        DICOM keywords and values that every file gets as well; None takes one away.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ct = modality == "CT"
    kind = CTImageStorage if ct else DigitalXRayImageStorageForPresentation
    intercept = -1024 if ct else 0
    stored = (array.astype(np.int32) - intercept) // slope
    assert ((stored * slope + intercept) == array).all(), "a value that the slope cannot give"
    study, series, frame = (generate_uid(entropy_srcs=[seed, part]) for part in "abc")
    for index, pixels in enumerate(stored.astype("<i2" if ct else "<u2")):
        meta = FileMetaDataset()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        meta.MediaStorageSOPClassUID = kind
        meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[seed, str(index)])
        ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
        ds.SOPClassUID = kind
        ds.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
        ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = study, series, frame
        ds.PatientName, ds.PatientID = "Doe^Jane", "ID-77"
        ds.PatientBirthDate, ds.PatientSex = "", ""
        ds.StudyDate, ds.StudyTime, ds.AccessionNumber = "20200312", "101112", ""
        ds.ReferringPhysicianName, ds.StudyID = "", "1"
        ds.Modality, ds.SeriesNumber, ds.InstanceNumber = modality, 3, index + 1
        ds.Manufacturer, ds.PositionReferenceIndicator = "Test", ""
        ds.StudyDescription, ds.SeriesDescription = "Chest", "Thorax"
        ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL" if ct else ""]
        ds.PixelSpacing = list(spacing[1:])
        if ct:
            ds.ImagePositionPatient = [*origin[:2], origin[2] + spacing[0] * index]
            ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
            ds.SliceThickness = spacing[0]
            ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = slope, intercept, "HU"
        ds.Rows, ds.Columns = pixels.shape
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, 16, 15
        ds.PixelRepresentation = int(ct)
        ds.PixelData = pixels.tobytes()
        ds["PixelData"].VR = "OW"
        for keyword, value in elements.items():
            if value is None:
                delattr(ds, keyword)
            else:
                setattr(ds, keyword, value)
        pydicom.dcmwrite(folder / f"{index:03}.dcm", ds, enforce_file_format=True)
    return folder


def read_ct(folder: Path) -> tuple[Study, Series, Volume]:
    """The main series of a folder, as the program opens it."""
    study, series = main_series(scan(folder))
    return study, series, load(series)


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="secondread-tests-")


@cache
def _read_once(seed: str, shape: tuple[int, int, int]) -> Volume:
    """A CT of noise in even Hounsfield units, written with a slope of two and read again."""
    array = 2 * np.random.default_rng(7).integers(-500, 100, shape)
    folder = Path(_folder().name) / f"{seed}-{'-'.join(str(n) for n in shape)}"
    return read_ct(
        write_series(
            folder, array, slope=2, seed=seed,
            WindowCenter=[-500, 50], WindowWidth=[1400, 400],
        )
    )[2]  # fmt: skip


def read_small_ct(uid: str = "1.2.3", shape: tuple[int, int, int] = (12, 40, 32)) -> Volume:
    """A small CT of noise, read from files of its own; its array may be written to.

    Parameters
    ----------
    uid
        What its series is called instead of the UID in its files.
    shape
        (slices, rows, columns)
    """
    volume = _read_once(uid, shape)
    return replace(volume, array=volume.array.copy(), series_uid=uid)


def make_volume(
    array: NDArray[Any],
    affine: NDArray[Any] | None = None,
    *,
    series_uid: str = "1.2.3",
    **changes: Any,
) -> Volume:
    """An array and where it lies, for arithmetic on grids that no file need have.

    Parameters
    ----------
    array
        Shape (slices, rows, columns).
    affine
        None: 5 × 0.8 × 0.7 mm.
    series_uid
        Slices are named after it, as readers do.
    changes
        Fields of `Volume`; by default a CT in HU whose place is known.
    """
    slices, rows_mm, columns_mm = SPACING
    given: dict[str, Any] = {
        "array": array,
        "affine": np.diag([columns_mm, rows_mm, slices, 1.0]) if affine is None else affine,
        "unit": Unit.HU,
        "modality": "CT",
        "has_geometry": True,
        "has_orientation": True,
        "series_uid": series_uid,
        "study_uid": "1.2",
        "slices": sources(series_uid, len(array)),
    }
    return Volume(**{**given, **changes})


def sources(uid: str, slices: int) -> tuple[SliceSource, ...]:
    """Where the slices of a series come from, by names that no file has."""
    return tuple(
        SliceSource(Path(f"{uid}-{i}.dcm"), 0, f"{uid}.{i + 1}", str(CTImageStorage), i + 1)
        for i in range(slices)
    )


def without_dicom(volume: Volume) -> Volume:
    """The same as if it had been read from a file of another kind."""
    return replace(volume, slices=tuple(SliceSource(each.path) for each in volume.slices))


# -- results: what makes them brings torch, which tests of grids need not wait for ----------------


@cache
def store() -> ModelStore:
    """The models that come with the program; no weights are loaded."""
    from inference.models import ModelStore

    return ModelStore()


def models_of(volume: Volume, context: Context | None = None) -> Models:
    """Which models speak of a volume, by the engine's own choice."""
    from inference.systems.base import Context
    from inference.systems.elbana.system import choose_models

    return choose_models(store(), volume, context or Context())


def draw_lungs(volume: Volume) -> NDArray[np.bool_]:
    """Two lungs in all slices but the first two (or in all where there are no more)."""
    lungs = np.zeros(volume.shape, bool)
    _, rows, columns = volume.shape
    for first, last in ((0.09, 0.45), (0.55, 0.91)):
        part = np.s_[rows // 10 : rows - rows // 10, int(first * columns) : int(last * columns) + 1]
        lungs[(2 if volume.shape[0] > 2 else 0) :, *part] = True
    return lungs


def draw_codes(volume: Volume) -> NDArray[np.uint8]:
    """Ground glass in two pieces, a consolidation, no effusion; as far as the grid reaches."""
    codes = np.zeros(volume.shape, np.uint8)
    codes[2:6, 5:15, 5:15] = 1
    codes[4:5, 5:25, 5:25] = 1
    codes[9:11, 8:14, 20:26] = 1
    codes[8:9, 20:26, 20:26] = 2
    return codes


def to_codes(masks: Mapping[Manifestation, NDArray[np.bool_]]) -> NDArray[np.uint8]:
    """Masks as the engine holds them, one code a voxel; of two, the later has a voxel."""
    codes = np.zeros(next(iter(masks.values())).shape, np.uint8)
    for key, mask in masks.items():
        codes[mask] = 1 + list(Manifestation).index(key)
    return codes


_DRAWN: Any = object()


def make_findings(
    volume: Volume,
    codes: NDArray[np.uint8] | None = None,
    *,
    lungs: NDArray[np.bool_] | None = _DRAWN,
    analysed: NDArray[np.bool_] | None = None,
    says: Mapping[str, Sequence[float]] | None = None,
    rows: Mapping[str, NDArray[np.floating[Any]]] | None = None,
    context: Context | None = None,
    **changes: Any,
) -> Findings:
    """Findings as the shipped engine puts them together, of logits and masks that are given.

    Parameters
    ----------
    volume
        A CT, or an X-ray: then there are no masks, and four kinds of pneumonia.
    codes
        Of a CT, as `inference.systems.elbana.masks.enter`; None: `draw_codes`.
    lungs
        Of a CT in HU; `draw_lungs` unless it is given. None: none were found.
    analysed
        Which slices; None: those with lungs or with a code.
    says
        By task, what the study's probabilities are to be before calibration.
    rows
        By task, what each slice's are to be, (slices, classes); those that are NaN are not
        analysed.
    context
        Asks for other models than by default.
    changes
        Fields of `Findings`.
    """
    from inference.systems.elbana.estimates import make_estimate
    from inference.systems.elbana.masks import make_segments
    from inference.systems.elbana.planning import is_ct

    ct = is_ct(volume)
    models = models_of(volume, context)
    if lungs is _DRAWN:
        lungs = draw_lungs(volume) if volume.is_ct else None
    if ct and codes is None:
        codes = draw_codes(volume)
    given_rows = dict(rows or {})
    if analysed is None:
        analysed = np.ones(volume.shape[0], bool)
        for values in given_rows.values():
            analysed &= ~np.isnan(values).any(axis=1)
        if lungs is not None and codes is not None and not given_rows:
            analysed = lungs.any(axis=(1, 2)) | codes.any(axis=(1, 2))
    indices = np.flatnonzero(analysed)
    said = {
        "covid-2": (0.864, 0.136), "cxr-4": (0.62, 0.07, 0.25, 0.06),
        "manifestations": (0.97, 0.61, 0.08),
    } | dict(says or {})  # fmt: skip
    segments: tuple[Segment, ...] = ()
    if codes is not None and ct:
        segments = make_segments(codes, volume, lungs, models.streams, models.cuts)
    marked = None
    if models.evidence is not None:
        marked = np.sum([s.pixels_per_slice for s in segments], axis=0)[indices].astype(np.float32)
    estimates = []
    for task in (*models.tasks, *(("manifestations",) if ct else ())):
        record, alone, order = models.recogniser, None, None
        if task == "manifestations" and models.labeller is not None:
            record = models.labeller
        exclusive = TASKS[task].exclusive
        logits = _logits(said[task], len(indices), exclusive=exclusive)
        if task in given_rows:
            logits = _to_logits(given_rows[task][indices], exclusive=exclusive)
        if task == "covid-2" and models.evidence is not None:
            record, order = models.evidence, marked
            logits = _ordered(logits, marked)
            names = (models.recogniser.name, models.evidence.name)
            apart = np.array([GAP, 0.0], np.float32)
            if task in given_rows:
                logits = _to_logits(given_rows[task][indices], exclusive=True)
            alone = dict(zip(names, (logits + apart, logits - apart), strict=True))
        estimates.append(
            make_estimate(task, logits, indices, volume.shape[0], record, alone, order)
        )
    skipped = volume.shape[0] - len(indices)
    left_out = "slice without lung was" if skipped == 1 else "slices without lung were"
    notes = (f"{skipped} {left_out} not analysed.",) if skipped else ()
    detectors = () if volume.is_ct else (store().find("domain"),)
    given: dict[str, Any] = {
        "system": "elbana",
        "series_uid": volume.series_uid,
        "shape": volume.shape,
        "affine": volume.affine,
        "estimates": tuple(estimates),
        "segments": segments,
        "lungs": lungs,
        "lung_ml": float(lungs.sum()) * volume.voxel_ml
        if lungs is not None and volume.has_geometry
        else None,
        "analysed": analysed,
        "timings": Timings(0.5, 0.25, 1.5, 0.75, 6.0, 0.4, 9.6),
        "models": tuple(r.provenance() for r in (*models.spoke, *detectors)),
        "device": "test device",
        "created": "2026-01-02T03:04:05+00:00",
        "notes": notes,
        "domain": Domain(
            True, 1.0, (), "measurements of the lungs" if volume.is_ct else detectors[0].name
        ),
    }
    return Findings(**{**given, **changes})


def _to_logits(values: NDArray[np.floating[Any]], *, exclusive: bool) -> NDArray[np.float32]:
    share = np.clip(np.asarray(values, np.float64), 1e-6, 1 - 1e-6)
    return np.log(share if exclusive else share / (1 - share)).astype(np.float32)


def _logits(
    study: Sequence[float], slices: int, *, exclusive: bool, wave: bool = True
) -> NDArray[np.float32]:
    """Logits of slices whose study has these probabilities, (slices, classes).

    The highest third, or three, are all alike; the others fall away, none like another.
    """
    top = _to_logits(np.asarray(study), exclusive=exclusive)
    most = max(3, round(slices / 3))
    below = np.maximum(np.arange(slices) - most + 1, 0)[:, None] * (0.11 if wave else 0.0)
    falls = np.zeros(len(top))
    falls[: 1 if exclusive else None] = 1.0
    return (top - below * falls).astype(np.float32)


def _ordered(
    logits: NDArray[np.float32], marked: NDArray[np.float32] | None
) -> NDArray[np.float32]:
    """The highest first where most is marked, as `make_estimate` chooses the slices."""
    if marked is None:
        return logits
    result = np.empty_like(logits)
    result[np.argsort(marked)[::-1]] = logits
    return result


def make_partial(
    volume: Volume,
    indices: Sequence[int],
    codes: NDArray[np.uint8] | None = None,
    *,
    planned: NDArray[np.bool_] | None = None,
    says: Mapping[str, Sequence[float]] | None = None,
    doubts: tuple[str, ...] = (),
) -> Partial:
    """A finished group of slices, as the engine tells of it.

    Parameters
    ----------
    volume
        A CT or an X-ray.
    indices
        Ascending.
    codes
        Of a CT: shape (n, rows, columns), or None: those of `draw_codes`.
    planned
        None: all slices with lungs (`draw_lungs`).
    says
        By task, the probabilities of all slices of the group before calibration.
    doubts
        As `Partial.doubts`.
    """
    from inference.systems.elbana.estimates import slice_values
    from inference.systems.elbana.planning import is_ct

    ct = is_ct(volume)
    models = models_of(volume)
    if planned is None:
        planned = draw_lungs(volume).any(axis=(1, 2)) if volume.is_ct else np.ones(
            volume.shape[0], bool
        )  # fmt: skip
    group = np.array(sorted(indices))
    if ct and codes is None:
        codes = draw_codes(volume)[group]
    said = {
        "covid-2": (0.9, 0.1), "cxr-4": (0.62, 0.07, 0.25, 0.06),
        "manifestations": (0.9, 0.6, 0.3),
    } | dict(says or {})  # fmt: skip
    estimates = []
    for task in (*models.tasks, *(("manifestations",) if ct else ())):
        record: ModelRecord = models.recogniser
        if task == "manifestations" and models.labeller is not None:
            record = models.labeller
        elif task == "covid-2" and models.evidence is not None:
            record = models.evidence
        logits = _logits(said[task], len(group), exclusive=TASKS[task].exclusive, wave=False)
        estimates.append(slice_values(task, logits, record))
    return Partial(volume.series_uid, volume.shape, planned, group, tuple(estimates), codes, doubts)


def make_heatmap(
    volume: Volume,
    slice_index: int,
    task: str = "covid-2",
    key: str = "covid-19",
    *,
    values: NDArray[np.float32] | None = None,
    lungs: NDArray[np.bool_] | None = _DRAWN,
    context: Context | None = None,
) -> Heatmap:
    """An explanation as the engine gives it, hotter from left to right unless values are given.

    Raises
    ------
    AnalysisError
        For what the engine does not explain.
    """
    from inference.systems.elbana.system import explained_class

    record = models_of(volume, context).recogniser
    explained = explained_class(record, task, key)
    if lungs is _DRAWN:
        lungs = draw_lungs(volume) if volume.is_ct else None
    if values is None:
        _, rows, columns = volume.shape
        values = np.tile(np.linspace(0, 1, columns, dtype=np.float32), (rows, 1))
    energy = None if lungs is None else energy_inside(values, lungs[slice_index])
    method = METHODS[record.name]
    return Heatmap(slice_index, explained, task, method, values, energy, record.name)
