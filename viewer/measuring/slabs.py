"""The slab in a pane, as a measurement keeps it, and back."""

from __future__ import annotations

from typing import Final

from inference.measurements.slabs import Merge, SlabPlanes
from viewer.panes import THICKEST_MM, Slab, SlabMode, span_of

__all__ = ["slab_of", "slab_planes"]

_MERGES: Final = {
    SlabMode.MAXIMUM: Merge.MAXIMUM,
    SlabMode.MINIMUM: Merge.MINIMUM,
    SlabMode.MEAN: Merge.MEAN,
}
_MODES: Final = {merge: mode for mode, merge in _MERGES.items()}
_DIGITS: Final = 6
"""Of the distance between planes: what is kept in a file must be equal to what is shown again."""


def slab_planes(slab: Slab, index: int, plane_mm: float, count: int) -> SlabPlanes | None:
    """Say which planes a pane shows as one; None where it shows one alone.

    Parameters
    ----------
    slab
        Of the pane.
    index
        The plane in its middle.
    plane_mm
        Distance between planes.
    count
        How many there are.
    """
    start, stop = span_of(index, slab.planes(plane_mm), count)
    if stop - start < 2:
        return None
    before, after = index - start, stop - 1 - index
    return SlabPlanes(_MERGES[slab.mode], before, after, round(plane_mm, _DIGITS))


def slab_of(planes: SlabPlanes) -> Slab:
    """Say what a pane is asked for, to show just these planes around the same one.

    At the ends of a volume a slab has fewer planes than it was asked for; those that are missing
    are asked for again.
    """
    wanted = planes.count
    if planes.before < (wanted - 1) // 2:
        wanted = 2 * planes.after
    elif planes.after < wanted // 2:
        wanted = 2 * planes.before + 1
    return Slab(_MODES[planes.merge], min(wanted * planes.step, THICKEST_MM))
