"""What every system needs, once: device, precision, batches, cancelling, progress, clock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from inference import device as devices
from inference.errors import AnalysisError
from inference.findings import Timings
from inference.models import ModelRecord, ModelStore
from inference.preprocess import to_tensor
from inference.progress import Progress

__all__ = ["Clock", "Engine"]

_PARTS = ("read", "pre", "recognise", "label", "segment", "post")


class Clock:
    """Wall seconds by part of an analysis.

    Parameters
    ----------
    read_seconds
        Spent on reading before the clock was made; counted in the total.
    """

    def __init__(self, read_seconds: float = 0.0) -> None:
        self._start = time.perf_counter()
        self._read = read_seconds
        self._parts = dict.fromkeys(_PARTS, 0.0)
        self._parts["read"] = read_seconds

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count the time inside the block as that part."""
        if name not in self._parts:
            raise ValueError(f"the clock has no part {name!r}")
        start = time.perf_counter()
        try:
            yield
        finally:
            self._parts[name] += time.perf_counter() - start

    def timings(self) -> Timings:
        """The parts so far, and the total."""
        total = self._read + time.perf_counter() - self._start
        return Timings(**self._parts, total=total)


def _numpy(output: Any) -> dict[str, NDArray[np.float32]]:
    tensors = output if isinstance(output, dict) else {"": output}
    return {name: t.float().cpu().numpy() for name, t in tensors.items()}


class Engine:
    """Runs networks over pictures on the best device, and remembers loaded networks.

    Parameters
    ----------
    store
        Where the weights are.
    device
        As `inference.device.choose`.
    precision
        ``"auto"``: 16 bit where it pays; ``"float32"``.
    """

    def __init__(self, store: ModelStore, device: str = "auto", precision: str = "auto") -> None:
        self.store = store
        self.device = devices.choose(device)
        if self.device.type == "cpu":
            devices.keep_freed_memory()
        self._precision = precision
        self._networks: dict[str, nn.Module] = {}

    @property
    def dtype(self) -> torch.dtype | None:
        """The 16-bit type in use, or None for float32."""
        return devices.low_precision(self.device) if self._precision == "auto" else None

    def describe(self) -> str:
        """Device and precision for the reader."""
        kind = str(self.dtype).removeprefix("torch.") if self.dtype else "float32"
        return f"{devices.describe(self.device)}, {kind}"

    def network(self, record: ModelRecord) -> nn.Module:
        """The network of a record on the device; loaded and checked once."""
        found = self._networks.get(record.sha256)
        if found is None:
            found = devices.channels_last(self.store.load(record).to(self.device))
            self._networks[record.sha256] = found
        return found

    def _fall_back(self, batch: int, notes: list[str]) -> int:
        """After memory ran out: a smaller batch, then the CPU; raises when nothing is left."""
        if batch > 1:
            notes.append(f"Memory ran out; the batch was reduced to {batch // 2} slices.")
            if self.device.type == "cuda":
                torch.cuda.empty_cache()
            return batch // 2
        if self.device.type != "cpu":
            notes.append("The GPU's memory was too small; the analysis went on on the CPU.")
            self.device = torch.device("cpu")
            self._networks.clear()
            return batch
        raise AnalysisError(
            "There is not enough memory for the analysis; close other programs and try again."
        )

    def run(
        self,
        record: ModelRecord,
        pictures: NDArray[np.uint8],
        stage: str,
        progress: Progress,
        batch: int,
        notes: list[str],
    ) -> Iterator[tuple[slice, dict[str, NDArray[np.float32]]]]:
        """Run a network over prepared pictures, batch by batch.

        Parameters
        ----------
        record
            Which network.
        pictures
            Shape (n, size, size), uint8.
        stage
            What the reader sees while it runs.
        progress
            Told before every batch; cancelling takes effect there.
        batch
            Pictures a batch at the most.
        notes
            Gets a sentence when memory ran out.

        Yields
        ------
        tuple
            Which pictures, and the network's outputs (logits) by name, float32.

        Raises
        ------
        AnalysisError
            When memory does not suffice even for one picture on the CPU.
        """
        done, total = 0, len(pictures)
        while done < total:
            progress.report(stage, done, total)
            part = slice(done, min(total, done + batch))
            try:
                output = self._forward(record, pictures[part])
            except (torch.OutOfMemoryError, MemoryError):
                batch = self._fall_back(batch, notes)
                continue
            yield part, output
            done = part.stop
        progress.report(stage, total, total)

    def _forward(
        self, record: ModelRecord, pictures: NDArray[np.uint8]
    ) -> dict[str, NDArray[np.float32]]:
        network = self.network(record)
        x = to_tensor(pictures).to(self.device)
        x = x.contiguous(memory_format=torch.channels_last)
        with torch.inference_mode(), devices.autocast(self.device, self.dtype):
            return _numpy(network(x))
