"""The El-bana system: what is computed, what is not, and that the two are never confused."""

from __future__ import annotations

import copy
import dataclasses
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

import numpy as np
import pytest
import torch

from inference.clock import Clock
from inference.engine import Engine
from inference.errors import AnalysisError, CancelledError, OutsideDomainError
from inference.findings import Manifestation
from inference.framing import chest_box
from inference.lungs import dilate
from inference.models import ModelRecord, ModelStore
from inference.preprocess import to_picture
from inference.progress import Progress
from inference.studies.model import Unit, Volume
from inference.systems.base import Context
from inference.systems.elbana import (
    EFFUSION_MARGIN_MM,
    LUNG_MARGIN_MM,
    ElBana,
    most_suspicious,
    stream_probabilities,
    ways,
)


def _context(**changes: object) -> Context:
    return Context(**({"device": "cpu", "batch_size": 4} | changes))  # type: ignore[arg-type]


@pytest.fixture
def system(store: ModelStore) -> ElBana:
    return ElBana(store, precision="float32")


def test_ct_findings_lie_on_the_source_grid(system: ElBana, chest: Volume) -> None:
    findings = system.analyse(chest, _context(read_seconds=1.5))
    assert findings.shape == chest.shape
    assert np.array_equal(findings.affine, chest.affine)
    assert findings.series_uid == chest.series_uid
    assert [s.key for s in findings.segments] == list(Manifestation)
    assert all(s.mask.shape == chest.shape for s in findings.segments)
    assert findings.estimate("cxr-4") is None, "the four-class head is for X-ray"
    assert findings.lung_ml is not None
    assert findings.lung_ml == pytest.approx(findings.lungs.sum() * 0.09)


def test_slices_without_lung_are_not_analysed(system: ElBana, chest: Volume) -> None:
    findings = system.analyse(chest, _context())
    expected = np.array([False] * 2 + [True] * 8 + [False] * 2)
    assert np.array_equal(findings.analysed, expected)
    for estimate in findings.estimates:
        assert np.array_equal(np.isfinite(estimate.per_slice).all(axis=1), expected)
    assert any("4 slices without lung" in note for note in findings.notes)


def test_probabilities_are_probabilities(system: ElBana, chest: Volume) -> None:
    findings = system.analyse(chest, _context())
    covid = findings.estimate("covid-2")
    assert sum(covid.study) == pytest.approx(1.0, abs=1e-5)
    labels = findings.estimate("manifestations")
    assert not labels.exclusive
    assert all(0.0 <= p <= 1.0 for p in labels.study)


def test_masks_exclude_each_other_and_lesions_keep_to_the_lungs(
    system: ElBana, chest: Volume
) -> None:
    findings = system.analyse(chest, _context())
    together = np.sum([s.mask for s in findings.segments], axis=0)
    assert together.max() <= 1
    allowed = dilate(findings.lungs, chest, LUNG_MARGIN_MM)
    for key in (Manifestation.GGO, Manifestation.CONSOLIDATION):
        assert not (findings.segment(key).mask & ~allowed).any()
    effusion = findings.segment(Manifestation.EFFUSION).mask
    assert not (effusion & ~dilate(findings.lungs, chest, EFFUSION_MARGIN_MM)).any()


@pytest.mark.parametrize("form", ["shared", "separate", "mixed", "all"])
def test_every_form_of_the_streams_runs(system: ElBana, chest: Volume, form: str) -> None:
    findings = system.analyse(chest, _context(streams=form))
    models = {m.name for m in findings.models if m.task == "streams"}
    expected = {
        "shared": {"streams-shared"},
        "separate": {"stream-ggo", "stream-consolidation", "stream-effusion"},
        "mixed": {"streams-shared", "streams-lung"},
        "all": {"stream-all"},
    }
    assert models == expected[form]
    assert {name for s in findings.segments for name in s.model.split(" + ")} <= models


