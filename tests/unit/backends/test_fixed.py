"""The steps of the GPU's way, run on the CPU."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from inference.backends import BackendError, TensorRunner
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


def test_every_batch_has_the_shape_of_the_largest_and_the_answers_are_the_same(
    pictures: np.ndarray,
) -> None:
    network = Watched().eval()
    runner = FixedShapeRunner(network, CPU, None)
    first, rest = (runner.run(p) for p in (pictures[:2], pictures[2:3]))
    assert set(network.batches) == {2}
    whole, again = runner.run(pictures), runner.run(pictures[:2])
    assert network.batches[-2:] == [5, 5]
    expected = EagerRunner(network, CPU, None).run(pictures)
    for name, values in expected.items():
        np.testing.assert_allclose(whole[name], values, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(first[name], values[:2], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(again[name], values[:2], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(rest[name], values[2:3], rtol=1e-5, atol=1e-6)


def test_once_ready_a_batch_needs_no_other_shape(pictures: np.ndarray) -> None:
    network = Watched().eval()
    runner = FixedShapeRunner(network, CPU, None)
    runner.get_ready((4, *pictures.shape[1:]))
    before = len(network.batches)
    runner.run(pictures[:1])
    runner.run_there(torch.from_numpy(pictures[:3]))
    assert network.batches[before:] == [4, 4]


@pytest.mark.parametrize("kind", [FixedShapeRunner, EagerRunner])
def test_pictures_on_the_device_need_not_leave_it(
    pictures: np.ndarray, kind: type[FixedShapeRunner | EagerRunner]
) -> None:
    runner = kind(Watched().eval(), CPU, None)
    assert isinstance(runner, TensorRunner)
    expected = runner.run(pictures)
    there = torch.from_numpy(pictures)
    first = runner.run_there(there[:4])
    rest = runner.run_there(there[4:])
    for name, values in expected.items():
        assert first[name].dtype == torch.float32
        together = torch.cat([first[name], rest[name]])
        # The second batch did not overwrite the first.
        np.testing.assert_allclose(together.numpy(), values, rtol=1e-5, atol=1e-6)


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
    network.fail = torch.OutOfMemoryError("out of memory")
    with pytest.raises(torch.OutOfMemoryError):
        runner.run(pictures[:4])
    network.fail = None
    runner.run(pictures[:1])
    assert network.batches[-1] == 1, "what was kept for two had been let go of"


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
        there = runner.run_there(torch.from_numpy(pictures).to(cuda))
        for name, values in runner.run(pictures).items():
            np.testing.assert_allclose(values, expected[name], rtol=1e-3, atol=1e-3)
            np.testing.assert_array_equal(there[name].cpu().numpy(), values)
