"""A thread's own queue of work on the device, beside that of the networks.

On CUDA what two threads ask for in one queue would wait for each other's work, and each would be
credited with it; with a queue each they overlap. A turn ends when its work is done, so that
whatever it made may be used by any thread, and let go of, without further waiting. On other devices
the same steps run at once.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

__all__ = ["RECORDING", "Lane"]

RECORDING: Final = threading.RLock()
"""Held while a CUDA graph is recorded: nobody else may wait for the device, or take of its memory,
meanwhile (CUDA C++ Programming Guide, on stream capture)."""

_SENT: Final = {
    np.dtype(np.bool_): torch.bool,
    np.dtype(np.uint8): torch.uint8,
    np.dtype(np.int16): torch.int16,
    np.dtype(np.int32): torch.int32,
}
"""Types of stored values that travel as they are; others as float32, of which all is computed."""


class Lane:
    """One thread's way to the device and back; not for several threads at a time.

    Parameters
    ----------
    device
        Where it leads.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._on_cuda = device.type == "cuda"
        self._stream = torch.cuda.Stream(device) if self._on_cuda else None
        self._held: dict[tuple[str, torch.dtype], torch.Tensor] = {}

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Queue what is done inside, and wait for it at the end; without gradients.

        Raises
        ------
        torch.OutOfMemoryError
            When the device's memory does not suffice.
        """
        with torch.inference_mode():
            if self._stream is None:
                yield
                return
            with RECORDING, torch.cuda.stream(self._stream):
                yield
                self._stream.synchronize()

    def send(self, array: NDArray[np.generic], indices: NDArray[np.intp]) -> torch.Tensor:
        """Bring some slices of a volume to the device, inside a turn; once a turn and type.

        Parameters
        ----------
        array
            Shape (slices, rows, columns), stored values or a mask.
        indices
            Length n: which slices.

        Returns
        -------
        torch.Tensor
            Shape (n, rows, columns), in the volume's type or float32.
        """
        shape = (len(indices), *array.shape[1:])
        staged = self._staged("send", shape, _SENT.get(array.dtype, torch.float32))
        there = staged.numpy()
        for place, index in enumerate(indices):
            there[place] = array[index]
        return staged.to(self.device, non_blocking=True) if self._on_cuda else staged.clone()

    def fetch(self, values: torch.Tensor) -> NDArray[np.uint8]:
        """Bring bytes back, inside a turn; they are here when this returns.

        Parameters
        ----------
        values
            Any shape, uint8, on any device.
        """
        if values.device.type != "cuda" or self._stream is None:
            return np.asarray(values.cpu().numpy())
        staged = self._staged("fetch", tuple(values.shape), values.dtype)
        staged.copy_(values, non_blocking=True)
        self._stream.synchronize()
        return np.asarray(staged.numpy().copy())

    def _staged(self, way: str, shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
        """Memory of the host from which, and to which, a device copies by itself; taken once."""
        size = int(np.prod(shape))
        held = self._held.get((way, dtype))
        if held is None or held.numel() < size:
            held = torch.empty(size, dtype=dtype, pin_memory=self._on_cuda)
            self._held[way, dtype] = held
        return held[:size].view(shape)
