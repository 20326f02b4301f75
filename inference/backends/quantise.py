"""Eight-bit integers in a graph's convolutions.

Inputs of convolutions are quantised by the tensor, unsigned, over ranges that were measured on
training pictures; weights by the output channel, symmetrically (the scheme of Jacob et al., CVPR
2018, which processors compute in). The graph gets nodes that say so; OpenVINO turns them into
integer arithmetic.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from inference.backends.convert import convolutions, weights_of
from inference.backends.openvino_quietly import load
from inference.backends.runner import BackendError
from inference.preprocess import to_tensor

__all__ = ["Ranges", "measure_ranges", "quantised"]

Ranges = Mapping[str, tuple[float, float]]
"""Least and greatest input of a convolution, by its module's name."""

_LEVELS = 256
_WEIGHT_LEVELS = 255
_LEAST = 1e-8
"""Weights of a channel that are all zero still need a range."""


def measure_ranges(
    network: nn.Module, batches: Iterable[NDArray[np.uint8]]
) -> dict[str, tuple[float, float]]:
    """Range of every convolution's input over pictures.

    Parameters
    ----------
    network
        In evaluation mode, float32, on the CPU.
    batches
        Each (n, size, size), uint8.
    """
    found: dict[str, tuple[float, float]] = {}

    def watch(name: str) -> Any:
        def hook(_: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
            low, high = (float(v) for v in torch.aminmax(inputs[0]))
            before = found.get(name, (low, high))
            found[name] = (min(low, before[0]), max(high, before[1]))

        return hook

    hooks = [
        module.register_forward_pre_hook(watch(name))
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d)
    ]
    try:
        with torch.inference_mode():
            for pictures in batches:
                network(to_tensor(pictures))
    finally:
        for hook in hooks:
            hook.remove()
    return found


def _grid(low: float, high: float) -> tuple[float, float]:
    """The range of 256 evenly spaced values, one of which is zero, that covers low to high."""
    low, high = min(low, 0.0), max(high, _LEAST)
    if low == 0.0:
        return low, high
    step = (high - low) / (_LEVELS - 1)
    zero = round(-low / step)
    return -zero * step, (_LEVELS - 1 - zero) * step


def quantised(graph: Any, ranges: Ranges) -> Any:
    """A copy of a graph with integer convolutions.

    Parameters
    ----------
    graph
        Of `convert.to_graph`.
    ranges
        Of `measure_ranges`, for the same weights.

    Raises
    ------
    BackendError
        When a convolution has no range: ranges of other weights, or another form of the graph.
    """
    load()
    ops = importlib.import_module("openvino.opset13")

    def constant(values: Any) -> Any:
        return ops.constant(np.asarray(values, dtype=np.float32))

    result = graph.clone()
    made: dict[tuple[str, int], Any] = {}
    for node in list(convolutions(result)):
        weights = weights_of(node)
        name = node.get_friendly_name()
        if weights is None or name not in ranges:
            raise BackendError("the ranges for 8-bit arithmetic are those of other weights")
        source = node.input_value(0)
        key = (source.get_node().get_friendly_name(), source.get_index())
        if key not in made:
            low, high = (constant(limit) for limit in _grid(*ranges[name]))
            made[key] = ops.fake_quantize(source, low, high, low, high, _LEVELS).output(0)
        node.input(0).replace_source_output(made[key])
        kernel = node.input_value(1)
        shape = [int(n) for n in kernel.get_shape()]
        channels = 1 if node.get_type_name() == "Convolution" else 2
        inner = tuple(range(channels, len(shape)))
        most = np.abs(weights.reshape(shape)).max(axis=inner, keepdims=True)
        low, high = constant(-np.maximum(most, _LEAST)), constant(np.maximum(most, _LEAST))
        node.input(1).replace_source_output(
            ops.fake_quantize(kernel, low, high, low, high, _WEIGHT_LEVELS).output(0)
        )
    result.validate_nodes_and_infer_types()
    return result
