"""Which panes show a measurement, and how one is made to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from inference.measurements import Slant
from viewer.measuring.slabs import slab_of, slab_planes
from viewer.panes import Content, Pane, SlabMode
from viewer.planes import ObliqueSection, section_of
from viewer.tilt import Tilt

if TYPE_CHECKING:
    from inference.measurements import Measurement
    from inference.studies.model import Volume

__all__ = ["is_seen", "pane_that_shows"]

Cursor = tuple[float, float, float]


def is_seen(
    measurement: Measurement, volume: Volume, cursor: Cursor, panes: Iterable[Pane]
) -> bool:
    """Say whether planes through a point show a measurement.

    Parameters
    ----------
    measurement
        Made on the volume.
    volume
        Gives the place of the point.
    cursor
        Voxel (column, row, slice) that all planes go through.
    panes
        What is shown; straight single planes are taken to be at hand.
    """
    if any(measurement.lies_on(axis, round(at)) for axis, at in enumerate(cursor)):
        return True
    return any(_shows(pane, measurement, volume, cursor) for pane in panes)


def _shows(pane: Pane, measurement: Measurement, volume: Volume, cursor: Cursor) -> bool:
    planes = None if pane.content is Content.VOLUME else section_of(volume, pane)
    if planes is None:
        return False
    index = planes.index_of(cursor)
    slab = slab_planes(pane.slab, index, planes.plane_mm, planes.count)
    if not isinstance(planes, ObliqueSection):
        return measurement.lies_on(2 - planes.axis, index, slab)
    slant = Slant(pane.tilt.right, pane.tilt.down, planes.pixel_mm)
    return measurement.lies_aslant(slant, planes.depth_mm(index), slab)


def pane_that_shows(
    measurement: Measurement, volume: Volume, panes: Sequence[Pane], active: int
) -> tuple[int, Pane] | None:
    """Say which pane is to show a measurement, and what else it must show for that.

    Parameters
    ----------
    measurement
        Its plane is the one that all planes go through.
    volume
        It was made on.
    panes
        What is shown.
    active
        Number of the pane that is taken where there is a choice.

    Returns
    -------
    tuple of int and Pane, or None
        None where a pane shows it already, or none could: no pane has planes across its axis.
    """
    order = [active, *(n for n in range(len(panes)) if n != active)]
    if measurement.slant is not None:
        tilt = Tilt(measurement.slant.right, measurement.slant.down)
        number = next((n for n in order if panes[n].content is Content.OBLIQUE), active)
        pane = replace(panes[number], content=Content.OBLIQUE, tilt=tilt)
        return number, _with_slab(pane, measurement)
    middle = measurement.points[0]
    able = [n for n in order if _axis(panes[n], volume) == measurement.axis]
    if not able or any(_shows(panes[n], measurement, volume, middle) for n in able):
        return None
    return able[0], _with_slab(panes[able[0]], measurement)


def _axis(pane: Pane, volume: Volume) -> int | None:
    """Voxel axis that a pane's planes are at right angles to; None for all but straight planes."""
    planes = None if pane.content is Content.VOLUME else section_of(volume, pane)
    return None if planes is None or isinstance(planes, ObliqueSection) else 2 - planes.axis


def _with_slab(pane: Pane, measurement: Measurement) -> Pane:
    """The pane with the slab that shows a measurement: its own, one plane, or as it is."""
    if measurement.slab is not None:
        return replace(pane, slab=slab_of(measurement.slab))
    if measurement.kind.reads_values:
        return replace(pane, slab=replace(pane.slab, mode=SlabMode.THIN))
    return pane
