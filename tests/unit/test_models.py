"""Weights are those of the manifest, or they are not loaded."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from inference.cuts import Cut
from inference.errors import AnalysisError
from inference.findings import Manifestation
from inference.models import (
    MAX_FILE_BYTES,
    MAX_TOTAL_BYTES,
    ModelRecord,
    ModelStore,
    Split,
)
from inference.networks import factory
from inference.networks.factory import make_network
from inference.training.recipe import load_recipe

SETTINGS = {"size": 32, "blocks": 2, "kernels": 4}


@pytest.fixture
def installed(tmp_path: Path) -> tuple[ModelStore, ModelRecord]:
    weights = tmp_path / "w.safetensors"
    save_file(make_network("manifestations", SETTINGS).half().state_dict(), weights)
    figures = ({"task": "t", "source": "s", "metric": "AUC", "value": 0.5, "low": 0.4,
                "high": 0.6, "n": 9, "groups": 3},)  # fmt: skip
    record = ModelRecord(
        name="m", version="1", kind="manifestations", architecture="ML-CNN", network=SETTINGS,
        size=32, file="", sha256="", bytes=0, recipe="m.toml", recipe_sha256="ab" * 32,
        data="toys", device="cpu", steps=1, seconds=1.0, split=Split((0,), (1,), ("a",), ("b",)),
        figures=figures,
    )  # fmt: skip
    store = ModelStore(tmp_path / "store")
    return store, store.install(weights, record)


def test_manifest_round_trip(installed: tuple[ModelStore, ModelRecord]) -> None:
    store, record = installed
    assert ModelStore(store.folder).records == (record,)
    assert ModelStore(store.folder).find("m").split.trained_groups == ("a",)


def test_loaded_networks_are_float32_and_frozen(
    installed: tuple[ModelStore, ModelRecord],
) -> None:
    store, record = installed
    network = store.load(record)
    assert not network.training
    assert {p.dtype for p in network.parameters()} == {torch.float32}


def test_altered_weights_are_refused(installed: tuple[ModelStore, ModelRecord]) -> None:
    store, record = installed
    path = store.folder / record.file
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(AnalysisError, match="SHA-256 differs"):
        store.load(record)


def test_missing_weights_are_said(installed: tuple[ModelStore, ModelRecord]) -> None:
    store, record = installed
    (store.folder / record.file).unlink()
    with pytest.raises(AnalysisError, match="are missing"):
        store.verify(record)


def test_weights_of_another_network_are_refused(
    installed: tuple[ModelStore, ModelRecord],
) -> None:
    store, record = installed
    with pytest.raises(AnalysisError, match="do not fit"):
        store.load(replace(record, network={**SETTINGS, "kernels": 8}))


def test_too_large_is_not_installed(
    installed: tuple[ModelStore, ModelRecord], tmp_path: Path
) -> None:
    store, record = installed
    big = tmp_path / "big.safetensors"
    with big.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    with pytest.raises(AnalysisError, match="larger than 48 MB"):
        store.install(big, record)
    kept = store.install(big, replace(record, name="big"), to_ship=False)
    assert kept.bytes == MAX_FILE_BYTES + 1
    assert store.find("big") == kept


@pytest.mark.parametrize(
    ("content", "message"),
    [("{", "damaged"), (json.dumps({"format": 99}), "format 99"), ("[]", "damaged")],
)
def test_bad_manifest_is_refused(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(AnalysisError, match=message):
        ModelStore(tmp_path)


def test_no_models_is_not_an_error_until_one_is_wanted(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    with pytest.raises(AnalysisError, match="there are: none"):
        store.find("recognition")
    with pytest.raises(AnalysisError, match="No models of the form 'shared'"):
        store.streams("default")
    for ct, what in ((True, "CT"), (False, "X-ray")):
        with pytest.raises(AnalysisError, match=f"No recogniser for {what} is installed"):
            store.recogniser(ct=ct)


def test_recognisers_are_found_by_modality_default_and_name(
    installed: tuple[ModelStore, ModelRecord],
) -> None:
    store, record = installed
    two, four = {"heads": {"covid-2": 2}}, {"heads": {"covid-2": 2, "cxr-4": 4}}
    heads = {"a-ct": two, "a-cxr": four, "b-ct": two, "b-cxr": four}
    store.write([
        replace(record, name=name, kind="recognition", network=network)
        for name, network in heads.items()
    ])  # fmt: skip
    assert [store.recogniser(ct=ct).name for ct in (True, False)] == ["a-ct", "a-cxr"]
    store.default_recognisers = {"CT": "b-ct", "CXR": "b-cxr"}
    store.recogniser_reason = "They are better."
    store.write(store.records)
    read = ModelStore(store.folder)
    assert [read.recogniser(ct=ct).name for ct in (True, False)] == ["b-ct", "b-cxr"]
    assert read.recogniser(ct=True, name="a-ct").name == "a-ct"
    words = "Default recogniser of CT: b-ct, X-ray: b-cxr. They are better."
    assert read.recognisers_in_words() == words
    with pytest.raises(AnalysisError, match=r"'a-cxr' for CT \(there are: a-ct, b-ct\)"):
        read.recogniser(ct=True, name="a-cxr")
    store.default_recognisers = {"CT": "gone"}
    with pytest.raises(AnalysisError, match="no recogniser 'gone' for CT"):
        store.recogniser(ct=True)


def test_a_form_of_the_streams_may_have_cuts_of_its_own(
    installed: tuple[ModelStore, ModelRecord],
) -> None:
    store, _ = installed
    grown = {Manifestation.EFFUSION: Cut(0.5, 0.1)}
    store.form_cuts, store.cuts_reason = {"mixed": grown}, "Chosen elsewhere."
    store.default_streams = "mixed"
    store.write(store.records)
    read = ModelStore(store.folder)
    assert read.cuts("default") == read.cuts("mixed") == grown
    assert read.cuts("shared") == {}
    assert read.cuts_reason == "Chosen elsewhere."
    path = store.folder / "manifest.json"
    path.write_text(path.read_text().replace('"edge": 0.1', '"edge": 0.7'))
    with pytest.raises(AnalysisError, match="manifest is damaged"):
        ModelStore(store.folder)


def test_a_network_may_be_silent_in_a_form(installed: tuple[ModelStore, ModelRecord]) -> None:
    store, record = installed
    of_all = {"form": "shared", "streams": {"ggo": 1, "effusion": 1}}
    store.write([
        replace(record, name="framed", kind="streams", network=of_all),
        replace(record, name="unet", kind="streams", network={**of_all, "decoder": "unet"}),
    ])  # fmt: skip
    assert [r.name for r in store.streams("shared")] == ["framed"], "the paper's frame is the form"
    assert [(r.name, r.silent) for r in store.streams("mixed")] == [("framed", ()), ("unet", ())]
    store.silent = {"mixed": {"framed": ("effusion",)}}
    store.write(store.records)
    read = ModelStore(store.folder)
    assert [r.silent for r in read.streams("mixed")] == [("effusion",), ()]
    assert [r.silent for r in read.streams("shared")] == [()]
    assert {r.name: read.form_of(r) for r in read.records} == {"framed": "shared", "unet": "mixed"}
    assert read.records == store.records, "it is said of the form, not of the model"
    alone = [replace(r, name="unet") for r in store.records if r.name == "unet"]
    store.write(alone)
    assert [r.name for r in store.streams("shared")] == ["unet"]


def test_a_manifest_without_recognisers_by_modality_is_still_read(
    installed: tuple[ModelStore, ModelRecord],
) -> None:
    store, record = installed
    path = store.folder / "manifest.json"
    content = json.loads(path.read_text())
    del content["default_recognisers"], content["recogniser_reason"]
    del content["cuts"], content["cuts_reason"], content["silent"]
    del content["models"][0]["modalities"]
    path.write_text(json.dumps(content))
    assert ModelStore(store.folder).records == (record,)


@pytest.mark.parametrize(
    ("heads", "learned", "knows"),
    [
        (("covid-2", "cxr-4"), ("CT", "CXR"), ("CT", "CXR")),
        (("covid-2", "cxr-4"), ("CXR",), ("CXR",)),
        (("covid-2",), ("CT", "CXR"), ("CT",)),
    ],
)
def test_a_recogniser_is_scored_on_what_it_learned(
    installed: tuple[ModelStore, ModelRecord],
    heads: tuple[str, ...], learned: tuple[str, ...], knows: tuple[str, ...],
) -> None:  # fmt: skip
    network = {"heads": dict.fromkeys(heads, 2)}
    record = replace(installed[1], kind="recognition", network=network, modalities=learned)
    assert record.knows == knows


def test_shipped_weights_are_whole_and_small_enough() -> None:
    store = ModelStore()
    kinds = {r.kind for r in store.records}
    assert kinds == {"recognition", "manifestations", "streams", "evidence", "domain"}
    assert store.streams("default")
    for record in store.records:
        store.verify(record)
        assert record.bytes <= MAX_FILE_BYTES
        assert not set(record.split.trained_groups) & set(record.split.validation_groups)
        if record.kind == "evidence":  # fitted to other weights, by no recipe
            assert set(record.fitted_to.values()) <= {r.sha256 for r in store.records}
        else:
            assert record.recipe_sha256 == load_recipe(Path(record.recipe).stem).sha256
        assert record.figures
    assert sum(r.bytes for r in store.records) <= MAX_TOTAL_BYTES


class _Keeping(nn.Module):
    """Holds a tensor that is in no file of weights."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 1)
        self.register_buffer("scale", torch.full((1,), 3.0), persistent=False)


def test_no_random_weights_are_drawn_to_be_thrown_away(
    installed: tuple[ModelStore, ModelRecord],
) -> None:
    store, record = installed
    before = torch.get_rng_state()
    network = store.load(record)
    assert torch.equal(torch.get_rng_state(), before)
    assert not any(tensor.is_meta for tensor in network.state_dict().values())


def test_weights_are_those_of_the_file(installed: tuple[ModelStore, ModelRecord]) -> None:
    store, record = installed
    kept = load_file(store.folder / record.file)
    loaded = store.load(record).state_dict()
    assert loaded.keys() == kept.keys()
    assert all(torch.equal(loaded[name], kept[name].float()) for name in kept)


def test_a_tensor_that_is_in_no_file_keeps_its_value(
    installed: tuple[ModelStore, ModelRecord], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, record = installed
    monkeypatch.setattr(factory, "make_network", lambda _kind, _settings: _Keeping())
    weights = tmp_path / "k.safetensors"
    save_file(_Keeping().state_dict(), weights)
    network = store.load(store.install(weights, record))
    assert network.get_buffer("scale").tolist() == [3.0]
