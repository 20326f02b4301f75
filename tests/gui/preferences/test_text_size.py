"""The size of texts, everywhere and at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtWidgets import QLabel, QWidget

from inference.findings import Findings
from tests.gui.preferences.choosing import go_to, kept, pick
from viewer import theme
from viewer.options import TEXT_SIZES, Choices
from viewer.preferences import SettingsDialog
from viewer.settings import Settings
from viewer.window import MainWindow


def parts(window: MainWindow) -> dict[str, int]:
    """Height of a line in several parts of the window, in pixels."""
    heading = next(
        label for label in window.findings_panel.findChildren(QLabel) if label.font().bold()
    )
    widgets: dict[str, QWidget] = {
        "tree": window.tree.tree, "heading": heading, "table": window.measurements_panel.table,
        "lesions": window.lesions_panel.table, "title": window.start_page.title,
        "button": window.findings_panel.parentWidget().parentWidget(),
    }  # fmt: skip
    return {name: widget.fontMetrics().height() for name, widget in widgets.items()}


def test_every_text_follows_at_once_and_comes_back(
    reading: MainWindow, dialog: SettingsDialog, settings: Settings,
    make_findings: Callable[..., Findings],
) -> None:  # fmt: skip
    assert reading.session.volume is not None
    reading.session.set_findings(make_findings(reading.session.volume))
    for widget in (reading.lesions_panel.table, reading.measurements_panel.table):
        widget.ensurePolished()
    usual, picture = parts(reading), reading.picture()
    page = go_to(dialog, "Looks")
    pick(page, "choice-text_size", 150)
    large = parts(reading)
    for name, height in usual.items():
        assert large[name] == pytest.approx(1.5 * height, rel=0.15), name
    assert reading.picture() != picture, "what is written on the image is larger"
    assert kept(settings).text_size == 150
    assert theme.font("small").pixelSize() < theme.font("normal").pixelSize()
    pick(page, "choice-text_size", 115)
    pick(page, "choice-text_size", 100)
    assert parts(reading) == usual
    assert reading.picture() == picture


def test_sizes_that_are_not_offered_are_refused() -> None:
    assert 100 in TEXT_SIZES
    with pytest.raises(ValueError, match="per cent"):
        Choices(text_size=400)


def test_the_next_start_has_the_size(
    make_window: Callable[..., MainWindow], settings: Settings, qapp: Any
) -> None:
    settings.set_choices(Choices(text_size=130).written())
    window = make_window()
    assert theme.looks().text == 130
    assert window.tree.tree.font().pixelSize() == round(13 * 1.3)
