"""Reading without a mouse: menus, panels, tabs, series asked for twice, Space on the image."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QApplication, QMenu, QWidget

from inference.findings import Findings, Manifestation
from inference.studies.model import Study, Volume
from viewer.mnemonics import with_mnemonics
from viewer.opening import Opener
from viewer.session import ReadingSession
from viewer.window import MainWindow
from viewer.worker import Worker


@pytest.fixture
def analysed(reading: MainWindow, make_findings: Callable[..., Findings]) -> MainWindow:
    assert reading.session.volume is not None
    reading.session.set_findings(make_findings(reading.session.volume))
    QApplication.processEvents()
    return reading


def _open_menu() -> str:
    menu = QApplication.activePopupWidget()
    return menu.title().replace("&", "") if isinstance(menu, QMenu) else ""


class TestMenus:
    def test_alt_and_its_letter_open_each_menu(self, qtbot: Any, reading: MainWindow) -> None:
        qtbot.waitUntil(reading.isActiveWindow, timeout=20_000)
        for action in reading.menuBar().actions():
            text = action.text()
            key = text[text.index("&") + 1]
            QTest.keyClick(reading, key.lower(), Qt.KeyboardModifier.AltModifier)
            assert _open_menu() == text.replace("&", "")
            popup = QApplication.activePopupWidget()
            assert popup is not None
            QTest.keyClick(popup, Qt.Key.Key_Escape)
            popup.close()
            reading.view.setFocus()
        assert reading.menuBar().actions()[0].text() == "&File"

    def test_f10_opens_the_first_and_arrows_and_letters_go_on(
        self, qtbot: Any, reading: MainWindow
    ) -> None:
        qtbot.waitUntil(reading.isActiveWindow, timeout=20_000)
        QTest.keyClick(reading, Qt.Key.Key_F10)
        assert _open_menu() == "File"
        for wanted in ("Edit", "View"):
            popup = QApplication.activePopupWidget()
            assert popup is not None
            QTest.keyClick(popup, Qt.Key.Key_Right)
            assert _open_menu() == wanted
        inverted = reading.session.inverted
        entry = reading.actions_["invert"].text()
        popup = QApplication.activePopupWidget()
        assert popup is not None
        QTest.keyClick(popup, entry[entry.index("&") + 1].lower())
        assert reading.session.inverted is not inverted
        assert _open_menu() == ""

    def test_entries_of_a_menu_have_letters_of_their_own(self, reading: MainWindow) -> None:
        for menu in reading.menuBar().actions():
            texts = [a.text() for a in menu.menu().actions() if not a.isSeparator()]
            letters = [t[t.index("&") + 1].casefold() for t in texts if "&" in t]
            assert len(letters) == len(set(letters)), menu.text()
            assert len(letters) >= min(len(texts), 12), menu.text()

    def test_no_key_of_a_command_is_a_menus(self, reading: MainWindow) -> None:
        texts = [command.menu for command in reading.actions_.commands]
        marked = with_mnemonics(list(dict.fromkeys(texts)))
        taken = {f"Alt+{text[text.index('&') + 1].upper()}" for text in marked}
        used = {key for c in reading.actions_.commands for key in reading.actions_.keys(c.id)}
        assert not taken & used


class TestLayersAndTabs:
    def test_a_layer_goes_from_the_image_and_its_box_follows(self, analysed: MainWindow) -> None:
        session = analysed.session
        session.set_position(4)
        assert session.layer(Manifestation.GGO).visible
        before = analysed.view.picture()
        QTest.keyClick(analysed.view, "g", Qt.KeyboardModifier.ShiftModifier)
        assert analysed.view.picture() != before
        box = analysed.layers_panel.findChild(QAbstractButton, "visible-ggo")
        assert not box.isChecked()
        assert analysed.actions_["layer-ggo"].isChecked() is False

    def test_the_palette_the_key_page_and_the_key_editor_have_them(
        self, analysed: MainWindow
    ) -> None:
        ids = {command.id for command in analysed.actions_.commands}
        wanted = {f"layer-{key.value}" for key in Manifestation} | {"heatmap", "panels", "menus"}
        wanted |= {f"tab-{name}" for name in ("findings", "lesions", "layers", "timing")}
        assert wanted <= ids
        for id_ in wanted:
            assert analysed.actions_.keys(id_)

    def test_a_tab_that_is_there_gets_the_keys_and_the_image_has_them_back(
        self, qtbot: Any, analysed: MainWindow
    ) -> None:
        qtbot.waitUntil(analysed.isActiveWindow, timeout=20_000)
        analysed.view.setFocus()
        QTest.keyClick(analysed, Qt.Key.Key_F12)
        assert analysed.timing_panel.isVisible()
        QTest.keyClick(analysed, Qt.Key.Key_F4)
        assert analysed.layers_panel.isVisible()
        assert analysed.view.hasFocus(), "a look at a panel leaves the keys with the image"
        QTest.keyClick(analysed, Qt.Key.Key_F4)
        focused = analysed.focusWidget()
        assert focused is not None
        assert analysed.layers_panel.isAncestorOf(focused)
        QTest.keyClick(focused, Qt.Key.Key_Space, Qt.KeyboardModifier.ShiftModifier)
        assert analysed.view.hasFocus()

    def test_a_hidden_tab_comes_back_with_its_side(self, analysed: MainWindow) -> None:
        QTest.keyClick(analysed, Qt.Key.Key_F9)
        assert not analysed.findings_panel.isVisible()
        assert not analysed.tree.isVisible()
        assert analysed.actions_["panels"].isChecked() is False
        QTest.keyClick(analysed, Qt.Key.Key_F3)
        assert analysed.lesions_panel.isVisible()
        assert not analysed.tree.isVisible()

    def test_hidden_panels_give_their_room_to_the_image(self, analysed: MainWindow) -> None:
        before = analysed.view.width()
        sides = analysed.tree.width() + analysed.layers_panel.window().width() - before
        assert sides > 0
        QTest.keyClick(analysed, Qt.Key.Key_F9)
        QApplication.processEvents()
        assert analysed.view.width() > 0.95 * analysed.width()
        QTest.keyClick(analysed, Qt.Key.Key_F9)
        QApplication.processEvents()
        assert analysed.view.width() == before


class TestSeriesAskedForTwice:
    @pytest.fixture
    def four(
        self, qtbot: Any, session: ReadingSession, fake_reader: Any,
        make_study: Callable[..., Study], make_volume: Callable[..., Volume],
    ) -> Any:  # fmt: skip
        worker = Worker("opening", session)
        opener = Opener(session, worker, lambda: fake_reader, session)
        uids = ("1.1", "1.2", "1.3", "1.4")
        study = make_study(*uids)
        fake_reader.volumes = {uid: make_volume(uid) for uid in uids}
        session.add_studies((study,))
        opener.show_series(study, study.series[0])
        qtbot.waitUntil(lambda: session.volume is not None, timeout=20_000)
        yield opener, session, worker
        fake_reader.go.set()
        worker.close()

    def _shown(self, session: ReadingSession) -> str:
        return session.series.uid if session.series is not None else ""

    def test_two_presses_go_on_by_two_while_the_first_is_still_read(
        self, qtbot: Any, four: Any, fake_reader: Any
    ) -> None:
        opener, session, _ = four
        fake_reader.go.clear()
        opener.step_series(1)
        opener.step_series(1)
        assert self._shown(session) == "1.1"
        fake_reader.go.set()
        qtbot.waitUntil(lambda: self._shown(session) == "1.3", timeout=20_000)

    def test_forth_and_back_stays_where_it_was(
        self, qtbot: Any, four: Any, fake_reader: Any
    ) -> None:
        opener, session, worker = four
        fake_reader.go.clear()
        opener.step_series(1)
        opener.step_series(-1)
        fake_reader.go.set()
        qtbot.waitUntil(lambda: not worker.busy, timeout=20_000)
        assert self._shown(session) == "1.1"
        opener.step_series(1)
        qtbot.waitUntil(lambda: self._shown(session) == "1.2", timeout=20_000)

    def test_it_stops_at_the_end(self, qtbot: Any, four: Any, fake_reader: Any) -> None:
        opener, session, _ = four
        fake_reader.go.clear()
        for _ in range(9):
            opener.step_series(1)
        fake_reader.go.set()
        qtbot.waitUntil(lambda: self._shown(session) == "1.4", timeout=20_000)

    def test_after_a_failure_it_counts_from_what_is_shown(
        self, qtbot: Any, four: Any, fake_reader: Any, failing: Exception
    ) -> None:
        opener, session, worker = four
        fake_reader.load_error = failing
        opener.step_series(1)
        qtbot.waitUntil(lambda: not worker.busy, timeout=20_000)
        assert self._shown(session) == "1.1"
        fake_reader.load_error = None
        opener.step_series(1)
        qtbot.waitUntil(lambda: self._shown(session) == "1.2", timeout=20_000)


def _holders(window: MainWindow) -> list[QWidget]:
    """What can have the keys and wants Space or moves by them."""
    kinds = (*window.findChildren(QAbstractButton), *window.findChildren(QAbstractItemView))
    return [
        widget
        for widget in (*kinds, window.strip)
        if widget.isVisible() and widget.isEnabled() and widget.focusPolicy()
    ]


@pytest.mark.parametrize("layout", ["one", "mpr"])
def test_space_is_the_images_after_a_click_on_it(
    qtbot: Any, analysed: MainWindow, layout: str
) -> None:
    analysed.actions_[f"layout-{layout}"].trigger()
    QApplication.processEvents()
    qtbot.waitUntil(analysed.isActiveWindow, timeout=20_000)
    session = analysed.session
    holders = _holders(analysed)
    assert len(holders) > 10
    for number, widget in enumerate(holders):
        widget.setFocus()
        views = analysed.panes.views
        view = views[number % len(views)]
        QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=QPoint(60, 60))
        assert view.hasFocus()
        session.set_window(session.percentile_window())
        QTest.keyClick(view, Qt.Key.Key_Space)
        assert session.window == session.default_window(), f"{widget} took the key"


def test_space_resets_the_volume_in_3d_after_a_click_on_it(
    qtbot: Any, analysed: MainWindow, volume_panes: list[Any]
) -> None:
    analysed.actions_["layout-four"].trigger()
    QApplication.processEvents()
    (pane,) = volume_panes
    QTest.mouseClick(pane, Qt.MouseButton.LeftButton, pos=QPoint(20, 20))
    window = analysed.session.percentile_window()
    analysed.session.set_window(window)
    QTest.keyClick(pane, Qt.Key.Key_Space)
    assert pane.asked == ["reset"]
    assert analysed.session.window == window, "the planes are not what was clicked on"
