"""The lesions of a study, one by one: what each measures and where it lies.

A lesion is a 26-connected component of one manifestation's mask with at least
`quantify.MIN_LESION_VOXELS` voxels, exactly as `quantify.measure` counts them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference.findings import Manifestation
from inference.grids import same_grid
from inference.lesion_data import PERIPHERAL_MM, Lesion, LesionPlaces, Lesions
from inference.lesion_patterns import find_patterns
from inference.lung_regions import LungRegions, depth_in_slice
from inference.quantify import MIN_LESION_VOXELS, bounds, label_components
from inference.studies.model import Unit

if TYPE_CHECKING:
    from inference.findings import Findings
    from inference.quantify import Components
    from inference.studies.model import Volume

__all__ = ["find_lesions"]

Where = tuple[NDArray[np.intp], ...]
"""Slices, rows and columns of a lesion's voxels."""

_LEAST_INSIDE: Final = 0.1
"""With less of it in the lung mask, nothing is said of how deep a lesion lies."""
_HULL_FROM: Final = 3
"""Fewer points are their own hull."""


def find_lesions(findings: Findings, volume: Volume) -> Lesions | None:
    """List the lesions of findings.

    Parameters
    ----------
    findings
        Of this volume.
    volume
        What was analysed.

    Returns
    -------
    Lesions or None
        None where no masks were computed, as on an X-ray.

    Raises
    ------
    ValueError
        When the findings belong to another series or grid.
    """
    same = same_grid(findings.shape, findings.affine, volume.shape, volume.affine)
    if findings.series_uid != volume.series_uid or not same:
        raise ValueError("these findings belong to another volume")
    if not findings.segments:
        return None
    lungs = findings.lungs if findings.lungs is not None and findings.lungs.any() else None
    depth = _depths(findings, lungs, volume)
    regions = None
    if lungs is not None and volume.has_orientation and volume.has_geometry:
        regions = LungRegions(lungs, volume)
    found: list[tuple[Lesion, Where]] = []
    specks = speck_voxels = 0
    for segment in findings.segments:
        components = label_components(segment.mask)
        ruler = _Ruler(segment.key, volume, depth, regions, lungs)
        found += _listed(components, ruler)
        small = components.sizes[~components.counts]
        specks += int(small.size)
        speck_voxels += int(small.sum())
    found.sort(key=lambda each: (-each[0].voxels, each[0].voxel[2], each[0].voxel))
    return Lesions(
        lesions=tuple(replace(one, number=n) for n, (one, _) in enumerate(found, start=1)),
        least_voxels=MIN_LESION_VOXELS,
        specks=specks,
        specks_ml=speck_voxels * volume.voxel_ml if volume.has_geometry else None,
        lungs_known=lungs is not None,
        sides_known=regions is not None and regions.told_apart,
        patterns=find_patterns(findings.segments, volume, lungs, depth),
        places=_places([where for _, where in found], volume.shape),
    )


def _places(found: list[Where], shape: tuple[int, int, int]) -> LesionPlaces:
    """Remember which voxel belongs to which lesion; lesions are in the order of their numbers."""
    flat = [np.ravel_multi_index(where, shape).astype(np.int64) for where in found]
    numbers = [np.full(len(one), n, np.int32) for n, one in enumerate(flat, start=1)]
    voxels = np.concatenate([*flat, np.empty(0, np.int64)])
    order = np.argsort(voxels)
    return LesionPlaces(
        shape, voxels[order], np.concatenate([*numbers, np.empty(0, np.int32)])[order]
    )