def test_the_recogniser_asked_for_speaks_and_is_explained(system: ElBana, xray: Volume) -> None:
    default, other = (
        (system.analyse(xray, context), system.explain(xray, 0, "covid-2", "covid-19", context))
        for context in (_context(), _context(recogniser="recognition-other"))
    )
    for name, (findings, heatmap) in {"recognition": default, "recognition-other": other}.items():
        assert name in {m.name for m in findings.models}
        assert {e.model for e in findings.estimates} == {name}
        assert heatmap.model == name
    assert default[0].estimate("covid-2").study != other[0].estimate("covid-2").study


def test_a_recogniser_of_another_modality_is_refused(system: ElBana, chest: Volume) -> None:
    with pytest.raises(AnalysisError, match=r"'recognition-other' for CT .*: recognition-ct\)"):
        system.analyse(chest, _context(recogniser="recognition-other"))


def test_clock_has_every_part(system: ElBana, chest: Volume) -> None:
    timings = system.analyse(chest, _context(read_seconds=1.5)).timings
    parts = timings.parts()
    assert list(parts) == ["read", "ready", "pre", "recognise", "label", "segment", "post"]
    assert parts["read"] == 1.5
    assert all(seconds > 0 for seconds in parts.values())
    assert timings.total >= 1.5 + parts["recognise"], "reading and the networks do not overlap"


