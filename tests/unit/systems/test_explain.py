"""Grad-CAM at Mixed_7c is the class activation map, since only pooling and one layer follow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from inference import device as devices
from inference.errors import AnalysisError
from inference.explain import evidence, grad_cam, to_heat
from inference.lungs import find_lungs
from inference.models import ModelStore
from inference.networks.recognition import InceptionRecogniser
from inference.preprocess import Box
from inference.studies.model import Volume
from inference.systems.base import Context
from inference.systems.elbana import ElBana
from inference.taxonomy import TASKS


@pytest.fixture(scope="module")
def network() -> InceptionRecogniser:
    """Random weights, and heads that say something."""
    torch.manual_seed(3)
    made = InceptionRecogniser({"covid-2": 2, "cxr-4": 4}).eval()
    for head in made.heads.values():
        torch.nn.init.normal_(head.weight, std=0.02)
    return made


@pytest.fixture(scope="module")
def picture() -> torch.Tensor:
    """Noise of the smallest size at which Mixed_7c has rows and columns (2 × 3)."""
    return torch.randn(1, 1, 107, 139, generator=torch.Generator().manual_seed(5))


@torch.inference_mode()
def cams(network: InceptionRecogniser, x: torch.Tensor) -> dict[tuple[str, int], np.ndarray]:
    """Class activation maps of one picture by their definition (Zhou et al. 2016, equation 2)."""
    maps = network.trunk(x.expand(-1, 3, -1, -1))[0]
    return {
        (task, index): torch.einsum("k,khw->hw", weight, maps).double().numpy()
        for task, head in network.heads.items()
        for index, weight in enumerate(head.weight)
    }


def difference(one: np.ndarray, other: np.ndarray) -> float:
    """Relative to the second, in the Euclidean norm."""
    return float(np.linalg.norm(one - other) / np.linalg.norm(other))


def check(network: InceptionRecogniser, x: torch.Tensor) -> None:
    """Compare Grad-CAM with CAM for every head and class, before ReLU and after."""
    oracles = cams(network, x)
    assert len(oracles) == sum(head.out_features for head in network.heads.values())
    for (task, index), oracle in oracles.items():
        assert oracle.shape == (2, 3)
        # The gradient of a mean over positions is divided by their number; CAM is not.
        signed = evidence(network, x, task, index)[0] * oracle.size
        assert difference(signed, oracle) < 1e-4
        positive = np.maximum(oracle, 0.0)
        if positive.any():
            assert difference(to_heat(signed), positive / positive.max()) < 1e-4
        else:
            assert not to_heat(signed).any()


def test_grad_cam_is_cam(network: InceptionRecogniser, picture: torch.Tensor) -> None:
    check(network, picture)


@pytest.mark.parametrize("name", ["recognition", "recognition-ct"])
def test_grad_cam_of_the_shipped_weights_is_cam(name: str, picture: torch.Tensor) -> None:
    store = ModelStore()
    network = store.load(store.find(name))
    assert isinstance(network, InceptionRecogniser)
    check(network, picture)


def test_the_oracle_can_tell_classes_apart(
    network: InceptionRecogniser, picture: torch.Tensor
) -> None:
    oracles = cams(network, picture)
    signed = evidence(network, picture, "cxr-4", 1)[0] * oracles["cxr-4", 1].size
    assert difference(signed, oracles["cxr-4", 2]) > 0.1


def test_what_is_shown_is_the_evidence_without_its_negative_part(
    network: InceptionRecogniser, picture: torch.Tensor
) -> None:
    two = torch.cat([picture, picture.flip(3)])
    both = evidence(network, two, "cxr-4", 0)
    shown = [grad_cam(network, each[None], "cxr-4", 0) for each in two]
    # In [0, 1]; batches of one and of two are added up in another order, by as many threads.
    np.testing.assert_allclose(shown, [to_heat(each) for each in both], rtol=0, atol=1e-4)


def test_no_evidence_is_an_empty_map() -> None:
    heat = to_heat(np.full((2, 2), -1.0, dtype=np.float32))
    assert heat.shape == (2, 2)
    assert heat.max() == 0.0


def test_a_heatmap_says_how_much_of_it_lies_in_the_lungs(store: ModelStore, chest: Volume) -> None:
    system = ElBana(store, precision="float32")
    names = TASKS["covid-2"].keys
    maps = [system.explain(chest, 5, "covid-2", name, Context(device="cpu")) for name in names]
    assert all((each.lungs is None) == each.empty for each in maps)
    heatmap = next(each for each in maps if not each.empty)
    lungs = find_lungs(chest).mask[5]
    assert heatmap.lungs is not None
    share = heatmap.values[lungs].sum() / heatmap.values.sum()
    assert heatmap.lungs.inside == pytest.approx(share, abs=1e-6)
    # The network saw the lungs' box alone, so an even map is spread over that.
    box = Box.around(find_lungs(chest).mask)
    seen = (box.bottom - box.top) * (box.right - box.left)
    assert heatmap.lungs.even == pytest.approx(lungs.sum() / seen)


def test_where_no_lungs_are_known_nothing_is_claimed(
    store: ModelStore, chest: Volume, xray: Volume
) -> None:
    system = ElBana(store, precision="float32")
    soft = replace(chest, array=np.full_like(chest.array, 40))
    for volume in (xray, soft):
        heatmap = system.explain(volume, 0, "covid-2", "covid-19", Context(device="cpu"))
        assert heatmap.lungs is None


def test_without_memory_on_a_gpu_the_cpu_explains(
    store: ModelStore, chest: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    # With these weights this class is spoken for in that slice, the other is not.
    ask = (chest, 5, "covid-2", TASKS["covid-2"].keys[1])
    expected = ElBana(store, precision="float32").explain(*ask, Context(device="cpu"))
    assert not expected.empty
    feature_maps, tried = InceptionRecogniser.feature_maps, []

    def full(self: InceptionRecogniser, x: torch.Tensor) -> torch.Tensor:
        tried.append(x.device.type)
        if x.device.type == "meta":
            raise torch.OutOfMemoryError("out of memory")
        return feature_maps(self, x)

    monkeypatch.setattr(InceptionRecogniser, "feature_maps", full)
    monkeypatch.setattr(devices, "choose", lambda _wanted: torch.device("meta"))
    system = ElBana(store, precision="float32")
    for _ in range(2):
        found = system.explain(*ask, Context())
        np.testing.assert_allclose(found.values, expected.values, atol=1e-5)
    assert tried == ["meta", "cpu", "meta", "cpu"], "the next one begins on the GPU again"


def test_without_any_memory_it_is_a_sentence(
    store: ModelStore, chest: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_self: InceptionRecogniser, _x: torch.Tensor) -> torch.Tensor:
        raise MemoryError

    monkeypatch.setattr(InceptionRecogniser, "feature_maps", full)
    with pytest.raises(AnalysisError, match="not enough memory"):
        ElBana(store).explain(chest, 5, "covid-2", "covid-19", Context(device="cpu"))


def test_heat_that_is_no_number_is_a_sentence(
    store: ModelStore, chest: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    feature_maps = InceptionRecogniser.feature_maps
    monkeypatch.setattr(
        InceptionRecogniser, "feature_maps", lambda self, x: feature_maps(self, x) * float("nan")
    )
    with pytest.raises(AnalysisError, match="recognition-ct computed values that are not numbers"):
        ElBana(store).explain(chest, 5, "covid-2", "covid-19", Context(device="cpu"))
