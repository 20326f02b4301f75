"""What networks compute has to be numbers; else whatever is made of it would be wrong.

A mask, say, would be empty where a probability is not a number, and an empty mask says that nothing
was found.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from inference.errors import AnalysisError

__all__ = ["require_numbers"]


def require_numbers(
    model: str, outputs: Mapping[str, NDArray[np.float32]] | Mapping[str, torch.Tensor]
) -> None:
    """Refuse what a network computed where part of it is infinite or not a number.

    Parameters
    ----------
    model
        The network's name, for the reader.
    outputs
        By name, of any shape; on any device.

    Raises
    ------
    AnalysisError
        When there is such a value.
    """
    for values in outputs.values():
        # One such value makes the sum one, too; the sum of numbers stays far from the largest.
        if not np.isfinite(float(values.sum())):
            raise AnalysisError(
                f"The model {model} computed values that are not numbers, so there is no result; "
                "analyse again, and where that does not help, on another device."
            )
