"""What of the measurements is under the mouse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QLineF, QPointF

from inference.measurements import Kind, Measurement
from viewer.measuring.shapes import handles, is_near

if TYPE_CHECKING:
    from viewer.measuring.painter import Label
    from viewer.measuring.projection import Pointer, Projection

__all__ = ["Hit", "can_move", "find_hit", "is_movable"]

_NEAR = 6.0
"""Logical pixels within which a handle or a line is under the mouse."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A handle of a measurement, its lines, or its label, given by its middle."""

    measurement: Measurement
    handle: int | None = None
    label: QPointF | None = None


def find_hit(
    pointer: Pointer,
    visible: Sequence[Measurement],
    labels: Sequence[Label],
    selected: Measurement | None,
) -> Hit | None:
    """Find what is under the mouse: the selected one first, then the newest.

    Handles come before lines, and lines before labels.

    Parameters
    ----------
    pointer
        Where the mouse is.
    visible
        What is drawn there.
    labels
        The words on the screen.
    selected
        One of the visible ones, or None.
    """
    projection, at = pointer.projection, pointer.at
    ordered = sorted(visible, key=lambda each: (each != selected, -each.number))
    for each in ordered:
        if each.kind is Kind.FREEHAND and each != selected:
            continue  # It has so many that there would be little left to move it by.
        for number, point in enumerate(handles(each, projection.steps(each))):
            if QLineF(projection.view(point), at).length() <= _NEAR:
                return Hit(each, handle=number)
    for each in ordered:
        if is_near(each, at, projection, _NEAR):
            return Hit(each)
    for label in labels:
        if label.rect.contains(at) and label.measurement in visible:
            # The words of a text are the text itself.
            is_text = label.measurement.kind is Kind.TEXT
            return Hit(label.measurement, label=None if is_text else label.rect.center())
    return None


def can_move(hit: Hit, projection: Projection) -> bool:
    """Say whether what is under the mouse can be moved here; words always can."""
    return hit.label is not None or is_movable(hit.measurement, projection)


def is_movable(each: Measurement, projection: Projection) -> bool:
    """Say whether a measurement stays on the planes it was drawn on when it is moved here.

    A single point goes along with any single plane.
    """
    alone = len(each.points) == 1 and projection.slab is None
    return alone or projection.is_own(each)
