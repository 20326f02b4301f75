"""DICOM pixels into one preallocated array, a file a task, and the volume around it."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import as_pixel_options
from pydicom.uid import UID, RLELossless

from inference.errors import BadInputError
from inference.progress import Progress
from inference.studies.codes import Code
from inference.studies.dicom_file import DicomFile, open_dicom
from inference.studies.dicom_header import (
    Frame,
    Header,
    NotAnImageError,
    read_header,
    study_uid,
)
from inference.studies.dicom_values import printable
from inference.studies.dicom_volume import make_volume
from inference.studies.find import UnreadableError
from inference.studies.limits import MAX_VOXELS
from inference.studies.model import Problem, Series, Volume
from inference.studies.pixels import TYPES, rescale_into, to_grey

__all__ = ["load_dicom"]

_MAX_THREADS: Final = 8
_QUEUED: Final = 4
"""Tasks a thread that are handed out ahead."""

_FRAMES_A_TASK: Final = 32
"""Frames of a multi-frame file that share one reading of its header."""

PIXEL_TAGS: Final = (
    "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames",
    "Rows", "Columns", "BitsAllocated", "BitsStored", "PixelRepresentation",
    "ExtendedOffsetTable", "ExtendedOffsetTableLengths",
)  # fmt: skip
"""Elements that the decoders want to know."""

_PLUGINS: Final[dict[str, str]] = {RLELossless: "pydicom"}
"""Decoders that are chosen; pylibjpeg's for RLE panics on damage, which no handler catches."""


class _DoesNotFitError(Exception):
    """A value is outside the type of the array."""


@dataclass(frozen=True, slots=True)
class _Task:
    """Some frames of one file, and which slices they become."""

    path: Path
    frames: tuple[tuple[int, Frame], ...]


def load_dicom(series: Series, progress: Progress) -> Volume:
    """Decode a series.

    Raises
    ------
    BadInputError
        When no slice can be decoded, or the series has changed or is too large.
    CancelledError
        When the reader cancelled.
    """
    frames, uid = _frames(series, progress)
    voxels = len(frames) * series.rows * series.columns
    if voxels > MAX_VOXELS:
        raise BadInputError(
            f"The series of {len(frames)} slices of {series.columns} × {series.rows} pixels is "
            "too large to be opened."
        )
    array, broken = _decode(frames, series, progress)
    problems = list(series.problems)
    if broken:
        problems.append(_unreadable(frames, broken))
        array, frames = _without(array, frames, broken)
    return make_volume(series, array, frames, problems, uid)


def _frames(series: Series, progress: Progress) -> tuple[list[Frame], str]:
    """Read the headers again: they hold what `Series` does not, and files may have changed."""
    by_file: dict[Path, Header] = {}
    frames = []
    for i, source in enumerate(series.slices):
        progress.report("Reading headers", i, len(series.slices))
        if source.path not in by_file:
            try:
                by_file[source.path] = read_header(source.path)
            except UnreadableError as error:
                raise BadInputError(str(error)) from error
            except NotAnImageError as error:
                raise BadInputError(f"“{source.path.name}” has changed; open it again.") from error
        frame = next((f for f in by_file[source.path].frames if f.index == source.frame), None)
        if frame is None or (frame.rows, frame.columns) != (series.rows, series.columns):
            raise BadInputError(f"“{source.path.name}” has changed; open it again.")
        frames.append(frame)
    first = series.slices[0].path
    return frames, study_uid(first, by_file[first])


def _decode(
    frames: Sequence[Frame], series: Series, progress: Progress
) -> tuple[NDArray[np.generic], dict[int, str]]:
    """Fill an array of the narrowest type that holds every value exactly."""
    tasks = _tasks(frames)
    shape = (len(frames), series.rows, series.columns)
    for dtype in _types(frames):
        array = np.empty(shape, dtype)
        broken: dict[int, str] = {}
        if _fill(array, tasks, broken, progress):
            break
    if len(broken) == len(frames):
        raise BadInputError(next(iter(broken.values())))
    return array, broken


def _types(frames: Sequence[Frame]) -> list[np.dtype[Any]]:
    """Return the types to be tried, narrowest first; the last one holds anything."""
    if not all(f.slope.is_integer() and f.intercept.is_integer() for f in frames):
        return [np.dtype(np.float32)]
    small = all(
        f.bits_stored <= 8 and not f.signed and (f.slope, f.intercept) == (1.0, 0.0) for f in frames
    )
    return [np.dtype(name) for name in (TYPES if small else TYPES[1:])]


