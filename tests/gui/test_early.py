"""Early results: shown while the analysis runs, marked, and gone without a trace."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QLabel

from inference.errors import AnalysisError
from inference.findings import Findings, Manifestation
from inference.partial import Partial
from inference.studies.model import Volume
from viewer import analysis, theme
from viewer.analysis import Analyst
from viewer.session import AnalysisState
from viewer.window import MainWindow
from viewer.worker import Worker


@pytest.fixture
def running(
    qtbot: Any, reading: MainWindow, fake_system: Any, make_partial: Callable[..., Partial]
) -> MainWindow:
    """Give the real window with an analysis that has finished slices 5 to 7 and goes on."""
    volume = reading.session.volume
    fake_system.partials = [make_partial(volume, 5, 6), make_partial(volume, 7)]
    fake_system.go.clear()
    reading.analyst.start()
    qtbot.waitUntil(lambda: reading.session.early is not None and reading.session.early.done[7])
    return reading


@pytest.fixture
def analyst(opened: SimpleNamespace, fake_system: Any) -> Iterator[Analyst]:
    """Give an analyst of the opened CT."""
    worker = Worker("analysis")
    analyst = Analyst(opened.session, worker, lambda: fake_system)
    yield analyst
    analyst.close()
    fake_system.go.set()
    worker.close()


def _yellow(window: MainWindow) -> int:
    """Count pixels that are tinted like GGO where the upper half of the slice is shown."""
    image = window.view.picture().convertToFormat(QImage.Format.Format_RGB32)
    flat = np.frombuffer(image.constBits(), np.uint8)
    cells = flat.reshape(image.height(), image.bytesPerLine() // 4, 4).astype(int)
    height, width = cells.shape[:2]
    part = cells[height // 4 : height * 2 // 5, width * 2 // 5 : width * 3 // 5]
    return int((part[..., 2] - part[..., 0] > 40).sum())


def _texts(window: MainWindow) -> str:
    return "\n".join(
        label.text() for label in window.findings_panel.findChildren(QLabel) if label.isVisible()
    )


def _marks(window: MainWindow) -> list[str]:
    return [line.text for line in window.view.annotations().bottom_right]


def test_masks_and_strip_fill_before_the_end(running: MainWindow) -> None:
    session = running.session
    assert session.analysis is AnalysisState.RUNNING
    session.set_position(6)
    assert _yellow(running) > 1000
    assert "early result, analysis running" in _marks(running)
    session.set_position(9)
    assert _yellow(running) == 0
    assert "not yet analysed" in _marks(running)
    assert "marked, probability 0.90" in running.strip.describe(6)
    assert "GGO: not yet analysed" in running.strip.describe(9)
    assert "GGO: not analysed" in running.strip.describe(0)


def test_the_panel_counts_slices_and_shows_no_figure_of_the_study(running: MainWindow) -> None:
    shown = _texts(running)
    assert "3 of 10 slices" in shown
    assert "COVID-19 recognition: computing" in shown
    assert "Ground-glass opacity: computing" in shown
    assert " ml" not in shown
    assert "lesion" not in shown.replace("Lesions", "")
    assert " 0" not in shown


def test_the_end_replaces_them(qtbot: Any, running: MainWindow, fake_system: Any) -> None:
    fake_system.go.set()
    qtbot.waitUntil(lambda: running.session.findings is not None)
    assert running.session.early is None
    assert "2.2 ml" in _texts(running)
    assert "computing" not in _texts(running)
    assert "early result, analysis running" not in _marks(running)


@pytest.mark.parametrize("fails", [False, True])
def test_cancel_and_failure_leave_nothing(
    qtbot: Any, running: MainWindow, fake_system: Any, failing: AnalysisError, fails: bool
) -> None:
    running.session.set_position(6)
    if fails:
        fake_system.error = failing
        fake_system.go.set()
    else:
        running.cancel()
    qtbot.waitUntil(lambda: running.session.analysis is not AnalysisState.RUNNING)
    assert running.session.early is None
    assert running.session.findings is None
    assert _yellow(running) == 0
    assert "GGO" not in running.strip.describe(6)
    assert "computing" not in _texts(running)
    assert "left no result" in _texts(running)


def test_they_cannot_be_exported(
    running: MainWindow, monkeypatch: pytest.MonkeyPatch, qtbot: Any
) -> None:
    said: list[str] = []
    running.session.message_posted.connect(lambda _kind, sentence: said.append(sentence))
    monkeypatch.setattr(running.exporter, "_ask", lambda _format: pytest.fail("asked where to"))
    for kind in ("png", "json", "seg", "nifti"):
        assert not running.actions_[f"export-{kind}"].isEnabled()
        running.exporter.export(kind)
    assert len(said) == 4
    assert all("early results cannot be exported" in sentence for sentence in said)
    running.cancel()
    qtbot.waitUntil(running.actions_["export-png"].isEnabled)


def test_closing_the_window_meanwhile_is_safe(running: MainWindow) -> None:
    running.close()
    assert not running.busy


def test_a_partial_result_of_a_series_that_is_gone_is_dropped(
    qtbot: Any,
    running: MainWindow,
    fake_system: Any,
    make_volume: Callable[..., Volume],
    make_partial: Callable[..., Partial],
) -> None:
    session, old = running.session, running.session.volume
    session.set_volume(session.study, session.study.series[1], make_volume("1.2.4"))
    assert session.early is None
    seen: list[bool] = []
    session.early_changed.connect(lambda: seen.append(session.early is not None))
    fake_system.contexts[0].partial(make_partial(old, 8))
    # The other series is analysed now, and gets only what is its own.
    running.analyst.start()
    session.add_partial(make_partial(old, 8))
    fake_system.go.set()
    qtbot.waitUntil(lambda: session.findings is not None)
    assert session.findings.series_uid == "1.2.4"
    assert seen == [False], "only the end was told"


def test_another_series_of_fewer_or_more_slices_has_nothing_of_it_at_any_moment(
    running: MainWindow, make_volume: Callable[..., Volume]
) -> None:
    session = running.session
    other = make_volume("1.2.4", array=np.zeros((30, *session.volume.shape[1:]), np.float32))
    seen: list[object] = []
    session.volume_changed.connect(lambda: seen.append(session.early))
    session.set_volume(session.study, session.study.series[1], other)
    running.strip.grab()
    running.view.grab()
    assert seen == [None]
    assert "GGO" not in running.strip.describe(other.shape[0] - 1)


def test_a_partial_result_after_cancelling_is_dropped(
    qtbot: Any, running: MainWindow, fake_system: Any, make_partial: Callable[..., Partial]
) -> None:
    seen: list[bool] = []
    running.cancel()
    running.session.early_changed.connect(lambda: seen.append(running.session.early is not None))
    fake_system.contexts[0].partial(make_partial(running.session.volume, 8))
    qtbot.waitUntil(lambda: running.session.analysis is AnalysisState.CANCELLED)
    assert seen == [False]


def test_the_analysis_follows_the_eye(
    qtbot: Any, opened: SimpleNamespace, analyst: Analyst, fake_system: Any
) -> None:
    opened.session.set_position(3)
    fake_system.go.clear()
    analyst.start()
    qtbot.waitUntil(fake_system.started.is_set)
    assert fake_system.contexts[0].focus == 3
    opened.session.set_position(9)
    assert fake_system.contexts[0].focus == 9


def test_findings_and_early_results_never_stand_together(
    opened: SimpleNamespace,
    make_partial: Callable[..., Partial],
    make_findings: Callable[..., Findings],
) -> None:
    session, volume = opened.session, opened.volume
    session.add_partial(make_partial(volume, 5))
    assert session.early is None, "no analysis runs"
    session.set_analysis(AnalysisState.RUNNING)
    session.add_partial(make_partial(volume, 5))
    assert session.early.mask(Manifestation.GGO, 5).any()
    assert session.early.mask(Manifestation.GGO, 4) is None
    session.set_findings(make_findings(volume))
    assert session.early is None


def test_models_are_loaded_when_the_reader_rests(
    qtbot: Any, session: Any, fake_system: Any, monkeypatch: pytest.MonkeyPatch,
    make_study: Callable[..., Any], make_volume: Callable[..., Volume],
) -> None:  # fmt: skip
    monkeypatch.setattr(analysis, "_REST_MS", 20)
    worker = Worker("analysis")
    analyst = Analyst(session, worker, lambda: fake_system)
    study = make_study("1.2.3")
    session.set_volume(study, study.series[0], make_volume("1.2.3"))
    assert fake_system.readied == []
    qtbot.waitUntil(lambda: fake_system.readied == ["1.2.3"])
    fake_system.error = AnalysisError("There are no weights.")
    said: list[str] = []
    session.message_posted.connect(lambda *message: said.append(message))
    session.set_volume(study, study.series[0], make_volume("1.2.3"))
    qtbot.wait(100)
    analyst.close()
    worker.close()
    assert said == [], "the analysis itself will say what is wrong"


def test_what_is_not_yet_analysed_is_hollow(running: MainWindow) -> None:
    strip = running.strip
    image = QImage(strip.size(), QImage.Format.Format_RGB32)
    strip.render(image)
    shown = np.array([strip.slice_at(x) for x in range(strip.width())])

    def colours(index: int) -> set[int]:
        # The marker stands on the slice on the screen, which is none of these.
        columns = np.flatnonzero(shown == index)[3:-3]
        return {image.pixel(int(x), y) & 0xFFFFFF for x in columns for y in range(strip.height())}

    ggo = theme.findings_colour(Manifestation.GGO).rgb() & 0xFFFFFF
    hatch = theme.colour("disabled").rgb() & 0xFFFFFF
    panel = theme.colour("panel").rgb() & 0xFFFFFF
    background = theme.colour("background").rgb() & 0xFFFFFF
    assert ggo in colours(5)
    assert ggo not in colours(9)
    assert background in colours(9)
    assert panel not in colours(9)
    assert {hatch, panel} <= colours(0)
