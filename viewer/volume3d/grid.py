"""The volume for 3D: coarser, with cubic voxels along the patient's axes.

VTK's images are boxes, which a tilted gantry's sheared slices are not. Everything is therefore
resampled to one grid whose axes are those of the patient; what is drawn then needs no matrix.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inference.studies.model import Unit

if TYPE_CHECKING:
    from inference.progress import Progress
    from inference.studies.model import Volume

__all__ = ["AIR", "CPU_VOXELS", "GPU_VOXELS", "OUTSIDE_STEP", "Prepared", "prepare", "refusal"]

CPU_VOXELS = 16_000_000
"""Voxels at most where the processor casts the rays: about 1.4 mm for a chest."""
GPU_VOXELS = 40_000_000
"""Voxels at most on a graphics card: about 1 mm for a chest, 80 MB of its memory."""

AIR, _DENSEST = -1024, 3071
"""HU outside what was scanned, and what is denser is shown like."""
_GAS = -500
"""HU: less is air or lung."""
_FILL = 0
"""HU put in place of what is not inside the body: soft tissue, which those presets do not show."""
OUTSIDE_STEP = 2
"""The outside is found on every second voxel: eight times as fast, and skin is thicker."""
_SKIN_MM = 5.0
"""Skin and clothes: the outside grows by so much, since their rim has the lungs' values."""
_GREY_RANGE = 1000.0
_GREY_LIMITS = (-200.0, 2000.0)
_STRAIGHT = 1e-6
"""Relative; axes that lean less are the patient's."""


@dataclass(frozen=True, eq=False, slots=True)
class Prepared:
    """A volume as it is drawn.

    Parameters
    ----------
    array
        Shape (z, y, x), int16, C order: HU, or grey with 0 and 1000 at its 1st and 99th percentile.
    origin
        LPS mm of the first voxel's centre, (x, y, z).
    mm
        Edge of a voxel.
    outside
        What is not inside the body, bool, one for each cube of `OUTSIDE_STEP` voxels in `array`;
        None for volumes that are no CT in HU.
    """

    array: NDArray[np.int16]
    origin: tuple[float, float, float]
    mm: float
    outside: NDArray[np.bool_] | None

    @property
    def bounds(self) -> NDArray[np.float64]:
        """Lowest and highest LPS mm of voxel centres, shape (2, 3)."""
        low = np.array(self.origin)
        return np.stack([low, low + (np.array(self.array.shape[::-1]) - 1) * self.mm])

    def inside(self) -> NDArray[np.int16]:
        """The array with soft tissue in place of what is not inside the body."""
        if self.outside is None:
            return self.array
        outside = self.outside
        for axis, n in enumerate(self.array.shape):
            outside = outside.repeat(OUTSIDE_STEP, axis).take(np.arange(n), axis)
        return np.where(outside, np.int16(_FILL), self.array)


def refusal(volume: Volume) -> str | None:
    """Say in a sentence why a volume cannot be shown in 3D; None when it can."""
    if volume.shape[0] < 2:
        return "One slice has no third dimension; open a series of several slices."
    if not volume.has_geometry:
        return "The distance between the slices is unknown, so 3D would show a wrong shape."
    if min(volume.shape) < 2:
        return "This series is one pixel wide; there is nothing to show in 3D."
    return None


def _coarse_mm(volume: Volume, size: NDArray[np.float64], budget: int) -> float:
    """Edge of a voxel: not below the finest spacing, within the budget, in tenths of a mm."""
    mm = max(min(volume.spacing), float(np.prod(size) / budget) ** (1 / 3))
    # The grid has one voxel more along each axis than its size is long.
    while np.prod(np.floor(size / mm) + 2.0) > budget:
        mm *= 1.02
    return math.ceil(mm * 10 - 1e-6) / 10 if mm > 0.1 else float(mm)


