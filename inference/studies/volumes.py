"""NIfTI, NRRD and MHA, turned to read from the feet with the right on the left.

Their headers are read and checked here rather than by a library. SimpleITK reads all three, but it
can be brought to end the process by a header, opens any file of the disk that one names, puts 0 for
what is no number, and takes its own choice of two affines for what the file says.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from inference.errors import BadInputError, printable
from inference.progress import Progress
from inference.studies.axes import READING, axial_axis, letters, turn
from inference.studies.codes import Code
from inference.studies.find import UnreadableError
from inference.studies.headers_meta import read_meta
from inference.studies.headers_nifti import read_nifti
from inference.studies.headers_nrrd import read_nrrd
from inference.studies.limits import HU_FLOOR, MIN_SIDE
from inference.studies.model import Problem, Series, SliceSource, SourceKind, Unit, Volume
from inference.studies.pixels import narrowest
from inference.studies.stored import Stored
from inference.studies.uids import derived_uid
from inference.studies.unpacked import origin
from inference.studies.voxels import planes, value_type

__all__ = ["load_volume", "middle_slice", "scan_volume"]

_LARGEST: Final = float(np.finfo(np.float32).max)
_STAGE: Final = "Reading slices"


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
    stored = _header(path)
    slices, rows, columns = _turned_shape(stored)
    if min(columns, rows) < MIN_SIDE:
        raise UnreadableError(
            f"“{path.name}” has slices of {columns} × {rows} pixels, too few to show a chest "
            f"(at least {MIN_SIDE} × {MIN_SIDE})."
        )
    problems = list(stored.problems)
    if stored.oriented and letters(stored.steps) != READING:
        problems.append(
            Problem(
                Code.REORIENTED,
                f"The volume is stored along {letters(stored.steps)} and was turned to {READING}, "
                "to be read from the feet with the patient's right on the left.",
            )
        )
    if not stored.oriented:
        problems.append(
            Problem(
                Code.NO_ORIENTATION,
                "The file does not say how it lies in the patient; sides cannot be told.",
            )
        )
    place = origin(path)
    times = stored.times
    return tuple(
        Series(
            uid=derived_uid("volume", place, *(("time", time) if time else ())),
            kind=SourceKind.VOLUME,
            modality="OT" if stored.flat else "CT",
            # The time first: in a narrow list the end is cut off.
            description=(f"time {time + 1} · " if times > 1 else "") + printable(path.name),
            # Frames are counted through all times: they say which one a series is.
            slices=tuple(SliceSource(path, time * slices + k) for k in range(slices)),
            rows=rows,
            columns=columns,
            number=number + time,
            problems=(*problems, *_one_of(time, times)),
        )
        for time in range(times)
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
    path, count = series.slices[0].path, len(series.slices)
    progress.report(_STAGE, 0, count)
    try:
        stored = _header(path)
        time = _time(series, stored)
        array: NDArray[Any] = np.empty(stored.shape, value_type(stored.voxels))
        for k, plane in enumerate(planes(stored, time)):
            array[k] = plane
            # Planes need not be the slices.
            progress.report(_STAGE, k * count // len(array), count)
    except UnreadableError as error:
        raise BadInputError(str(error)) from error
    problems = list(series.problems)
    _make_finite(array, problems)
    steps, place = stored.steps, stored.origin
    seen: NDArray[np.generic] = array
    if stored.oriented:
        seen, steps, place = turn(array, steps, place)
    array = narrowest(np.ascontiguousarray(seen))
    del seen
    unit = _unit(series.modality, array, problems)
    progress.report(_STAGE, count, count)
    return Volume(
        array=array,
        affine=_affine(steps, place),
        unit=unit,
        modality=series.modality,
        has_geometry=stored.measured,
        has_orientation=stored.oriented,
        series_uid=series.uid,
        slices=series.slices,
        problems=tuple(problems),
    )


def middle_slice(series: Series) -> tuple[NDArray[np.generic], float]:
    """Read the middle slice alone, as far as the file allows it.

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
    try:
        stored = _header(series.slices[0].path)
        found = _middle(stored, _time(series, stored))
    except UnreadableError as error:
        raise BadInputError(str(error)) from error
    steps = stored.steps
    if stored.oriented:
        found, steps, _ = turn(found, steps, stored.origin)
    found = np.array(found)
    _make_finite(found, [])
    width, height = np.linalg.norm(steps[:, :2], axis=0)
    return found[0], float(height / width)


