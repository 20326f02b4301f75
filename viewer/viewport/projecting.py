"""How the plane in a pane lies on the screen, for what is measured on it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtGui import QTransform

from inference.measurements import Slant
from inference.measurements.planes import plane_axes
from viewer.measuring.aslant import ObliqueProjection
from viewer.measuring.projection import GridProjection, Projection
from viewer.measuring.slabs import slab_planes
from viewer.planes.oblique import ObliqueSection

if TYPE_CHECKING:
    from viewer.panes import Pane
    from viewer.planes.section import Planes, Section
    from viewer.viewport.framing import Framing

__all__ = ["projection_of"]


def projection_of(planes: Planes, index: int, pane: Pane, framing: Framing) -> Projection:
    """Say how one of a pane's planes lies in its view.

    Parameters
    ----------
    planes, index
        What is shown.
    pane
        Its tilt says how oblique planes lie, before the reader turned their picture on the screen.
    framing
        Where the picture lies in the view.
    """
    slab = slab_planes(pane.slab, index, planes.plane_mm, planes.count)
    if isinstance(planes, ObliqueSection):
        left, top, across, down = framing.left, framing.top, framing.scale_x, framing.scale_y
        slant = Slant(pane.tilt.right, pane.tilt.down, planes.pixel_mm)
        transform = QTransform(across, 0.0, 0.0, down, left, top)
        return ObliqueProjection(planes, index, slant, transform, slab)
    return replace(_on_grid(planes, index, framing), slab=slab)


def _on_grid(section: Section, index: int, framing: Framing) -> GridProjection:
    slices, rows, columns = section.shape
    axis = 2 - section.axis
    across, down = plane_axes(axis)

    def in_view(u: float, v: float) -> tuple[float, float]:
        place = [0.0, 0.0, 0.0]
        place[axis], place[across], place[down] = float(index), u, v
        return framing.to_view(*section.to_picture((place[0], place[1], place[2])))

    (x, y), (right_x, right_y), (down_x, down_y) = in_view(0, 0), in_view(1, 0), in_view(0, 1)
    turned = QTransform(right_x - x, right_y - y, down_x - x, down_y - y, x, y)
    return GridProjection(axis, index, (columns, rows, slices), turned)
