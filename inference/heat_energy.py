"""How much of a heatmap lies where evidence may lie: numbers, and the words for them.

The share of heat inside a region ("energy", Wang et al. 2020, Score-CAM, section 4.3) means nothing
by itself: a map that is warm everywhere has a share, too, that of the region's area. Both are told.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.findings import Energy

__all__ = ["MOST", "energy_inside", "figure_text", "points_inside", "warning_text"]

MOST: Final = 0.5
"""More heat than this outside the lungs is worth a warning."""


def energy_inside(
    heat: NDArray[np.float32], region: NDArray[np.bool_], seen: NDArray[np.bool_] | None = None
) -> Energy | None:
    """Measure the share of the heat that lies inside a region.

    Parameters
    ----------
    heat
        Shape (rows, columns); what is not positive is no heat.
    region
        The same shape, bool.
    seen
        The same shape, bool: what the network saw and where the region is known; None: everywhere.
        The rest counts neither as heat nor as area.

    Returns
    -------
    Energy or None
        None when there is no heat at all, since nothing then lies anywhere.

    Raises
    ------
    ValueError
        When the shapes differ or nothing was seen.
    """
    known = np.ones(heat.shape, dtype=bool) if seen is None else seen
    if not heat.shape == region.shape == known.shape:
        raise ValueError(f"shapes differ: {heat.shape}, {region.shape}, {known.shape}")
    area = int(known.sum())
    if area == 0:
        raise ValueError("nothing of the picture was seen")
    positive = np.where(known, np.maximum(heat, 0.0), 0.0).astype(np.float64)
    total = float(positive.sum())
    if total <= 0.0:
        return None
    part = float(positive[region].sum()) / total
    return Energy(min(1.0, part), float((region & known).sum()) / area)


def points_inside(
    heat: NDArray[np.float32], region: NDArray[np.bool_], seen: NDArray[np.bool_] | None = None
) -> bool | None:
    """Say whether the hottest pixel lies inside a region (the pointing game, Zhang et al. 2018).

    Parameters
    ----------
    heat, region, seen
        As in `energy_inside`; there is no tolerance around the region.

    Returns
    -------
    bool or None
        None when there is no heat.
    """
    known = heat if seen is None else np.where(seen, heat, np.float32(0.0))
    hottest = int(known.argmax())
    if known.ravel()[hottest] <= 0.0:
        return None
    return bool(region.ravel()[hottest])


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %")


def figure_text(lungs: Energy) -> str:
    """One line with both figures.

    >>> figure_text(Energy(0.284, 0.41))
    'Heat inside the lungs: 28 % (an even map: 41 %)'
    >>> figure_text(Energy(0.284, 0.41, average=True))
    'Heat where lungs lie on average: 28 % (an even map: 41 %)'
    """
    where = "where lungs lie on average" if lungs.average else "inside the lungs"
    return f"Heat {where}: {_percent(lungs.inside)} (an even map: {_percent(lungs.even)})"


def warning_text(lungs: Energy | None) -> str:
    """Warn when most of the heat lies outside the lungs; empty when it does not or is not known.

    >>> warning_text(Energy(0.284, 0.41))
    'Most of the heat lies outside the lungs (72 %): the model may be looking at something else.'
    >>> warning_text(Energy(0.5, 0.1)), warning_text(None)
    ('', '')
    """
    if lungs is None or 1.0 - lungs.inside <= MOST:
        return ""
    share = _percent(1.0 - lungs.inside)
    if lungs.average:
        return (
            f"Most of the heat lies outside the region in which lungs lie on average ({share}): "
            "the model may be looking at something else. The lungs of this picture are not known."
        )
    return (
        f"Most of the heat lies outside the lungs ({share}): the model may "
        "be looking at something else."
    )
