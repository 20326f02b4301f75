"""Planes that lie aslant in a volume, turned as the reader likes.

Between voxels they are interpolated, which the pane says; masks are taken at the nearest voxel.
Series whose slices are tilted against their axis are cut right, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from viewer.panes import Pane, Turn, span_of
from viewer.planes.orientation import EdgeLetters, letters_of

if TYPE_CHECKING:
    from inference.studies.model import Volume

__all__ = ["ObliqueSection", "oblique_of"]

Vector = NDArray[np.float64]
Voxel = tuple[float, float, float]

_MOST_PIXELS = 1024
"""Along a side of the picture: more than a pane has, and what is sampled in time for the wheel."""
_COARSER_FROM = (12, 48)
"""Slabs of more planes are sampled at every second, and every third, pixel, to keep up with the
hand."""
_NAMES = ("sagittal", "coronal", "axial")
"""By the patient axis of the normal."""
_STRAIGHT_DEGREES = 0.5


@dataclass(frozen=True, eq=False, slots=True)
class ObliqueSection:
    """A family of parallel planes that lie in any direction.

    Parameters
    ----------
    affine
        Shape (4, 4): (column, row, slice, 1) of the volume -> LPS mm.
    shape
        Of the volume: slices, rows, columns.
    right, down, normal
        Shape (3,), LPS, length 1: the right and the bottom of the picture, and the way the planes
        are counted.
    start
        mm along `right`, `down` and `normal`: of the picture's outer corner, and of plane 0.
    extent
        Columns and rows of the picture, and how many planes there are.
    pixel_mm
        Side of a pixel, and the distance between planes.
    """

    affine: Vector
    shape: tuple[int, int, int]
    right: Vector
    down: Vector
    normal: Vector
    start: tuple[float, float, float]
    extent: tuple[int, int, int]
    pixel_mm: float

    @property
    def count(self) -> int:
        """How many planes there are."""
        return self.extent[2]

    @property
    def plane_mm(self) -> float:
        """Distance in mm between planes."""
        return self.pixel_mm

    @property
    def words(self) -> str:
        """How far the planes are from which kind of straight ones."""
        axis = int(np.argmax(np.abs(self.normal)))
        degrees = float(np.degrees(np.arccos(min(1.0, abs(self.normal[axis])))))
        straight = degrees < _STRAIGHT_DEGREES
        return _NAMES[axis] if straight else f"{degrees:.0f}° from {_NAMES[axis]}"

    def size(self) -> tuple[int, int, float, float]:
        """Columns, rows, column mm and row mm of the displayed picture."""
        columns, rows, _ = self.extent
        return columns, rows, self.pixel_mm, self.pixel_mm

    def span(self, index: int, pane: Pane) -> tuple[int, int]:
        """First plane of a slab, and the one after its last."""
        return span_of(index, pane.slab.planes(self.plane_mm), self.count)

    def coarseness(self, index: int, pane: Pane) -> int:
        """A sample stands for so many pixels along a side: more than one in a thick slab."""
        first, stop = self.span(index, pane)
        return 1 + sum(stop - first > many for many in _COARSER_FROM)

    def slab(self, array: NDArray[Any], index: int, pane: Pane) -> NDArray[Any]:
        """The planes around one as one picture; as `Section.slab`.

        Where `outside` is set the picture means nothing.
        """
        # VTK takes a while to load, and most readers never turn a plane.
        from viewer.planes.sampling import sample

        columns, rows, _ = self.extent
        first, stop = self.span(index, pane)
        coarse = self.coarseness(index, pane)
        matrix = self._matrix((first + stop - 1) / 2.0, coarse)
        size = -(-columns // coarse), -(-rows // coarse)
        picture = sample(array, matrix, size, stop - first, pane.slab.mode)
        if coarse > 1:
            picture = picture.repeat(coarse, axis=0).repeat(coarse, axis=1)[:rows, :columns]
        return picture

    def outside(self, index: int, pane: Pane) -> NDArray[np.bool_]:
        """Where the picture shows nothing of the volume; shape (rows, columns)."""
        columns, rows, _ = self.extent
        first, stop = self.span(index, pane)
        matrix = self._matrix((first + stop - 1) / 2.0)
        across = np.arange(columns, dtype=np.float32)[None]
        down = np.arange(rows, dtype=np.float32)[:, None]
        places = [
            (np.float32(x) * across + np.float32(start)) + np.float32(y) * down
            for x, y, _, start in matrix[:3]
        ]
        last = [np.float32(count - 0.5) for count in reversed(self.shape)]
        if stop - first == 1:
            beyond = [(at < -0.5) | (at > end) for at, end in zip(places, last, strict=True)]
            return np.asarray(beyond[0] | beyond[1] | beyond[2])
        half = (stop - first - 1) / 2.0
        # The part of the way through the slab that lies between each pair of faces.
        enters = np.full((rows, columns), -half, np.float32)
        leaves = np.full((rows, columns), half, np.float32)
        for at, end, way in zip(places, last, matrix[:3, 2].astype(np.float32), strict=True):
            if abs(way) * half < 1e-6:
                leaves[(at < -0.5) | (at > end)] = -np.inf
                continue
            faces = (-0.5 - at) / way, (end - at) / way
            np.maximum(enters, np.minimum(*faces), out=enters)
            np.minimum(leaves, np.maximum(*faces), out=leaves)
        # What lies in the volume between two planes is not shown.
        return np.asarray(np.ceil(enters + half) > np.floor(leaves + half))

    def _matrix(self, index: float, coarse: int = 1) -> Vector:
        """(picture column, picture row, plane, 1), counted from `index` on -> voxel."""
        mm = self.pixel_mm
        to_lps = np.eye(4)
        to_lps[:3, 0] = self.right * mm * coarse
        to_lps[:3, 1] = self.down * mm * coarse
        to_lps[:3, 2] = self.normal * mm
        to_lps[:3, 3] = self._lps(coarse / 2.0, coarse / 2.0, index)
        matrix: Vector = np.linalg.inv(self.affine) @ to_lps
        return matrix

    def _lps(self, column: float, row: float, index: float) -> Vector:
        """Picture coordinates (pixel centres at halves) of a plane -> LPS mm."""
        mm = self.pixel_mm
        across, down, through = self.start
        place: Vector = (
            self.right * (across + column * mm)
            + self.down * (down + row * mm)
            + self.normal * (through + index * mm)
        )
        return place

    def _depth(self, voxel: Voxel | Vector) -> float:
        """Number of the plane through a voxel, with what lies between planes."""
        place = self.affine[:3, :3] @ np.asarray(voxel) + self.affine[:3, 3]
        return float((place @ self.normal - self.start[2]) / self.plane_mm)

    def depth_mm(self, index: int) -> float:
        """Distance in mm of a plane from the parallel one through the origin of LPS."""
        return self.start[2] + index * self.plane_mm

    def index_of(self, voxel: Voxel) -> int:
        """The plane that a voxel lies in, or that is nearest to it."""
        return max(0, min(round(self._depth(voxel)), self.count - 1))

    def moved(self, voxel: Voxel, index: int) -> Voxel:
        """The foot of a voxel on another plane; at the faces of the volume, along them."""
        wanted = float(max(0, min(index, self.count - 1)))
        columns = self.affine[:3, :3]
        way = self.normal @ columns / (columns**2).sum(axis=0)
        last = np.array(self.shape[::-1]) - 1.0
        start = np.asarray(voxel)

        def after(mm: float) -> Vector:
            place: Vector = np.clip(start + mm * way, 0.0, last)
            return place

        # Along this way the depth never falls, so the plane is found by halving.
        reach = 2.0 * float(np.linalg.norm(columns, axis=0) @ (last + 1.0))
        low, high = -reach, reach
        for _ in range(50):
            middle = (low + high) / 2.0
            if self._depth(after(middle)) < wanted:
                low = middle
            else:
                high = middle
        column, row, slice_ = (float(value) for value in after(high))
        return column, row, slice_

    def to_voxel(self, column: float, row: float, index: int) -> Voxel:
        """Picture coordinates (pixel centres at halves) of a plane -> voxel, inside or outside."""
        place = self._lps(column, row, index) - self.affine[:3, 3]
        found = np.linalg.solve(self.affine[:3, :3], place)
        return float(found[0]), float(found[1]), float(found[2])

    def to_picture(self, voxel: Voxel) -> tuple[float, float]:
        """Voxel -> picture coordinates of its foot on any of the planes."""
        place = self.affine[:3, :3] @ np.asarray(voxel) + self.affine[:3, 3]
        across, down, _ = self.start
        column = float(place @ self.right - across) / self.pixel_mm
        return column, float(place @ self.down - down) / self.pixel_mm

    def letters(self, affine: Vector) -> EdgeLetters:
        """What lies towards each edge of the screen."""
        return letters_of(self.right, self.down)

    def screen_axes(self, affine: Vector) -> tuple[Vector, Vector]:
        """Directions in LPS of the picture's right and bottom; shape (3,), length 1."""
        return self.right, self.down


