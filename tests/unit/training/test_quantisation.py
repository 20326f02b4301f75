"""Ranges from training groups, costs on validation groups, and what they allow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import typer
from safetensors.torch import save_file
from typer.testing import CliRunner

from inference.backends.cache import Cache
from inference.backends.precisions import FLOAT32, INT8, read_notes
from inference.backends.quantise import Ranges
from inference.commands.quantising import register
from inference.errors import BadInputError
from inference.models import ModelRecord, ModelStore, Split
from inference.networks.factory import make_network
from inference.training import quantisation
from inference.training.manifest import Row, fold_of_groups, read_manifest

MLCNN = {"size": 32, "blocks": 2, "kernels": 4}
STREAM = {
    "form": "separate", "encoder": "resnet18", "depth": 3, "decoder_channels": 8,
    "streams": {"ggo": 1},
}  # fmt: skip


@pytest.fixture
def make_store(tmp_path: Path) -> Callable[..., ModelStore]:
    """Install one network of random weights, trained on g0 to g3 and validated on g4 to g7."""

    def make(kind: str, settings: dict[str, object], size: int) -> ModelStore:
        torch.manual_seed(5)
        weights = tmp_path / "weights.safetensors"
        save_file(make_network(kind, settings).half().state_dict(), weights)
        split = Split((), (), ("g0", "g1", "g2", "g3"), ("g4", "g5", "g6", "g7"))
        store = ModelStore(tmp_path / "store")
        store.install(
            weights,
            ModelRecord(
                name="tiny", version="0", kind=kind, architecture="tiny", network=settings,
                size=size, file="", sha256="", bytes=0, recipe="", recipe_sha256="",
                data="nothing", device="cpu", steps=0, seconds=0.0, split=split,
            ),
        )  # fmt: skip
        return store

    return make


@pytest.fixture
def rows(lesion_folder: Path) -> tuple[Row, ...]:
    return read_manifest(lesion_folder)


def test_groups_are_kept_apart_and_costs_are_paired(
    make_store: Callable[..., ModelStore],
    rows: tuple[Row, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = make_store("manifestations", MLCNN, 32)
    shown: list[int] = []
    measure = quantisation.measure_ranges

    def counted(network: torch.nn.Module, batches: list[np.ndarray]) -> Ranges:
        shown.append(sum(map(len, batches)))
        return measure(network, batches)

    monkeypatch.setattr(quantisation, "measure_ranges", counted)
    costs = quantisation.quantise(rows, store, store.records, most=6, cache=Cache(tmp_path / "c"))
    notes = read_notes(store)[store.records[0].sha256]
    assert shown == [6]
    assert notes.calibrated_on.startswith("6 pictures of ")
    assert set(notes.ranges) == {"blocks.0", "blocks.4"}
    plain = [c for c in costs["tiny"] if c.precision == FLOAT32]
    assert {c.metric for c in plain} == {"AUC, GGO", "AUC, Consolidation", "AUC, Effusion"}
    for cost in plain:
        assert cost.cost == pytest.approx(0.0, abs=1e-3)
        assert (cost.n, cost.groups) == (8, 4)
    for cost in costs["tiny"]:
        assert cost.cost == pytest.approx(cost.eager - cost.graph, abs=1e-9)
    assert [c["metric"] for c in notes.costs] == [c.metric for c in costs["tiny"]]


@pytest.mark.parametrize(("most", "allowed"), [(2.0, True), (-2.0, False)])
def test_only_what_costs_little_is_allowed(
    make_store: Callable[..., ModelStore],
    rows: tuple[Row, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    most: float,
    allowed: bool,
) -> None:
    store = make_store("manifestations", MLCNN, 32)
    monkeypatch.setattr(quantisation, "MOST_COST", most)  # no AUC can fall by 2, or rise
    quantisation.quantise(rows, store, store.records, most=4, cache=Cache(tmp_path / "c"))
    assert (INT8 in read_notes(store)[store.records[0].sha256].allowed) is allowed


def test_streams_are_scored_by_dice(
    make_store: Callable[..., ModelStore], rows: tuple[Row, ...]
) -> None:
    store = make_store("streams", STREAM, 64)
    valid = [row for row in rows if row.group in {"g4", "g5", "g6", "g7"}]
    scored = quantisation._streams(valid, store.records[0])
    assert scored is not None
    truth = quantisation.prepared(quantisation.annotated(valid), 64)[1] == 1
    right = np.where(truth, 9.0, -9.0).astype(np.float32)[:, None]
    half = right.copy()
    half[:, :, ::2] = -9.0  # every second row is missed
    costs = quantisation._costs(scored, INT8, {"ggo": right}, {"ggo": half})
    assert {c.metric for c in costs} == {
        "Dice, GGO, pooled pixels", "Dice, GGO, mean over slices that have it",
    }  # fmt: skip
    for cost in costs:
        assert cost.eager == pytest.approx(1.0)
        assert cost.graph == pytest.approx(2 / 3, abs=0.02), "half of the truth is found"
        assert cost.low <= cost.cost <= cost.high


def test_the_command_names_the_models_it_knows(
    make_store: Callable[..., ModelStore], lesion_folder: Path
) -> None:
    store = make_store("manifestations", MLCNN, 32)
    app = typer.Typer()
    register(app)
    with pytest.raises(BadInputError, match="no model nope; there are tiny"):
        CliRunner().invoke(
            app,
            [str(lesion_folder), "--model", "nope", "--models", str(store.folder)],
            catch_exceptions=False,
        )


def test_a_folder_without_the_training_pictures_is_said(
    make_store: Callable[..., ModelStore], rows: tuple[Row, ...], tmp_path: Path
) -> None:
    store = make_store("manifestations", MLCNN, 32)
    others = [row for row in rows if row.group not in {"g0", "g1", "g2", "g3"}]
    with pytest.raises(BadInputError, match="no picture that tiny was trained on"):
        quantisation.quantise(others, store, store.records, cache=Cache(tmp_path / "c"))


def _tiny(folder: Path, split: Split, seed: int, steps: int = 0) -> ModelStore:
    torch.manual_seed(seed)
    store, weights = ModelStore(folder), folder.parent / f"{seed}.safetensors"
    weights.parent.mkdir(parents=True, exist_ok=True)
    save_file(make_network("manifestations", MLCNN).half().state_dict(), weights)
    store.install(
        weights,
        ModelRecord(
            name="tiny", version="0", kind="manifestations", architecture="tiny", network=MLCNN,
            size=32, file="", sha256="", bytes=0, recipe="", recipe_sha256="", data="nothing",
            device="cpu", steps=steps, seconds=0.0, split=split,
        ),
    )  # fmt: skip
    return store


def _cross_validated(folder: Path, rows: tuple[Row, ...], folds: tuple[int, ...]) -> None:
    of_group = fold_of_groups(rows)
    for fold in folds:
        others = tuple(f for f in range(5) if f != fold)
        known = tuple(sorted(g for g, f in of_group.items() if f != fold))
        _tiny(folder / f"fold-{fold}" / "store", Split(others, (), known, ()), 10 + fold)


def test_without_validation_groups_each_fold_is_judged_by_a_network_that_never_saw_it(
    rows: tuple[Row, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_group = fold_of_groups(rows)
    known = tuple(sorted(g for g, f in of_group.items() if f in {0, 2}))
    store = _tiny(tmp_path / "shipped", Split((0, 2), (), known, ()), 1)
    _cross_validated(tmp_path / "cv", rows, (0, 2))
    asked: list[tuple[str, set[str]]] = []
    outputs = quantisation._outputs

    def watched(engine: Any, record: ModelRecord, scored: Any, line: Any) -> Any:
        asked.append((record.sha256, set(scored.groups)))
        assert not set(scored.groups) & set(record.split.trained_groups)
        return outputs(engine, record, scored, line)

    monkeypatch.setattr(quantisation, "_outputs", watched)
    costs = quantisation.quantise(
        rows, store, store.records, most=4, siblings=tmp_path / "cv", cache=Cache(tmp_path / "c")
    )
    judged = {group for _, groups in asked for group in groups}
    assert judged == {r.group for r in rows if of_group.get(r.group) in {0, 2}}
    assert store.records[0].sha256 not in {digest for digest, _ in asked}
    assert {c.groups for c in costs["tiny"]} == {len(judged)}
    assert read_notes(store)[store.records[0].sha256].costs, "entered for the shipped weights"


def test_siblings_that_are_missing_or_of_another_kind_are_refused(
    rows: tuple[Row, ...], tmp_path: Path
) -> None:
    known = tuple(sorted({r.group for r in rows}))
    store = _tiny(tmp_path / "shipped", Split((0, 2), (), known, ()), 1, steps=7)
    cache = Cache(tmp_path / "c")
    with pytest.raises(BadInputError, match="name a cross-validation of its recipe"):
        quantisation.quantise(rows, store, store.records, most=4, cache=cache)
    _cross_validated(tmp_path / "cv", rows, (0,))
    with pytest.raises(BadInputError, match="trained in another way"):
        quantisation.quantise(
            rows, store, store.records, most=4, siblings=tmp_path / "cv", cache=cache
        )
    again = _tiny(tmp_path / "again", Split((0, 2), (), known, ()), 2)
    with pytest.raises(BadInputError, match="trained without fold 2"):
        quantisation.quantise(
            rows, again, again.records, most=4, siblings=tmp_path / "cv", cache=cache
        )
