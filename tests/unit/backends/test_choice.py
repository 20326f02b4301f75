"""Graph, precision and fallback, as the engine chooses them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from inference.backends import BackendError, choice, graph
from inference.backends.cache import Cache
from inference.backends.choice import choose_runner, disagreement, probe_pictures
from inference.backends.graph import GraphRunner, load_graph
from inference.backends.precisions import FLOAT32, INT8, GraphNotes, read_notes, write_notes
from inference.backends.quantise import measure_ranges
from inference.engine import Engine
from inference.errors import AnalysisError, BadInputError, CancelledError
from inference.models import ModelRecord, ModelStore
from inference.progress import Progress


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "graphs")


@pytest.fixture
def conversions(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Sizes for which a network was converted."""
    made: list[int] = []
    convert = graph.to_graph

    def counted(network: torch.nn.Module, size: int) -> Any:
        made.append(size)
        return convert(network, size)

    monkeypatch.setattr(graph, "to_graph", counted)
    return made


@pytest.fixture
def notes(store: ModelStore, record: ModelRecord, pictures: np.ndarray) -> GraphNotes:
    """Eight bit allowed."""
    ranges = measure_ranges(store.load(record), [pictures, probe_pictures(record.size)])
    return GraphNotes(record.name, "five pictures", ranges, (INT8,), {INT8: 0.05})


def _run(engine: Engine, record: ModelRecord, pictures: np.ndarray, batch: int = 2) -> np.ndarray:
    parts = engine.run(record, pictures, "Testing", Progress(), batch, [])
    return np.concatenate([output[""] for _, output in parts])


def test_the_engine_uses_a_graph_and_says_so(
    store: ModelStore, record: ModelRecord, pictures: np.ndarray, cache: Cache
) -> None:
    eager = Engine(store, "cpu", precision="float32")
    fast = Engine(store, "cpu", cache=cache)
    expected = _run(eager, record, pictures)
    np.testing.assert_allclose(_run(fast, record, pictures), expected, rtol=1e-4, atol=1e-5)
    assert "PyTorch float32" in eager.describe([record])
    assert "OpenVINO" in fast.describe([record])
    assert "float32" in fast.describe([record])
    assert fast.remarks([record]) == ()