def _averaged(
    volume: Volume, factors: tuple[int, int, int], progress: Progress | None
) -> NDArray[np.float32]:
    """Means of blocks; what does not fill a block at the end is left out."""
    array = volume.array
    counts = [max(1, n // f) for n, f in zip(array.shape, factors, strict=True)]
    means = np.empty(counts, np.float32)
    fz, fy, fx = factors
    low = AIR if volume.unit is Unit.HU else None
    for k in range(counts[0]):
        if progress is not None:
            progress.report("Preparing 3D", k, counts[0])
        slab = array[k * fz : (k + 1) * fz, : counts[1] * fy, : counts[2] * fx].astype(np.float32)
        if volume.padding is not None:
            seen = ~volume.is_padding(slab)
            floor = np.float32(low) if low is not None else slab[seen].min(initial=slab.max())
            slab = np.where(seen, slab, floor)
        if low is not None:
            slab = np.clip(np.nan_to_num(slab, nan=low), low, _DENSEST)
        means[k] = slab.mean(axis=0).reshape(counts[1], fy, counts[2], fx).mean(axis=(1, 3))
    return means


def prepare(volume: Volume, budget: int, progress: Progress | None = None) -> Prepared:
    """Resample a volume for 3D.

    Parameters
    ----------
    volume
        One that is not refused, see `refusal`.
    budget
        Voxels at most.
    progress
        Where to report, and how to be cancelled.
    """
    from scipy import ndimage

    slices, rows, columns = volume.shape
    corners = np.array(
        [volume.position(c, r, s)
         for s in (0, slices - 1) for r in (0, rows - 1) for c in (0, columns - 1)]
    )  # fmt: skip
    low, high = corners.min(axis=0), corners.max(axis=0)
    mm = _coarse_mm(volume, high - low, budget)
    fz, fy, fx = (
        min(max(1, int(mm / spacing + 1e-6)), n)
        for spacing, n in zip(volume.spacing, volume.shape, strict=True)
    )
    means = _averaged(volume, (fz, fy, fx), progress)

    # (z, y, x) of the new grid to (slice, row, column) of the means.
    shape = tuple(int(n) for n in (np.floor((high - low) / mm + 1e-6) + 1)[::-1])
    inverse = np.linalg.inv(volume.affine)
    steps = inverse[:3, :3][::-1, ::-1] * mm
    start = (inverse @ np.append(low, 1.0))[:3][::-1]
    scale = np.array([fz, fy, fx], float)
    matrix = steps / scale[:, None]
    offset = (start - (scale - 1) / 2) / scale
    straight = np.abs(matrix - np.diag(np.diag(matrix))).max() < _STRAIGHT * np.abs(matrix).max()
    hu = volume.unit is Unit.HU
    if not hu:
        means = _by_percentiles(means)
    outer = float(AIR) if hu else 0.0
    # Beyond the outermost means lies half a block that was averaged into them.
    means = np.pad(means, 1, mode="edge")
    array = ndimage.affine_transform(
        means,
        np.diag(matrix).copy() if straight else matrix,
        offset + 1.0,
        output_shape=shape,
        output=np.int16,
        order=1,
        mode="constant",
        cval=outer,
    )
    if progress is not None:
        progress.report("Preparing 3D", 1, 1)
    outside = _outside(array, mm) if volume.is_ct else None
    return Prepared(array, (float(low[0]), float(low[1]), float(low[2])), mm, outside)


def _by_percentiles(means: NDArray[np.float32]) -> NDArray[np.float32]:
    known = means[np.isfinite(means)]
    first, last = np.percentile(known, [1.0, 99.0]) if known.size else (0.0, 1.0)
    scaled = (np.nan_to_num(means, nan=first) - first) * (_GREY_RANGE / max(1e-6, last - first))
    return np.clip(scaled, *_GREY_LIMITS).astype(np.float32)


def _outside(array: NDArray[np.int16], mm: float) -> NDArray[np.bool_]:
    """Find what is not inside the body, see `Prepared.outside`.

    Air that reaches the sides of the scan is outside; its ends at head and feet do not count, since
    the trachea may reach them. Of what remains the largest piece is the body.
    """
    from scipy import ndimage

    step = OUTSIDE_STEP
    gas = array[::step, ::step, ::step] < _GAS
    labels, count = ndimage.label(gas)
    if not count:
        return np.zeros(gas.shape, bool)
    sides = (labels[:, 0], labels[:, -1], labels[:, :, 0], labels[:, :, -1])
    reached = np.zeros(count + 1, bool)
    for side in sides:
        reached[side.ravel()] = True
    reached[0] = False
    outside = reached[labels]
    del labels
    pieces, count = ndimage.label(~outside)
    if count > 1:
        sizes = np.bincount(pieces.ravel())
        sizes[0] = 0
        outside = pieces != int(sizes.argmax())
    del pieces
    # A distance by repeated steps makes an octahedron; the rim needs no better.
    grown = max(1, round(_SKIN_MM / (mm * step)))
    return np.asarray(ndimage.binary_dilation(outside, iterations=grown))
