"""Lesions in the window: the table sorts and goes there, and nothing stale is shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QMenu, QTabWidget, QWidget

import inference.lesions
from inference.findings import Findings, Manifestation
from inference.lesion_data import HU_EDGES, Lesion, Lesions, Patterns, Place, Side, Zone
from inference.lesions import find_lesions
from inference.quantify import measure
from inference.studies.model import Study, Volume
from tests.gui.handling import words
from viewer import theme
from viewer.lesions import LesionLister
from viewer.panels import LesionsPanel, PatternsPanel
from viewer.panels.lesion_table import COLUMNS, LesionTable
from viewer.panels.published_lesions import load_published_lesions
from viewer.session import AnalysisState, ReadingSession
from viewer.viewport import SliceView
from viewer.window import MainWindow
from viewer.worker import Worker

GGO, CONSOLIDATION, EFFUSION = Manifestation
TITLES = [column.title for column in COLUMNS]


def column(table: LesionTable, title: str) -> list[str]:
    model, place = table.model(), TITLES.index(title)
    return [model.index(row, place).data() for row in range(model.rowCount())]


def lesion(number: int, **settings: Any) -> Lesion:
    """A lesion; numbers of which text and number sort differently."""
    given: dict[str, Any] = {
        "key": GGO, "voxels": 50, "volume_ml": 1.0, "mean_hu": -600.0, "sd_hu": 10.0,
        "diameter_mm": 9.0, "voxel": (3, 4, number), "position_mm": (1.0, 2.0, 3.0),
        "side": Side.RIGHT, "zone": Zone.LOWER, "peripheral_share": 1.0,
    }  # fmt: skip
    return Lesion(number=number, **{**given, **settings})


@pytest.fixture
def opened(
    session: ReadingSession, make_study: Callable[..., Study], make_volume: Callable[..., Volume]
) -> SimpleNamespace:
    """A session with a CT on the screen, as wide as a chest."""
    study, volume = make_study("1.2.3"), make_volume(affine=np.diag([10.0, 8.0, 20.0, 1.0]))
    session.add_studies((study,))
    session.set_volume(study, study.series[0], volume)
    return SimpleNamespace(session=session, study=study, series=study.series[0], volume=volume)


@pytest.fixture
def findings(opened: SimpleNamespace, make_findings: Callable[..., Findings]) -> Findings:
    """Findings with real masks: two lesions of ground glass, a consolidation, and a speck."""
    volume: Volume = opened.volume
    lungs = np.zeros(volume.shape, bool)
    lungs[1:11, 4:36, 3:14] = True
    lungs[1:11, 4:36, 18:29] = True
    masks = {key: np.zeros(volume.shape, bool) for key in Manifestation}
    masks[GGO][2:5, 8:14, 4:9] = True
    masks[GGO][8:10, 20:30, 20:27] = True
    masks[CONSOLIDATION][6, 25:31, 5:12] = True
    masks[CONSOLIDATION][9, 6:8, 6:8] = True
    segments = tuple(measure(key, mask, volume, lungs, "m") for key, mask in masks.items())
    return make_findings(volume, segments=segments, lungs=lungs)


@pytest.fixture
def show(qtbot: Any) -> Callable[[QWidget], QWidget]:
    """Show a panel as wide as the right side of the window."""

    def shown(panel: QWidget) -> QWidget:
        qtbot.addWidget(panel)
        panel.resize(340, 420)
        with qtbot.waitExposed(panel, timeout=20_000):
            panel.show()
        return panel

    return shown


def listed(opened: SimpleNamespace, findings: Findings) -> Lesions:
    """Show findings and their lesions, as the lister does."""
    opened.session.set_findings(findings)
    found = find_lesions(findings, opened.volume)
    assert found is not None
    opened.session.lesions.set_listed(findings, found)
    return found


class TestTable:
    """The table by itself."""

    def test_numbers_sort_as_numbers_and_unknown_ones_come_last(self, show: Any) -> None:
        table = show(LesionTable())
        table.show_lesions(
            (lesion(1, volume_ml=100.0), lesion(2, volume_ml=9.5), lesion(3, volume_ml=None),
             lesion(4, volume_ml=20.0))
        )  # fmt: skip
        place = TITLES.index("ml")
        table.sortByColumn(place, Qt.SortOrder.AscendingOrder)
        assert column(table, "ml") == ["9.50", "20.00", "100.00", "–"]
        table.sortByColumn(place, Qt.SortOrder.DescendingOrder)
        assert column(table, "ml") == ["100.00", "20.00", "9.50", "–"]

    def test_equal_ones_stay_in_the_order_of_their_numbers(self, show: Any) -> None:
        table = show(LesionTable())
        table.show_lesions(tuple(lesion(n) for n in range(1, 13)))
        for order in (Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder):
            table.sortByColumn(TITLES.index("Side"), order)
            assert column(table, "#") == [str(n) for n in range(1, 13)]

    def test_words_sort_by_what_they_mean(self, show: Any) -> None:
        table = show(LesionTable())
        table.show_lesions(tuple(
            lesion(n, zone=zone) for n, zone in enumerate((Zone.LOWER, Zone.UPPER, Zone.MIDDLE), 1)
        ))  # fmt: skip
        table.sortByColumn(TITLES.index("Zone"), Qt.SortOrder.AscendingOrder)
        assert column(table, "Zone") == ["upper", "middle", "lower"]

    def test_a_click_on_a_title_sorts_and_the_title_says_how(self, show: Any, qtbot: Any) -> None:
        table = show(LesionTable())
        table.show_lesions((lesion(1, mean_hu=-20.0), lesion(2, mean_hu=-700.0)))
        place = TITLES.index("HU")
        header = table.horizontalHeader()
        at = header.rect().center()
        at.setX(header.sectionViewportPosition(place) + header.sectionSize(place) // 2)
        qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=at)
        shown = table.model().headerData(place, Qt.Orientation.Horizontal)
        assert shown in ("HU ▴", "HU ▾")
        assert column(table, "HU") == (["−700", "−20"] if "▴" in shown else ["−20", "−700"])
        qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=at)
        assert table.model().headerData(place, Qt.Orientation.Horizontal) != shown

    def test_figures_stand_on_the_right_and_a_chip_has_the_colour_of_the_mask(
        self, show: Any
    ) -> None:
        table = show(LesionTable())
        table.show_lesions((lesion(1, key=CONSOLIDATION),))
        cells = [table.model().index(0, place) for place in range(len(TITLES))]
        right = [c.data(Qt.ItemDataRole.TextAlignmentRole) & Qt.AlignmentFlag.AlignRight
                 for c in cells]  # fmt: skip
        assert [t for t, r in zip(TITLES, right, strict=True) if r] == ["#", "ml", "HU"]
        icon = cells[TITLES.index("Type")].data(Qt.ItemDataRole.DecorationRole)
        for mode in (icon.Mode.Normal, icon.Mode.Selected):
            image = icon.pixmap(10, 10, mode).toImage()
            assert image.pixelColor(5, 5) == theme.findings_colour(CONSOLIDATION)

    def test_every_column_is_seen_at_the_width_of_the_window(self, show: Any) -> None:
        table = show(LesionTable())
        table.resize(332, 300)
        table.show_lesions(tuple(lesion(n, volume_ml=257.46) for n in range(95, 120)))
        assert not table.horizontalScrollBar().isVisible()

    def test_unknown_is_said_in_words_in_the_tooltip(self, show: Any) -> None:
        table = show(LesionTable())
        table.show_lesions((lesion(1, volume_ml=None, side=None, peripheral_share=None),))
        assert column(table, "Side") == column(table, "Place") == ["–"]
        tip = table.model().index(0, 0).data(Qt.ItemDataRole.ToolTipRole)
        assert "Volume: not computed" in tip
        assert "Side: not computed" in tip


class TestPanel:
    """The table and the session."""

    def test_states_are_said_in_words(
        self, session: ReadingSession, opened: SimpleNamespace, findings: Findings, show: Any
    ) -> None:
        panel = show(LesionsPanel(ReadingSession()))
        assert "Open a study first." in words(panel)
        panel = show(LesionsPanel(opened.session))
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
        assert "only computed on CT" in words(panel)

    def test_a_list_replaces_the_words(
        self, opened: SimpleNamespace, findings: Findings, show: Any
    ) -> None:
        panel = show(LesionsPanel(opened.session))
        listed(opened, findings)
        assert column(panel.table, "Type") == ["GGO", "GGO", "Cons."]
        assert column(panel.table, "Side") == ["L", "R", "R"]
        assert panel.table.isVisible()
        assert "Not listed: 1 component of fewer than 30 voxels" in words(panel)
        assert "Listing" not in words(panel)

    def test_nothing_found_is_not_called_absent(
        self, opened: SimpleNamespace, findings: Findings, show: Any
    ) -> None:
        panel = show(LesionsPanel(opened.session))
        empty = tuple(replace(s, mask=np.zeros_like(s.mask), lesions=0) for s in findings.segments)
        listed(opened, replace(findings, segments=empty))
        assert "marked no lesion here. That does not show that there is none." in words(panel)

    def test_without_lungs_the_panel_says_why_cells_are_empty(
        self, opened: SimpleNamespace, findings: Findings, show: Any
    ) -> None:
        panel = show(LesionsPanel(opened.session))
        listed(opened, replace(findings, lungs=None))
        assert set(column(panel.table, "Side")) == {"–"}
        assert "no lung mask is known" in words(panel)

    def test_a_click_goes_to_the_lesion_however_it_is_sorted(
        self, opened: SimpleNamespace, findings: Findings, show: Any, qtbot: Any
    ) -> None:
        panel = show(LesionsPanel(opened.session))
        found = listed(opened, findings)
        panel.table.sortByColumn(TITLES.index("HU"), Qt.SortOrder.DescendingOrder)
        for row, number in enumerate(map(int, column(panel.table, "#"))):
            cell = panel.table.visualRect(panel.table.model().index(row, 2)).center()
            qtbot.mouseClick(panel.table.viewport(), Qt.MouseButton.LeftButton, pos=cell)
            assert opened.session.target == found.lesions[number - 1].voxel
            assert opened.session.position == found.lesions[number - 1].voxel[2]
        assert not panel.table.hasFocus(), "the keys stay with the picture"

    def test_arrows_and_enter_go_there(
        self, opened: SimpleNamespace, findings: Findings, show: Any, qtbot: Any
    ) -> None:
        panel = show(LesionsPanel(opened.session))
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
        self, opened: SimpleNamespace, findings: Findings, show: Any
    ) -> None:
        panel = show(LesionsPanel(opened.session))
        patterns = show(PatternsPanel(opened.session))
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


class TestPatterns:
    """The four plots."""

    def test_before_there_is_a_list_it_says_why(self, opened: SimpleNamespace, show: Any) -> None:
        panel = show(PatternsPanel(opened.session))
        assert "Not analysed." in words(panel)
        assert panel.plots is None

    def test_what_comes_while_it_is_hidden_is_drawn_when_it_is_shown(
        self, opened: SimpleNamespace, findings: Findings, show: Any
    ) -> None:
        panel = show(PatternsPanel(opened.session))
        panel.hide()
        found = listed(opened, findings)
        assert panel.plots is None
        panel.show()
        assert panel.plots is not None
        assert panel.plots.patterns is found.patterns

    def test_each_plot_names_the_study_the_published_values_and_their_source(
        self, opened: SimpleNamespace, findings: Findings, show: Any
    ) -> None:
        panel = show(PatternsPanel(opened.session))
        found = listed(opened, findings)
        said = words(panel)
        assert (
            f"This study: {found.patterns.count}. Published means: COVID-19 4.4, CAP 1.7." in said
        )
        assert "COVID-19 14.3, CAP 4.4" in said
        assert "COVID-19 62.4 %, CAP 24.5 %, for a thickness that is not named" in said
        assert "−960 to −600" in said
        assert "−70 to 140" in said
        assert "doi:10.1109/TMI.2021.3079709" in said
        assert "Not a diagnosis" in said
        assert panel.plots is not None
        for plot in (panel.plots.count, panel.plots.share, panel.plots.density,
                     panel.plots.periphery):  # fmt: skip
            assert "section III-B" in plot.toolTip()
            assert plot.plot.accessibleDescription()
        assert not any(menu.isVisible() for menu in panel.findChildren(QMenu)), "over the plots"

    def test_what_is_drawn_is_the_study(
        self, opened: SimpleNamespace, findings: Findings, show: Any
    ) -> None:
        panel = show(PatternsPanel(opened.session))
        patterns = listed(opened, findings).patterns
        assert panel.plots is not None
        curves = panel.plots.periphery.plot.getPlotItem().listDataItems()
        assert [pytest.approx(100.0 * r) for r in patterns.periphery.ratios] in [
            list(curve.getData()[1]) for curve in curves
        ]
        steps = panel.plots.density.plot.getPlotItem().listDataItems()[0]
        assert steps.getData()[1].sum() == pytest.approx(100.0 * sum(patterns.histogram.shares))

    def test_not_computed_is_said_and_drawn_as_nothing(
        self, opened: SimpleNamespace, findings: Findings, show: Any
    ) -> None:
        panel = show(PatternsPanel(opened.session))
        listed(opened, findings)
        nothing = Lesions((), 30, 0, 0.0, False, False, Patterns(0, None, None, None))
        opened.session.lesions.set_listed(findings, nothing)
        said = words(panel)
        assert "This study: not computed. Published means: COVID-19 14.3" in said
        assert "This study: nothing to measure." in said
        assert "This study: not computed, since no lesion lies in a known lung." in said
        assert panel.plots is not None
        assert len(panel.plots.periphery.plot.getPlotItem().listDataItems()) == 0

    def test_the_file_is_what_the_code_reads(self) -> None:
        content = json.loads((files("resources") / "published_lesions.json").read_text("utf-8"))
        published = load_published_lesions()
        assert published.source == content["source"]
        for name, entry in content["patterns"].items():
            assert dict(getattr(published, name).values) == entry["values"]
        assert [group.disease for group in published.hu] == list(content["hu"]["ranges"])
        for group in published.hu:
            assert {end for ends in group.ranges for end in ends} <= set(HU_EDGES)
        # What the paper's text says, section III-B.
        assert dict(published.count.values) == {"COVID-19": 4.4, "CAP": 1.7}
        assert dict(published.percent_of_lung.values) == {"COVID-19": 14.3, "CAP": 4.4}
        assert dict(published.peripheral_percent.values) == {"COVID-19": 62.4, "CAP": 24.5}
        assert [(g.percent, g.ranges) for g in published.hu] == [
            (70, ((-960, -600),)), (75, ((-970, -580), (-70, 140))),
        ]  # fmt: skip


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
        self, opened: SimpleNamespace, show: Any, qtbot: Any
    ) -> None:
        view = show(SliceView(opened.session))
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

    def test_a_magnified_picture_is_centred_on_it(self, opened: SimpleNamespace, show: Any) -> None:
        view = show(SliceView(opened.session))
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
    tabs = next(t for t in window.findChildren(QTabWidget) if t.indexOf(window.lesions_panel) >= 0)
    tabs.setCurrentWidget(window.lesions_panel)
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
