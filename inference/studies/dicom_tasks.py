"""In which order slices are decoded: those nearest to the eye first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.studies.dicom_frame import Frame
from inference.studies.watch import Watch

__all__ = ["Task", "Tasks", "tasks_of"]

_FRAMES_A_TASK: Final = 8
"""Frames of a compressed multi-frame file that share one reading of its header."""


@dataclass(frozen=True, slots=True)
class Task:
    """Some frames of one file, and which slices they become, in rising order."""

    path: Path
    frames: tuple[tuple[int, Frame], ...]


class Tasks:
    """Tasks that wait, handed out to threads by their distance from the slice looked at.

    Parameters
    ----------
    tasks
        What is to be done.
    watch
        Its focus is looked at whenever a task is taken.
    middle
        Where to begin while there is no focus.
    """

    def __init__(self, tasks: Sequence[Task], watch: Watch, middle: int) -> None:
        self._tasks = list(tasks)
        self._watch = watch
        self._middle = middle
        self._lock = Lock()
        self._first = np.array([task.frames[0][0] for task in tasks], np.int64)
        self._last = np.array([task.frames[-1][0] for task in tasks], np.int64)
        self._waiting: NDArray[np.bool_] = np.ones(len(tasks), dtype=bool)

    def take(self) -> Task | None:
        """Return the task nearest to the focus, or None when there is none left."""
        focus = self._middle if self._watch.focus is None else self._watch.focus
        with self._lock:
            left = np.flatnonzero(self._waiting)
            if left.size == 0:
                return None
            away = np.maximum(self._first[left] - focus, focus - self._last[left])
            chosen = int(left[np.argmin(away)])
            self._waiting[chosen] = False
        return self._tasks[chosen]

    def stop(self) -> None:
        """Hand out nothing any more."""
        with self._lock:
            self._waiting[:] = False


def tasks_of(frames: Sequence[tuple[int, Frame]]) -> list[Task]:
    """Cut slices into tasks: one each, but for compressed frames that share a file.

    Parameters
    ----------
    frames
        (slice, frame), in rising order of slices.
    """
    tasks: list[Task] = []
    sharing: list[tuple[int, Frame]] = []
    for i, frame in frames:
        shared = bool(sharing) and frame.path == sharing[-1][1].path and frame.offset is None
        if sharing and (not shared or len(sharing) == _FRAMES_A_TASK):
            tasks.append(Task(sharing[0][1].path, tuple(sharing)))
            sharing = []
        sharing.append((i, frame))
    if sharing:
        tasks.append(Task(sharing[0][1].path, tuple(sharing)))
    return tasks
