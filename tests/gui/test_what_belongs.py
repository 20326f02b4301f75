"""What was computed belongs to the values, the choices and the whole series it was computed of."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from inference.studies.model import Volume
from inference.systems.base import Context
from viewer.analysis import Analyst
from viewer.session import AnalysisState, HeatmapChoice
from viewer.worker import Worker


@pytest.fixture
def asked() -> SimpleNamespace:
    """What the settings say now."""
    return SimpleNamespace(now=Context(device="cpu", recogniser="recognition-ct"))


@pytest.fixture
def analysed(
    qtbot: Any, opened: SimpleNamespace, fake_system: Any, asked: SimpleNamespace
) -> Iterator[Analyst]:
    """The analyst of a CT that has been analysed as the settings said."""
    worker = Worker("analysis")
    analyst = Analyst(opened.session, worker, lambda: fake_system, ask=lambda _volume: asked.now)
    analyst.start()
    qtbot.waitUntil(lambda: opened.session.findings is not None)
    yield analyst
    analyst.close()
    fake_system.go.set()
    worker.close()


def test_findings_that_are_looked_for_come_too_late_for_other_values(
    qtbot: Any, opened: SimpleNamespace, analysed: Analyst, make_volume: Callable[..., Volume],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """A series is opened again, and again with a voxel changed while the first is compared."""
    session, go, compared = opened.session, threading.Event(), []
    from inference.export import current

    fingerprint = current.content_hash

    def slowly(volume: Volume) -> str:
        assert go.wait(20)
        compared.append(volume)
        return fingerprint(volume)

    monkeypatch.setattr(current, "content_hash", slowly)
    same, changed = make_volume("1.2.3"), make_volume("1.2.3")
    changed.array[0, 0, 0] += 1
    session.set_volume(opened.study, opened.series, same)
    session.set_volume(opened.study, opened.series, changed)
    go.set()
    qtbot.waitUntil(lambda: any(each is changed for each in compared))
    qtbot.waitUntil(lambda: not analysed._worker._jobs)
    qtbot.wait(50)
    assert any(each is same for each in compared)
    assert session.findings is None
    assert session.analysis is AnalysisState.NONE


def test_a_heatmap_explains_what_spoke_whatever_the_settings_say_since(
    qtbot: Any, opened: SimpleNamespace, analysed: Analyst, fake_system: Any,
    asked: SimpleNamespace, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    session, explain, contexts = opened.session, fake_system.explain, []

    def remember(volume: Volume, *rest: Any) -> Any:
        contexts.append(rest[-1])
        return explain(volume, *rest)

    monkeypatch.setattr(fake_system, "explain", remember)
    asked.now = Context(device="cpu", recogniser="default")
    session.choose_heatmap(HeatmapChoice("covid-2", "covid-19"))
    qtbot.waitUntil(lambda: session.heatmap is not None)
    assert [context.recogniser for context in contexts] == ["recognition-ct"]


def test_nothing_is_measured_on_a_series_that_is_still_being_read(
    opened: SimpleNamespace, make_volume: Callable[..., Volume]
) -> None:
    """Slices that cannot be decoded will be left out, and the others go by other indexes."""
    from viewer.reading import Arrivals

    session = opened.session
    assert session.measurements.volume is session.volume
    early = make_volume("1.2.4")
    session.set_volume(
        opened.study, opened.study.series[1], early, arrivals=Arrivals(lambda _volume: None)
    )
    assert session.reading.active
    assert session.measurements.volume is None
    whole = make_volume("1.2.4")
    session.complete_volume(whole, 0.1)
    assert session.measurements.volume is whole
