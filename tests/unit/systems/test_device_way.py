"""An analysis that never leaves the device says what one through OpenCV and NumPy says.

It runs here on the CPU, with the same code as on a GPU.
"""

from __future__ import annotations

import copy
import dataclasses
import threading
from itertools import chain
from typing import Any

import numpy as np
import pytest
import torch

from inference.backends.fixed import FixedShapeRunner
from inference.cuts import LEVELS, Cut
from inference.engine import Engine
from inference.errors import CancelledError
from inference.findings import Findings, Manifestation
from inference.framing import chest_box
from inference.models import ModelStore
from inference.ondevice.preparing import Preparer
from inference.partial import Partial
from inference.preprocess import prepare, to_picture
from inference.progress import Progress
from inference.studies.model import Unit, Volume
from inference.systems.base import Context
from inference.systems.elbana import ElBana, device_way, stream_probabilities
from inference.systems.elbana.device_way import DeviceWay
from inference.systems.elbana.masks import keep_to_lungs
from inference.systems.elbana.planning import make_plan
from inference.systems.elbana.ways import HostWay

BATCH = 4
"""Divides the phantom's eight slices: a batch that is filled up may differ in its last digits."""


def _context(**changes: Any) -> Context:
    return Context(**({"device": "cpu", "batch_size": BATCH} | changes))


def _codes(findings: Findings) -> np.ndarray:
    codes = np.zeros(findings.shape, np.uint8)
    for code, segment in enumerate(findings.segments, start=1):
        codes[segment.mask] = code
    return codes


def _middle(store: ModelStore, volume: Volume, name: str = "streams-shared") -> float:
    """Networks with random weights are sure of nothing: the middle of what one says."""
    engine, plan, record = Engine(store, "cpu", "float32"), make_plan(volume), store.find(name)
    shown = np.stack(
        [prepare(to_picture(volume, int(i)), record.size, plan.box) for i in plan.indices]
    )
    (_, outputs), *_ = engine.run(record, shown, "", Progress(), len(shown), [])
    return float(np.median([np.median(m) for m in stream_probabilities(outputs).values()]))


@pytest.fixture
def cutting(store: ModelStore, chest: Volume) -> ModelStore:
    """The store, whose forms are cut where some pixels are marked and others are not."""
    made = ModelStore(store.folder)
    cut = Cut.at((int(LEVELS * _middle(store, chest)) + 0.5) / LEVELS)
    made.form_cuts = {
        form: dict.fromkeys(Manifestation, cut) for form in ("shared", "mixed", "all", "separate")
    }
    return made


def _both(store: ModelStore, volume: Volume, **changes: Any) -> tuple[Findings, Findings]:
    """Findings by way of the host and of the device."""
    host, device = (
        ElBana(store, precision="float32", on_device=on_device).analyse(volume, _context(**changes))
        for on_device in (False, True)
    )
    return host, device


def _assert_alike(host: Findings, device: Findings) -> None:
    assert "fixed shape" in device.device
    assert "fixed shape" not in host.device
    for one, other in zip(host.estimates, device.estimates, strict=True):
        assert one.task == other.task
        np.testing.assert_allclose(other.per_slice, one.per_slice, rtol=0, atol=1e-6)
        assert other.study == pytest.approx(one.study, abs=1e-6)
    np.testing.assert_array_equal(_codes(device), _codes(host))
    assert device.notes == host.notes


@pytest.mark.parametrize("form", ["shared", "separate", "mixed", "all"])
def test_a_whole_analysis_says_the_same(cutting: ModelStore, chest: Volume, form: str) -> None:
    host, device = _both(cutting, chest, streams=form)
    _assert_alike(host, device)
    marked = _codes(host) > 0
    assert 0.001 < marked.mean() < 0.4, "a test of empty or full masks would prove nothing"


def test_a_batch_that_is_filled_up_changes_no_mask(cutting: ModelStore, chest: Volume) -> None:
    host, device = _both(cutting, chest, batch_size=3)
    _assert_alike(host, device)


def test_other_cuts_and_cuts_that_are_grown_say_the_same(
    cutting: ModelStore, chest: Volume
) -> None:
    middle = cutting.form_cuts["shared"][Manifestation.GGO].edge
    cutting.form_cuts = {
        "shared": {
            Manifestation.GGO: Cut(min(1.0, middle + 0.02), middle),
            Manifestation.EFFUSION: Cut.at(middle),
        }
    }
    host, device = _both(cutting, chest, streams="shared")
    _assert_alike(host, device)
    assert host.segment(Manifestation.GGO).mask.any()