@dataclass(frozen=True, slots=True)
class _Ruler:
    """What the lesions of one manifestation are measured with."""

    key: Manifestation
    volume: Volume
    depth: NDArray[np.float32] | None
    regions: LungRegions | None
    lungs: NDArray[np.bool_] | None

    def lesion(self, where: tuple[NDArray[np.intp], ...]) -> Lesion:
        """Measure one; its number comes later."""
        volume = self.volume
        voxels = int(where[0].size)
        mean, deviation = _density(where, volume)
        slice_, row, column = centre = _centre(where, volume)
        side = self.regions.side(where, centre) if self.regions is not None else None
        x, y, z = volume.position(column, row, slice_)
        known = volume.has_orientation and volume.has_geometry
        return Lesion(
            number=0,
            key=self.key,
            voxels=voxels,
            volume_ml=voxels * volume.voxel_ml if volume.has_geometry else None,
            mean_hu=mean,
            sd_hu=deviation,
            diameter_mm=_diameter(where, volume) if volume.has_geometry else None,
            voxel=(column, row, slice_),
            position_mm=(float(x), float(y), float(z)) if known else None,
            side=side,
            zone=self.regions.zone(centre, side) if self.regions is not None else None,
            peripheral_share=self._peripheral_share(where),
            lung_share=None if self.lungs is None else float(self.lungs[where].mean()),
        )

    def _peripheral_share(self, where: tuple[NDArray[np.intp], ...]) -> float | None:
        # The pleural space is no part of the lung, whatever voxels the masks share.
        if self.depth is None or self.key is Manifestation.EFFUSION:
            return None
        depths = self.depth[where]
        inside = depths[depths > 0.0]
        if inside.size < _LEAST_INSIDE * depths.size:
            return None
        return float(np.count_nonzero(inside <= PERIPHERAL_MM) / inside.size)


def _listed(components: Components, ruler: _Ruler) -> list[tuple[Lesion, Where]]:
    if not components.sizes.size:
        return []
    origin = [part.start for part in components.box]
    found = []
    for index, box in enumerate(ndimage.find_objects(components.labels)):
        if components.counts[index]:
            inside = np.nonzero(components.labels[box] == index + 1)
            starts = (first + part.start for first, part in zip(origin, box, strict=True))
            slices, rows, columns = (p + s for p, s in zip(inside, starts, strict=True))
            where: Where = (slices, rows, columns)
            found.append((ruler.lesion(where), where))
    return found


def _depths(
    findings: Findings, lungs: NDArray[np.bool_] | None, volume: Volume
) -> NDArray[np.float32] | None:
    """Depth under the lung's surface in mm where a slice has lesions; 0 elsewhere.

    Pages that nobody writes to take no memory, so the shape may be that of the volume.
    """
    if lungs is None or not volume.has_geometry:
        return None
    depth = np.zeros(volume.shape, np.float32)
    _, rows, columns = bounds(lungs)
    pixels = np.sum([segment.pixels_per_slice for segment in findings.segments], axis=0)
    for index in np.flatnonzero(pixels):
        part = lungs[index, rows, columns]
        if part.any():
            depth[index, rows, columns] = depth_in_slice(part, volume)
    return depth


def _density(
    where: tuple[NDArray[np.intp], ...], volume: Volume
) -> tuple[float | None, float | None]:
    if volume.unit is not Unit.HU:
        return None, None
    values = volume.array[where]
    if volume.padding is not None:
        values = values[~volume.is_padding(values)]
    if not values.size:
        return None, None
    exact = values.astype(np.float64)
    return float(exact.mean()), float(exact.std())


def _centre(where: tuple[NDArray[np.intp], ...], volume: Volume) -> tuple[int, int, int]:
    """(slice, row, column) of the voxel nearest, in mm, to the centre of mass."""
    steps = np.stack([part - part.mean() for part in reversed(where)]).astype(np.float32)
    away = np.square(volume.affine[:3, :3].astype(np.float32) @ steps).sum(axis=0)
    nearest = int(away.argmin())
    slice_, row, column = (int(part[nearest]) for part in where)
    return slice_, row, column


def _diameter(where: tuple[NDArray[np.intp], ...], volume: Volume) -> float:
    """Largest distance in mm between two voxel centres of one slice."""
    slices, rows, columns = where
    axes = volume.affine[:3, :2]
    largest = 0.0
    # Voxels come slice by slice.
    firsts = np.flatnonzero(np.diff(slices, prepend=-1))[1:]
    for row, column in zip(np.split(rows, firsts), np.split(columns, firsts), strict=True):
        across = np.array([column.max() - column.min(), row.max() - row.min()])
        if row.size == 1 or float(np.linalg.norm(axes @ across)) <= largest:
            # The box of this slice leaves no room for more.
            continue
        points = np.stack([column, row], axis=1).astype(np.int32)
        hull = points if len(points) < _HULL_FROM else cv2.convexHull(points)[:, 0]
        corners = hull @ axes.T
        apart = np.square(corners[:, None] - corners[None]).sum(axis=2)
        largest = max(largest, float(np.sqrt(apart.max())))
    return largest
