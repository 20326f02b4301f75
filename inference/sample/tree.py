"""Vessel and airway trees that fill a lung: a branch for every group of points it serves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Branch", "grow"]

Point = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Branch:
    """A round cone from start to end; `served` is the number of leaves beyond it."""

    start: Point
    end: Point
    radius_start: float
    radius_end: float
    served: int


def grow(
    root: Point, points: NDArray[np.float64], rng: np.random.Generator, leaf_mm: float
) -> list[Branch]:
    """Grow a tree from a root to every point.

    Groups of points are halved along their longest axis; a branch goes part of the way to its
    group's centre, and radii follow Murray's law (the cube of a parent's radius is the sum of its
    children's).

    Parameters
    ----------
    root
        (x, y, z) in mm.
    points
        Shape (n, 3), in mm.
    rng
        Bends the branches.
    leaf_mm
        Radius of the last branches.
    """
    branches: list[Branch] = []
    stack: list[tuple[Point, float, NDArray[np.float64]]] = [
        (root, min(6.0, leaf_mm * len(points) ** (1 / 3)), points)
    ]
    while stack:
        start, radius, group = stack.pop()
        count = len(group)
        own = min(radius, leaf_mm * count ** (1 / 3))
        centre = group.mean(axis=0)
        reach = 1.0 if count == 1 else 0.42 if count > 60 else 0.55
        end = start + (centre - start) * reach
        length = float(np.linalg.norm(end - start))
        tip = own if count > 1 else 0.6 * own
        if length > 9:
            bend = (start + end) / 2 + rng.normal(0, 0.05 * length, 3)
            middle = (own + tip) / 2
            branches.append(Branch(start, bend, own, middle, count))
            branches.append(Branch(bend, end, middle, tip, count))
        else:
            branches.append(Branch(start, end, own, tip, count))
        if count > 1:
            spread = group - centre
            _, axes = np.linalg.eigh(spread.T @ spread)
            axis = axes[:, 2]
            order = np.argsort(spread @ axis, kind="stable")
            cut = int(np.clip(rng.normal(0.5, 0.12), 0.25, 0.75) * count)
            cut = min(max(cut, 1), count - 1)
            stack.append((end, own, group[order[:cut]]))
            stack.append((end, own, group[order[cut:]]))
    return branches
