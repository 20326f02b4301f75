"""Where the sample study is kept once it has been computed."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path

from inference import atomic
from inference.errors import SecondReadError
from inference.progress import Progress

if TYPE_CHECKING:
    from inference.sample.phantom import Phantom

__all__ = ["Truth", "build", "ensure", "truth"]

SAMPLE_VERSION: Final = 1
"""Raised whenever the sample's pixels change, so that old copies are not used."""

_SERIES: Final = "series"
_TRUTH: Final = "truth.npz"


@dataclass(frozen=True, eq=False, slots=True)
class Truth:
    """What is really in the sample; each mask has shape (slices, rows, columns), bool.

    The grid is that of the loaded series: the most caudal slice first. Consolidation and ground
    glass do not overlap, and the effusion is outside the lungs.
    """

    ggo: NDArray[np.bool_]
    consolidation: NDArray[np.bool_]
    effusion: NDArray[np.bool_]
    lungs: NDArray[np.bool_]


def build(target: Path, progress: Progress | None = None) -> Path:
    """Compute the sample study and write it as a DICOM series.

    Parameters
    ----------
    target
        Folder to write into; made when it is not there.
    progress
        Where to report, and how to be cancelled.

    Returns
    -------
    Path
        `target`.

    Raises
    ------
    SecondReadError
        When the folder cannot be written, or already holds something.
    CancelledError
        When it is no longer wanted.
    """
    try:
        target.mkdir(parents=True, exist_ok=True)
        occupied = any(target.iterdir())
    except OSError as error:
        raise _unwritable(target, error) from error
    if occupied:
        raise SecondReadError(
            f"The folder {target} is not empty; choose a new folder for the sample study."
        )
    _write(_make(progress), target)
    return target


def ensure(progress: Progress | None = None) -> Path:
    """Return the folder of the sample's DICOM series, made on first use.

    Raises
    ------
    SecondReadError
        When the cache folder cannot be written.
    CancelledError
        When it is no longer wanted.
    """
    return _ensure(progress) / _SERIES


def truth() -> Truth:
    """The sample's lesions and lungs, made on first use.

    Raises
    ------
    SecondReadError
        When the cache folder cannot be written.
    """
    with np.load(_ensure(None) / _TRUTH, allow_pickle=False) as stored:
        shape = tuple(int(n) for n in stored["shape"])
        count = int(np.prod(shape))
        return Truth(
            **{
                field.name: np.unpackbits(stored[field.name], count=count)
                .reshape(shape)
                .astype(np.bool_)
                for field in fields(Truth)
            }
        )


def _ensure(progress: Progress | None) -> Path:
    home = user_cache_path("secondread", appauthor=False) / f"sample-{SAMPLE_VERSION}"
    if home.is_dir():
        return home
    phantom = _make(progress)
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        with atomic.part_folder(home.parent) as draft:
            _write(phantom, draft / _SERIES)
            packed = {f.name: np.packbits(getattr(phantom, f.name)) for f in fields(Truth)}
            _save(draft / _TRUTH, {"shape": np.array(phantom.hu.shape), **packed})
            try:
                draft.rename(home)
            except OSError:
                # Another process was first: its copy is the same.
                if not home.is_dir():
                    raise
    except OSError as error:
        raise _unwritable(home.parent, error) from error
    return home


def _save(path: Path, arrays: dict[str, NDArray[np.generic]]) -> None:
    # Any: numpy's stub takes the names of arrays for its own keywords.
    save: Any = np.savez_compressed
    save(path, **arrays)


def _make(progress: Progress | None) -> Phantom:
    from inference.sample.phantom import make

    return make(progress or Progress())


def _write(phantom: Phantom, target: Path) -> None:
    from inference.sample.series import write_series

    try:
        target.mkdir(exist_ok=True)
        write_series(phantom.hu, target)
    except OSError as error:
        raise _unwritable(target, error) from error


def _unwritable(folder: Path, error: OSError) -> SecondReadError:
    reason = os.strerror(error.errno) if error.errno else "unknown reason"
    return SecondReadError(
        f"The sample study cannot be written to {folder} ({reason}); free some space there or "
        "choose another folder."
    )
