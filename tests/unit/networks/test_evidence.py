"""What streams tell of a picture in numbers: right, beside the maps, in every backend."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from inference.backends.choice import disagreement, probe_pictures
from inference.backends.convert import to_graph
from inference.backends.eager import EagerRunner
from inference.backends.graph import GraphRunner
from inference.backends.precisions import INT8
from inference.backends.quantise import measure_ranges
from inference.findings import Manifestation
from inference.models import DESCRIPTION
from inference.networks.evidence import (
    AREAS,
    EVIDENCE,
    EXTENTS,
    LESIONS,
    EvidenceNetwork,
    described,
    extents,
)
from inference.networks.factory import make_network
from inference.systems.elbana import stream_probabilities

SIZE = 64
CPU = torch.device("cpu")


def _streams(form: str = "shared", **changes: object) -> nn.Module:
    torch.manual_seed(1)
    settings = {
        "form": form, "encoder": "resnet18", "depth": 3, "decoder_channels": 16,
        "streams": dict.fromkeys(LESIONS, 1),
    }  # fmt: skip
    return make_network("streams", {**settings, **changes}).eval()


@pytest.mark.parametrize("decoder", ["deeplab", "unet"])
def test_numbers_are_those_of_the_maps(decoder: str) -> None:
    network = _streams(decoder=decoder)
    found = EagerRunner(network, CPU, None).run(probe_pictures(SIZE))
    maps = stream_probabilities(found)
    assert list(maps) == list(Manifestation), "the numbers are no map"
    numbers = found[EVIDENCE]
    assert numbers.dtype == np.float32
    assert numbers.shape == (2, len(AREAS) * len(LESIONS) + 2 * 128), "128 features"
    for column, name in enumerate(LESIONS):
        values = maps[Manifestation(name)][:, ::4, ::4].reshape(2, -1)
        expected = (
            values.mean(axis=1), (values > 0.5).mean(axis=1), (values > 0.2).mean(axis=1),
            values.max(axis=1),
        )  # fmt: skip
        for place, each in enumerate(expected):
            np.testing.assert_allclose(
                numbers[:, place * len(LESIONS) + column], each, atol=2e-4, err_msg=AREAS[place]
            )


def test_features_are_of_the_lesions_alone() -> None:
    features = torch.ones(1, 2, 4, 4)
    features[:, 1, :, 2:] = 5.0
    nothing = torch.full((1, 1, 32, 32), -30.0)
    right = nothing.clone()
    right[..., 16:] = 30.0
    logits = {"ggo": nothing, "consolidation": right, "effusion": nothing}
    row = described(logits, features)
    assert row is not None
    # Eight places of weight one on the right half, and one that is added to their sum.
    assert row[0, -4:-2].tolist() == pytest.approx([8 / 9, 5 * 8 / 9])
    assert row[0, -2:].tolist() == pytest.approx([1 / 10**0.5, 3 / 10**0.5]), "a direction"
    empty = described(dict.fromkeys(LESIONS, nothing), features)
    assert empty is not None
    assert empty[0, -4:-2].abs().max() < 1e-6


def test_they_come_when_reading_alone_and_from_one_encoder_alone() -> None:
    network = _streams()
    x = torch.zeros(2, 1, SIZE, SIZE)
    assert EVIDENCE in network(x)
    assert set(network.train()(x)) == set(LESIONS)
    assert EVIDENCE not in _streams("separate")(x)
    assert EVIDENCE not in _streams(streams={"ggo": 1})(x), "two lesions are not described"


@pytest.mark.parametrize("decoder", ["deeplab", "unet"])
def test_graphs_give_the_same_numbers(decoder: str) -> None:
    network = _streams(decoder=decoder)
    pictures = probe_pictures(SIZE)
    expected = EagerRunner(network, CPU, None).run(pictures)
    graph = to_graph(network, SIZE)
    found = GraphRunner(graph, threads=1).run(pictures)
    np.testing.assert_allclose(found[EVIDENCE], expected[EVIDENCE], atol=1e-3)
    ranges = measure_ranges(network, [pictures])
    eighth = GraphRunner(graph, INT8, ranges, threads=1).run(pictures)
    assert disagreement({"": eighth[EVIDENCE]}, {"": expected[EVIDENCE]}) < 0.1
    half = EagerRunner(network, CPU, torch.bfloat16).run(pictures)
    assert disagreement({"": half[EVIDENCE]}, {"": expected[EVIDENCE]}) < 0.05


def test_the_judgement_is_the_regression_and_the_sum() -> None:
    """On two numbers beside the areas; the extent says 1.5 of all, whatever is marked."""
    network = EvidenceNetwork(14)
    tensors = {
        "mean": [0.0] * 12 + [1.0, 2.0], "scale": [1.0] * 12 + [2.0, 4.0],
        "weights": [0.0] * 12 + [3.0, -1.0], "bias": [0.5],
        "extent_weights": [0.0] * EXTENTS, "extent_bias": [1.5],
        "join": [0.25, 1.5, 0.5], "join_bias": [-1.0],
    }  # fmt: skip
    network.load_state_dict({name: torch.tensor(values) for name, values in tensors.items()})
    rows = torch.tensor([[0.0] * 12 + [3.0, 2.0], [0.0] * 12 + [1.0, 6.0]])
    assert network.parts(rows).tolist() == [[3.5, 1.5], [-0.5, 1.5]]
    assert network(rows).tolist() == [3.0, 0.0], "three parts of one, one of the other"
    joined = network.joined(torch.tensor([4.0, 0.0]), rows)
    assert joined.tolist() == [6.0, -1.0]


def test_extents_are_of_ground_glass_and_consolidation_and_bounded_below() -> None:
    row = torch.zeros(2, 14)
    row[1, 0], row[1, 4], row[1, 9:11] = 0.099, 0.009, torch.tensor([1.0, 0.5])
    row[1, [2, 5, 8, 11]] = 0.7  # effusion
    row[1, 12:] = 9.0  # features
    nothing, much = extents(row)
    least, sure = np.log(1e-3), np.log(0.999 / 0.001)
    assert nothing.tolist() == pytest.approx([least] * 6 + [-sure] * 2, abs=1e-3)
    expected = [np.log(0.1), least, least, np.log(0.01), least, least, sure, 0.0]
    assert much.tolist() == pytest.approx(expected, abs=1e-3)


def test_a_description_is_what_evidence_was_fitted_to() -> None:
    """When this fails, raise `inference.models.DESCRIPTION`, and fit the shipped evidence anew."""
    ramp = torch.linspace(-3.0, 3.0, 64).reshape(1, 1, 8, 8)
    logits = dict(zip(LESIONS, (ramp, ramp.flip(-1) - 1.0, -ramp - 2.0), strict=True))
    features = torch.arange(8.0).reshape(1, 2, 2, 2)
    numbers = described(logits, features)
    assert numbers is not None
    expected = (
        0.3082, 0.2066, 0.3941, 0.5, 0.0, 0.5, 0.5, 0.5, 0.5, 0.6055, 0.4291, 0.7311,
        0.9977, 3.8543, 0.2631, 0.9648,
    )  # fmt: skip
    np.testing.assert_allclose(numbers[0], expected, atol=1e-3)
    assert DESCRIPTION == 1