def test_getting_models_ready_is_a_part_of_its_own(
    store: ModelStore, chest: Volume, xray: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_parts: list[str] = []
    seen: list[tuple[str, tuple[str, ...]]] = []
    count, network = Clock.part, Engine.network

    @contextmanager
    def part(clock: Clock, name: str) -> Iterator[None]:
        mine = f"{threading.get_ident()} {name}"
        open_parts.append(mine)
        try:
            with count(clock, name):
                yield
        finally:
            open_parts.remove(mine)

    def load(engine: Engine, record: ModelRecord) -> torch.nn.Module:
        if record.sha256 not in engine._networks:
            here = f"{threading.get_ident()} "
            now = tuple(p.removeprefix(here) for p in open_parts if p.startswith(here))
            seen.append((record.name, now))
        return network(engine, record)

    monkeypatch.setattr(Clock, "part", part)
    monkeypatch.setattr(Engine, "network", load)
    system = ElBana(store, precision="float32")
    findings = system.analyse(chest, _context())
    assert {name for name, _ in seen} == {model.name for model in findings.models}
    assert {parts for _, parts in seen} == {("ready",)}
    assert findings.timings.ready > 0
    seen.clear()
    system.analyse(chest, _context())
    assert seen == [], "they are ready by now"
    system.analyse(xray, _context())
    assert {parts for _, parts in seen} == {("ready",)}


def test_xray_gets_recognition_alone(system: ElBana, xray: Volume) -> None:
    findings = system.analyse(xray, _context())
    assert {e.task for e in findings.estimates} == {"covid-2", "cxr-4"}
    assert findings.segments == ()
    assert findings.lungs is None
    assert findings.estimate("manifestations") is None
    assert any("not computed" in note for note in findings.notes)


def test_ct_and_xray_have_their_own_recogniser(system: ElBana, chest: Volume, xray: Volume) -> None:
    assert system.analyse(chest, _context()).estimate("covid-2").model == "recognition-ct"
    assert system.analyse(xray, _context()).estimate("covid-2").model == "recognition"


def test_a_picture_must_be_told_what_it_is(system: ElBana, xray: Volume) -> None:
    picture = dataclasses.replace(xray, modality="OT")
    with pytest.raises(AnalysisError, match="CT slice or an X-ray"):
        system.analyse(picture, _context())


def test_ct_picture_without_hu_has_no_volumes(system: ElBana, xray: Volume) -> None:
    slice_ = dataclasses.replace(
        xray, modality="CT", unit=Unit.GREY, array=(xray.array // 16).astype(np.uint8)
    )
    findings = system.analyse(slice_, _context())
    assert all(s.volume_ml is None and s.percent_of_lung is None and s.mean_hu is None
               for s in findings.segments)  # fmt: skip
    assert findings.lungs is None


def test_no_lungs_is_said(system: ElBana, chest: Volume) -> None:
    head = dataclasses.replace(chest, array=np.maximum(chest.array, -300))
    findings = system.analyse(head, _context())
    assert findings.lungs is None
    assert findings.analysed.all()
    assert findings.domain is not None
    assert not findings.domain.within
    assert "No lungs were found" in findings.domain.reasons[0]
    assert findings.notes[0] == findings.domain.reasons[0], "readers of notes are warned too"


def test_a_chest_carries_no_warning(system: ElBana, chest: Volume) -> None:
    findings = system.analyse(chest, _context())
    assert findings.domain is not None
    assert findings.domain.within
    assert not any("distrust" in note for note in findings.notes)


def test_a_picture_that_holds_nothing_is_refused_before_any_network(
    system: ElBana, xray: Volume
) -> None:
    seen: list[str] = []
    progress = Progress(lambda stage, done, total: seen.append(stage))
    empty = dataclasses.replace(xray, array=np.zeros_like(xray.array))
    with pytest.raises(OutsideDomainError, match="is empty"):
        system.analyse(empty, _context(progress=progress))
    assert "Recognising" not in seen


def test_cancel_stops_within_one_batch(system: ElBana, chest: Volume) -> None:
    cancelled = Event()
    seen: list[tuple[str, int]] = []

    def watch(stage: str, done: int, total: int) -> None:
        seen.append((stage, done))
        if (stage, done) == ("Analysing slices", 4):
            cancelled.set()

    with pytest.raises(CancelledError):
        system.analyse(chest, _context(progress=Progress(watch, cancelled)))
    assert seen[-1] == ("Analysing slices", 4), "nothing is reported, or done, after that batch"


def test_unknown_form_is_refused(system: ElBana, chest: Volume) -> None:
    with pytest.raises(AnalysisError, match="shared, separate, mixed or all"):
        system.analyse(chest, _context(streams="both"))


def test_heatmap_lies_on_the_source_grid(system: ElBana, chest: Volume) -> None:
    names = system.analyse(chest, _context()).estimate("covid-2").keys
    maps = [system.explain(chest, 5, "covid-2", name, _context()).values for name in names]
    heat = np.max(maps, axis=0)
    assert heat.shape == chest.shape[1:]
    assert heat.min() >= 0.0
    assert heat.max() == pytest.approx(1.0)
    lungs = system.analyse(chest, _context()).lungs.any(axis=(0, 2))
    assert not heat[: np.flatnonzero(lungs)[0] - 8].any(), "nothing outside the analysed box"


def test_heatmap_of_a_manifestation_is_refused(system: ElBana, chest: Volume) -> None:
    with pytest.raises(AnalysisError, match="no heatmap for Consolidation"):
        system.explain(chest, 5, "manifestations", "consolidation", _context())


def test_study_rule() -> None:
    values = np.array([0.1] * 27 + [0.9] * 3, dtype=np.float32)
    assert most_suspicious(values, 0.1) == pytest.approx(0.9)
    assert most_suspicious(values[:1], 0.1) == pytest.approx(0.1)
    assert most_suspicious(values, 0.2) == pytest.approx(0.5)


def test_all_class_map_passes_one_half_where_it_beats_background() -> None:
    logits = np.zeros((1, 4, 1, 2), dtype=np.float32)
    logits[0, 0] = (2.0, -2.0)
    logits[0, 2, 0, 1] = 1.0
    maps = stream_probabilities({"all": logits})
    assert (maps[Manifestation.CONSOLIDATION] > 0.5).ravel().tolist() == [False, True]
    assert maps[Manifestation.CONSOLIDATION][0, 0, 1] > maps[Manifestation.GGO][0, 0, 1]


def test_masks_of_pictures_lie_in_what_the_streams_were_shown(
    store: ModelStore, chest: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Streams that mark all they see."""

    def everything(
        outputs: dict[str, np.ndarray], _silent: tuple[str, ...]
    ) -> dict[Manifestation, np.ndarray]:
        return {Manifestation.GGO: np.ones((len(outputs["ggo"]), 64, 64), dtype=np.float32)}

    monkeypatch.setattr(ways, "stream_probabilities", everything)
    grey = np.stack([to_picture(chest, index) for index in (5, 6)])
    picture = np.pad(grey, ((0, 0), (70, 10), (20, 60)))
    volume = dataclasses.replace(
        chest, array=picture, slices=chest.slices[:2], unit=Unit.GREY, windows=()
    )
    cut = copy.copy(store)
    cut.records = tuple(
        dataclasses.replace(r, framing="chest") if r.name == "streams-shared" else r
        for r in store.records
    )
    found = {}
    for name, one in (("whole", store), ("chest", cut)):
        findings = ElBana(one, precision="float32").analyse(volume, _context(streams="shared"))
        found[name] = findings.segment(Manifestation.GGO).mask
    assert found["whole"].all()
    for index in (0, 1):
        inside = chest_box(picture[index]).mask(picture.shape[1:])
        assert 0.1 < inside.mean() < 0.6
        np.testing.assert_array_equal(found["chest"][index], inside)


def test_streams_that_are_shown_different_parts_are_no_form(store: ModelStore) -> None:
    mixed = copy.copy(store)
    mixed.records = tuple(
        dataclasses.replace(r, framing="chest") if r.name == "stream-ggo" else r
        for r in store.records
    )
    assert mixed.streams("shared")
    with pytest.raises(AnalysisError, match="different parts of a picture"):
        mixed.streams("separate")


def test_in_the_mixed_form_a_mask_names_all_who_marked_it(system: ElBana, chest: Volume) -> None:
    segments = system.analyse(chest, _context(streams="mixed")).segments
    assert {s.key: s.model for s in segments} == {
        Manifestation.GGO: "streams-shared + streams-lung",
        Manifestation.CONSOLIDATION: "streams-shared + streams-lung",
        Manifestation.EFFUSION: "streams-shared",
    }


def test_a_silent_network_leaves_a_lesion_to_the_others_of_the_form(
    store: ModelStore, chest: Volume
) -> None:
    quiet = copy.copy(store)
    quiet.silent = {"mixed": {"streams-shared": ("ggo",)}}
    told = ElBana(quiet, precision="float32").analyse(chest, _context(streams="mixed"))
    assert {s.key: s.model for s in told.segments} == {
        Manifestation.GGO: "streams-lung",
        Manifestation.CONSOLIDATION: "streams-shared + streams-lung",
        Manifestation.EFFUSION: "streams-shared",
    }
    assert [r.silent for r in quiet.streams("shared")] == [()], "alone it speaks of everything"
    logits = {"ggo": np.zeros((1, 1, 2, 2), np.float32), "effusion": np.ones((1, 1, 2, 2), "f4")}
    assert list(stream_probabilities(logits, ("ggo",))) == [Manifestation.EFFUSION]


@pytest.mark.parametrize(("other", "marked"), [(0.1, False), (0.3, True)])
def test_networks_that_mark_the_same_are_averaged(
    system: ElBana, chest: Volume, monkeypatch: pytest.MonkeyPatch, other: float, marked: bool
) -> None:
    def maps(
        outputs: dict[str, np.ndarray], _silent: tuple[str, ...]
    ) -> dict[Manifestation, np.ndarray]:
        n, part = len(outputs["ggo"]), "effusion" not in outputs
        side, value = (96, other) if part else (64, 0.8)
        return {Manifestation.GGO: np.full((n, side, side), value, np.float32)}

    monkeypatch.setattr(ways, "stream_probabilities", maps)
    found = system.analyse(chest, _context(streams="mixed")).segment(Manifestation.GGO).mask
    assert found.any() == marked


def test_a_form_that_lacks_a_part_is_not_installed(store: ModelStore) -> None:
    part = copy.copy(store)
    part.records = tuple(r for r in store.records if r.name != "streams-lung")
    assert part.streams("shared") == store.streams("shared")
    with pytest.raises(AnalysisError, match="No models of the form 'mixed'"):
        part.streams("mixed")


def test_streams_speak_in_one_form_that_their_figures_are_entered_under(store: ModelStore) -> None:
    assert {r.name: store.form_of(r) for r in store.records if r.kind == "streams"} == {
        "streams-shared": "shared",
        "streams-lung": "mixed",
        "stream-ggo": "separate",
        "stream-consolidation": "separate",
        "stream-effusion": "separate",
        "stream-all": "all",
    }
    assert store.form_of(store.find("recognition")) == ""
