"""Probabilities become codes in torch as they do in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from inference.cuts import Cut
from inference.findings import Manifestation
from inference.ondevice import marking
from inference.ondevice.resizing import Maps
from inference.systems.elbana import combine, masks

GGO, CONSOLIDATION, EFFUSION = Manifestation


def _levels(
    values: np.ndarray, keys: list[Manifestation], device: torch.device
) -> dict[Manifestation, torch.Tensor]:
    there = torch.from_numpy(values).to(device)
    return {key: marking.to_levels(one) for key, one in zip(keys, there, strict=True)}


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2), (2,)])
@pytest.mark.parametrize(
    "cuts",
    [{}, {EFFUSION: Cut.at(0.2)}, {GGO: Cut.at(0.9), CONSOLIDATION: Cut.at(0.0)}],
    ids=["at one half", "effusion lower", "never and always"],
)
def test_the_same_stream_has_a_pixel(
    order: tuple[int, ...], cuts: dict[Manifestation, Cut], device: torch.device
) -> None:
    keys = [list(Manifestation)[place] for place in order]
    # Few values, so that many are equal, and some lie on a threshold.
    grid = np.array([0, 0.2, 0.498, 0.5, 0.502, 0.9, 1], dtype=np.float32)
    values = np.random.default_rng(5).choice(grid, (len(keys), 40, 50))
    expected = combine(values, keys, cuts)
    assert len(np.unique(expected)) > len(keys) - 1
    found = marking.combined(_levels(values, keys, device), cuts)
    assert found.dtype == torch.uint8
    np.testing.assert_array_equal(found.cpu().numpy(), expected)


def test_what_is_grown_from_seeds_is_refused(device: torch.device) -> None:
    values = np.ones((1, 3, 3), dtype=np.float32)
    with pytest.raises(ValueError, match="on the host"):
        marking.combined(_levels(values, [GGO], device), {GGO: Cut(0.5, 0.2)})


def test_networks_of_other_sizes_are_averaged_alike(device: torch.device) -> None:
    rng = np.random.default_rng(6)

    def maps(size: int, *keys: Manifestation) -> dict[Manifestation, np.ndarray]:
        return {key: rng.random((2, size, size)).astype(np.float32) for key in keys}

    parts = [maps(32, *Manifestation), maps(48, GGO, CONSOLIDATION), maps(24, GGO)]
    expected = masks.mean_of_networks(parts)
    there = [{key: torch.from_numpy(v).to(device) for key, v in part.items()} for part in parts]
    found = marking.mean_of_networks(there, Maps())
    assert list(found) == list(expected)
    assert {key: v.shape[-1] for key, v in found.items()} == {
        GGO: 48, CONSOLIDATION: 48, EFFUSION: 32
    }  # fmt: skip
    for key, values in expected.items():
        np.testing.assert_allclose(found[key].cpu().numpy(), values, rtol=0, atol=2e-5)


def test_logits_of_any_size_become_the_same_levels() -> None:
    logits = np.concatenate([np.linspace(-12, 12, 4001), [-200, 200]]).astype(np.float32)
    with np.errstate(over="ignore"):
        expected = masks.sigmoid(logits)
    found = marking.sigmoid(torch.from_numpy(logits))
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-6, atol=1e-12)
    levels = np.rint(expected * 255).astype(np.uint8)
    assert (levels.min(), levels.max()) == (0, 255)
    np.testing.assert_array_equal(marking.to_levels(found).numpy(), levels)
