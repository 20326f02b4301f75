"""What is prepared beside the networks is, bit by bit, what OpenCV prepares."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from inference.ondevice.equalising import Equaliser
from inference.ondevice.preparing import Preparer, windowed
from inference.ondevice.resizing import Maps, picture_resizer
from inference.preprocess import Box, prepare, restore, to_picture
from tests import factories

SHAPES = [(512, 512), (511, 487), (130, 96), (64, 70), (9, 200), (70, 1)]


def kinds(shape: tuple[int, int], low: float, high: float) -> np.ndarray:
    """Noise, one value, a gradient, a narrow histogram and smooth clouds: (5, *shape), float."""
    rng = np.random.default_rng(7)
    gradient = np.add.outer(np.arange(shape[0]), 2 * np.arange(shape[1])) / (2 * sum(shape))
    clouds = cv2.resize(rng.random((9, 9)), shape[::-1], interpolation=cv2.INTER_LINEAR)
    narrow = np.clip(rng.normal(0.3, 0.02, shape), 0, 1)
    flat = np.full(shape, 0.37)
    parts = np.stack([rng.random(shape), flat, gradient, narrow, clouds.reshape(shape)])
    return low + (high - low) * parts


def pictures(shape: tuple[int, int]) -> np.ndarray:
    return kinds(shape, 0, 255).astype(np.uint8)


def boxes(shape: tuple[int, int]) -> list[Box | None]:
    rows, columns = shape
    return [
        None,
        Box(0, rows // 2 + 3, 0, columns // 2 + 1),
        Box(rows // 4, rows, columns // 5, columns - columns // 7),
    ]


@pytest.mark.parametrize("shape", SHAPES)
def test_equalised_as_by_opencv(shape: tuple[int, int], device: torch.device) -> None:
    grey = pictures(shape)
    expected = np.stack([cv2.createCLAHE(2.0, (8, 8)).apply(one) for one in grey])
    assert np.abs(expected.astype(int) - grey).max() > 5, "something was done"
    for box in boxes(shape):
        found = Equaliser(shape, box, device)(torch.from_numpy(grey).to(device)).cpu().numpy()
        cut = expected if box is None else expected[:, box.top : box.bottom, box.left : box.right]
        np.testing.assert_array_equal(found, cut)


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((512, 512), 320),
        ((512, 512), 256),  # blocks of two by two, which OpenCV rounds otherwise
        ((768, 512), 256),  # other whole blocks
        ((391, 300), 176),
        ((511, 487), 208),
        ((400, 100), 256),  # shrinks one way, grows the other
        ((100, 400), 256),
        ((200, 256), 256),
        ((256, 256), 256),
        ((90, 77), 96),
        ((391, 300), 512),
        ((1, 70), 64),
    ],
)
def test_resized_as_by_opencv(shape: tuple[int, int], size: int, device: torch.device) -> None:
    grey = pictures(shape)
    how = cv2.INTER_AREA if max(shape) > size else cv2.INTER_LINEAR
    expected = np.stack([cv2.resize(one, (size, size), interpolation=how) for one in grey])
    found = picture_resizer(shape, size, device)(torch.from_numpy(grey).to(device))
    assert found.dtype == torch.uint8
    np.testing.assert_array_equal(found.cpu().numpy(), expected)


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.float32])
@pytest.mark.parametrize("shape", [(512, 512), (131, 97)])
def test_slices_in_hu_are_prepared_as_the_networks_have_learned(
    shape: tuple[int, int], dtype: type, device: torch.device
) -> None:
    array = kinds(shape, -1600, 400).astype(dtype)
    array[0, 0, :3] = (-32768, 32767, -1350)
    volume = factories.make_volume(array, np.eye(4))
    grey = [to_picture(volume, index) for index in range(len(array))]
    there = torch.from_numpy(array).to(device)
    np.testing.assert_array_equal(windowed(there).cpu().numpy(), np.stack(grey))
    for box in boxes(shape):
        found = Preparer(shape, box, {176, 96}, device)(there)
        for size in (176, 96):
            expected = np.stack([prepare(one, size, box) for one in grey])
            np.testing.assert_array_equal(found[size].cpu().numpy(), expected)


def test_a_slice_is_prepared_the_same_whatever_else_is_in_its_batch(
    device: torch.device,
) -> None:
    array = torch.from_numpy(kinds((96, 80), -1600, 400).astype(np.int16)).to(device)
    preparer = Preparer((96, 80), Box(5, 90, 3, 70), {64}, device)
    together = preparer(array)[64]
    assert not torch.equal(together[0], together[4])
    for place, one in enumerate(array):
        assert torch.equal(preparer(one.unsqueeze(0))[64][0], together[place])


@pytest.mark.parametrize(
    ("size", "shape"),
    [(64, (128, 128)), (320, (391, 300)), (320, (100, 512)), (96, (77, 60)), (96, (96, 96))],
)
def test_maps_are_put_back_as_by_opencv(
    size: int, shape: tuple[int, int], device: torch.device
) -> None:
    values = np.random.default_rng(3).random((2, 3, size, size)).astype(np.float32)
    expected = np.stack([restore(one, shape) for one in values])
    found = Maps().resized(torch.from_numpy(values).to(device), shape).cpu().numpy()
    assert found.dtype == np.float32
    # Equal in every bit where OpenCV has IPP; its own code rounds the weights.
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-5)
    assert np.mean(np.rint(255 * found) != np.rint(255 * expected)) < 1e-3
