"""NIfTI, NRRD and MHA by SimpleITK, turned to read from the feet with the right on the left."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import SimpleITK
from numpy.typing import NDArray

from inference.errors import BadInputError
from inference.progress import Progress
from inference.studies.codes import Code
from inference.studies.find import UnreadableError
from inference.studies.limits import (
    HU_FLOOR,
    MAX_SIDE,
    MAX_TIME_POINTS,
    MAX_VOXELS,
    MIN_SIDE,
)
from inference.studies.model import Problem, Series, SliceSource, SourceKind, Unit, Volume
from inference.studies.pixels import narrowest
from inference.studies.uids import derived_uid
from inference.studies.unpacked import origin
from inference.studies.volume_files import check_gzip, check_meta_header, check_size

__all__ = ["load_volume", "middle_slice", "scan_volume"]

# ITK writes warnings on the error stream; what matters becomes a Problem here.
SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)

_READING: Final = "LPS"
"""Columns to the left, rows to the back, slices to the head."""

_AXIAL_CODES: Final = "SI"


@dataclass(frozen=True, slots=True)
class _Header:
    """What a volume file says about itself; `size` is (x, y, z) as stored, `times` how often."""

    reader: Any
    size: tuple[int, int, int]
    orientation: str
    oriented: bool
    flat: bool
    times: int

    def turned_size(self) -> tuple[int, int, int]:
        """(columns, rows, slices) after turning to the reading orientation."""
        by_axis = dict(zip(self.orientation, self.size, strict=True))
        columns, rows, slices = (
            next(n for code, n in by_axis.items() if code in pair)
            for pair in ("LR", "PA", _AXIAL_CODES)
        )
        return columns, rows, slices


def scan_volume(path: Path, number: int) -> tuple[Series, ...]:
    """Describe the volumes of a file by its header.

    Parameters
    ----------
    path
        A NIfTI, NRRD, MHA or MHD file.
    number
        What the reader may call the first by.

    Returns
    -------
    tuple of Series
        One for each time point of a file of four dimensions, else one.

    Raises
    ------
    UnreadableError
        When it is damaged, too small, too large or no single volume of numbers.
    """
    header = _header(path)
    columns, rows, slices = header.turned_size()
    if min(columns, rows) < MIN_SIDE:
        raise UnreadableError(
            f"“{path.name}” has slices of {columns} × {rows} pixels, too few to show a chest "
            f"(at least {MIN_SIDE} × {MIN_SIDE})."
        )
    problems = []
    if header.oriented and header.orientation != _READING:
        problems.append(
            Problem(
                Code.REORIENTED,
                f"The volume is stored along {header.orientation} and was turned to {_READING}, "
                "to be read from the feet with the patient's right on the left.",
            )
        )
    if not header.oriented:
        problems.append(
            Problem(
                Code.NO_ORIENTATION,
                "The file does not say how it lies in the patient; sides cannot be told.",
            )
        )
    place = origin(path)
    return tuple(
        Series(
            uid=derived_uid("volume", place, *(("time", time) if time else ())),
            kind=SourceKind.VOLUME,
            modality="OT" if header.flat else "CT",
            # The time first: in a narrow list the end is cut off.
            description=(f"time {time + 1} · " if header.times > 1 else "") + path.name,
            # Frames are counted through all times: they say which one a series is.
            slices=tuple(SliceSource(path, time * slices + k) for k in range(slices)),
            rows=rows,
            columns=columns,
            number=number + time,
            problems=(*problems, *_one_of(time, header.times)),
        )
        for time in range(header.times)
    )


def _one_of(time: int, times: int) -> tuple[Problem, ...]:
    if times == 1:
        return ()
    return (
        Problem(
            Code.TIME_POINTS,
            f"The file holds {times} volumes, one after the other in time; each was made a series, "
            f"and this is number {time + 1}.",
        ),
    )


def load_volume(series: Series, progress: Progress) -> Volume:
    """Read a volume's pixels.

    Raises
    ------
    BadInputError
        When the pixels are damaged or the file has changed.
    CancelledError
        When the reader cancelled.
    """
    path = series.slices[0].path
    progress.report("Reading slices", 0, len(series.slices))
    try:
        header = _header(path)
        if path.suffix.lower() == ".gz":
            size = header.reader.GetSize()
            check_gzip(path, _offset(header.reader) + _needed(header.reader, size))
        _take_time(series, header)
        image = _turned(path, header, header.reader)
    except UnreadableError as error:
        raise BadInputError(str(error)) from error
    affine = _affine(image)
    array = SimpleITK.GetArrayFromImage(image)
    del image
    if array.shape != (len(series.slices), series.rows, series.columns):
        raise BadInputError(f"“{path.name}” has changed; open it again.")
    problems = list(series.problems)
    array = narrowest(_finite(array, problems))
    unit = _unit(series.modality, array, problems)
    progress.report("Reading slices", len(series.slices), len(series.slices))
    return Volume(
        array=array,
        affine=affine,
        unit=unit,
        modality=series.modality,
        has_geometry=True,
        has_orientation=header.oriented,
        series_uid=series.uid,
        slices=series.slices,
        problems=tuple(problems),
    )


def middle_slice(series: Series) -> tuple[NDArray[np.generic], float]:
    """Read the middle slice alone where the format allows it.

    Returns
    -------
    slice
        Shape (rows, columns).
    aspect
        Height of a pixel divided by its width.

    Raises
    ------
    BadInputError
        When the pixels are damaged.
    """
    path = series.slices[0].path
    try:
        header = _header(path)
        _take_time(series, header)
        if not header.flat:
            axis = next(i for i, code in enumerate(header.orientation) if code in _AXIAL_CODES)
            start = list(header.reader.GetExtractIndex())
            size = list(header.reader.GetExtractSize())
            start[axis] = header.size[axis] // 2
            size[axis] = 1
            header.reader.SetExtractIndex(start)
            header.reader.SetExtractSize(size)
        image = _turned(path, header, header.reader)
    except UnreadableError as error:
        raise BadInputError(str(error)) from error
    width, height, _ = image.GetSpacing()
    return SimpleITK.GetArrayFromImage(image)[0], height / width


def _take_time(series: Series, header: _Header) -> None:
    """Have the reader give the volume of one time point, in three dimensions."""
    time = series.slices[0].frame // len(series.slices)
    if time >= header.times:
        raise UnreadableError(f"“{series.slices[0].path.name}” has changed; open it again.")
    start = [0] * header.reader.GetDimension()
    size = list(header.reader.GetSize())
    if len(size) == 4:
        start[3], size[3] = time, 0
    header.reader.SetExtractIndex(start)
    header.reader.SetExtractSize(size)


def _header(path: Path) -> _Header:
    check_meta_header(path)
    reader = SimpleITK.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise _damaged(path) from error
    size = tuple(reader.GetSize())
    _check(path, reader, size)
    flat = len(size) == 2
    orientation = _READING
    oriented = not flat and _knows_orientation(reader)
    if oriented:
        direction = _spatial_direction(reader)
        orientation = SimpleITK.DICOMOrientImageFilter.GetOrientationFromDirectionCosines(direction)
    x, y, z = (*size, 1)[:3]
    return _Header(reader, (x, y, z), orientation, oriented, flat, (*size, 1, 1)[3])


def _check(path: Path, reader: Any, size: tuple[int, ...]) -> None:
    name = f"“{path.name}”"
    if not 2 <= len(size) <= 4:
        raise UnreadableError(f"{name} has {len(size)} dimensions; save one 3D volume alone.")
    if len(size) == 4 and size[3] > MAX_TIME_POINTS:
        raise UnreadableError(
            f"{name} holds {size[3]} volumes, more than {MAX_TIME_POINTS}; save some of them alone."
        )
    if reader.GetNumberOfComponents() != 1:
        raise UnreadableError(f"{name} holds vectors or colours; save it as grey values.")
    if max(size) > MAX_SIDE or math.prod(size) > MAX_VOXELS:
        raise UnreadableError(f"{name} declares {' × '.join(map(str, size))} voxels, too many.")
    check_size(path, _offset(reader), _needed(reader, size))


def _needed(reader: Any, size: tuple[int, ...]) -> int:
    """Return the bytes of all voxels as stored; NIfTI is scaled to another type on reading."""
    if reader.HasMetaDataKey("bitpix"):
        return math.prod(size) * int(reader.GetMetaData("bitpix")) // 8
    one = SimpleITK.Image([1] * len(size), reader.GetPixelID())
    return math.prod(size) * int(one.GetSizeOfPixelComponent())


def _offset(reader: Any) -> int:
    """Return where the voxels of a NIfTI file start."""
    return int(float(reader.GetMetaData("vox_offset"))) if _is_nifti(reader) else 0


def _is_nifti(reader: Any) -> bool:
    return bool(reader.HasMetaDataKey("vox_offset"))


def _knows_orientation(reader: Any) -> bool:
    """Say whether the patient's axes are in the file rather than a default of ITK."""
    keys = set(reader.GetMetaDataKeys())
    if _is_nifti(reader):
        return any(reader.GetMetaData(key) != "0" for key in ("qform_code", "sform_code"))
    if any(key.startswith("NRRD_") for key in keys):
        return "NRRD_space" in keys
    return True


