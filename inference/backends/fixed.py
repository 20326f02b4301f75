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
from inference.backends.lane import RECORDING
from inference.backends.runner import BackendError, Logits, Tensors

__all__ = ["FixedShapeRunner"]

_WARM_UP = 3
"""Runs before recording, in which cuDNN chooses its kernels (PyTorch's notes on CUDA graphs)."""


class FixedShapeRunner:
    """Every batch is padded to the size of the largest so far, for which the network is recorded.

    Pictures go to the device as bytes, from pinned memory and without waiting, and logits come back
    in the same way; or both stay there (`run_there`).

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
        self._there: torch.Tensor | None = None
        self._sent: torch.Tensor | None = None
        self._outputs: dict[str, torch.Tensor] = {}
        self._back: dict[str, torch.Tensor] = {}

    @property
    def kind(self) -> str:
        """Backend and precision in words."""
        how = "PyTorch CUDA graph" if self._on_cuda else "PyTorch fixed shape"
        return f"{how} {str(self._dtype).removeprefix('torch.')}"

    def get_ready(self, shape: tuple[int, int, int]) -> None:
        """Take memory for batches of up to that (n, size, size), and record.

        It may be left out, and costs nothing when it has been done. Nothing is kept when it fails.

        Raises
        ------
        torch.OutOfMemoryError
            When the batch is too large.
        BackendError
            When the network cannot be recorded.
        """
        if self._there is not None and len(self._there) >= shape[0]:
            return
        # What was recorded for fewer is let go of first: both may be too much.
        self._recorded, self._there, self._sent = None, None, None
        self._outputs, self._back = {}, {}
        try:
            with torch.inference_mode():
                there = torch.zeros(shape, dtype=torch.uint8, device=self._device)
                if self._on_cuda:
                    self._record(there)
                else:
                    self._outputs = self._compute(there)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            raise BackendError("the GPU could not record the network") from error
        self._there = there

    def run(self, pictures: NDArray[np.uint8]) -> Logits:
        """As `Runner.run`."""
        count = len(pictures)
        there = self._room_for(pictures.shape)
        with torch.inference_mode():
            if self._sent is None:
                self._sent = self._on_the_host(there)
                self._back = {name: self._on_the_host(o) for name, o in self._outputs.items()}
            self._sent[:count].copy_(torch.from_numpy(np.ascontiguousarray(pictures)))
            there.copy_(self._sent, non_blocking=True)
            self._play(there)
            for name, output in self._outputs.items():
                self._back[name].copy_(output, non_blocking=True)
            if self._on_cuda:
                # This thread's queue alone: another thread's work is no part of it.
                torch.cuda.current_stream(self._device).synchronize()
            return {name: back[:count].numpy().copy() for name, back in self._back.items()}

    def run_there(self, pictures: torch.Tensor) -> Tensors:
        """As `TensorRunner.run_there`."""
        count = len(pictures)
        there = self._room_for(tuple(pictures.shape))
        with torch.inference_mode():
            there[:count].copy_(pictures, non_blocking=True)
            self._play(there)
            # The next batch is written where this one is.
            return {name: output[:count].clone() for name, output in self._outputs.items()}

    def _room_for(self, shape: tuple[int, ...]) -> torch.Tensor:
        count, rows, columns = shape
        self.get_ready((count, rows, columns))
        if self._there is None:
            raise BackendError("the network was not prepared")
        return self._there

    def _on_the_host(self, like: torch.Tensor) -> torch.Tensor:
        return torch.empty(like.shape, dtype=like.dtype, pin_memory=self._on_cuda)

    def _record(self, there: torch.Tensor) -> None:
        with RECORDING, torch.cuda.device(self._device):
            aside = torch.cuda.Stream(self._device)
            aside.wait_stream(torch.cuda.current_stream(self._device))
            with torch.cuda.stream(aside):
                for _ in range(_WARM_UP):
                    self._compute(there)
            torch.cuda.current_stream(self._device).wait_stream(aside)
            recorded = torch.cuda.CUDAGraph()
            # Threads that know nothing of `RECORDING` may still take memory.
            with torch.cuda.graph(recorded, capture_error_mode="thread_local"):
                self._outputs = self._compute(there)
        self._recorded = recorded

    def _compute(self, there: torch.Tensor) -> dict[str, torch.Tensor]:
        x = scaled(there, self._dtype)
        return {name: output.float() for name, output in named(self._network(x)).items()}

    def _play(self, there: torch.Tensor) -> None:
        if self._recorded is None:
            self._outputs = self._compute(there)
        else:
            self._recorded.replay()
