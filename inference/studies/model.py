"""Study > Series > Volume: what is opened, what it holds, and what is doubtful about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.errors import printable
from inference.invariants import check_volume

__all__ = [
    "Found",
    "Problem",
    "Series",
    "SliceSource",
    "SourceKind",
    "Study",
    "Unit",
    "VoiFunction",
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

    def __post_init__(self) -> None:
        # It names files, whose names need not be text.
        object.__setattr__(self, "sentence", printable(self.sentence))


class VoiFunction(StrEnum):
    """How a window makes grey of values (VOI LUT Function, DICOM PS3.3 C.11.2.1.3)."""

    LINEAR = "LINEAR"
    """Between two values that are half a step inside the window; what is meant where nothing is
    said."""
    LINEAR_EXACT = "LINEAR_EXACT"
    """Between exactly the ends of the window."""
    SIGMOID = "SIGMOID"
    """An S, steepest at the centre, that has no ends."""

    @property
    def words(self) -> str:
        """Name for the reader."""
        return self.value.lower().replace("_", " ")


@dataclass(frozen=True, slots=True)
class Window:
    """A VOI window (DICOM PS3.3 C.11.2), in the volume's unit.

    Parameters
    ----------
    centre, width
        Window centre and width; width > 0.
    name
        Explanation shown to the reader, e.g. ``"Lung"`` or ``"File 1"``.
    function
        How values become grey.
    """

    centre: float
    width: float
    name: str = ""
    function: VoiFunction = VoiFunction.LINEAR


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
    instance
        DICOM's Instance Number, by which other programs call the image; None where the file has
        none. All frames of a multi-frame file share one.
    """

    path: Path
    frame: int = 0
    sop_instance_uid: str = ""
    sop_class_uid: str = ""
    instance: int | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """One series as found by the scan of headers; the pixels are read by ``studies.load``.

    ``slices`` are already in reading order: along the slice normal from feet to head for an axial
    series (index 0 is the most caudal), never by file name or instance number.

    `thickness` (mm), `kernel` and `institution` are what the files say, for the reader to see and
    for nothing to be computed from; None and empty where they say nothing, or not all the same.
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
    thickness: float | None = None
    kernel: str = ""
    institution: str = ""


@dataclass(frozen=True, slots=True)
class Study:
    """A study and its series; what tells the patient is held for the screen only.

    Dates, times and ages are as DICOM writes them (PS3.5, 6.2), empty where the file has none.
    """

    uid: str
    description: str
    date: str
    patient_name: str
    patient_id: str
    series: tuple[Series, ...]
    problems: tuple[Problem, ...] = ()
    time: str = ""
    patient_sex: str = ""
    patient_age: str = ""


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
        sources without geometry it is the identity and `has_geometry` is False; where such a file
        says how high a pixel is for its width, columns are 1 apart and rows as much.
    unit
        What a value means.
    modality
        ``"CT"``, ``"CR"``, ``"DX"`` or ``"OT"`` (a picture).
    has_geometry
        Spacing in mm is known.
    has_orientation
        Patient axes are known, so R L A P H F may be shown.
    slices
        One source a slice, same order as the array's first axis.
    frame_of_reference
        DICOM frame of reference UID, or ``""``.
    windows
        The file's own VOI windows, in order; may be empty.
    inverted
        MONOCHROME1: to be inverted once, after VOI, on display.
    padding
        Pixel padding value in `unit`, to be left out of statistics, or None; see `is_padding`.
    padding_limit
        The other end of padding where it is a range, both ends included; None where it is one
        value.
    lossy
        The pixels went through lossy compression.
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
    slices: tuple[SliceSource, ...]
    study_uid: str = ""
    frame_of_reference: str = ""
    windows: tuple[Window, ...] = ()
    inverted: bool = False
    padding: float | None = None
    padding_limit: float | None = None
    lossy: bool = False
    problems: tuple[Problem, ...] = field(default=())

    def __post_init__(self) -> None:
        check_volume(self)

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

    def is_padding(self, values: NDArray[np.generic]) -> NDArray[np.bool_]:
        """Say which values are padding and no measurement (DICOM PS3.3, C.7.5.1.1.2).

        Parameters
        ----------
        values
            Any shape, in `unit`.

        Returns
        -------
        ndarray
            Of the same shape, bool; False all over where no padding is declared.
        """
        if self.padding is None:
            return np.zeros(np.shape(values), np.bool_)
        if self.padding_limit is None or self.padding_limit == self.padding:
            return np.asarray(np.equal(values, self.padding), np.bool_)
        low, high = sorted((self.padding, self.padding_limit))
        inside = np.greater_equal(values, low) & np.less_equal(values, high)
        return np.asarray(inside, np.bool_)

    def position(self, column: float, row: float, slice_: float) -> NDArray[np.float64]:
        """LPS position in mm of a voxel index; shape (3,)."""
        point: NDArray[np.float64] = self.affine @ np.array([column, row, slice_, 1.0])
        return point[:3]
