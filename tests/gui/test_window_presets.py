"""Presets on the keys 1 to 9, the reader's own among them; curves of the file; one zoom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QLineEdit

from inference.studies.model import Study, VoiFunction, Volume, Window
from inference.studies.voi import grey_of
from tests.gui.preferences.choosing import go_to, kept
from viewer.preferences import SettingsDialog
from viewer.settings import Settings
from viewer.viewport import SliceView
from viewer.window import MainWindow


def preset_page(window: MainWindow) -> Any:
    window.habits.show_settings()
    return go_to(window.findChild(SettingsDialog), "Window presets")


def test_a_preset_that_is_changed_is_another_at_once_and_after_the_next_start(
    qtbot: Any, reading: MainWindow, settings: Settings, make_window: Callable[..., MainWindow]
) -> None:
    page = preset_page(reading)
    page.findChild(QDoubleSpinBox, "preset-width-2").setValue(450)
    name = page.findChild(QLineEdit, "preset-name-2")
    name.setText("My mediastinum")
    qtbot.keyClick(name, Qt.Key.Key_Return)
    reading.findChild(SettingsDialog).close()
    action = reading.actions_["preset-2"]
    assert action.text().replace("&", "") == "My mediastinum"
    assert "width 450" in action.toolTip()
    found = [c.text for c in reading.actions_.commands if c.id == "preset-2"]
    assert found == ["My mediastinum"], "which is where the palette looks"
    action.trigger()
    assert reading.session.window == Window(40.0, 450.0, "My mediastinum")
    assert action.isChecked()
    assert kept(settings).presets == {2: Window(40.0, 450.0, "My mediastinum")}
    again = make_window()
    assert again.actions_["preset-2"].text().replace("&", "") == "My mediastinum"


def test_the_readers_own_are_added_in_the_settings_or_from_the_picture(
    reading: MainWindow, settings: Settings
) -> None:
    def own() -> QAction:
        return reading.actions_["preset-8"]

    assert not own().isEnabled()
    assert "none has been kept yet" in own().toolTip()
    page = preset_page(reading)
    page.findChild(QDoubleSpinBox, "preset-level-8").setValue(-100)
    page.findChild(QDoubleSpinBox, "preset-width-8").setValue(300)
    page.findChild(QDoubleSpinBox, "preset-level-8").setValue(10)
    box = page.findChild(QComboBox, "preset-function-8")
    box.setCurrentIndex(2)
    box.activated.emit(2)
    assert own().isEnabled()
    own().trigger()
    assert reading.session.window == Window(10.0, 300.0, "Own 8", VoiFunction.SIGMOID)
    assert reading.view.annotations().top_right[0].text == "W 300  L 10  ·  Own 8  ·  sigmoid"
    reading.session.set_window(Window(77.0, 333.0))
    reading.actions_["preset-keep-9"].trigger()
    assert reading.actions_["preset-9"].isChecked()
    assert kept(settings).presets[9] == Window(77.0, 333.0, "Own 9")
    page.findChild(QDoubleSpinBox, "preset-width-8").setValue(0)
    assert not own().isEnabled(), "no width, no preset"
    page.restore_defaults()
    assert kept(settings).presets == {}
    reading.findChild(SettingsDialog).close()


def test_a_ct_opens_with_the_lung_window_as_the_reader_has_it(
    reading: MainWindow, make_volume: Callable[..., Volume]
) -> None:
    page = preset_page(reading)
    page.findChild(QDoubleSpinBox, "preset-width-1").setValue(1600)
    reading.findChild(SettingsDialog).close()
    study = reading.session.studies[0]
    reading.session.set_volume(study, study.series[1], make_volume("1.2.4"))
    assert reading.session.window == Window(-600.0, 1600.0, "Lung")


def test_the_picture_is_drawn_by_the_files_curve(reading: MainWindow) -> None:
    session = reading.session
    assert session.volume is not None
    window = Window(-500.0, 400.0, "File 1", VoiFunction.SIGMOID)
    session.set_window(window)
    drawn = reading.view._scene._grey_plane()
    stored = reading.view._scene.plane()
    assert np.array_equal(drawn, grey_of(stored, window, inverted=False))
    assert not np.array_equal(
        drawn, grey_of(stored, replace(window, function=VoiFunction.LINEAR), inverted=False)
    )


class TestOneZoom:
    @pytest.fixture
    def linked(
        self, reading: MainWindow, make_study: Callable[..., Study],
        make_volume: Callable[..., Volume],
    ) -> tuple[SliceView, SliceView]:  # fmt: skip
        """Two series of one frame of reference, the second with larger pixels."""
        frame = {"frame_of_reference": "9.9"}
        study = make_study("2.1", uid="2")
        first = reading.session.studies[0]
        reading.session.set_volume(first, first.series[0], make_volume(**frame))
        wide = np.diag([1.6, 1.6, 5.0, 1.0])
        reading.comparison.other.set_volume(
            study, study.series[0], make_volume("2.1", affine=wide, **frame)
        )
        return reading.view, reading.compare_pane.view

    def test_a_mm_is_as_long_in_both_from_the_first(
        self, qtbot: Any, linked: tuple[SliceView, SliceView]
    ) -> None:
        mine, theirs = linked
        qtbot.waitUntil(lambda: mine.scale == pytest.approx(theirs.scale))
        assert mine.scale <= mine.fitted_scale + 1e-9
        assert theirs.scale <= theirs.fitted_scale + 1e-9, "neither is cut off"

    def test_zooming_one_zooms_the_other_and_fit_fits_both(
        self, qtbot: Any, reading: MainWindow, linked: tuple[SliceView, SliceView]
    ) -> None:
        mine, theirs = linked
        qtbot.waitUntil(lambda: mine.scale == pytest.approx(theirs.scale))
        before = mine.scale
        theirs.zoom_by(2.0)
        assert mine.scale == pytest.approx(2 * before)
        mine.zoom_by(1.5)
        assert theirs.scale == pytest.approx(3 * before)
        reading.resize(reading.width() - 150, reading.height())
        qtbot.wait(20)
        assert mine.scale == pytest.approx(theirs.scale) == pytest.approx(3 * before)
        reading.actions_["fit"].trigger()
        assert mine.scale == pytest.approx(theirs.scale)
        assert mine.scale == pytest.approx(min(mine.fitted_scale, theirs.fitted_scale))

    def test_unlinked_ones_are_zoomed_by_themselves(
        self, qtbot: Any, reading: MainWindow, linked: tuple[SliceView, SliceView]
    ) -> None:
        mine, theirs = linked
        qtbot.waitUntil(lambda: mine.scale == pytest.approx(theirs.scale))
        reading.compare_pane.link.click()
        before = theirs.scale
        mine.zoom_by(2.0)
        assert theirs.scale == before
        reading.compare_pane.link.click()
        assert mine.scale == pytest.approx(theirs.scale), "linked by hand is linked"
