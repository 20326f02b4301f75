"""How tests find and change what the settings dialog shows."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import (
    QComboBox,
    QWidget,
)

from viewer.options import Choices
from viewer.preferences import SettingsDialog
from viewer.settings import Settings

PAGES = [
    "Analysis", "Looks", "Corners of panes", "Window presets", "Keys", "Mouse",
    "Folders and cache",
]  # fmt: skip


def go_to(dialog: SettingsDialog, title: str) -> QWidget:
    """Choose a page."""
    dialog.names.setCurrentRow(PAGES.index(title))
    return dialog.pages[PAGES.index(title)]


def pick(page: QWidget, name: str, value: Any) -> None:
    """Choose in a box what has that value, by keys."""
    box = page.findChild(QComboBox, name)
    assert box is not None
    index = box.findData(value)
    assert index >= 0, value
    box.setCurrentIndex(index)
    box.activated.emit(index)


def kept(settings: Settings) -> Choices:
    """Give what the next start would read."""
    from viewer.options import read_choices

    return read_choices(settings.choices)
