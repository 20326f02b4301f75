"""Whether a measurement lies in any of the planes that are looked at."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from inference.measurements import Slant
from viewer.panes import Content

if TYPE_CHECKING:
    from inference.measurements import Measurement
    from inference.studies.model import Volume
    from viewer.panes import Pane

__all__ = ["is_seen"]


def is_seen(
    measurement: Measurement,
    volume: Volume,
    cursor: tuple[float, float, float],
    panes: Iterable[Pane],
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
        What is shown; of oblique planes the tilt counts, straight ones are taken to be at hand.
    """
    if any(measurement.lies_on(axis, round(at)) for axis, at in enumerate(cursor)):
        return True
    if measurement.slant is None:
        return False
    for pane in panes:
        if pane.content is Content.OBLIQUE:
            shown = Slant(pane.tilt.right, pane.tilt.down, measurement.slant.step)
            # The plane that is shown is the nearest to the cursor of those a step apart.
            depth = float(shown.normal @ volume.position(*cursor))
            if measurement.lies_aslant(shown, depth):
                return True
    return False
