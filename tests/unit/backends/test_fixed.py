"""The steps of the GPU's way, run on the CPU."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from inference.backends import BackendError
from inference.backends.eager import EagerRunner
from inference.backends.fixed import FixedShapeRunner

CPU = torch.device("cpu")


class Watched(nn.Module):
    """Remembers the batches it was given."""

    def __init__(self, fail: Exception | None = None) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Conv2d(1, 2, 3)
        self.batches: list[int] = []
        self.fail = fail

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        if self.fail is not None:
            raise self.fail
        self.batches.append(len(x))
        return {"maps": self.layer(x), "mean": x.mean(dim=(1, 2, 3))}


def test_every_batch_has_one_shape_and_the_answers_are_the_same(pictures: np.ndarray) -> None:
    network = Watched().eval()
    runner = FixedShapeRunner(network, CPU, None)
    first, rest, whole = (runner.run(p) for p in (pictures[:2], pictures[2:3], pictures))
    assert set(network.batches) == {2}
    expected = EagerRunner(network, CPU, None).run(pictures)
    for name, values in expected.items():
        np.testing.assert_allclose(whole[name], values, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(first[name], values[:2], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(rest[name], values[2:3], rtol=1e-5, atol=1e-6)


def test_sixteen_bit_is_a_copy_and_comes_back_as_float32(pictures: np.ndarray) -> None:
    network = Watched().eval()
    runner = FixedShapeRunner(network, CPU, torch.bfloat16)
    found = runner.run(pictures)
    assert network.layer.weight.dtype == torch.float32
    assert "bfloat16" in runner.kind
    expected = EagerRunner(network, CPU, None).run(pictures)
    for name, values in expected.items():
        assert found[name].dtype == np.float32
        np.testing.assert_allclose(found[name], values, atol=0.05)


def test_after_memory_ran_out_a_smaller_shape_is_taken(pictures: np.ndarray) -> None:
    network = Watched(torch.OutOfMemoryError("out of memory")).eval()
    runner = FixedShapeRunner(network, CPU, None)
    with pytest.raises(torch.OutOfMemoryError):
        runner.run(pictures[:4])
    network.fail = None
    runner.run(pictures[:2])
    assert set(network.batches) == {2}


def test_what_cannot_be_recorded_is_said(pictures: np.ndarray) -> None:
    runner = FixedShapeRunner(Watched(RuntimeError("capture")).eval(), CPU, None)
    with pytest.raises(BackendError, match="could not record"):
        runner.run(pictures)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_a_recorded_graph_says_what_pytorch_says(pictures: np.ndarray) -> None:
    cuda = torch.device("cuda")
    network = Watched().eval().to(cuda)
    expected = EagerRunner(network, cuda, None).run(pictures)
    runner = FixedShapeRunner(network, cuda, None)
    for _ in range(2):
        for name, values in runner.run(pictures).items():
            np.testing.assert_allclose(values, expected[name], rtol=1e-3, atol=1e-3)
