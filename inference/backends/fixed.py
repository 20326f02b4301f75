"""PyTorch at one shape: on CUDA as a recorded graph that is played again for every batch.

Launching the hundreds of small kernels of a network one by one takes longer than computing them on
a large GPU; a CUDA graph launches them at once, which needs the same memory and shapes each time.
On other devices the same steps run unrecorded, which is how they are tested.
"""

from __future__ import annotations

import copy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from inference.backends.eager import named, scaled
from inference.backends.runner import BackendError, Logits

__all__ = ["FixedShapeRunner"]

_WARM_UP = 3
"""Runs before recording, in which cuDNN chooses its kernels (PyTorch's notes on CUDA graphs)."""


class FixedShapeRunner:
    """Every batch is padded to the size of the first; larger ones are run in pieces.

    Pictures go to the device as bytes, from pinned memory and without waiting; logits come back in
    the same way.

    Parameters
    ----------
    network
        In evaluation mode, float32, on the device.
    device
        Where it is.
    dtype
        16-bit type, or None for float32.
    """

    def __init__(self, network: nn.Module, device: torch.device, dtype: torch.dtype | None) -> None:
        # Heatmaps need the float32 weights, so those of 16 bit are a copy.
        self._network = network if dtype is None else copy.deepcopy(network).to(dtype)
        self._device = device
        self._dtype = dtype or torch.float32
        self._on_cuda = device.type == "cuda"
        self._recorded: torch.cuda.CUDAGraph | None = None
        self._sent: torch.Tensor | None = None
        self._there = torch.empty(0)
        self._outputs: dict[str, torch.Tensor] = {}
        self._back: dict[str, torch.Tensor] = {}

    @property
    def kind(self) -> str:
        """Backend and precision in words."""
        how = "PyTorch CUDA graph" if self._on_cuda else "PyTorch fixed shape"
        return f"{how} {str(self._dtype).removeprefix('torch.')}"

    def run(self, pictures: NDArray[np.uint8]) -> Logits:
        """As `Runner.run`."""
        with torch.inference_mode():
            if self._sent is None:
                self._prepare(pictures.shape)
            parts = []
            size = len(self._there)
            for start in range(0, len(pictures), size):
                parts.append(self._batch(pictures[start : start + size]))
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _prepare(self, shape: tuple[int, ...]) -> None:
        """Take memory for one shape, and record; nothing is kept when that fails."""
        sent = torch.zeros(shape, dtype=torch.uint8, pin_memory=self._on_cuda)
        self._there = torch.zeros(shape, dtype=torch.uint8, device=self._device)
        try:
            if self._on_cuda:
                self._record()
            else:
                self._outputs = self._compute()
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            raise BackendError("the GPU could not record the network") from error
        self._back = {
            name: torch.empty(output.shape, dtype=torch.float32, pin_memory=self._on_cuda)
            for name, output in self._outputs.items()
        }
        self._sent = sent

    def _record(self) -> None:
        aside = torch.cuda.Stream(self._device)
        aside.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(aside):
            for _ in range(_WARM_UP):
                self._compute()
        torch.cuda.current_stream(self._device).wait_stream(aside)
        recorded = torch.cuda.CUDAGraph()
        with torch.cuda.graph(recorded):
            self._outputs = self._compute()
        self._recorded = recorded

    def _compute(self) -> dict[str, torch.Tensor]:
        x = scaled(self._there, self._dtype)
        return {name: output.float() for name, output in named(self._network(x)).items()}

    def _batch(self, pictures: NDArray[np.uint8]) -> Logits:
        count = len(pictures)
        if self._sent is None:
            raise BackendError("the network was not prepared")
        self._sent[:count].copy_(torch.from_numpy(np.ascontiguousarray(pictures)))
        self._there.copy_(self._sent, non_blocking=True)
        if self._recorded is None:
            self._outputs = self._compute()
        else:
            self._recorded.replay()
        for name, output in self._outputs.items():
            self._back[name].copy_(output, non_blocking=True)
        if self._on_cuda:
            torch.cuda.synchronize(self._device)
        return {name: back[:count].numpy().copy() for name, back in self._back.items()}
