"""The window with the true 3D pane, which draws in a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtGui import QImage, QKeySequence
from PySide6.QtTest import QTest

from tests.gui.handling import drop, is_whole
from viewer.volume3d.view import VolumeView
from viewer.window import MainWindow

WAIT_MS = 60_000
"""A process starts and VTK is loaded by two busy cores."""


@pytest.fixture(autouse=True)
def volume_panes() -> None:
    """Leave the window's own way to make a 3D pane as it is."""


def spread(image: QImage | None) -> float:
    """How unlike one another the pixels of a picture are."""
    assert image is not None
    seen = image.convertToFormat(QImage.Format.Format_RGB32)
    return float(np.frombuffer(seen.constBits(), np.uint8).astype(float).std())


def test_the_volume_is_drawn_and_obeys_every_key(
    qtbot: Any, window: MainWindow, write_ct: Callable[..., Path]
) -> None:
    drop(window, write_ct(size=48))
    qtbot.waitUntil(lambda: is_whole(window) and not window.busy)

    def press(keys: str) -> None:
        QTest.keySequence(window, QKeySequence(keys))

    press("Alt+4")
    pane = window.panes.volume_pane
    assert isinstance(pane, VolumeView)
    assert pane.isVisible()
    canvas = pane.canvas
    qtbot.waitUntil(lambda: canvas.is_sharp, timeout=WAIT_MS)
    assert spread(canvas.image) > 10.0
    for key, looked_from in (
        ("Alt+Shift+L", (90, 0)), ("Alt+Shift+R", (-90, 0)), ("Alt+Shift+P", (180, 0)),
        ("Alt+Shift+H", (180, 90)),
        ("Alt+Shift+F", (0, -90)), ("Alt+Shift+A", (0, 0)),
    ):  # fmt: skip
        press(key)
        assert (canvas.camera.azimuth, canvas.camera.elevation) == looked_from, key
    press("Alt+Shift+B")
    assert canvas.box is not None
    assert window.actions_["3d-box"].isChecked()
    press("Alt+Shift+B")
    assert canvas.box is None
    press("Alt+Shift+T")
    qtbot.waitUntil(lambda: canvas.camera.azimuth != 0, timeout=WAIT_MS)
    assert window.actions_["3d-turntable"].isChecked()
    press("Alt+Shift+T")
    press("Alt+0")
    assert canvas.camera.azimuth == 0
    qtbot.waitUntil(lambda: canvas.is_sharp, timeout=WAIT_MS)
    # What is exported has it, too.
    assert spread(window.picture()) > 10.0
