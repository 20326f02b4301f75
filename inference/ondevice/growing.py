"""Masks grown by a distance in the plane, and codes kept to them: `lungs.dilate` in torch."""

from __future__ import annotations

from math import isqrt

import torch

__all__ = ["grown"]


def grown(mask: torch.Tensor, furthest: int) -> torch.Tensor:
    """Grow a mask slice by slice.

    The distance to the nearest set pixel of the same row is known after two runs along the row;
    the nearest of all lies in one of the rows within reach. All of it are whole numbers, as in
    OpenCV's precise distance transform (Felzenszwalb and Huttenlocher 2012).

    Parameters
    ----------
    mask
        Shape (n, rows, columns), bool.
    furthest
        Square of the greatest distance that is grown, in pixels.

    Returns
    -------
    torch.Tensor
        That shape, bool.
    """
    reach = isqrt(furthest)
    columns = torch.arange(mask.shape[-1], dtype=torch.int32, device=mask.device)
    along = torch.minimum(
        columns - _latest(mask, columns),
        (columns - _latest(mask.flip(-1), columns)).flip(-1),
    )
    # Whatever lies beyond is as good as one pixel too far.
    squares = along.clamp(max=reach + 1).square()
    nearest = squares.clone()
    for rows in range(1, min(reach + 1, mask.shape[-2])):
        farther = squares + rows * rows
        below, above = nearest[:, rows:], nearest[:, :-rows]
        torch.minimum(below, farther[:, :-rows], out=below)
        torch.minimum(above, farther[:, rows:], out=above)
    return nearest <= furthest


def _latest(mask: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    """The last set column up to each one; far to the left where there is none."""
    none = -(2 * len(columns) + 1)
    return torch.where(mask, columns, none).cummax(dim=-1).values