@pytest.mark.parametrize("row_mm", [3.0, 1.3, 2.5])
def test_masks_are_kept_to_the_lungs_alike_whatever_the_pixels(
    cutting: ModelStore, chest: Volume, monkeypatch: pytest.MonkeyPatch, row_mm: float
) -> None:
    kept: list[int] = []

    def watched(codes: np.ndarray, lungs: np.ndarray, volume: Volume) -> None:
        kept.append(len(codes))
        keep_to_lungs(codes, lungs, volume)

    monkeypatch.setattr(device_way, "keep_to_lungs", watched)
    affine = chest.affine.copy()
    affine[:2, :2] *= row_mm / 3.0
    if row_mm == 2.5:
        affine[0, 0] = 3.0  # no longer square
    volume = dataclasses.replace(chest, affine=affine)
    host, device = _both(cutting, volume)
    _assert_alike(host, device)
    assert bool(kept) == (row_mm == 2.5), "on the host only where pixels are not square"


def test_partial_results_are_pieces_of_the_findings(cutting: ModelStore, chest: Volume) -> None:
    told: list[Partial] = []
    system = ElBana(cutting, precision="float32", on_device=True)
    findings = system.analyse(chest, _context(focus=8, partial=told.append))
    assert 8 in told[0].indices
    together = np.concatenate([partial.indices for partial in told])
    assert sorted(together) == np.flatnonzero(findings.analysed).tolist()
    codes = _codes(findings)
    assert codes.any()
    for partial in told:
        assert np.array_equal(partial.codes, codes[partial.indices])
        for said, estimate in zip(partial.estimates, findings.estimates, strict=True):
            assert np.array_equal(said.values, estimate.shown_per_slice[partial.indices])


def test_progress_is_told_and_cancelling_takes_effect_within_a_batch(
    store: ModelStore, chest: Volume
) -> None:
    seen: list[tuple[str, int]] = []
    context = _context()

    def watch(stage: str, done: int, _total: int) -> None:
        seen.append((stage, done))
        if (stage, done) == ("Analysing slices", 4):
            context.progress.cancelled.set()

    context.progress.callback = watch
    with pytest.raises(CancelledError):
        ElBana(store, precision="float32", on_device=True).analyse(chest, context)
    assert seen[-1] == ("Analysing slices", 4)
    assert not [t for t in threading.enumerate() if t.name.startswith("analysis-helper")]


def test_every_part_is_counted(store: ModelStore, chest: Volume) -> None:
    findings = ElBana(store, precision="float32", on_device=True).analyse(chest, _context())
    parts = findings.timings.parts()
    assert all(seconds > 0 for name, seconds in parts.items() if name != "read")


