"""Slices by groups: the order follows the reader's eye, the findings do not."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from inference.backends.eager import EagerRunner
from inference.calibration import to_probabilities
from inference.cuts import LEVELS, Cut
from inference.engine import Engine
from inference.errors import CancelledError
from inference.findings import Findings, Manifestation
from inference.lungs import dilate
from inference.models import ModelStore
from inference.partial import Partial
from inference.preprocess import prepare, restore, to_picture
from inference.progress import Progress
from inference.studies.model import Volume
from inference.systems.base import Context
from inference.systems.elbana import (
    EFFUSION_MARGIN_MM,
    LUNG_MARGIN_MM,
    ElBana,
    stream_probabilities,
)
from inference.systems.elbana.planning import Groups, make_plan
from inference.taxonomy import TASKS

BATCH = 3


@pytest.fixture
def system(store: ModelStore) -> ElBana:
    return ElBana(store, precision="float32")


def _context(**changes: Any) -> Context:
    return Context(**({"device": "cpu", "batch_size": BATCH} | changes))


def _codes(findings: Findings) -> np.ndarray:
    codes = np.zeros(findings.shape, np.uint8)
    for code, segment in enumerate(findings.segments, start=1):
        codes[segment.mask] = code
    return codes


def test_groups_are_the_same_wherever_the_reader_looks() -> None:
    indices = np.array([2, 3, 4, 5, 6, 8, 9])
    cuts = set()
    for focus in (None, 0, 5, 9, 50):
        groups, taken = Groups(indices, 3), []
        while (group := groups.take(focus)) is not None:
            taken.append(tuple(group.tolist()))
        cuts.add(frozenset(taken))
    assert cuts == {frozenset({(2, 3, 4), (5, 6, 8), (9,)})}


@pytest.mark.parametrize(
    ("focus", "order"),
    [(None, [2, 1, 3, 0]), (0, [0, 1, 2, 3]), (7, [3, 2, 1, 0]), (3, [1, 2, 0, 3])],
)
def test_the_nearest_group_comes_first(focus: int | None, order: list[int]) -> None:
    groups = Groups(np.arange(8), 2)
    assert [int(groups.take(focus)[0]) // 2 for _ in order] == order
    assert groups.take(focus) is None


def _in_one_pass(store: ModelStore, volume: Volume) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Logits, and levels of the streams, by every stage over all slices, one after the other."""
    engine, plan = Engine(store, "cpu", "float32"), make_plan(volume)

    def outputs(name: str) -> dict[str, np.ndarray]:
        record = store.find(name)
        pictures = np.stack(
            [prepare(to_picture(volume, int(i)), record.size, plan.box) for i in plan.indices]
        )
        parts = [out for _, out in engine.run(record, pictures, "", Progress(), BATCH, [])]
        return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}

    logits = {
        "covid-2": outputs("recognition-ct")["covid-2"],
        "manifestations": outputs("manifestations")[""],
    }
    maps = stream_probabilities(outputs("streams-shared"))
    levels = np.zeros((3, *volume.shape), np.uint8)
    for place, index in enumerate(plan.indices):
        values = np.stack([m[place] for m in maps.values()])
        levels[:, index] = np.rint(255 * restore(values, volume.shape[1:], plan.box))
    return logits, levels


def _masked(levels: np.ndarray, least: int, volume: Volume) -> np.ndarray:
    codes = np.where(levels.max(axis=0) > least, 1 + levels.argmax(axis=0), 0).astype(np.uint8)
    lungs = make_plan(volume).lungs.mask
    inside = dilate(lungs, volume, LUNG_MARGIN_MM)
    near = dilate(lungs, volume, EFFUSION_MARGIN_MM)
    codes[~np.where(codes == 3, near, inside)] = 0
    return codes


