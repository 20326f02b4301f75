"""What the lesions of a study show together: the four findings of DeepSC-COVID.

Wang et al., IEEE TMI 2021;40:2463-2476 (doi:10.1109/TMI.2021.3079709), section III-B: how many
lesions there are, what share of the lungs they take, how dense they are, and how near to the
lung's surface they lie. There a lesion is any opacity inside the lungs; here the union of ground
glass and consolidation, since an effusion lies outside the lungs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from inference.findings import Manifestation
from inference.quantify import bounds, label_components
from inference.studies.model import Unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inference.findings import Segment
    from inference.studies.model import Volume

__all__ = [
    "DEPTHS_MM",
    "HU_EDGES",
    "OPACITIES",
    "HuHistogram",
    "Patterns",
    "PeripheralCurve",
    "find_patterns",
]

OPACITIES: Final = (Manifestation.GGO, Manifestation.CONSOLIDATION)
"""What counts as a lesion in the paper's sense."""
HU_EDGES: Final = tuple(range(-1000, 241, 20))
"""Edges of the histogram's bins in HU: all that the paper speaks of, -970 to 140."""
DEPTHS_MM: Final = tuple(range(36))
"""Thicknesses of the periphery, in mm: the range of the paper's Fig. 1 (i)."""


@dataclass(frozen=True, slots=True)
class HuHistogram:
    """How the HU of all lesion voxels are distributed.

    Parameters
    ----------
    shares
        For each bin between `HU_EDGES`, its share of all lesion voxels, padding left out.
    below, above
        Share under the first and from the last edge on; with `shares` they add to one.
    """

    shares: tuple[float, ...]
    below: float
    above: float

    def between(self, low: float, high: float) -> float:
        """Share of the bins that lie in a range of HU."""
        return sum(
            share
            for share, left, right in zip(self.shares, HU_EDGES, HU_EDGES[1:], strict=False)
            if low <= left and right <= high
        )


@dataclass(frozen=True, slots=True)
class PeripheralCurve:
    """Peripheral lesion ratio against the thickness of the periphery.

    The periphery is what an erosion of the lung mask by a disc takes away, slice by slice
    (equation 1 of the paper). The paper's lesions lie inside its lung mask; here they may stick
    out of it, and what has no depth is left out of the ratio.

    Parameters
    ----------
    ratios
        For each of `DEPTHS_MM`, the share of the lesion voxels in the lungs that are no deeper.
    inside
        Share of all lesion voxels that lie in the lung mask.
    """

    ratios: tuple[float, ...]
    inside: float


@dataclass(frozen=True, slots=True)
class Patterns:
    """The four findings of one study.

    Parameters
    ----------
    count
        Lesions of at least `quantify.MIN_LESION_VOXELS`, ground glass and consolidation taken
        together: what touches is one.
    percent_of_lung
        Their share of the lungs, at most 100; None without a lung mask.
    histogram
        None without HU, or where nothing was found.
    periphery
        None without a lung mask or spacing, or where no lesion lies in the lungs.
    """

    count: int
    percent_of_lung: float | None
    histogram: HuHistogram | None
    periphery: PeripheralCurve | None


def find_patterns(
    segments: Sequence[Segment],
    volume: Volume,
    lungs: NDArray[np.bool_] | None,
    depth: NDArray[np.float32] | None,
) -> Patterns:
    """Measure the four findings.

    Parameters
    ----------
    segments
        Masks of the manifestations.
    volume
        What they lie on.
    lungs
        Lung mask that is not empty, or None.
    depth
        Depth in mm of each voxel under the surface of the lung, in its slice, wherever there are
        lesions; 0 outside the lungs. None where it is not known.
    """
    masks = [segment.mask for segment in segments if segment.key in OPACITIES]
    boxes = [box for box in map(bounds, masks) if box[0].stop]
    box = tuple(
        slice(min(b[axis].start for b in boxes), max(b[axis].stop for b in boxes))
        if boxes
        else slice(0, 0)
        for axis in range(3)
    )
    union = np.zeros([part.stop - part.start for part in box], np.bool_)
    for mask in masks:
        union |= mask[box]
    voxels = int(np.count_nonzero(union))
    percent = None
    if lungs is not None:
        percent = min(100.0, 100.0 * voxels / int(np.count_nonzero(lungs)))
    return Patterns(
        count=label_components(union).lesions if voxels else 0,
        percent_of_lung=percent,
        histogram=_histogram(volume.array[box][union], volume) if voxels else None,
        periphery=_periphery(depth[box][union]) if voxels and depth is not None else None,
    )


def _histogram(values: NDArray[np.generic], volume: Volume) -> HuHistogram | None:
    if volume.unit is not Unit.HU:
        return None
    if volume.padding is not None:
        values = values[values != volume.padding]
    if not values.size:
        return None
    low, high = HU_EDGES[0], HU_EDGES[-1]
    exact = values.astype(np.float32)
    # A bin holds its left edge and not its right one; numpy's last bin would hold both.
    within = exact[(exact >= low) & (exact < high)]
    counts = np.histogram(within, bins=np.array(HU_EDGES))[0]
    return HuHistogram(
        shares=tuple(float(count) for count in counts / exact.size),
        below=float(np.count_nonzero(exact < low) / exact.size),
        above=float(np.count_nonzero(exact >= high) / exact.size),
    )


def _periphery(depths: NDArray[np.float32]) -> PeripheralCurve | None:
    inside = np.sort(depths[depths > 0.0])
    if not inside.size:
        return None
    reached = np.searchsorted(inside, np.array(DEPTHS_MM, np.float32), side="right")
    return PeripheralCurve(
        ratios=tuple(float(share) for share in reached / inside.size),
        inside=float(inside.size / depths.size),
    )