def oblique_of(volume: Volume, pane: Pane) -> ObliqueSection:
    """Planes through all of a volume, as a pane's tilt and turn say.

    Parameters
    ----------
    volume
        With known geometry and orientation.
    pane
        How its planes lie.
    """
    right, down = _turned(np.asarray(pane.tilt.right), np.asarray(pane.tilt.down), pane.turn)
    normal = np.asarray(pane.tilt.normal)
    counts = volume.shape[::-1]
    outer = _corners(volume, [(-0.5, count - 0.5) for count in counts])
    across, down_mm = outer @ right, outer @ down
    through = _corners(volume, [(0.0, count - 1.0) for count in counts]) @ normal
    wide, high = float(np.ptp(across)), float(np.ptp(down_mm))
    pixel_mm = max(min(volume.spacing), max(wide, high) / _MOST_PIXELS)
    # A hair's breadth of rounding makes no further pixel, and takes no plane away.
    columns, rows = (max(1, int(np.ceil(mm / pixel_mm - 1e-6))) for mm in (wide, high))
    count = int(np.floor(float(np.ptp(through)) / pixel_mm + 1e-6)) + 1
    start = float(across.min()), float(down_mm.min()), float(through.min())
    return ObliqueSection(
        np.asarray(volume.affine, np.float64), volume.shape, right, down, normal, start,
        (columns, rows, count), pixel_mm,
    )  # fmt: skip


def _corners(volume: Volume, ends: list[tuple[float, float]]) -> Vector:
    """LPS mm of the eight corners of a block of voxels; shape (8, 3)."""
    return np.array([volume.position(*corner) for corner in product(*ends)])


def _turned(right: Vector, down: Vector, turn: Turn) -> tuple[Vector, Vector]:
    if turn.mirrored:
        right = -right
    for _ in range(turn.quarters):
        right, down = -down, right
    return right, down