def test_pictures_go_there_once_and_only_codes_come_back(
    store: ModelStore, chest: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither OpenCV's preparation nor the runner's way through the host is used."""

    def never(*_args: object) -> None:
        raise AssertionError("through the host")

    sent: list[list[int]] = []
    send = device_way.Lane.send

    def watched(self: Any, array: np.ndarray, indices: np.ndarray) -> torch.Tensor:
        if array is chest.array:
            sent.append(indices.tolist())
        return send(self, array, indices)

    monkeypatch.setattr(device_way.Lane, "send", watched)
    monkeypatch.setattr(HostWay, "prepare", never)
    monkeypatch.setattr(HostWay, "codes", never)
    monkeypatch.setattr(FixedShapeRunner, "run", never)
    findings = ElBana(store, precision="float32", on_device=True).analyse(chest, _context())
    assert sorted(chain(*sent)) == np.flatnonzero(findings.analysed).tolist()


def test_without_memory_for_a_part_the_host_helps_out(
    cutting: ModelStore, chest: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, _ = _both(cutting, chest)
    tried: list[str] = []

    def full(self: Preparer, values: torch.Tensor) -> dict[int, torch.Tensor]:
        tried.append("preparing")
        raise torch.OutOfMemoryError("out of memory")

    combine = device_way.combined

    def full_once(*args: Any) -> torch.Tensor:
        tried.append("marking")
        if tried.count("marking") == 1:
            raise torch.OutOfMemoryError("out of memory")
        return combine(*args)

    monkeypatch.setattr(Preparer, "__call__", full)
    monkeypatch.setattr(device_way, "combined", full_once)
    device = ElBana(cutting, precision="float32", on_device=True).analyse(chest, _context())
    _assert_alike(host, device)
    assert tried.count("preparing") == 1, "it is not tried again for every group"
    assert tried.count("marking") == 3


def test_a_batch_that_was_too_large_is_not_tried_again(
    cutting: ModelStore, chest: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, _ = _both(cutting, chest, batch_size=2)
    compute, refused = FixedShapeRunner._compute, []

    def small_only(self: FixedShapeRunner, there: torch.Tensor) -> dict[str, torch.Tensor]:
        if len(there) > 2:
            refused.append(len(there))
            raise torch.OutOfMemoryError("out of memory")
        return compute(self, there)

    monkeypatch.setattr(FixedShapeRunner, "_compute", small_only)
    device = ElBana(cutting, precision="float32", on_device=True).analyse(chest, _context())
    # Once for each network when it was loaded, and once when the first was run.
    assert refused == [4] * (1 + len(device.models))
    note = "Memory ran out; the batch was reduced to 2 slices."
    assert [n for n in device.notes if "Memory ran out" in n] == [note]
    np.testing.assert_array_equal(_codes(device), _codes(host))


def test_a_volume_without_lungs_is_shown_whole(cutting: ModelStore, chest: Volume) -> None:
    head = dataclasses.replace(chest, array=np.maximum(chest.array, -300))
    host, device = _both(cutting, head)
    assert host.lungs is None
    _assert_alike(host, device)


@pytest.mark.parametrize("framing", ["whole", "chest"])
def test_pictures_without_hu_are_prepared_on_the_host(
    cutting: ModelStore, chest: Volume, framing: str
) -> None:
    grey = np.stack([to_picture(chest, index) for index in (5, 6, 5)])
    array = np.pad(grey, ((0, 0), (70, 10), (20, 60)))
    array[1] = np.roll(array[1], 12, axis=1)  # framed otherwise than the others
    volume = dataclasses.replace(
        chest, array=array, slices=chest.slices[:3], unit=Unit.GREY, windows=()
    )
    if framing == "chest":
        assert len({chest_box(one) for one in array}) == 2
    framed = copy.copy(cutting)
    framed.records = tuple(
        dataclasses.replace(r, framing=framing) if r.name == "streams-shared" else r
        for r in cutting.records
    )
    host, device = _both(framed, volume, streams="shared")
    _assert_alike(host, device)
    assert _codes(host).any(axis=(1, 2)).all()


def test_hu_that_are_framed_by_what_they_show_are_prepared_on_the_host(
    store: ModelStore, chest: Volume
) -> None:
    engine = Engine(store, "cpu", "float32", on_device=True)
    group = np.array([3, 6])
    wanted = {(64, "chest"), (64, "whole")}
    cancelled = threading.Event()
    plan = dataclasses.replace(make_plan(chest), box=None)
    expected = HostWay(engine, chest, plan, wanted).prepare(group, cancelled)
    found = DeviceWay(engine, chest, plan, wanted).prepare(group, cancelled)
    assert found.boxes == expected.boxes
    for key, made in expected.pictures.items():
        np.testing.assert_array_equal(found.pictures[key].numpy(), made)


def test_an_xray_goes_the_same_way(store: ModelStore, xray: Volume) -> None:
    host, device = _both(store, xray)
    _assert_alike(host, device)
    assert device.segments == ()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_on_a_gpu_both_ways_say_the_same(cutting: ModelStore, chest: Volume) -> None:
    host, device = (
        ElBana(cutting, on_device=on_device).analyse(chest, _context(device="cuda"))
        for on_device in (False, True)
    )
    assert "CUDA graph" in device.device
    for one, other in zip(host.estimates, device.estimates, strict=True):
        np.testing.assert_allclose(other.per_slice, one.per_slice, rtol=0, atol=1e-5)
    # A GPU's exponential may differ in the last digit from NumPy's, and a level with it.
    differ = _codes(device) != _codes(host)
    assert differ.mean() < 1e-3
