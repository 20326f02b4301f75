"""Study > Series > Volume: what is opened, what it holds, and what is doubtful about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Found",
    "Problem",
    "Series",
    "SliceSource",
    "SourceKind",
    "Study",
    "Unit",
    "Volume",
    "Window",
]


class Unit(StrEnum):
    """What a stored value means."""

    HU = "HU"
    """Hounsfield units, after rescale."""
    GREY = "grey"
    """Grey levels without physical meaning: an X-ray, or an 8-bit picture."""


class SourceKind(StrEnum):
    """Which reader made a series."""

    DICOM = "dicom"
    VOLUME = "volume"
    """NIfTI, NRRD or MHA."""
    PICTURE = "picture"
    """PNG or JPEG: one slice, 8 bit, no HU and no geometry."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something doubtful about a study, in words for the reader.

    Parameters
    ----------
    code
        Stable machine-readable name, e.g. ``"uneven-spacing"``.
    sentence
        What is wrong, with the numbers, in one sentence.
    files
        The files concerned; empty when it concerns the whole series.
    """

    code: str
    sentence: str
    files: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Window:
    """A VOI window (DICOM PS3.3 C.11.2), in the volume's unit.

    Parameters
    ----------
    centre, width
        Window centre and width; width > 0.
    name
        Explanation shown to the reader, e.g. ``"Lung"`` or ``"File 1"``.
    """

    centre: float
    width: float
    name: str = ""


@dataclass(frozen=True, slots=True)
class SliceSource:
    """Where one slice of a volume came from.

    Parameters
    ----------
    path
        The file.
    frame
        0-based frame inside a multi-frame file.
    sop_instance_uid, sop_class_uid
        Empty when the source has none.
    """

    path: Path
    frame: int = 0
    sop_instance_uid: str = ""
    sop_class_uid: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """One series as found by the scan of headers; the pixels are read by ``studies.load``.

    ``slices`` are already in reading order: along the slice normal from feet to head for an axial
    series (index 0 is the most caudal), never by file name or instance number.
    """

    uid: str
    kind: SourceKind
    modality: str
    description: str
    slices: tuple[SliceSource, ...]
    rows: int
    columns: int
    number: int | None = None
    body_part: str = ""
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Study:
    """A study and its series; the patient's name and id are held for the screen only."""

    uid: str
    description: str
    date: str
    patient_name: str
    patient_id: str
    series: tuple[Series, ...]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """What a scan has found so far.

    Parameters
    ----------
    studies
        With those series of which every slice is known, as far as the folders tell that hold them.
        Series that do not change from one report to the next are the same objects.
    done, total
        DICOM files read, and in all.
    """

    studies: tuple[Study, ...]
    done: int
    total: int


@dataclass(frozen=True, eq=False, slots=True, weakref_slot=True)
class Volume:
    """One array and where it lies in the patient.

    Parameters
    ----------
    array
        Shape (slices, rows, columns), C order, int16, uint16, uint8 or float32, stored values in
        `unit` (rescale applied; MONOCHROME1 *not* inverted, see `inverted`).
    affine
        Shape (4, 4), float64: (column, row, slice, 1) -> LPS millimetres (pixel centres). For
        sources without geometry it is the identity and `has_geometry` is False.
    unit
        What a value means.
    modality
        ``"CT"``, ``"CR"``, ``"DX"`` or ``"OT"`` (a picture).
    has_geometry
        Spacing in mm is known.
    has_orientation
        Patient axes are known, so R L A P H F may be shown.
    frame_of_reference
        DICOM frame of reference UID, or ``""``.
    windows
        The file's own VOI windows, in order; may be empty.
    inverted
        MONOCHROME1: to be inverted once, after VOI, on display.
    padding
        Pixel padding value in `unit`, to be left out of statistics, or None.
    lossy
        The pixels went through lossy compression.
    slices
        One source a slice, same order as the array's first axis.
    problems
        What scan and load found doubtful.
    """

    array: NDArray[np.generic]
    affine: NDArray[np.float64]
    unit: Unit
    modality: str
    has_geometry: bool
    has_orientation: bool
    series_uid: str
    study_uid: str = ""
    frame_of_reference: str = ""
    windows: tuple[Window, ...] = ()
    inverted: bool = False
    padding: float | None = None
    lossy: bool = False
    slices: tuple[SliceSource, ...] = ()
    problems: tuple[Problem, ...] = field(default=())

    def __post_init__(self) -> None:
        if self.array.ndim != 3 or self.array.size == 0:
            raise ValueError(f"a volume is (slices, rows, columns), not {self.array.shape}")
        if self.affine.shape != (4, 4) or not np.all(np.isfinite(self.affine)):
            raise ValueError("the affine must be a finite 4 × 4 matrix")
        if abs(float(np.linalg.det(self.affine[:3, :3]))) == 0.0:
            raise ValueError("the affine is singular")
        if self.slices and len(self.slices) != self.array.shape[0]:
            raise ValueError("one source a slice is required")

    @property
    def shape(self) -> tuple[int, int, int]:
        """(slices, rows, columns)."""
        n, rows, columns = self.array.shape
        return n, rows, columns

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Distance in mm between (slices, rows, columns); 1 where unknown."""
        columns, rows, slices = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(slices), float(rows), float(columns)

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel in millilitres."""
        return abs(float(np.linalg.det(self.affine[:3, :3]))) / 1000.0

    @property
    def is_ct(self) -> bool:
        """HU are known, so lungs, volumes and mean HU can be computed."""
        return self.modality == "CT" and self.unit is Unit.HU

    def position(self, column: float, row: float, slice_: float) -> NDArray[np.float64]:
        """LPS position in mm of a voxel index; shape (3,)."""
        point: NDArray[np.float64] = self.affine @ np.array([column, row, slice_, 1.0])
        return point[:3]
