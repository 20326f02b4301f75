"""A network as PyTorch runs it, on any device."""

from __future__ import annotations

import copy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from inference import device as devices
from inference.backends.runner import Logits, Tensors
from inference.preprocess import MEAN, STD, to_tensor

__all__ = ["EagerRunner", "named", "scaled"]


def named(output: object) -> dict[str, torch.Tensor]:
    """A network's output by name; "" for a network with one.

    Raises
    ------
    TypeError
        When it is neither a tensor nor a dictionary of them.
    """
    if isinstance(output, dict):
        return output
    if isinstance(output, torch.Tensor):
        return {"": output}
    raise TypeError(f"a network gave {type(output).__name__}, not tensors")


def scaled(pictures: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """As `preprocess.to_tensor`, on the device of the pictures.

    Parameters
    ----------
    pictures
        Shape (batch, size, size), uint8.
    dtype
        Of the result, (batch, 1, size, size), channels last.
    """
    x = pictures.unsqueeze(1).float().div_(255.0).sub_(MEAN).div_(STD).to(dtype)
    return x.contiguous(memory_format=torch.channels_last)


class EagerRunner:
    """PyTorch.

    On the CPU pictures are prepared and computed as in training, float32 or autocast. On a GPU
    weights are cast once, pictures travel as bytes and are scaled there.

    Parameters
    ----------
    network
        In evaluation mode, on the device.
    device
        Where it is.
    dtype
        16-bit type, or None for float32.
    """

    def __init__(self, network: nn.Module, device: torch.device, dtype: torch.dtype | None) -> None:
        self._device = device
        self._dtype = dtype
        self._on_cpu = device.type == "cpu"
        if dtype is not None and not self._on_cpu:
            # Heatmaps need the float32 weights, so these are a copy.
            network = copy.deepcopy(network).to(dtype)
        self._network = network

    @property
    def kind(self) -> str:
        """Backend and precision in words."""
        precision = str(self._dtype or torch.float32).removeprefix("torch.")
        return f"PyTorch {precision}"

    def run(self, pictures: NDArray[np.uint8]) -> Logits:
        """As `Runner.run`."""
        moved = torch.from_numpy(np.ascontiguousarray(pictures)).to(self._device)
        return {name: t.cpu().numpy() for name, t in self.run_there(moved).items()}

    def run_there(self, pictures: torch.Tensor) -> Tensors:
        """As `TensorRunner.run_there`."""
        with torch.inference_mode():
            outputs = self._on_the_cpu(pictures) if self._on_cpu else self._beside(pictures)
            return {name: t.float() for name, t in outputs.items()}

    def _on_the_cpu(self, pictures: torch.Tensor) -> Tensors:
        x = to_tensor(pictures.numpy()).contiguous(memory_format=torch.channels_last)
        with devices.autocast(self._device, self._dtype):
            return named(self._network(x))

    def _beside(self, pictures: torch.Tensor) -> Tensors:
        """On a GPU: bytes over the bus, everything else over there."""
        return named(self._network(scaled(pictures, self._dtype or torch.float32)))