def _middle(stored: Stored, time: int) -> NDArray[np.generic]:
    """Read the plane in the middle of the body; shape as stored, but for one of its sides."""
    axis = axial_axis(stored.steps) if stored.oriented else 2
    middle = stored.shape[2 - axis] // 2
    if axis == 2:
        return next(planes(stored, time, middle))[None]
    cut = (middle, slice(None)) if axis == 1 else (slice(None), middle)
    lines = [plane[cut].copy() for plane in planes(stored, time)]
    return np.expand_dims(np.stack(lines), 2 - axis)


def _header(path: Path) -> Stored:
    name = path.name.lower()
    if name.endswith((".nrrd", ".nhdr")):
        return read_nrrd(path)
    if name.endswith((".mha", ".mhd")):
        return read_meta(path)
    return read_nifti(path)


def _turned_shape(stored: Stored) -> tuple[int, int, int]:
    """(slices, rows, columns) after turning to the reading orientation."""
    if not stored.oriented:
        return stored.shape
    empty = np.broadcast_to(np.uint8(0), stored.shape)
    slices, rows, columns = turn(empty, stored.steps, stored.origin)[0].shape
    return slices, rows, columns


def _time(series: Series, stored: Stored) -> int:
    """Which of a file's volumes a series is, if that is as it was when the file was scanned."""
    time = series.slices[0].frame // len(series.slices)
    as_scanned = (len(series.slices), series.rows, series.columns)
    if time >= stored.times or _turned_shape(stored) != as_scanned:
        raise UnreadableError(f"“{series.slices[0].path.name}” has changed; open it again.")
    return time


def _affine(steps: NDArray[np.float64], place: NDArray[np.float64]) -> NDArray[np.float64]:
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = steps, place
    return affine


def _make_finite(array: NDArray[Any], problems: list[Problem]) -> None:
    """Put the ends of the scale, in place, for what is no number or beyond all numbers.

    Never 0, which is water. Plus infinity, as metal makes it, becomes the highest value there is.
    """
    if array.dtype.kind != "f":
        return
    lowest, highest = np.inf, -np.inf
    odd: list[int] = []
    # One after the other, so that temporaries stay small.
    for k, part in enumerate(array):
        # Numbers beyond float32 are beyond all numbers, too; what is no number fails this.
        fine = np.abs(part) <= _LARGEST
        if not fine.all():
            odd.append(k)
        lowest = min(lowest, float(part.min(where=fine, initial=np.inf)))
        highest = max(highest, float(part.max(where=fine, initial=-np.inf)))
    if lowest > highest:
        raise BadInputError("The volume holds no numbers at all.")
    none = low = high = 0
    for k in odd:
        part = array[k]
        no_number, above, below = np.isnan(part), part > _LARGEST, part < -_LARGEST
        part[no_number | below], part[above] = lowest, highest
        none, low, high = none + no_number.sum(), low + below.sum(), high + above.sum()
    said = [
        f"{count} {'voxel is' if count == 1 else 'voxels are'} {what} and "
        f"{'was' if count == 1 else 'were'} replaced by the {end} value"
        for count, what, end in (
            (none, "not a number" if none == 1 else "not numbers", "lowest"),
            (low, "infinitely low", "lowest"),
            (high, "infinitely high", "highest"),
        )
        if count
    ]
    if said:
        problems.append(Problem(Code.NOT_FINITE, f"{'; '.join(said)}."))


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
