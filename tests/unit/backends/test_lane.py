"""The way of slices to the device and of codes back."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from inference.backends.lane import RECORDING, Lane

CPU = torch.device("cpu")
DEVICES = [
    CPU,
    pytest.param(
        torch.device("cuda"),
        marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA"),
    ),
]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    ("dtype", "travels_as"),
    [
        ("int16", torch.int16),
        ("uint8", torch.uint8),
        ("int32", torch.int32),
        (">i2", torch.float32),
        ("uint16", torch.float32),
        ("float64", torch.float32),
    ],
)
def test_stored_values_arrive_as_they_are(
    device: torch.device, dtype: str, travels_as: torch.dtype
) -> None:
    array = np.arange(5 * 3 * 4).reshape(5, 3, 4).astype(dtype)
    lane = Lane(device)
    with lane.turn():
        first = lane.send(array, np.array([4, 1]))
    with lane.turn():
        second = lane.send(array, np.array([0, 2]))
    assert first.dtype == travels_as
    assert first.device.type == device.type
    for sent, indices in ((first, [4, 1]), (second, [0, 2])):
        np.testing.assert_array_equal(sent.cpu().numpy(), array[indices].astype(np.float64))


@pytest.mark.parametrize("device", DEVICES)
def test_bytes_come_back_and_stay(device: torch.device) -> None:
    lane = Lane(device)
    with lane.turn():
        first = lane.fetch(torch.full((2, 3), 7, dtype=torch.uint8, device=device))
        second = lane.fetch(torch.full((4, 5), 9, dtype=torch.uint8, device=device))
        assert torch.is_inference_mode_enabled()
    assert first.shape == (2, 3)
    assert (first == 7).all()
    assert (second == 9).all()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_a_turn_waits_until_no_graph_is_recorded() -> None:
    from threading import Event, Thread

    lane, inside = Lane(torch.device("cuda")), Event()

    def work() -> None:
        with lane.turn():
            inside.set()

    with RECORDING:
        thread = Thread(target=work)
        thread.start()
        assert not inside.wait(0.2)
    thread.join()
    assert inside.is_set()