def _tasks(frames: Sequence[Frame]) -> list[_Task]:
    by_file: dict[Path, list[tuple[int, Frame]]] = {}
    for i, frame in enumerate(frames):
        by_file.setdefault(frame.path, []).append((i, frame))
    return [
        _Task(path, tuple(members[start : start + _FRAMES_A_TASK]))
        for path, members in by_file.items()
        for start in range(0, len(members), _FRAMES_A_TASK)
    ]


def _fill(
    array: NDArray[np.generic], tasks: list[_Task], broken: dict[int, str], progress: Progress
) -> bool:
    """Decode all tasks into the array; False as soon as a value does not fit its type."""
    threads = min(_MAX_THREADS, os.cpu_count() or 1)
    with ThreadPoolExecutor(threads, thread_name_prefix="decode") as pool:
        waiting = iter(tasks)
        running: dict[Future[dict[int, str]], _Task] = {}
        done = 0
        try:
            while True:
                for task in itertools.islice(waiting, threads * _QUEUED - len(running)):
                    running[pool.submit(_decode_task, array, task, progress)] = task
                if not running:
                    return True
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    done += len(running.pop(future).frames)
                    broken.update(future.result())
                progress.report("Reading slices", done, array.shape[0])
        except _DoesNotFitError:
            return False
        finally:
            for future in running:
                future.cancel()


def _decode_task(array: NDArray[np.generic], task: _Task, progress: Progress) -> dict[int, str]:
    """Decode one file's frames; return the sentence for each slice that cannot be decoded."""
    broken: dict[int, str] = {}
    try:
        with open_dicom(task.path, PIXEL_TAGS) as file:
            for i, frame in task.frames:
                if progress.cancelled.is_set():
                    break
                try:
                    stored = _stored(file, frame)
                except UnreadableError as error:
                    broken[i] = str(error)
                    continue
                if not rescale_into(array[i], stored, frame.slope, frame.intercept):
                    raise _DoesNotFitError
    except UnreadableError as error:
        broken = {i: str(error) for i, _ in task.frames}
    return broken


def _stored(file: DicomFile, frame: Frame) -> NDArray[np.generic]:
    """Decode the stored values of one frame; shape (rows, columns)."""
    name = frame.path.name
    try:
        decoder = get_decoder(UID(file.transfer_syntax))
    except NotImplementedError as error:
        syntax = printable(UID(file.transfer_syntax).name)
        raise UnreadableError(
            f"“{name}” is compressed as {syntax}, which cannot be decoded; export it uncompressed."
        ) from error
    file.stream.seek(file.start or 0)
    options = as_pixel_options(file.dataset)
    defaults = {
        "samples_per_pixel": 1,
        "photometric_interpretation": "MONOCHROME2",
        "pixel_representation": 0,
        "bits_stored": frame.bits,
        "planar_configuration": 0,
    }
    options = defaults | {key: value for key, value in options.items() if value is not None}
    options["pixel_keyword"] = "PixelData"
    if file.pixel_vr:
        options["pixel_vr"] = file.pixel_vr
    try:
        stored, _ = decoder.as_array(
            file.stream,
            index=frame.index,
            decoding_plugin=_PLUGINS.get(file.transfer_syntax, ""),
            **cast(Any, options),
        )
    except Exception as error:
        # Each decoder has its own exceptions, and all mean the same here.
        raise UnreadableError(
            f"The pixels of “{name}” are damaged and cannot be decoded; copy the file again."
        ) from error
    if stored.ndim == 3:
        stored = to_grey(stored)
    if stored.shape != (frame.rows, frame.columns):
        raise UnreadableError(f"The pixels of “{name}” have another size than declared.")
    return stored


def _without(
    array: NDArray[np.generic], frames: list[Frame], broken: dict[int, str]
) -> tuple[NDArray[np.generic], list[Frame]]:
    """Leave out slices in place: the array is not copied."""
    kept = [i for i in range(len(frames)) if i not in broken]
    for new, old in enumerate(kept):
        array[new] = array[old]
    return array[: len(kept)], [frames[i] for i in kept]


def _unreadable(frames: list[Frame], broken: dict[int, str]) -> Problem:
    return Problem(
        Code.UNREADABLE_SLICES,
        f"{len(broken)} of {len(frames)} slices could not be decoded and were left out.",
        tuple(frames[i].path for i in sorted(broken)),
    )
