"""Theme, colours and masks, as they are chosen."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QComboBox,
    QSlider,
    QWidget,
)

from inference.findings import Findings
from tests.gui.preferences.choosing import go_to, pick
from viewer import theme
from viewer.habits import looks_of
from viewer.options import Choices, Scheme
from viewer.preferences import SettingsDialog
from viewer.session import LayerStyle
from viewer.window import MainWindow


class TestLooks:
    """Themes and colours, at once."""

    def test_the_theme_changes_while_the_program_runs(
        self, qtbot: Any, reading: MainWindow, dialog: SettingsDialog
    ) -> None:
        page = go_to(dialog, "Looks")
        black = reading.view.grab().toImage().pixelColor(2, 200)
        pick(page, "choice-scheme", "light")
        assert reading.tree.grab().toImage().pixelColor(3, 300) == theme.colour("panel")
        assert theme.colour("panel").lightness() > 200
        assert reading.view.grab().toImage().pixelColor(2, 200) == black
        pick(page, "choice-scheme", "dark")
        assert reading.tree.grab().toImage().pixelColor(3, 300).lightness() < 60

    def test_images_and_what_is_written_on_them_are_the_same_in_both_themes(
        self, reading: MainWindow, make_findings: Callable[..., Findings]
    ) -> None:
        assert reading.session.volume is not None
        reading.session.set_findings(make_findings(reading.session.volume))
        dark = reading.picture()
        reading.habits.next_theme()
        assert theme.looks().light
        assert reading.picture() == dark

    @pytest.mark.parametrize(
        ("system", "light"),
        [
            (Qt.ColorScheme.Light, True), (Qt.ColorScheme.Dark, False),
            (Qt.ColorScheme.Unknown, False),
        ],
    )  # fmt: skip
    def test_the_systems_theme_is_followed(
        self, monkeypatch: pytest.MonkeyPatch, system: Qt.ColorScheme, light: bool
    ) -> None:
        hints = SimpleNamespace(colorScheme=lambda: system)
        monkeypatch.setattr(QGuiApplication, "styleHints", lambda: hints)
        assert looks_of(Choices(scheme=Scheme.SYSTEM)).light is light
        assert looks_of(Choices(scheme=Scheme.LIGHT)).light
        assert not looks_of(Choices(scheme=Scheme.DARK)).light

    def test_findings_change_their_colours_everywhere(
        self, reading: MainWindow, dialog: SettingsDialog,
        make_findings: Callable[..., Findings],
    ) -> None:  # fmt: skip
        session = reading.session
        assert session.volume is not None
        session.set_findings(make_findings(session.volume))
        session.set_position(4)

        def has(widget: QWidget, tint: str) -> bool:
            image = widget.grab().toImage()
            return any(
                image.pixelColor(x, y).name() == tint
                for x in range(0, image.width(), 2)
                for y in range(0, image.height(), 2)
            )

        parts = (reading.strip, reading.findings_panel, reading.layers_panel)
        assert all(has(part, "#f5d33f") for part in parts)
        picture = reading.picture()
        pick(go_to(dialog, "Looks"), "choice-safe_colours", True)
        assert all(has(part, "#e69f00") for part in parts)
        assert not any(has(part, "#f5d33f") for part in parts)
        assert reading.picture() != picture

    def test_safe_colours_are_one_click_away(
        self, reading: MainWindow, dialog: SettingsDialog
    ) -> None:
        action = reading.actions_["safe-colours"]
        box = go_to(dialog, "Looks").findChild(QComboBox, "choice-safe_colours")
        assert not action.isChecked()
        action.trigger()
        assert theme.looks().safe
        assert action.isChecked()
        assert box.currentData() is True
        pick(go_to(dialog, "Looks"), "choice-safe_colours", False)
        assert not reading.actions_["safe-colours"].isChecked()

    def test_masks_follow_opacity_and_style(
        self, reading: MainWindow, dialog: SettingsDialog
    ) -> None:
        page = go_to(dialog, "Looks")
        page.findChild(QSlider, "choice-opacity").setValue(70)
        pick(page, "choice-style", LayerStyle.OUTLINE)
        for layer in reading.session.layers:
            assert (layer.opacity, layer.style) == (0.7, LayerStyle.OUTLINE)
