"""A network as an OpenVINO graph on the CPU, made once and kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from inference.backends import openvino_quietly
from inference.backends.cache import Cache
from inference.backends.convert import output_name, to_graph
from inference.backends.precisions import BFLOAT16, FLOAT32, INT8
from inference.backends.quantise import Ranges, quantised
from inference.backends.runner import BackendError, Logits
from inference.models import ModelRecord, ModelStore
from inference.preprocess import to_tensor

__all__ = ["GraphRunner", "load_graph", "supports"]

_FORMAT: Final = 3
"""Raised whenever `convert` makes other graphs of the same weights."""
_FILE: Final = "graph.xml"
MOST_STREAMS: Final = 8
"""Slices that are computed side by side at the most: a batch of the usual size."""


def load_graph(store: ModelStore, record: ModelRecord, cache: Cache) -> Any:
    """The float32 graph of a model, out of the cache or made and put there.

    Raises
    ------
    AnalysisError
        When the weights are missing or altered.
    BackendError
        When the graph cannot be made.
    """
    store.verify(record)
    core, version = openvino_quietly.core(), openvino_quietly.version()
    key = f"{record.sha256[:16]}-{record.size}-{version}-{_FORMAT}"

    def read(folder: Path | None) -> Any:
        try:
            return None if folder is None else core.read_model(folder / _FILE)
        except RuntimeError:
            return None  # whole, but not to be read

    found = read(cache.find(record.name, key))
    if found is not None:
        return found
    graph = to_graph(store.load(record), record.size)

    def write(folder: Path) -> None:
        try:
            openvino_quietly.load().save_model(graph, folder / _FILE, compress_to_fp16=False)
        except RuntimeError as error:  # OpenVINO's word for a full disk, too
            raise OSError(str(error)) from error

    kept = read(cache.put(record.name, key, write))
    return graph if kept is None else kept


def supports(precision: str) -> bool:
    """Whether the processor is said to compute in a precision at all; whether it pays is probed."""
    names = {INT8: "INT8", BFLOAT16: "BF16", FLOAT32: "FP32"}
    known = openvino_quietly.core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return names[precision] in known


class GraphRunner:
    """A compiled graph.

    Slices are computed one by one, several side by side: on two processors that took a tenth less
    time than a batch of eight, and no size of batch needs a graph of its own.

    Parameters
    ----------
    graph
        Of `load_graph`.
    precision
        `FLOAT32`, `BFLOAT16` or `INT8`.
    ranges
        For `INT8`.
    threads
        At the most; None: as many as PyTorch uses.

    Raises
    ------
    BackendError
        When the graph cannot be compiled.
    """

    def __init__(
        self,
        graph: Any,
        precision: str = FLOAT32,
        ranges: Ranges | None = None,
        threads: int | None = None,
    ) -> None:
        self.precision = precision
        if precision == INT8:
            graph = quantised(graph, ranges or {})
        count = threads or torch.get_num_threads()
        streams = min(count, MOST_STREAMS)
        settings = {
            "INFERENCE_NUM_THREADS": count,
            "NUM_STREAMS": streams,
            "INFERENCE_PRECISION_HINT": "bf16" if precision == BFLOAT16 else "f32",
            # A thread that is tied to a processor waits for whoever else is on it.
            "ENABLE_CPU_PINNING": False,
        }
        self._compiled = _guarded(
            lambda: openvino_quietly.core().compile_model(graph, "CPU", settings)
        )
        self._names = [output_name(output) for output in graph.outputs]
        self._shapes = [tuple(output.get_shape())[1:] for output in graph.outputs]
        self._requests = [self._compiled.create_infer_request() for _ in range(streams)]

    @property
    def kind(self) -> str:
        """Backend and precision in words."""
        return f"OpenVINO {openvino_quietly.version()} {self.precision}"

    def run(self, pictures: NDArray[np.uint8]) -> Logits:
        """As `Runner.run`."""
        x = to_tensor(pictures).numpy()
        results = [np.empty((len(x), *shape), dtype=np.float32) for shape in self._shapes]
        lanes = len(self._requests)

        def collect(index: int) -> None:
            request = self._requests[index % lanes]
            request.wait()
            for place, result in enumerate(results):
                result[index] = request.get_output_tensor(place).data[0]

        def work() -> None:
            for index in range(len(x)):
                if index >= lanes:
                    collect(index - lanes)
                self._requests[index % lanes].start_async([x[index : index + 1]], share_inputs=True)
            for index in range(max(0, len(x) - lanes), len(x)):
                collect(index)

        try:
            _guarded(work)
        except BaseException:
            self._settle()
            raise
        return dict(zip(self._names, results, strict=True))

    def _settle(self) -> None:
        """Let what was started end: it reads memory that is about to go."""
        for request in self._requests:
            try:
                request.wait()
            except RuntimeError:
                continue


def _guarded(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except RuntimeError as error:
        if "alloc" in str(error).lower():
            raise MemoryError(str(error)) from error
        raise BackendError("OpenVINO failed") from error
