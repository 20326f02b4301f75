"""What every way of running a network promises."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["BackendError", "Logits", "Runner"]

Logits = dict[str, NDArray[np.float32]]
"""Outputs (n, ...) by name; a network with one output calls it ""."""


class BackendError(Exception):
    """A backend cannot be used here; the text is the end of a sentence for the reader."""


class Runner(Protocol):
    """One network, ready to run."""

    @property
    def kind(self) -> str:
        """Backend and precision in words, e.g. ``"OpenVINO 2026.4.1 int8"``."""
        ...

    def run(self, pictures: NDArray[np.uint8]) -> Logits:
        """Run over one batch.

        Parameters
        ----------
        pictures
            Shape (n, size, size), uint8, out of `preprocess.prepare`; n >= 1.

        Raises
        ------
        MemoryError, torch.OutOfMemoryError
            When the batch is too large.
        BackendError
            When the backend fails.
        """
        ...
