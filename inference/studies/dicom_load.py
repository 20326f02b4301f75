"""DICOM pixels into one preallocated array, those looked at first, and the volume around it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from inference.errors import BadInputError
from inference.progress import Progress
from inference.studies.codes import Code
from inference.studies.dicom_decode import PIXEL_TAGS, decoded, plain, plain_type
from inference.studies.dicom_file import open_dicom
from inference.studies.dicom_frame import Frame
from inference.studies.dicom_header import Header, NotAnImageError, read_header, study_uid
from inference.studies.dicom_tasks import Task, Tasks, tasks_of
from inference.studies.dicom_volume import make_volume
from inference.studies.find import UnreadableError
from inference.studies.limits import HU_FLOOR, MAX_VOXELS
from inference.studies.model import Problem, Series, Volume
from inference.studies.pixels import TYPES, ends_of, finite, fits, rescale_into
from inference.studies.watch import Watch

__all__ = ["load_dicom"]

_MAX_THREADS: Final = 8

_STAGE: Final = "Reading slices"


def load_dicom(series: Series, progress: Progress, watch: Watch) -> Volume:
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
    return _Filling(series, frames, uid, progress, watch).volume()


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


class _Filling:
    """Fills an array of the narrowest type that holds every value exactly.

    Headers seldom say how narrow that is: 16 bits are declared where 12 are used. The array begins
    with the narrowest type that holds the first slice, and a slice that does not fit is put aside.
    Only when all others are there does a wider array take the place of the first, so that nobody
    who looks at the first one ever sees its type or its values change.
    """

    def __init__(
        self, series: Series, frames: list[Frame], uid: str, progress: Progress, watch: Watch
    ) -> None:
        self._series = series
        self._frames = frames
        self._uid = uid
        self._progress = progress
        self._watch = watch
        self._types = _types(frames)
        self._array: NDArray[np.generic] | None = None
        self._ends: list[tuple[float, float] | None] = [None] * len(frames)
        self._broken: dict[int, str] = {}
        self._aside: set[int] = set()
        self._not_finite: dict[int, int] = {}
        self._done = 0

    def volume(self) -> Volume:
        """Decode everything."""
        every = list(enumerate(self._frames))
        tasks = Tasks(tasks_of(every), self._watch, len(every) // 2)
        outcomes: list[tuple[int, bool]] = []
        array: NDArray[np.generic] | None = None
        while array is None and (task := tasks.take()) is not None:
            outcomes += self._do(task)
            array = self._array
            self._progress.report(_STAGE, 0, len(every))
        if array is None:
            raise BadInputError(next(iter(self._broken.values())))
        self._watch.begun(self._made(array, whole=False))
        self._tell(outcomes)
        self._run(tasks)
        array = self._widened(array)
        problems = list(self._series.problems)
        if count := sum(self._not_finite.values()):
            problems.append(
                Problem(
                    Code.NOT_FINITE,
                    f"{count} values are no finite numbers; each was replaced by the lowest value "
                    "of its slice, or by the highest where it is infinite.",
                    tuple(self._frames[i].path for i, n in sorted(self._not_finite.items()) if n),
                )
            )
        if self._broken:
            problems.append(_unreadable(self._frames, self._broken))
            kept = [i for i in range(len(self._frames)) if i not in self._broken]
            # A new array: someone may be looking at the old one.
            array = array[kept]
            self._frames = [self._frames[i] for i in kept]
        return self._made(array, whole=True, problems=problems)

    def _made(
        self, array: NDArray[np.generic], *, whole: bool, problems: Sequence[Problem] | None = None
    ) -> Volume:
        lowest = min(ends[0] for ends in self._ends if ends is not None)
        return make_volume(
            self._series,
            array,
            self._frames,
            self._series.problems if problems is None else problems,
            self._uid,
            lowest=float(array.dtype.type(lowest)),
            airless=sum(ends is not None and ends[0] > HU_FLOOR for ends in self._ends),
            whole=whole,
        )

    def _run(self, tasks: Tasks) -> None:
        """Do all tasks on threads."""
        results: SimpleQueue[list[tuple[int, bool]] | None] = SimpleQueue()

        def work() -> None:
            try:
                while not self._progress.cancelled.is_set() and (task := tasks.take()) is not None:
                    results.put(self._do(task))
            finally:
                results.put(None)

        threads = min(_MAX_THREADS, os.cpu_count() or 1)
        with ThreadPoolExecutor(threads, thread_name_prefix="decode") as pool:
            working = [pool.submit(work) for _ in range(threads)]
            try:
                running = threads
                while running:
                    outcomes = results.get()
                    running -= outcomes is None
                    self._tell(outcomes or [])
            finally:
                tasks.stop()
        for future in working:
            future.result()

    def _tell(self, outcomes: list[tuple[int, bool]]) -> None:
        for index, readable in outcomes:
            self._done += 1
            self._watch.arrived(index, readable)
        self._progress.report(_STAGE, self._done, len(self._frames))

    def _do(self, task: Task) -> list[tuple[int, bool]]:
        """Decode a task's frames; return which slices are done, and whether they could be."""
        done: list[tuple[int, bool]] = []
        try:
            first, frame = task.frames[0]
            if frame.offset is not None:
                done += self._put(first, self._read_plain(first))
                return done
            with open_dicom(task.path, PIXEL_TAGS) as file:
                for i, frame in task.frames:
                    if self._progress.cancelled.is_set():
                        break
                    try:
                        done += self._put(i, decoded(file, frame))
                    except UnreadableError as error:
                        done += self._break(i, error)
        except UnreadableError as error:
            known = dict(done)
            for i, _ in task.frames:
                if i not in known:
                    done += self._break(i, error)
        return done

    def _break(self, index: int, error: UnreadableError) -> list[tuple[int, bool]]:
        self._broken[index] = str(error)
        return [(index, False)]

    def _read_plain(self, index: int) -> NDArray[np.generic]:
        """Read a slice straight into its place, if its values are as wide there."""
        frame, array = self._frames[index], self._array
        dtype = plain_type(frame)
        if array is not None and array.dtype.kind != "f" and array.itemsize == dtype.itemsize:
            stored: NDArray[np.generic] = array[index].view(dtype)
        else:
            stored = np.empty((frame.rows, frame.columns), dtype)
        plain(frame, stored)
        return stored

    def _put(self, index: int, stored: NDArray[np.generic]) -> list[tuple[int, bool]]:
        """Bring a slice's values to their place, or put it aside where they do not fit."""
        frame = self._frames[index]
        if frame.floating:
            stored, none = finite(stored)
            if none == stored.size:
                name = frame.path.name
                raise UnreadableError(f"“{name}” holds no numbers at all; export it again.")
            self._not_finite[index] = none
        ends = ends_of(stored, frame.slope, frame.intercept)
        self._ends[index] = ends
        if self._array is None:
            dtype = next(dtype for dtype in self._types if fits(*ends, dtype))
            # Zeros cost nothing until they are written to.
            self._array = np.zeros((len(self._frames), frame.rows, frame.columns), dtype)
        if not fits(*ends, self._array.dtype):
            self._aside.add(index)
            self._array[index] = 0
            return []
        rescale_into(self._array[index], stored, frame.slope, frame.intercept)
        return [(index, True)]

    def _widened(self, array: NDArray[np.generic]) -> NDArray[np.generic]:
        """Return an array that holds all slices, also those that were put aside."""
        if not self._aside:
            return array
        known = [ends for ends in self._ends if ends is not None]
        low, high = min(low for low, _ in known), max(high for _, high in known)
        aside, self._aside = sorted(self._aside), set()
        wide = np.zeros(array.shape, next(t for t in self._types if fits(low, high, t)))
        for i in range(len(array)):
            if i not in aside:
                wide[i] = array[i]
        self._array, self._watch = wide, Watch()
        middle = aside[len(aside) // 2]
        self._run(Tasks(tasks_of([(i, self._frames[i]) for i in aside]), self._watch, middle))
        for i in self._aside:
            self._broken[i] = f"“{self._frames[i].path.name}” has changed; open it again."
        return wide


def _types(frames: Sequence[Frame]) -> list[np.dtype[Any]]:
    """Return the types to be tried, narrowest first; the last one holds anything."""
    if any(f.floating for f in frames):
        return [np.dtype(np.float32)]
    if not all(f.slope.is_integer() and f.intercept.is_integer() for f in frames):
        return [np.dtype(np.float32)]
    small = all(
        f.bits_stored <= 8 and not f.signed and (f.slope, f.intercept) == (1.0, 0.0) for f in frames
    )
    return [np.dtype(name) for name in (TYPES if small else TYPES[1:])]


def _unreadable(frames: list[Frame], broken: dict[int, str]) -> Problem:
    return Problem(
        Code.UNREADABLE_SLICES,
        f"{len(broken)} of {len(frames)} slices could not be decoded and were left out.",
        tuple(frames[i].path for i in sorted(broken)),
    )
