"""What is looked at: the sample study, and small studies of the other kinds, made on the spot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import SimpleITK
from numpy.typing import NDArray
from PIL import Image
from pydicom.uid import DigitalXRayImageStorageForPresentation

from inference.sample import build
from tests.benchmarks.loading import write_series
from tests.unit.studies.conftest import dataset

__all__ = ["KINDS", "make"]

_XRAY_SIDE: Final = 640


def make(kind: str, folder: Path) -> tuple[Path, ...]:
    """Make the studies of a kind, unless they are there.

    Parameters
    ----------
    kind
        One of `KINDS`.
    folder
        Where studies of all kinds are kept.

    Returns
    -------
    tuple of Path
        What to open, one after the other.
    """
    place = folder / kind
    done = folder / f"{kind}.done"
    if not done.exists():
        KINDS[kind](place)
        done.touch()
    return tuple(sorted(place.iterdir()))


def _ct(place: Path) -> None:
    build(place / "sample")


def _pair(place: Path) -> None:
    for number, slices in enumerate((8, 11)):
        folder = place / f"ct{number}"
        folder.mkdir(parents=True)
        write_series(folder, slices, root=f"1.2.{slices}")


def _xray(place: Path) -> None:
    place.mkdir(parents=True)
    for number in range(2):
        root = f"1.2.826.{number}"
        ds = dataset(
            _chest(number).astype(np.uint16) * 12,
            SOPClassUID=DigitalXRayImageStorageForPresentation, SOPInstanceUID=f"{root}.1",
            StudyInstanceUID=f"{root}.2", SeriesInstanceUID=f"{root}.3", Modality="DX",
            FrameOfReferenceUID=None, ImagePositionPatient=None, ImageOrientationPatient=None,
            RescaleIntercept=0, SliceThickness=None, StudyDate=f"2020030{number + 1}",
            SeriesDescription="PA",
        )  # fmt: skip
        ds.file_meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
        ds.save_as(place / f"chest{number}.dcm", enforce_file_format=True)


def _picture(place: Path) -> None:
    place.mkdir(parents=True)
    Image.fromarray(_chest(3).astype(np.uint8)).save(place / "picture.png")


def _times(place: Path) -> None:
    place.mkdir(parents=True)
    rows, columns = np.mgrid[0:96, 0:96] / 96 - 0.5
    body = np.where((rows / 0.40) ** 2 + (columns / 0.46) ** 2 < 1, 40, -1000)
    for side in (-0.2, 0.2):
        body[(rows / 0.28) ** 2 + ((columns - side) / 0.14) ** 2 < 1] = -850
    moments = []
    for moment in range(3):
        stack = np.stack([np.roll(body, moment + index // 4, axis=0) for index in range(10)])
        image = SimpleITK.GetImageFromArray(stack.astype(np.int16))
        image.SetSpacing((4.0, 4.0, 6.0))
        moments.append(image)
    SimpleITK.WriteImage(SimpleITK.JoinSeries(moments), str(place / "breathing.nii.gz"))


def _chest(seed: int) -> NDArray[Any]:
    """Draw something like a chest X-ray: bright body, two dark lungs, some noise; 0 to 255."""
    rows, columns = np.mgrid[0:_XRAY_SIDE, 0:_XRAY_SIDE] / _XRAY_SIDE - 0.5
    grey = np.full(rows.shape, 190.0)
    for side in (-0.2, 0.2):
        grey[(rows / 0.36) ** 2 + ((columns - side) / 0.14) ** 2 < 1] = 70.0
    grey += np.random.default_rng(seed).normal(0, 6, grey.shape)
    return np.clip(grey, 0, 255)


KINDS: Final[dict[str, Callable[[Path], None]]] = {
    "ct": _ct,
    "xray": _xray,
    "picture": _picture,
    "times": _times,
    "pair": _pair,
}
"""A CT, X-rays, a picture that does not say what it is, a 4D series, two CTs to compare."""
