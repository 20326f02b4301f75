"""What the lesions of a study show together: the four findings of DeepSC-COVID.

Wang et al., IEEE TMI 2021;40:2463-2476 (doi:10.1109/TMI.2021.3079709), section III-B: how many
lesions there are, what share of the lungs they take, how dense they are, and how near to the
lung's surface they lie. There a lesion is any opacity inside the lungs; here the union of ground
glass and consolidation, since an effusion lies outside the lungs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inference.lesion_data import (
    DEPTHS_MM,
    HU_EDGES,
    OPACITIES,
    HuHistogram,
    Patterns,
    PeripheralCurve,
)
from inference.quantify import bounds, label_components
from inference.studies.model import Unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inference.findings import Segment
    from inference.studies.model import Volume

__all__ = ["find_patterns"]


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
        values = values[~volume.is_padding(values)]
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
