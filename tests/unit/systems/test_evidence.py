"""The recogniser joined with the evidence: when it is, when it is not, and that it is said."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from inference.findings import Findings
from inference.models import DESCRIPTION, ModelRecord, ModelStore, Split
from inference.networks.evidence import EvidenceNetwork
from inference.networks.factory import make_network
from inference.partial import Partial
from inference.studies.model import Volume
from inference.systems.base import Context
from inference.systems.elbana import ElBana

BOTH = "recognition-ct + evidence"
FEATURES = 12 + 2 * 128


@pytest.fixture
def make_store(store: ModelStore, tmp_path: Path) -> Callable[..., ModelStore]:
    """A copy of the store with evidence that weighs the recogniser and itself so."""

    def make(recogniser: float, evidence: float, **changes: object) -> ModelStore:
        folder = tmp_path / "store"
        shutil.copytree(store.folder, folder)
        made = ModelStore(folder)
        torch.manual_seed(2)
        network = EvidenceNetwork(FEATURES)
        torch.nn.init.normal_(network.weights, std=0.5)
        with torch.no_grad():
            network.join.copy_(torch.tensor([recogniser, evidence, 0.0]))
        save_file(network.state_dict(), tmp_path / "evidence.safetensors")
        record = ModelRecord(
            name="evidence", version="0", kind="evidence", architecture="tiny",
            network={"features": FEATURES}, size=64, file="", sha256="", bytes=0, recipe="",
            recipe_sha256="", data="nothing", device="cpu", steps=0, seconds=0.0,
            split=Split((), (), (), ()),
            fitted_to={n: made.find(n).sha256 for n in ("recognition-ct", "streams-shared")},
        )  # fmt: skip
        made.install(tmp_path / "evidence.safetensors", replace(record, **changes))
        return ModelStore(folder)

    return make


def _analyse(
    store: ModelStore, volume: Volume, on_device: bool = False, **changes: object
) -> Findings:
    context = Context(**({"device": "cpu", "batch_size": 4} | changes))  # type: ignore[arg-type]
    return ElBana(store, precision="float32", on_device=on_device).analyse(volume, context)


def test_the_joined_value_is_what_is_shown_and_its_parts_are_told(
    make_store: Callable[..., ModelStore], store: ModelStore, chest: Volume
) -> None:
    alone = _analyse(store, chest).estimate("covid-2")
    early: list[Partial] = []
    # The random recogniser is too sure of itself for anything to be heard beside it.
    findings = _analyse(make_store(0.0, 1.0), chest, partial=early.append)
    joined = findings.estimate("covid-2")
    assert joined.model == BOTH
    assert joined.voices == ("recognition-ct", "evidence")
    assert {m.name for m in findings.models} >= {"recognition-ct", "evidence"}
    recogniser, evidence = joined.parts
    assert recogniser.study == pytest.approx(alone.study, abs=1e-6)
    assert evidence.study != pytest.approx(recogniser.study, abs=1e-3)
    assert sum(joined.study) == pytest.approx(1.0, abs=1e-5)
    assert not np.allclose(joined.per_slice, alone.per_slice, atol=1e-4, equal_nan=True)
    shown = np.full((chest.shape[0], 2), np.nan, np.float32)
    for group in early:
        said = next(e for e in group.estimates if e.task == "covid-2")
        shown[group.indices] = said.values
    np.testing.assert_array_equal(shown, joined.shown_per_slice)
    assert findings.estimate("manifestations").parts == ()


def test_beside_the_networks_both_are_joined_alike(
    make_store: Callable[..., ModelStore], chest: Volume
) -> None:
    made = make_store(0.5, 1.0)
    host, device = (_analyse(made, chest, on_device).estimate("covid-2") for on_device in (0, 1))
    assert device.model == BOTH
    np.testing.assert_allclose(device.per_slice, host.per_slice, rtol=0, atol=1e-6)
    for one, other in zip(host.parts, device.parts, strict=True):
        assert (other.model, other.study) == (one.model, pytest.approx(one.study, abs=1e-6))


def test_only_the_streams_that_it_was_fitted_to_give_evidence(
    make_store: Callable[..., ModelStore], chest: Volume, tmp_path: Path
) -> None:
    """A U-Net that knows all lesions describes pictures, too, but in numbers of its own."""
    made = make_store(0.0, 1.0)
    helper = made.find("streams-lung")
    settings = {**helper.network, "streams": made.find("streams-shared").network["streams"]}
    torch.manual_seed(3)
    weights = make_network("streams", settings).half().state_dict()
    path = tmp_path / "unet.safetensors"
    save_file({k: v.contiguous() for k, v in weights.items()}, path)
    made.install(path, replace(helper, network=settings))
    alone, beside = (_analyse(made, chest, streams=form) for form in ("shared", "mixed"))
    assert "streams-lung" in {m.name for m in beside.models}
    one, other = alone.estimate("covid-2"), beside.estimate("covid-2")
    assert (one.model, other.model) == (BOTH, BOTH)
    assert other.study == pytest.approx(one.study, abs=1e-6)


@pytest.mark.parametrize(("weights", "part"), [((1.0, 0.0), 0), ((0.0, 1.0), 1)])
def test_a_model_that_has_all_the_weight_is_the_answer(
    make_store: Callable[..., ModelStore], chest: Volume, weights: tuple[float, float], part: int
) -> None:
    joined = _analyse(make_store(*weights), chest).estimate("covid-2")
    assert joined.study == pytest.approx(joined.parts[part].study, abs=1e-6)


@pytest.mark.parametrize("which", ["recognition-ct", "streams-shared"])
def test_evidence_of_other_weights_is_not_used_and_it_is_said(
    make_store: Callable[..., ModelStore], chest: Volume, which: str
) -> None:
    made = make_store(0.5, 1.0)
    record = made.find("evidence")
    stale = replace(record, fitted_to={**record.fitted_to, which: "0" * 64})
    made.write([stale if r.name == "evidence" else r for r in made.records])
    findings = _analyse(made, chest)
    covid = findings.estimate("covid-2")
    assert (covid.model, covid.parts) == ("recognition-ct", ())
    assert "evidence" not in {m.name for m in findings.models}
    assert any("alone" in note and "fitted to other weights" in note for note in findings.notes)


def test_evidence_of_another_description_is_not_used_and_it_is_said(
    make_store: Callable[..., ModelStore], chest: Volume
) -> None:
    made = make_store(0.5, 1.0)
    stale = replace(made.find("evidence"), description=DESCRIPTION - 1)
    made.write([stale if r.name == "evidence" else r for r in made.records])
    findings = _analyse(made, chest)
    assert findings.estimate("covid-2").parts == ()
    assert any("fitted to another description of pictures" in note for note in findings.notes)


def test_another_form_of_the_streams_leaves_the_recogniser_alone(
    make_store: Callable[..., ModelStore], store: ModelStore, chest: Volume
) -> None:
    made = make_store(0.5, 1.0)
    findings = _analyse(made, chest, streams="separate")
    assert findings.estimate("covid-2").model == "recognition-ct"
    assert any("streams-shared, which did not run" in note for note in findings.notes)
    without = _analyse(store, chest)
    assert not any("evidence" in note for note in without.notes), "nothing is missed"


def test_xrays_have_no_evidence(make_store: Callable[..., ModelStore], xray: Volume) -> None:
    findings = _analyse(make_store(0.5, 1.0), xray)
    assert findings.estimate("covid-2").model == "recognition"
    assert not any("evidence" in note for note in findings.notes)


def test_a_heatmap_says_whose_it_is(make_store: Callable[..., ModelStore], chest: Volume) -> None:
    system = ElBana(make_store(0.5, 1.0), precision="float32")
    heatmap = system.explain(chest, 5, "covid-2", "covid-19", Context(device="cpu"))
    assert heatmap.model == "recognition-ct"