def _spatial_direction(reader: Any) -> list[float]:
    """Return the 3 × 3 direction, row by row, of a header of 3 or 4 dimensions."""
    dimension = reader.GetDimension()
    matrix = np.asarray(reader.GetDirection()).reshape(dimension, dimension)
    return [float(value) for value in matrix[:3, :3].ravel()]


def _turned(path: Path, header: _Header, reader: Any) -> Any:
    try:
        image = reader.Execute()
        if header.flat:
            image = SimpleITK.JoinSeries([image])
        if header.oriented and header.orientation != _READING:
            image = SimpleITK.DICOMOrient(image, _READING)
    except RuntimeError as error:
        raise _damaged(path) from error
    return image


def _affine(image: Any) -> NDArray[np.float64]:
    affine = np.eye(4)
    affine[:3, :3] = np.asarray(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
    affine[:3, 3] = image.GetOrigin()
    return affine


def _finite(array: NDArray[np.generic], problems: list[Problem]) -> NDArray[np.generic]:
    if array.dtype.kind != "f":
        return array
    bad = ~np.isfinite(array)
    if not bad.any():
        return array
    if bad.all():
        raise BadInputError("The volume holds no numbers at all.")
    array[bad] = array[~bad].min()
    problems.append(
        Problem(
            Code.NOT_FINITE,
            f"{int(bad.sum())} voxels are not numbers and were replaced by the lowest value.",
        )
    )
    return array


def _unit(modality: str, array: NDArray[np.generic], problems: list[Problem]) -> Unit:
    if modality == "CT" and float(array.min()) <= HU_FLOOR:
        return Unit.HU
    if modality == "CT":
        problems.append(
            Problem(
                Code.NO_HU,
                f"No value is below {float(array.min()):.0f}, so the values are not Hounsfield "
                "units, and lungs, volumes and mean HU cannot be computed.",
            )
        )
    return Unit.GREY


def _damaged(path: Path) -> UnreadableError:
    return UnreadableError(
        f"“{path.name}” is damaged, or is not the volume that its name says; copy the file again."
    )