def test_findings_are_those_of_one_pass_whatever_the_focus(
    store: ModelStore, chest: Volume
) -> None:
    logits, levels = _in_one_pass(store, chest)
    # Networks with random weights are sure of nothing: the middle of what they say is taken.
    least = int(np.median(levels[levels > 0]))
    cut = Cut.at((least + 0.5) / LEVELS)
    cutting = ModelStore(store.folder)
    cutting.form_cuts = {store.default_streams: dict.fromkeys(Manifestation, cut)}
    system = ElBana(cutting, precision="float32")
    codes = _masked(levels, least, chest)
    shares = np.bincount(codes.ravel(), minlength=4)[1:] / codes.size
    assert 0.005 < shares.sum() < 0.2, "a test of empty or full masks would prove nothing"
    expected = {
        task: to_probabilities(values, exclusive=task == "covid-2").astype(np.float32)
        for task, values in logits.items()
    }
    assert 0.01 < np.median(expected["manifestations"]) < 0.99
    first = system.analyse(chest, _context())
    assert {segment.cut for segment in first.segments} == {cut}
    for task, values in expected.items():
        told = first.estimate(task).per_slice[first.analysed]
        assert np.array_equal(told, values)
    assert np.array_equal(_codes(first), codes)
    for focus in (0, 5, 11):
        findings = system.analyse(chest, _context(focus=focus))
        for before, after in zip(first.estimates, findings.estimates, strict=True):
            assert np.array_equal(before.per_slice, after.per_slice, equal_nan=True)
            assert before.study == after.study
        assert np.array_equal(_codes(findings), codes)


def test_partial_results_are_pieces_of_the_findings(system: ElBana, chest: Volume) -> None:
    told: list[Partial] = []
    findings = system.analyse(chest, _context(focus=8, partial=told.append))
    assert 8 in told[0].indices
    together = np.concatenate([partial.indices for partial in told])
    assert sorted(together) == np.flatnonzero(findings.analysed).tolist()
    codes = _codes(findings)
    for partial in told:
        assert (partial.series_uid, partial.shape) == (chest.series_uid, chest.shape)
        assert np.array_equal(partial.planned, findings.analysed)
        assert np.array_equal(partial.codes, codes[partial.indices])
        assert [said.task for said in partial.estimates] == [e.task for e in findings.estimates]
        for said, estimate in zip(partial.estimates, findings.estimates, strict=True):
            assert np.array_equal(said.values, estimate.shown_per_slice[partial.indices])


def test_the_reader_may_look_elsewhere_meanwhile(system: ElBana, chest: Volume) -> None:
    order: list[int] = []
    context = _context(batch_size=1, focus=2)

    def look_up(partial: Partial) -> None:
        order.extend(partial.indices.tolist())
        context.focus = 9

    context.partial = look_up
    system.analyse(chest, context)
    # A few groups are under way when the eye moves.
    assert order[0] == 2
    assert order.index(9) < order.index(6)


def test_nothing_is_told_after_a_cancellation(system: ElBana, chest: Volume) -> None:
    told: list[Partial] = []
    context = _context(batch_size=1)

    def stop(partial: Partial) -> None:
        told.append(partial)
        context.progress.cancelled.set()

    context.partial = stop
    with pytest.raises(CancelledError):
        system.analyse(chest, context)
    assert len(told) == 1
    assert not [t for t in threading.enumerate() if t.name.startswith("analysis-helper")]


def test_a_failure_on_the_second_thread_is_a_failure(system: ElBana, chest: Volume) -> None:
    def fail(_partial: Partial) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        system.analyse(chest, _context(partial=fail))
    assert not [t for t in threading.enumerate() if t.name.startswith("analysis-helper")]


def test_a_batch_that_was_too_large_is_not_tried_again(
    system: ElBana, chest: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, refused = EagerRunner.run, []

    def small_only(self: EagerRunner, pictures: np.ndarray) -> Any:
        if len(pictures) > 2:
            refused.append(len(pictures))
            raise MemoryError
        return run(self, pictures)

    monkeypatch.setattr(EagerRunner, "run", small_only)
    findings = system.analyse(chest, _context(batch_size=4))
    assert refused == [4]
    assert [note for note in findings.notes if "Memory ran out" in note] == [
        "Memory ran out; the batch was reduced to 2 slices."
    ]


def test_once_ready_an_analysis_loads_nothing(
    system: ElBana, chest: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.get_ready(chest, _context())
    monkeypatch.setattr(ModelStore, "load", None)
    assert system.analyse(chest, _context()).segments


def test_getting_ready_can_be_cancelled(system: ElBana, chest: Volume) -> None:
    context = _context()
    context.progress.cancelled.set()
    with pytest.raises(CancelledError):
        system.get_ready(chest, context)


def test_an_xray_is_a_group_of_one(system: ElBana, xray: Volume) -> None:
    told: list[Partial] = []
    system.analyse(xray, _context(partial=told.append))
    assert [(p.indices.tolist(), p.codes) for p in told] == [([0], None)]
    assert told[0].estimates[0].classes != TASKS["manifestations"].classes
