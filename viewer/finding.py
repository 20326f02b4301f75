"""Several things chosen at once become one set of studies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from inference.errors import BadInputError
from inference.progress import Progress

if TYPE_CHECKING:
    from inference.studies.model import Found, Series, Study, Volume
    from inference.studies.watch import Watch

__all__ = ["Reader", "scan_all", "the_reader"]


class Reader(Protocol):
    """What is needed of `inference.studies`."""

    def scan(
        self,
        path: Path,
        progress: Progress | None = None,
        found: Callable[[Found], None] | None = None,
    ) -> tuple[Study, ...]:
        """Find studies."""
        ...

    def load(
        self, series: Series, progress: Progress | None = None, watch: Watch | None = None
    ) -> Volume:
        """Read pixels."""
        ...

    def thumbnail(self, series: Series, size: int = 96) -> NDArray[np.uint8]:
        """Draw a small picture; shape (size, size)."""
        ...

    def main_series(self, studies: tuple[Study, ...]) -> tuple[Study, Series]:
        """Choose the series to show first."""
        ...


def the_reader() -> Reader:
    """Import the readers where they are first used: start-up does not wait for decoders."""
    from inference import studies

    return cast(Reader, studies)


def scan_all(
    reader: Reader,
    paths: tuple[Path, ...],
    progress: Progress,
    tell: Callable[[tuple[Study, ...]], None],
) -> tuple[tuple[Study, ...], str]:
    """Scan everything chosen.

    Parameters
    ----------
    reader
        Scans one path.
    paths
        What was chosen; files of one folder, archives apart, open the series that hold them.
    progress
        Where to report, and how to be cancelled.
    tell
        Is given all studies known so far, again and again.

    Returns
    -------
    tuple
        The studies, and a sentence about what could not be opened, or ``""``.

    Raises
    ------
    BadInputError
        When nothing could be opened.
    """
    found: list[Study] = []
    refusals: list[BadInputError] = []
    together = _together(paths)
    wanted = [(path, frozenset[Path]()) for path in paths if path not in together]
    if together:
        wanted.insert(0, (paths[0].parent, together))
    for path, files in wanted:
        try:
            found += _scan(reader, path, files, progress, partial(_tell, tell, tuple(found)))
        except BadInputError as error:
            refusals.append(error)
    if not found:
        raise refusals[0]
    return tuple(found), " ".join(str(refusal) for refusal in refusals)


def _tell(
    tell: Callable[[tuple[Study, ...]], None],
    before: tuple[Study, ...],
    studies: tuple[Study, ...],
) -> None:
    tell((*before, *studies))


def _scan(
    reader: Reader,
    path: Path,
    files: frozenset[Path],
    progress: Progress,
    tell: Callable[[tuple[Study, ...]], None],
) -> tuple[Study, ...]:
    def hear(so_far: Found) -> None:
        tell(_series_of(so_far.studies, files))

    studies = _series_of(reader.scan(path, progress, hear), files)
    if not studies:
        raise BadInputError("None of the chosen files holds an image; choose others.")
    return studies


def _together(paths: tuple[Path, ...]) -> frozenset[Path]:
    """Return the files that are to be opened by the folder which they share."""
    from inference.studies.find import is_dicomdir, is_zip

    if len(paths) < 2 or len({path.parent for path in paths}) > 1:
        return frozenset()
    if not all(path.is_file() for path in paths):
        return frozenset()
    files = frozenset(path for path in paths if not is_zip(path) and not is_dicomdir(path))
    return files if len(files) > 1 else frozenset()


def _series_of(studies: tuple[Study, ...], files: frozenset[Path]) -> tuple[Study, ...]:
    """Keep the series that hold one of the files; all of them where no file is named."""
    if not files:
        return studies
    kept = (
        replace(
            study,
            series=tuple(s for s in study.series if any(each.path in files for each in s.slices)),
        )
        for study in studies
    )
    return tuple(study for study in kept if study.series)
