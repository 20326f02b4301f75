"""From a PyTorch network to an OpenVINO graph.

The graph takes (1, 1, size, size) float32, as `preprocess.to_tensor` gives it. Its convolutions
carry the names of the network's modules, by which `quantise` finds them again.
"""

from __future__ import annotations

import importlib
import warnings
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

from inference.backends.openvino_quietly import load
from inference.backends.runner import BackendError

__all__ = ["convolutions", "output_name", "to_graph", "weights_of"]

_PREFIX = "logits:"
"""Before the names of outputs, since a graph's may not be empty."""

_CONVOLUTIONS = {"Convolution", "GroupConvolution"}
_WRAPPERS = {"Reshape", "Convert", "Unsqueeze"}


class _InOrder(nn.Module):
    """Outputs as a tuple: tracing takes no dictionary."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.names: tuple[str, ...] = ()

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        output = self.network(x)
        named = output if isinstance(output, dict) else {"": output}
        self.names = tuple(named)
        return tuple(named.values())


def to_graph(network: nn.Module, size: int) -> Any:
    """Convert a network.

    Parameters
    ----------
    network
        In evaluation mode, float32, on the CPU. The graph may share its memory.
    size
        Side of the pictures in pixels.

    Returns
    -------
    openvino.Model

    Raises
    ------
    BackendError
        When there is no OpenVINO, or it cannot express the network.
    """
    load()
    frontend = importlib.import_module("openvino.frontend")
    decoder = importlib.import_module("openvino.frontend.pytorch.ts_decoder")
    example = torch.zeros(1, 1, size, size)
    whole = _InOrder(network).eval()
    try:
        with torch.no_grad(), warnings.catch_warnings():
            # torch.jit is deprecated and goes on working in the torch that pyproject.toml names;
            # torch.export takes five times as long, and OpenVINO prints while reading it.
            warnings.simplefilter("ignore")
            traced = torch.jit.trace(whole, (example,), check_trace=False, strict=False)
            # Freezing would fold batch normalisation into the weights, by which convolutions are
            # named below; OpenVINO folds it later.
            read = decoder.TorchScriptPythonDecoder(
                traced, example_input=(example,), skip_freeze=True
            )
            reader = frontend.FrontEndManager().load_by_framework("pytorch")
            graph = reader.convert(reader.load(read))
        graph.reshape(list(example.shape))
    except (RuntimeError, ValueError, TypeError) as error:
        raise BackendError("OpenVINO could not convert the network") from error
    for output, name in zip(graph.outputs, whole.names, strict=True):
        output.get_tensor().set_names({_PREFIX + name})
    _name_convolutions(graph, network)
    return graph


def output_name(output: Any) -> str:
    """Name of a graph's output, as the network calls it."""
    names = [name for name in output.get_names() if name.startswith(_PREFIX)]
    return str(names[0]).removeprefix(_PREFIX)


def convolutions(graph: Any) -> Iterator[Any]:
    """The convolutions of a graph, in order of computation."""
    return (node for node in graph.get_ordered_ops() if node.get_type_name() in _CONVOLUTIONS)


def weights_of(node: Any) -> np.ndarray[Any, np.dtype[np.float32]] | None:
    """Weights of a convolution as they are stored; None when they are not constant."""
    source = node.input_value(1).get_node()
    while source.get_type_name() in _WRAPPERS:
        source = source.input_value(0).get_node()
    return np.asarray(source.data) if source.get_type_name() == "Constant" else None


def _name_convolutions(graph: Any, network: nn.Module) -> None:
    """Name convolutions after the modules that hold the same weights.

    Graph converters name nodes as they please; weights are what stays.
    """
    modules: dict[bytes, list[str]] = defaultdict(list)
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            modules[module.weight.detach().numpy().tobytes()].append(name)
    for node in convolutions(graph):
        weights = weights_of(node)
        names = [] if weights is None else modules[weights.tobytes()]
        if names:
            node.set_friendly_name(names.pop(0))
