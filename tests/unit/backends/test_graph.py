"""Exported graphs say what PyTorch says; 8 bit nearly so."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest
import torch
from torch import nn

from inference.backends import BackendError, openvino_quietly
from inference.backends.convert import convolutions, to_graph
from inference.backends.eager import EagerRunner
from inference.backends.graph import GraphRunner
from inference.backends.precisions import INT8
from inference.backends.quantise import measure_ranges, quantised

SIZE = 32
CPU = torch.device("cpu")


class Two(nn.Module):
    """Two outputs over convolutions as the real networks have them: plain, by group, atrous."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
        self.each = nn.Conv2d(8, 8, 3, padding=2, dilation=2, groups=8, bias=False)
        self.mix = nn.Conv2d(8, 8, 1)
        self.maps = nn.Conv2d(8, 2, 1)
        self.classes = nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        y = self.first(x)
        y = y + self.mix(self.each(y))
        small = nn.functional.avg_pool2d(y, 2)
        up = nn.functional.interpolate(small, scale_factor=2, mode="bilinear", align_corners=True)
        return {"maps": self.maps(up), "classes": self.classes(y.mean(dim=(2, 3)))}


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(3)
    made = Two()
    for module in made.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.5, 2.0)
    return made.eval()


def test_a_graph_says_what_pytorch_says(network: nn.Module, pictures: np.ndarray) -> None:
    expected = EagerRunner(network, CPU, None).run(pictures)
    found = GraphRunner(to_graph(network, SIZE), threads=2).run(pictures)
    assert set(found) == {"maps", "classes"}
    for name, values in expected.items():
        assert found[name].dtype == np.float32
        np.testing.assert_allclose(found[name], values, rtol=1e-4, atol=1e-5)


def test_any_number_of_pictures_on_any_number_of_threads(
    network: nn.Module, pictures: np.ndarray
) -> None:
    graph = to_graph(network, SIZE)
    whole = GraphRunner(graph, threads=1).run(pictures)["maps"]
    three = GraphRunner(graph, threads=3)
    for count in (1, 2, 4, 5):
        np.testing.assert_allclose(
            three.run(pictures[:count])["maps"], whole[:count], rtol=1e-5, atol=1e-6
        )


def test_convolutions_keep_the_names_of_their_modules(network: nn.Module) -> None:
    names = [node.get_friendly_name() for node in convolutions(to_graph(network, SIZE))]
    assert names == ["first.0", "each", "mix", "maps"]


def test_eight_bit_is_near(network: nn.Module, pictures: np.ndarray) -> None:
    if not torch.cpu._is_vnni_supported():
        pytest.skip("the processor adds products of 8 bit in 16 bit, which overflow")
    graph = to_graph(network, SIZE)
    ranges = measure_ranges(network, [pictures[:3], pictures[3:]])
    expected = GraphRunner(graph).run(pictures)
    found = GraphRunner(graph, INT8, ranges).run(pictures)
    for name, values in expected.items():
        error = np.abs(found[name] - values).mean() / np.abs(values).mean()
        assert 0 < error < 0.05, name


def test_eight_bit_is_really_eight_bit(network: nn.Module, pictures: np.ndarray) -> None:
    graph = to_graph(network, SIZE)
    ranges = measure_ranges(network, [pictures[:3], pictures[3:]])
    kinds = [node.get_type_name() for node in quantised(graph, ranges).get_ops()]
    inputs = 4  # of four convolutions, of which no two share one
    assert kinds.count("FakeQuantize") == inputs + 4


def test_ranges_cover_the_pictures_and_include_zero(
    network: nn.Module, pictures: np.ndarray
) -> None:
    ranges = measure_ranges(network, [pictures])
    assert set(ranges) == {"first.0", "each", "mix", "maps"}
    assert ranges["first.0"] == (
        pytest.approx((pictures.min() / 255 - 0.5) / 0.25, abs=1e-5),
        pytest.approx((pictures.max() / 255 - 0.5) / 0.25, abs=1e-5),
    )
    assert ranges["each"][0] == 0.0, "after ReLU"
    assert not any(module._forward_pre_hooks for module in network.modules())


def test_ranges_of_other_weights_are_refused(network: nn.Module) -> None:
    with pytest.raises(BackendError, match="other weights"):
        quantised(to_graph(network, SIZE), {"conv1": (0.0, 1.0)})


def test_what_cannot_be_converted_is_said() -> None:
    class Odd(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            raise RuntimeError("no")

    with pytest.raises(BackendError, match="could not convert"):
        to_graph(Odd(), SIZE)


def test_openvino_tells_nobody() -> None:
    openvino_quietly.load()
    telemetry = [name for name in sys.modules if name.startswith("openvino_telemetry")]
    assert all(sys.modules[name] is None for name in telemetry)
    import openvino.tools.ovc.telemetry_utils as used

    assert used.tm.__name__.endswith("telemetry_stub")


def test_openvino_says_nothing_on_the_terminal_where_it_may_not_look_at_the_processor() -> None:
    """In a chroot without /sys; the suite's other runs of the program see the line itself."""
    openvino_quietly.load()
    assert os.environ["HWLOC_HIDE_ERRORS"] == "2"
