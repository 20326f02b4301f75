"""Lesions beside the picture: listed, gone to, and nothing stale is shown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt

import inference.lesions
from inference.findings import Findings
from inference.lesion_data import Place
from tests import factories
from tests.gui.handling import words
from tests.gui.lesions.making import (
    TITLES,
    WIDE,
    column,
    listed,
)
from viewer.lesions import LesionLister
from viewer.panels import LesionsPanel, PatternsPanel
from viewer.session import AnalysisState, ReadingSession
from viewer.viewport import SliceView
from viewer.window import MainWindow
from viewer.worker import Worker


class TestPanel:
    """The table and the session."""

    def test_states_are_said_in_words(
        self, session: ReadingSession, opened: SimpleNamespace, findings: Findings, shown: Any
    ) -> None:
        panel = shown(LesionsPanel(ReadingSession()), *WIDE)
        assert "Open a study first." in words(panel)
        panel = shown(LesionsPanel(opened.session), *WIDE)
        assert "Not analysed. Press F5" in words(panel)
        opened.session.set_analysis(AnalysisState.RUNNING)
        assert "when the analysis has ended" in words(panel)
        opened.session.set_analysis(AnalysisState.CANCELLED)
        assert "cancelled" in words(panel)
        opened.session.set_analysis(AnalysisState.FAILED)
        assert "failed" in words(panel)
        opened.session.set_findings(findings)
        assert "Listing the lesions…" in words(panel)
        assert not panel.table.isVisible()
        opened.session.lesions.set_failure(findings, "It broke.")
        assert "It broke." in words(panel)
        opened.session.set_findings(replace(findings, segments=()))
        assert "only computed on axial CT" in words(panel)

    def test_a_list_replaces_the_words(
        self, opened: SimpleNamespace, findings: Findings, shown: Any
    ) -> None:
        panel = shown(LesionsPanel(opened.session), *WIDE)
        listed(opened, findings)
        assert column(panel.table, "Type") == ["GGO", "GGO", "Cons."]
        assert column(panel.table, "Side") == ["L", "R", "R"]
        assert panel.table.isVisible()
        assert "Not listed: 1 component of fewer than 30 voxels" in words(panel)
        assert "Listing" not in words(panel)

    def test_nothing_found_is_not_called_absent(
        self, opened: SimpleNamespace, findings: Findings, shown: Any
    ) -> None:
        panel = shown(LesionsPanel(opened.session), *WIDE)
        nothing = np.zeros(opened.volume.shape, np.uint8)
        listed(opened, factories.make_findings(opened.volume, nothing, lungs=findings.lungs))
        assert "marked no lesion here. That does not show that there is none." in words(panel)

    def test_without_lungs_the_panel_says_why_cells_are_empty(
        self, opened: SimpleNamespace, findings: Findings, shown: Any
    ) -> None:
        panel = shown(LesionsPanel(opened.session), *WIDE)
        codes = factories.to_codes({s.key: s.mask for s in findings.segments})
        listed(opened, factories.make_findings(opened.volume, codes, lungs=None))
        assert set(column(panel.table, "Side")) == {"–"}
        assert "no lung mask is known" in words(panel)

    def test_a_click_goes_to_the_lesion_however_it_is_sorted(
        self, opened: SimpleNamespace, findings: Findings, shown: Any, qtbot: Any
    ) -> None:
        panel = shown(LesionsPanel(opened.session), *WIDE)
        found = listed(opened, findings)
        panel.table.sortByColumn(TITLES.index("HU"), Qt.SortOrder.DescendingOrder)
        for row, number in enumerate(map(int, column(panel.table, "#"))):
            cell = panel.table.visualRect(panel.table.model().index(row, 2)).center()
            qtbot.mouseClick(panel.table.viewport(), Qt.MouseButton.LeftButton, pos=cell)
            assert opened.session.target == found.lesions[number - 1].voxel
            assert opened.session.position == found.lesions[number - 1].voxel[2]
        assert not panel.table.hasFocus(), "the keys stay with the picture"

    def test_arrows_and_enter_go_there(
        self, opened: SimpleNamespace, findings: Findings, shown: Any, qtbot: Any
    ) -> None:
        panel = shown(LesionsPanel(opened.session), *WIDE)
        found = listed(opened, findings)
        panel.activateWindow()
        panel.table.setFocus(Qt.FocusReason.TabFocusReason)
        qtbot.waitUntil(panel.table.hasFocus)
        qtbot.keyClick(panel.table, Qt.Key.Key_Down)
        first = int(column(panel.table, "#")[panel.table.currentIndex().row()])
        assert opened.session.target == found.lesions[first - 1].voxel
        qtbot.keyClick(panel.table, Qt.Key.Key_Down)
        second = int(column(panel.table, "#")[panel.table.currentIndex().row()])
        assert second != first
        assert opened.session.target == found.lesions[second - 1].voxel
        opened.session.set_position(0)
        qtbot.keyClick(panel.table, Qt.Key.Key_Return)
        assert opened.session.position == found.lesions[second - 1].voxel[2]

    def test_other_findings_are_never_beside_an_old_list(
        self, opened: SimpleNamespace, findings: Findings, shown: Any
    ) -> None:
        panel = shown(LesionsPanel(opened.session), *WIDE)
        patterns = shown(PatternsPanel(opened.session), *WIDE)
        old = listed(opened, findings)
        again = replace(findings)
        opened.session.set_findings(again)
        assert opened.session.lesions.listed is None
        assert not panel.table.isVisible()
        assert patterns.plots is not None
        assert not patterns.plots.isVisible()
        opened.session.lesions.set_listed(findings, old)
        assert opened.session.lesions.listed is None, "a late list of old findings is ignored"
        opened.session.set_analysis(AnalysisState.RUNNING)
        assert "when the analysis has ended" in words(panel)


class TestLister:
    """The worker behind it."""

    @pytest.fixture
    def lister(self, opened: SimpleNamespace) -> Any:
        worker = Worker("lesions")
        made = LesionLister(opened.session, worker)
        yield made
        worker.close()

    def test_findings_are_listed_beside_the_window(
        self, opened: SimpleNamespace, findings: Findings, lister: Any, qtbot: Any
    ) -> None:
        opened.session.set_findings(findings)
        qtbot.waitUntil(lambda: opened.session.lesions.listed is not None)
        assert len(opened.session.lesions.listed.lesions) == 3

    def test_a_fault_is_said_and_leaves_no_list(
        self, opened: SimpleNamespace, findings: Findings, lister: Any, qtbot: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        def broken(*_: object) -> None:
            raise MemoryError

        monkeypatch.setattr(inference.lesions, "find_lesions", broken)
        opened.session.set_findings(findings)
        qtbot.waitUntil(lambda: opened.session.lesions.failure != "")
        assert "not enough memory" in opened.session.lesions.failure
        assert opened.session.lesions.listed is None


class TestTarget:
    """Going to a voxel."""

    def test_the_session_goes_there_before_it_says_so(self, opened: SimpleNamespace) -> None:
        session, seen = opened.session, []
        session.target_changed.connect(lambda: seen.append((session.position, session.target)))
        session.go_to_voxel(3, 5, 9)
        session.go_to_voxel(3, 5, 9)
        session.go_to_voxel(-4, 500, 99)
        assert seen == [(9, (3, 5, 9)), (9, (3, 5, 9)), (11, (0, 39, 11))]
        session.set_volume(opened.study, opened.series, opened.volume)
        assert session.target is None

    def test_nothing_open_is_nowhere_to_go(self, session: ReadingSession) -> None:
        session.go_to_voxel(1, 2, 3)
        assert session.target is None

    def test_a_ring_is_drawn_there_for_a_moment_and_is_not_exported(
        self, opened: SimpleNamespace, shown: Any, qtbot: Any
    ) -> None:
        # An exported picture does not say whose it is: then the screen is not to, either.
        opened.session.manner.toggle_names()
        view = shown(SliceView(opened.session), *WIDE)
        view.resize(400, 400)
        opened.session.go_to_voxel(20, 12, 4)
        before, after = view.picture(), view.grab().toImage()
        assert before.size() == after.size()
        different = np.array([
            (x, y) for x in range(0, 400, 2) for y in range(0, 400, 2)
            if before.pixelColor(x, y).blue() < after.pixelColor(x, y).blue() - 40
        ])  # fmt: skip
        assert len(different), "a ring is seen"
        framing = view._framing
        middle = QPointF(*framing.to_view(20.5, 12.5))
        assert different.mean(axis=0) == pytest.approx((middle.x(), middle.y()), abs=6)
        opened.session.set_position(5)
        assert view.grab().toImage() == view.picture(), "it belongs to its slice"
        opened.session.set_position(4)
        view._mark.hide()
        assert view.grab().toImage() == view.picture()

    def test_a_magnified_picture_is_centred_on_it(
        self, opened: SimpleNamespace, shown: Any
    ) -> None:
        view = shown(SliceView(opened.session), *WIDE)
        opened.session.go_to_voxel(20, 12, 4)
        assert (view._framing.centre_x, view._framing.centre_y) == (0.5, 0.5)
        view.zoom_by(4.0)
        opened.session.go_to_voxel(6, 30, 4)
        shown = view._framing.to_view(6.5, 30.5)
        assert shown == pytest.approx((view.width() / 2, view.height() / 2))


def test_in_the_window(
    window: MainWindow, opened: SimpleNamespace, findings: Findings, qtbot: Any, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The whole way: findings, list, tab, click, slice, and a table on the disk."""
    session = window.session
    session.set_volume(opened.study, opened.series, opened.volume)
    session.set_findings(findings)
    qtbot.waitUntil(lambda: session.lesions.listed is not None)
    window.actions_["tab-lesions"].trigger()
    table = window.lesions_panel.table
    qtbot.waitUntil(table.isVisible)
    cell = table.visualRect(table.model().index(2, 1)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=cell)
    assert session.position == 6
    table.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.waitUntil(table.hasFocus)
    qtbot.keyClick(table, Qt.Key.Key_Up)
    assert table.currentIndex().row() == 1
    assert session.position == 3, "the arrows belong to the table while it has the focus"
    target = tmp_path / "mine"
    monkeypatch.setattr(window.exporter, "_ask", lambda _chosen: target)
    window.actions_["export-csv"].trigger()
    qtbot.waitUntil((tmp_path / "mine.csv").exists)
    qtbot.waitUntil(lambda: not window.busy)
    text = (tmp_path / "mine.csv").read_bytes().decode()
    assert text.count("\r\n") == 4
    assert Place.PERIPHERAL in text
