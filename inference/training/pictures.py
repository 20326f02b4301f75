"""Picture files of a data folder."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.errors import BadInputError

__all__ = ["read_grey"]


def read_grey(path: Path) -> NDArray[np.uint8]:
    """An 8-bit picture file as (rows, columns), uint8.

    Raises
    ------
    BadInputError
        When it cannot be decoded.
    """
    picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise BadInputError(f"{path.name} cannot be read as a picture.")
    return np.asarray(picture, dtype=np.uint8)
