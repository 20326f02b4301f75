"""The lesions of a study, one by one: what each measures and where it lies.

A lesion is a 26-connected component of one manifestation's mask with at least
`quantify.MIN_LESION_VOXELS` voxels, exactly as `quantify.measure` counts them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference.lesion_patterns import Patterns, find_patterns
from inference.lung_regions import LungRegions, Side, Zone, depth_in_slice
from inference.quantify import bounds, label_components
from inference.studies.model import Unit

if TYPE_CHECKING:
    from inference.findings import Findings, Manifestation
    from inference.quantify import Components
    from inference.studies.model import Volume

__all__ = ["PERIPHERAL_MM", "PERIPHERAL_SHARE", "Lesion", "Lesions", "Place", "find_lesions"]

PERIPHERAL_MM: Final = 15.0
"""Lung no deeper than this under its surface is peripheral.

About a third of the way to the deepest point of a slice of an adult's lung: readers call the outer
third peripheral (Bernheim et al., Radiology 2020;295:200463). Wang et al. (DeepSC-COVID) name no
single depth but show 0 to 35 mm; `Patterns` has that curve.
"""
PERIPHERAL_SHARE: Final = 0.5
"""A lesion with at least so much of its lung voxels in the periphery is peripheral."""
_HULL_FROM: Final = 3
"""Fewer points are their own hull."""


class Place(StrEnum):
    """Near the surface of the lung, or deep in it."""

    PERIPHERAL = "peripheral"
    CENTRAL = "central"


@dataclass(frozen=True, slots=True)
class Lesion:
    """One connected lesion.

    Parameters
    ----------
    number
        From 1, over all manifestations, the largest first.
    key
        Which manifestation.
    voxels
        How many it has.
    volume_ml
        None where the spacing is unknown.
    mean_hu, sd_hu
        Mean and standard deviation without padding; None where the source has no HU.
    diameter_mm
        Largest distance between two voxel centres of one slice; None where the spacing is unknown.
    voxel
        (column, row, slice) of the voxel of the lesion that is nearest to its centre of mass, so
        that whoever goes there sees it, however the lesion is bent.
    position_mm
        LPS position of that voxel; None where the patient axes are unknown.
    side
        By the lung that holds it, or is nearest to it; None without orientation, without lungs, or
        where the two lungs cannot be told apart.
    zone
        Third of that lung's height; None as for `side`, and where the lung is cut off by the scan.
    peripheral_share
        Share of its voxels in the lungs that lie within `PERIPHERAL_MM` of the lung's surface, in
        the slice; None without spacing or lungs, and where no voxel lies in the lung mask.
    """

    number: int
    key: Manifestation
    voxels: int
    volume_ml: float | None
    mean_hu: float | None
    sd_hu: float | None
    diameter_mm: float | None
    voxel: tuple[int, int, int]
    position_mm: tuple[float, float, float] | None
    side: Side | None
    zone: Zone | None
    peripheral_share: float | None

    @property
    def place(self) -> Place | None:
        """Peripheral or central; None where the share is not known."""
        if self.peripheral_share is None:
            return None
        return Place.PERIPHERAL if self.peripheral_share >= PERIPHERAL_SHARE else Place.CENTRAL


@dataclass(frozen=True, eq=False, slots=True)
class Lesions:
    """Every lesion of one analysis, and what they show together.

    Parameters
    ----------
    lesions
        The largest first.
    specks
        Components too small to be listed.
    specks_ml
        What these hold together; None where the spacing is unknown.
    lungs_known
        There is a lung mask; without it side, zone and place are not computed.
    sides_known
        Right and left lung could be told apart.
    patterns
        The four findings of Wang et al. (DeepSC-COVID).
    """

    lesions: tuple[Lesion, ...]
    specks: int
    specks_ml: float | None
    lungs_known: bool
    sides_known: bool
    patterns: Patterns


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
    if findings.series_uid != volume.series_uid or findings.shape != volume.shape:
        raise ValueError("these findings belong to another volume")
    if not findings.segments:
        return None
    lungs = findings.lungs if findings.lungs is not None and findings.lungs.any() else None
    depth = _depths(findings, lungs, volume)
    regions = None
    if lungs is not None and volume.has_orientation and volume.has_geometry:
        regions = LungRegions(lungs, volume)
    found: list[Lesion] = []
    specks = speck_voxels = 0
    for segment in findings.segments:
        components = label_components(segment.mask)
        ruler = _Ruler(segment.key, volume, depth, regions)
        found += _listed(components, ruler)
        small = components.sizes[~components.counts]
        specks += int(small.size)
        speck_voxels += int(small.sum())
    found.sort(key=lambda lesion: (-lesion.voxels, lesion.voxel[2], lesion.voxel))
    return Lesions(
        lesions=tuple(replace(one, number=n) for n, one in enumerate(found, start=1)),
        specks=specks,
        specks_ml=speck_voxels * volume.voxel_ml if volume.has_geometry else None,
        lungs_known=lungs is not None,
        sides_known=regions is not None and regions.told_apart,
        patterns=find_patterns(findings.segments, volume, lungs, depth),
    )


@dataclass(frozen=True, slots=True)
class _Ruler:
    """What the lesions of one manifestation are measured with."""

    key: Manifestation
    volume: Volume
    depth: NDArray[np.float32] | None
    regions: LungRegions | None

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
            peripheral_share=_peripheral(self.depth[where]) if self.depth is not None else None,
        )


def _listed(components: Components, ruler: _Ruler) -> list[Lesion]:
    if not components.sizes.size:
        return []
    origin = [part.start for part in components.box]
    found = []
    for index, box in enumerate(ndimage.find_objects(components.labels)):
        if components.counts[index]:
            inside = np.nonzero(components.labels[box] == index + 1)
            starts = (first + part.start for first, part in zip(origin, box, strict=True))
            slices, rows, columns = (p + s for p, s in zip(inside, starts, strict=True))
            found.append(ruler.lesion((slices, rows, columns)))
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


def _peripheral(depths: NDArray[np.float32]) -> float | None:
    inside = depths[depths > 0.0]
    return float(np.count_nonzero(inside <= PERIPHERAL_MM) / inside.size) if inside.size else None


def _density(
    where: tuple[NDArray[np.intp], ...], volume: Volume
) -> tuple[float | None, float | None]:
    if volume.unit is not Unit.HU:
        return None, None
    values = volume.array[where]
    if volume.padding is not None:
        values = values[values != volume.padding]
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
