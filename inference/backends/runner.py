"""What every way of running a network promises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

__all__ = ["BackendError", "Logits", "Runner", "TensorRunner", "Tensors"]

Logits = dict[str, NDArray[np.float32]]
"""Outputs (n, ...) by name; a network with one output calls it ""."""

Tensors: TypeAlias = "dict[str, torch.Tensor]"
"""The same, float32, on some device."""


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


@runtime_checkable
class TensorRunner(Runner, Protocol):
    """One that also takes pictures which lie on its device, and leaves its answer there."""

    def run_there(self, pictures: torch.Tensor) -> Tensors:
        """Run over one batch.

        Parameters
        ----------
        pictures
            Shape (n, size, size), uint8, on the device of the network; n >= 1.

        Returns
        -------
        dict
            As `Logits`, on that device; on CUDA it may still be computed, in the queue of the
            thread that asked.

        Raises
        ------
        MemoryError, torch.OutOfMemoryError, BackendError
            As `Runner.run`.
        """
        ...