def test_a_graph_is_made_once_and_again_when_damaged(
    store: ModelStore,
    record: ModelRecord,
    cache: Cache,
    conversions: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    load_graph(store, record, cache)
    load_graph(store, record, cache)
    assert conversions == [record.size]
    (weights,) = cache.folder.rglob("graph.bin")
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.unlink()  # it may be mapped into memory
    weights.write_bytes(content)
    load_graph(store, record, cache)
    assert len(conversions) == 2
    monkeypatch.setattr("inference.backends.openvino_quietly.version", lambda: "2099.1")
    load_graph(store, record, cache)
    assert len(conversions) == 3, "another OpenVINO, another graph"


def test_a_graph_of_altered_weights_is_refused(
    store: ModelStore, record: ModelRecord, cache: Cache
) -> None:
    load_graph(store, record, cache)
    path = store.folder / record.file
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(AnalysisError, match="not those of the manifest"):
        load_graph(store, record, cache)


def test_where_no_graph_can_be_made_pytorch_runs_and_it_is_said(
    store: ModelStore,
    record: ModelRecord,
    pictures: np.ndarray,
    cache: Cache,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise BackendError("OpenVINO could not convert the network")

    monkeypatch.setattr(graph, "to_graph", fail)
    engine = Engine(store, "cpu", cache=cache)
    expected = _run(Engine(store, "cpu", backend="eager"), record, pictures)
    assert np.array_equal(_run(engine, record, pictures), expected)
    (remark,) = engine.remarks([record])
    assert "could not convert" in remark
    assert "PyTorch" in engine.describe([record])


def test_a_graph_that_fails_midway_is_replaced_and_no_picture_is_lost(
    store: ModelStore,
    record: ModelRecord,
    pictures: np.ndarray,
    cache: Cache,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run, calls = GraphRunner.run, []

    def fail_later(self: GraphRunner, batch: np.ndarray) -> dict[str, np.ndarray]:
        calls.append(len(batch))
        if len(calls) == 2:
            raise BackendError("OpenVINO failed")
        return run(self, batch)

    monkeypatch.setattr(GraphRunner, "run", fail_later)
    engine = Engine(store, "cpu", cache=cache)
    expected = _run(Engine(store, "cpu", precision="float32"), record, pictures)
    found = _run(engine, record, pictures)
    assert calls == [2, 2]
    np.testing.assert_allclose(found, expected, atol=0.01)  # PyTorch may have taken 16 bit
    assert "OpenVINO failed" in engine.remarks([record])[0]


def test_cancelling_takes_effect_before_the_next_batch(
    store: ModelStore, record: ModelRecord, pictures: np.ndarray, cache: Cache
) -> None:
    progress = Progress()
    parts = Engine(store, "cpu", cache=cache).run(record, pictures, "Testing", progress, 2, [])
    first, _ = next(parts)
    progress.cancelled.set()
    assert first == slice(0, 2)
    with pytest.raises(CancelledError):
        next(parts)


def test_eight_bit_is_chosen_where_it_is_fast_and_the_choice_is_kept(
    store: ModelStore,
    record: ModelRecord,
    cache: Cache,
    notes: GraphNotes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    probed: list[set[str]] = []

    def probe(runners: dict[str, GraphRunner], *_: object) -> str:
        probed.append(set(runners))
        return INT8

    monkeypatch.setattr(choice, "_probe", probe)
    for _ in range(2):
        assert choose_runner(store, record, notes, cache).precision == INT8
    assert probed == [{FLOAT32, INT8}]
    other = dataclasses.replace(notes, disagreement={INT8: 0.04})
    choose_runner(store, record, other, cache)
    assert len(probed) == 2, "new notes, new choice"
    assert choose_runner(store, record, None, cache).precision == FLOAT32
    assert choose_runner(store, record, notes, cache, FLOAT32).precision == FLOAT32


def test_on_another_machine_the_choice_is_made_anew(
    store: ModelStore,
    record: ModelRecord,
    cache: Cache,
    notes: GraphNotes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A cache may be carried along, or lie on a share."""
    probed: list[int] = []
    monkeypatch.setattr(choice, "_probe", lambda *_: (probed.append(1), INT8)[1])
    choose_runner(store, record, notes, cache)
    choose_runner(store, record, notes, cache)
    assert len(probed) == 1
    for machine in (["a processor without VNNI"], [*choice._machine()[:-1], "64 threads"]):
        monkeypatch.setattr(choice, "_machine", lambda machine=machine: machine)
        choose_runner(store, record, notes, cache)
    assert len(probed) == 3


class Timed:
    """Stands for a runner that takes some time and errs by some amount."""

    def __init__(self, clock: list[float], seconds: float, error: float = 0.0) -> None:
        self.clock, self.seconds, self.error = clock, seconds, error

    def run(self, pictures: np.ndarray) -> dict[str, np.ndarray]:
        self.clock[0] += self.seconds
        return {"": np.ones((len(pictures), 3), np.float32) + np.float32(self.error)}


@pytest.mark.parametrize(
    ("seconds", "error", "chosen"),
    [(0.4, 0.02, INT8), (0.9, 0.02, FLOAT32), (0.4, 0.3, FLOAT32)],
    ids=["fast and right", "hardly faster", "fast and wrong"],
)
def test_speed_counts_only_where_the_answer_is_right(
    monkeypatch: pytest.MonkeyPatch, seconds: float, error: float, chosen: str
) -> None:
    clock = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: clock[0])
    runners = {FLOAT32: Timed(clock, 1.0), INT8: Timed(clock, seconds, error)}
    assert choice._probe(runners, {INT8: 0.02}, probe_pictures(8)) == chosen


def test_disagreement_is_relative_and_of_the_worst_output() -> None:
    one = {"a": np.full((2, 2), 10.0, np.float32), "b": np.full((2, 2), 1.0, np.float32)}
    two = {"a": one["a"] + 1, "b": one["b"] + 0.3}
    assert disagreement(two, one) == pytest.approx(0.3, rel=1e-4)


def test_notes_are_kept_beside_the_manifest_by_hash(
    store: ModelStore, record: ModelRecord, notes: GraphNotes
) -> None:
    assert read_notes(store) == {}
    path = write_notes(store, {record.sha256: notes, "f" * 64: notes})
    assert read_notes(ModelStore(store.folder)) == {record.sha256: notes}
    path.write_text(json.dumps({"format": 1, "models": {"x": {}}}), encoding="utf-8")
    with pytest.raises(AnalysisError, match="damaged"):
        read_notes(store)


def test_what_does_not_go_together_is_refused(store: ModelStore) -> None:
    with pytest.raises(BadInputError, match="no backend 'onnx'"):
        Engine(store, backend="onnx")
    with pytest.raises(BadInputError, match="no precision 'int4'"):
        Engine(store, precision="int4")
    with pytest.raises(BadInputError, match="Only the graph backend"):
        Engine(store, precision="int8")
    assert Engine(store, backend="graph").device.type == "cpu"


def test_the_file_of_notes_fits_the_shipped_models() -> None:
    store = ModelStore()
    names = {r.sha256: r.name for r in store.records}
    found = read_notes(store)
    told = {names[digest] for digest in found if digest in names}
    assert {"recognition-ct", "manifestations", "streams-student"} <= told, "the default ones"
    for digest, notes in found.items():
        assert names.get(digest, notes.name) == notes.name
        assert notes.ranges
