"""Hours of work, shortened: opening, scrolling, laying out, analysing and closing leak nothing.

``SECONDREAD_SOAK_MINUTES=120 pytest tests/e2e/test_soak.py`` takes two hours; without it, a minute
or two.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from tests.benchmarks.loading import write_series
from tests.e2e.memory import memory_mb
from viewer import theme
from viewer.analysis import default_system
from viewer.settings import Settings
from viewer.window import MainWindow

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc"),
]

MINUTES = float(os.environ.get("SECONDREAD_SOAK_MINUTES", "0.8"))
WARM_ROUNDS = 12
"""Rounds until every module is loaded and every cache and arena of memory has its size: for ten
rounds it grows, and then no more."""
COMPARED = 4
"""So many rounds after those are compared with so many at the end."""
GROWTH = 1.05


@pytest.fixture
def studies(tmp_path: Path) -> list[Path]:
    """Two made-up CTs of 24 and 36 slices."""
    folders = []
    for slices in (24, 36):
        folder = tmp_path / f"ct{slices}"
        folder.mkdir()
        write_series(folder, slices, root=f"1.2.{slices}")
        folders.append(folder)
    return folders


@pytest.fixture
def window(qapp: QApplication, qtbot: Any, tmp_path: Path) -> Iterator[MainWindow]:
    """Give the real window with the engine that ships."""
    theme.apply(qapp)
    store = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    settings = Settings(store)
    settings.set_notice_read()
    window = MainWindow(default_system("elbana"), settings, measurements=tmp_path / "kept")
    with qtbot.waitExposed(window, timeout=20_000):
        window.show()
    yield window
    window.close()
    window.deleteLater()


def one_round(qtbot: Any, window: MainWindow, study: Path) -> None:
    """Open a study, go through it in several layouts, analyse it, and close it."""
    session = window.session

    def until(holds: Callable[[], bool]) -> None:
        # Long, since it is memory that is measured here, whatever else the machine does.
        qtbot.waitUntil(holds, timeout=900_000)

    window.opener.open_paths([study])
    until(lambda: session.volume is not None and not session.reading.active and not window.busy)
    volume = session.volume
    assert volume is not None
    for layout in ("layout-mpr", "layout-two", "layout-one"):
        window.actions_[layout].trigger()
        for index in range(volume.shape[0]):
            session.set_cursor((256.0 + index, 256.0 - index, float(index)))
            QApplication.processEvents()
    window.actions_["slab-mean"].trigger()
    window.panes.picture()
    window.actions_["slab-thin"].trigger()
    window.analyst.start()
    until(lambda: session.findings is not None and not window.busy)
    until(lambda: session.lesions.listed is not None or bool(session.lesions.failure))
    del volume
    session.close_volume()
    QApplication.processEvents()


@pytest.mark.timeout(60 * MINUTES + 600)
def test_memory_comes_back(qtbot: Any, window: MainWindow, studies: list[Path]) -> None:
    end = time.monotonic() + 60 * MINUTES
    seen: list[float] = []
    while time.monotonic() < end or len(seen) < WARM_ROUNDS + COMPARED:
        for study in studies:
            one_round(qtbot, window, study)
        seen.append(memory_mb())
        print(f"round {len(seen)}: {seen[-1]:.0f} MB", flush=True)
    warm, last = min(seen[WARM_ROUNDS - COMPARED : WARM_ROUNDS]), min(seen[-COMPARED:])
    told = ", ".join(f"{mb:.0f}" for mb in seen)
    assert last <= GROWTH * warm, f"MB after each round: {told}"
