"""Where a picture pixel is on the screen, and what is seen there.

The view is 400 by 400 and the picture 16 by 16, so a fitted picture pixel is 25 by 25.
"""

from __future__ import annotations

import numpy as np

SIDE = 25


def middle_of(column, row):
    """View position of the middle of a fitted picture pixel."""
    return (column + 0.5) * SIDE, (row + 0.5) * SIDE


def at(image, column, row):
    x, y = middle_of(column, row)
    return image[int(y), int(x)]


def is_coloured(image):
    return image.max(axis=-1) - image.min(axis=-1) > 20


def one_pixel(session, row, column):
    mask = np.zeros(session.volume.shape, bool)
    mask[session.position, row, column] = True
    return mask
