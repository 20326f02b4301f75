"""What stands for a part in the tests keeps to what the part itself keeps to."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference import studies
from inference.errors import AnalysisError, BadInputError, CancelledError
from inference.findings import Energy
from inference.partial import Partial
from inference.progress import Progress
from inference.studies.model import Found, SourceKind
from inference.systems.base import Context, System
from inference.systems.elbana import ElBana
from tests import factories
from tests.gui.conftest import FakeReader, FakeSystem, FakeVolumePane
from tests.record import Recorded, recorded
from viewer.volume3d.view import VolumeView


@pytest.fixture(scope="module")
def engine() -> ElBana:
    """The engine that ships, by PyTorch: no graphs are made first."""
    return ElBana(precision="float32")


@pytest.fixture(params=["fake", "engine"])
def system(request: pytest.FixtureRequest, fake_system: FakeSystem, engine: ElBana) -> System:
    return engine if request.param == "engine" else fake_system


@pytest.fixture(scope="module")
def ct() -> Recorded:
    return recorded("ct")


def test_an_analysis(system: System, ct: Recorded) -> None:
    """Its stages in order, its groups from the one looked at, and findings that agree with them."""
    stages: list[str] = []
    told: list[Partial] = []
    analysed = np.flatnonzero(ct.findings.analysed)
    groups = [analysed[start : start + 4] for start in range(0, len(analysed), 4)]
    if isinstance(system, FakeSystem):
        system.partials = [
            factories.make_partial(
                ct.volume,
                group,
                np.zeros((len(group), *ct.volume.shape[1:]), np.uint8),
                planned=ct.findings.analysed,
            )
            for group in groups
        ]
        system.make_findings = lambda _volume: ct.findings
    context = Context(
        progress=Progress(lambda stage, *_: stages.append(stage)), device="cpu", batch_size=4,
        focus=int(analysed[-1]), partial=told.append,
    )  # fmt: skip
    found = system.analyse(ct.volume, context)
    order = list(dict.fromkeys(stages))
    known = [s for s in order if s in {"Finding the lungs", "Analysing slices", "Measuring"}]
    assert known == ["Finding the lungs", "Analysing slices", "Measuring"]
    assert order[0] == known[0]
    assert order[-1] == known[-1]
    assert len(told) == len(groups) > 1
    assert analysed[-1] in told[0].indices, "the group looked at comes first"
    together = sorted(index for partial in told for index in partial.indices.tolist())
    assert together == np.flatnonzero(found.analysed).tolist() == analysed.tolist()
    for partial in told:
        assert partial.planned.tolist() == found.analysed.tolist()
        assert [s.task for s in partial.estimates] == [e.task for e in found.estimates]
        assert [s.calibrated for s in partial.estimates] == [True, False]
        assert partial.codes is not None


@pytest.mark.parametrize("asked", [{"recogniser": "recognition-of-yore"}, {"streams": "none"}])
def test_a_model_that_is_not_there_is_refused(
    system: System, ct: Recorded, asked: dict[str, str]
) -> None:
    with pytest.raises(AnalysisError):
        system.analyse(ct.volume, Context(device="cpu", **asked))


def test_a_picture_that_does_not_say_what_it_is_is_refused(system: System) -> None:
    picture = factories.make_volume(np.zeros((1, 64, 64), np.uint8), modality="OT")
    with pytest.raises(AnalysisError, match="say which"):
        system.analyse(picture, Context(device="cpu"))


def test_a_cancelled_analysis_ends_so(system: System, ct: Recorded) -> None:
    progress = Progress()
    progress.cancelled.set()
    with pytest.raises(CancelledError):
        system.analyse(ct.volume, Context(progress=progress, device="cpu"))


@pytest.mark.parametrize(
    ("task", "key"),
    [
        ("manifestations", "ggo"), ("cxr-4", "normal"), ("covid-2", "ggo"),
        ("covid-2", "COVID-19"), ("nothing", "covid-19"),
    ],
)  # fmt: skip
def test_what_cannot_be_explained_is_refused(
    system: System, ct: Recorded, task: str, key: str
) -> None:
    with pytest.raises(AnalysisError, match="no heatmap"):
        system.explain(ct.volume, 5, task, key, Context(device="cpu"))


def test_an_explanation_names_its_model_and_its_share_in_the_lungs(
    system: System, ct: Recorded
) -> None:
    index = int(np.flatnonzero(ct.findings.analysed)[2])
    heat = system.explain(ct.volume, index, "covid-2", "covid-19", Context(device="cpu"))
    assert (heat.slice_index, heat.task, heat.explained.key) == (index, "covid-2", "covid-19")
    assert (heat.method, heat.model) == ("Grad-CAM, Mixed_7c", "recognition-ct")
    assert heat.values.shape == ct.volume.shape[1:]
    assert heat.empty or isinstance(heat.lungs, Energy)


@pytest.fixture(params=["fake", "real"])
def reader(request: pytest.FixtureRequest, fake_reader: FakeReader, tmp_path: Path) -> Any:
    """One that knows a CT in a folder."""
    folder = factories.write_series(
        tmp_path / "ct", np.zeros((6, 40, 32), np.int32), seed="contract"
    )
    study, series, volume = factories.read_ct(folder)
    if request.param == "real":
        return studies, folder
    fake_reader.shelf[folder] = (study,)
    fake_reader.volumes[series.uid] = volume
    return fake_reader, folder


def test_what_is_read(reader: Any) -> None:
    reads, folder = reader
    told: list[Found] = []
    stages: list[str] = []
    found = reads.scan(folder, Progress(lambda stage, *_: stages.append(stage)), told.append)
    assert "Reading headers" in stages
    assert [each.studies for each in told] == [found], "a folder is told when it has been read"
    assert told[-1].done == told[-1].total == len(found[0].series[0].slices)
    study, series = reads.main_series(found)
    assert series.kind is SourceKind.DICOM
    assert study in found
    stages.clear()
    volume = reads.load(series, Progress(lambda stage, *_: stages.append(stage)))
    assert stages[-1] == "Reading slices"
    assert volume.series_uid == series.uid
    assert volume.slices == series.slices
    small = reads.thumbnail(series, 64)
    assert (small.dtype, small.shape) == (np.uint8, (64, 64))


def test_nothing_to_read_is_a_sentence(reader: Any, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInputError):
        reader[0].scan(tmp_path / "empty")


def _public(kind: type) -> dict[str, Callable[..., Any]]:
    return {n: f for n, f in vars(kind).items() if inspect.isfunction(f) and n[0] != "_"}


def test_the_3d_pane_can_be_asked_what_its_stand_in_can() -> None:
    own = {n: getattr(VolumeView, n) for n in dir(VolumeView) if n[0] != "_"}
    asked = _public(FakeVolumePane)
    assert asked
    for name, method in asked.items():
        assert list(inspect.signature(own[name]).parameters) == list(
            inspect.signature(method).parameters
        ), name
