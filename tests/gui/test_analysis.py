"""The analyst: findings in, cancel out, nothing stale, nothing left behind."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from inference.errors import AnalysisError
from inference.studies.model import Study, Volume
from inference.systems.base import Context
from viewer.analysis import Analyst
from viewer.session import AnalysisState, HeatmapChoice
from viewer.worker import Worker


@pytest.fixture
def analyst(opened: SimpleNamespace, fake_system: Any) -> Iterator[Analyst]:
    """Give an analyst of the opened CT."""
    worker = Worker("analysis")
    analyst = Analyst(opened.session, worker, lambda: fake_system, Context(device="cpu"))
    yield analyst
    analyst.close()
    fake_system.go.set()
    worker.close()


@pytest.fixture
def posted(opened: SimpleNamespace) -> list[tuple[str, str]]:
    """Collect what is said to the reader."""
    said: list[tuple[str, str]] = []
    opened.session.message_posted.connect(lambda *message: said.append(message))
    return said


def test_analysis_gives_findings_and_its_context(
    qtbot: Any, opened: SimpleNamespace, analyst: Analyst, fake_system: Any
) -> None:
    analyst.start()
    assert opened.session.analysis is AnalysisState.RUNNING
    qtbot.waitUntil(lambda: opened.session.findings is not None)
    assert opened.session.analysis is AnalysisState.DONE
    assert fake_system.contexts[0].device == "cpu"
    assert fake_system.contexts[0].read_seconds == 0.5
    assert threading.get_ident() not in fake_system.threads


def test_the_system_is_made_once(qtbot: Any, opened: SimpleNamespace, fake_system: Any) -> None:
    made: list[int] = []

    def make() -> Any:
        made.append(1)
        return fake_system

    worker = Worker("analysis")
    analyst = Analyst(opened.session, worker, make)
    for _ in range(2):
        analyst.start()
        qtbot.waitUntil(lambda: not analyst.running)
    worker.close()
    assert made == [1]
    assert len(fake_system.contexts) == 2


def test_progress_is_the_stage_of_the_session(
    qtbot: Any, opened: SimpleNamespace, analyst: Analyst, fake_system: Any
) -> None:
    fake_system.go.clear()
    analyst.start()
    qtbot.waitUntil(lambda: opened.session.stage[1] > 0)
    assert opened.session.stage[0] == "Analysing slices"
    assert opened.session.stage[2] == 100
    fake_system.go.set()
    qtbot.waitUntil(lambda: opened.session.findings is not None)


def test_cancel_leaves_no_result(
    qtbot: Any, opened: SimpleNamespace, analyst: Analyst, fake_system: Any
) -> None:
    fake_system.go.clear()
    analyst.start()
    qtbot.waitUntil(fake_system.started.is_set)
    analyst.cancel()
    qtbot.waitUntil(lambda: opened.session.analysis is AnalysisState.CANCELLED)
    assert opened.session.findings is None
    assert not analyst.running
    fake_system.go.set()
    analyst.start()
    qtbot.waitUntil(lambda: opened.session.findings is not None)


def test_a_second_analysis_drops_the_first_result_at_once(
    qtbot: Any, opened: SimpleNamespace, analyst: Analyst, fake_system: Any
) -> None:
    analyst.start()
    qtbot.waitUntil(lambda: opened.session.findings is not None)
    fake_system.go.clear()
    analyst.start()
    assert opened.session.findings is None
    analyst.cancel()
    qtbot.waitUntil(lambda: opened.session.analysis is AnalysisState.CANCELLED)
    assert opened.session.findings is None


def test_failure_is_a_sentence_and_leaves_no_result(
    qtbot: Any,
    opened: SimpleNamespace,
    analyst: Analyst,
    fake_system: Any,
    posted: list[tuple[str, str]],
    failing: AnalysisError,
) -> None:
    fake_system.error = failing
    analyst.start()
    qtbot.waitUntil(lambda: opened.session.analysis is AnalysisState.FAILED)
    assert posted == [("error", str(failing))]
    assert opened.session.findings is None


def test_an_unforeseen_failure_is_a_sentence_too(
    qtbot: Any,
    opened: SimpleNamespace,
    analyst: Analyst,
    fake_system: Any,
    posted: list[tuple[str, str]],
) -> None:
    fake_system.error = KeyError("weights")
    analyst.start()
    qtbot.waitUntil(lambda: opened.session.analysis is AnalysisState.FAILED)
    assert posted[0][0] == "error"
    assert posted[0][1].startswith("Analysing stopped")


def test_a_system_that_cannot_be_made_is_a_sentence_and_can_be_tried_again(
    qtbot: Any, opened: SimpleNamespace, fake_system: Any, posted: list[tuple[str, str]]
) -> None:
    answers: list[Any] = [AnalysisError("There are no weights; install again."), fake_system]

    def make() -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    worker = Worker("analysis")
    analyst = Analyst(opened.session, worker, make)
    analyst.start()
    qtbot.waitUntil(lambda: opened.session.analysis is AnalysisState.FAILED)
    assert posted == [("error", "There are no weights; install again.")]
    analyst.start()
    qtbot.waitUntil(lambda: opened.session.findings is not None)
    worker.close()


def test_an_analysis_goes_on_when_another_volume_is_open_and_is_never_shown_on_it(
    qtbot: Any,
    opened: SimpleNamespace,
    analyst: Analyst,
    fake_system: Any,
    posted: list[tuple[str, str]],
    make_volume: Callable[..., Volume],
) -> None:
    session = opened.session
    fake_system.go.clear()
    analyst.start()
    qtbot.waitUntil(fake_system.started.is_set)
    session.set_volume(opened.study, opened.study.series[1], make_volume("1.2.4"))
    assert session.analysis is AnalysisState.NONE
    fake_system.go.set()
    # The new volume is analysed after it; the result of the old one is not shown on it.
    analyst.start()
    qtbot.waitUntil(lambda: session.findings is not None)
    assert session.findings.series_uid == "1.2.4"
    assert posted == []


def test_the_same_series_read_anew_gets_no_old_result(
    qtbot: Any,
    opened: SimpleNamespace,
    analyst: Analyst,
    fake_system: Any,
    make_volume: Callable[..., Volume],
) -> None:
    fake_system.go.clear()
    analyst.start()
    qtbot.waitUntil(fake_system.started.is_set)
    opened.session.set_volume(opened.study, opened.series, make_volume("1.2.3", modality="DX"))
    fake_system.go.set()
    qtbot.waitUntil(lambda: not analyst._worker.busy)
    assert opened.session.findings is None
    assert opened.session.analysis is AnalysisState.NONE


def test_findings_come_back_with_their_series(
    qtbot: Any,
    opened: SimpleNamespace,
    analyst: Analyst,
    fake_system: Any,
    make_volume: Callable[..., Volume],
) -> None:
    session = opened.session
    analyst.start()
    qtbot.waitUntil(lambda: session.findings is not None)
    found = session.findings
    session.set_volume(opened.study, opened.study.series[1], make_volume("1.2.4"))
    assert session.findings is None
    session.set_volume(opened.study, opened.series, make_volume("1.2.3"))
    qtbot.waitUntil(lambda: session.findings is not None)
    assert session.findings is found
    assert len(fake_system.contexts) == 1


def test_findings_do_not_come_back_when_a_voxel_changed(
    qtbot: Any,
    opened: SimpleNamespace,
    analyst: Analyst,
    make_volume: Callable[..., Volume],
) -> None:
    session = opened.session
    analyst.start()
    qtbot.waitUntil(lambda: session.findings is not None)
    changed = make_volume("1.2.3")
    changed.array[0, 0, 0] += 1
    session.set_volume(opened.study, opened.series, changed)
    qtbot.waitUntil(lambda: not analyst._worker._jobs)
    assert session.findings is None
    assert session.analysis is AnalysisState.NONE


def test_without_a_volume_nothing_starts(
    qtbot: Any, session: Any, fake_system: Any, make_study: Callable[..., Study]
) -> None:
    worker = Worker("analysis")
    analyst = Analyst(session, worker, lambda: fake_system)
    analyst.start()
    assert not analyst.running
    assert session.analysis is AnalysisState.NONE
    worker.close()


class TestHeatmaps:
    """Computed for the slice on which the reader stays."""

    CHOICE = HeatmapChoice("covid-2", "covid-19")

    @pytest.fixture
    def analysed(self, qtbot: Any, opened: SimpleNamespace, analyst: Analyst) -> Analyst:
        analyst.start()
        qtbot.waitUntil(lambda: opened.session.findings is not None)
        return analyst

    def test_the_chosen_class_is_explained(
        self, qtbot: Any, opened: SimpleNamespace, analysed: Analyst, fake_system: Any
    ) -> None:
        session = opened.session
        session.choose_heatmap(self.CHOICE)
        qtbot.waitUntil(lambda: session.heatmap is not None)
        assert fake_system.explained == [(session.position, "covid-2", "covid-19")]

    def test_only_the_slice_where_the_reader_stops_is_explained(
        self, qtbot: Any, opened: SimpleNamespace, analysed: Analyst, fake_system: Any
    ) -> None:
        session = opened.session
        session.choose_heatmap(self.CHOICE)
        for index in range(6):
            session.set_position(index)
        qtbot.waitUntil(lambda: session.heatmap is not None)
        assert fake_system.explained == [(5, "covid-2", "covid-19")]
        session.set_position(7)
        assert session.heatmap is None
        qtbot.waitUntil(lambda: session.heatmap is not None)
        assert fake_system.explained[-1][0] == 7

    def test_none_is_computed_without_being_asked_for(
        self, qtbot: Any, opened: SimpleNamespace, analysed: Analyst, fake_system: Any
    ) -> None:
        opened.session.set_position(1)
        qtbot.wait(300)
        assert fake_system.explained == []

    def test_a_failure_is_said_once(
        self,
        qtbot: Any,
        opened: SimpleNamespace,
        analysed: Analyst,
        fake_system: Any,
        posted: list[tuple[str, str]],
        failing: AnalysisError,
    ) -> None:
        fake_system.error = failing
        opened.session.choose_heatmap(self.CHOICE)
        qtbot.waitUntil(lambda: bool(posted))
        assert opened.session.heatmap_choice is None
        qtbot.wait(300)
        assert posted == [("error", str(failing))]
