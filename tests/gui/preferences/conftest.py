"""The settings dialog of a real window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt

from viewer.preferences import SettingsDialog
from viewer.window import MainWindow


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the tests off the reader's own cache."""
    folder = tmp_path / "cache"
    monkeypatch.setattr("viewer.cache.user_cache_path", lambda *_, **__: folder)
    return folder


@pytest.fixture
def dialog(qtbot: Any, reading: MainWindow) -> Iterator[SettingsDialog]:
    """Open the settings of a window with a CT."""
    qtbot.waitUntil(reading.isActiveWindow, timeout=20_000)
    qtbot.keyClick(reading, Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
    opened = reading.findChild(SettingsDialog)
    qtbot.waitUntil(opened.isVisible)
    yield opened
    opened.close()
