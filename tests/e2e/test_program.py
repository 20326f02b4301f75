"""The real program, with the engine that it ships: in a process of its own and in its window."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QPushButton

from inference.models import ModelStore
from inference.systems.base import Context
from viewer import theme
from viewer.analysis import default_system
from viewer.panels.bars import ProbabilityBar
from viewer.session import AnalysisState, HeatmapChoice
from viewer.settings import Settings
from viewer.window import MainWindow

pytestmark = pytest.mark.e2e

PROGRAM = (sys.executable, "-c", "from viewer.command import main; main()")


def secondread(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the program to its end."""
    return subprocess.run(
        [*PROGRAM, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.fixture
def xray(tmp_path: Path) -> Path:
    """Draw something like a chest X-ray: bright body, two dark lungs, some noise."""
    rows, columns = np.mgrid[0:320, 0:320] / 320 - 0.5
    grey = np.full((320, 320), 190.0)
    for side in (-0.2, 0.2):
        grey[(rows / 0.36) ** 2 + ((columns - side) / 0.14) ** 2 < 1] = 70.0
    grey += np.random.default_rng(3).normal(0, 6, grey.shape)
    picture = np.clip(grey, 0, 255).astype(np.uint8)
    path = tmp_path / "xray.png"
    assert QImage(picture.data, 320, 320, 320, QImage.Format.Format_Grayscale8).save(str(path))
    return path


@pytest.fixture
def window(qtbot: Any, qapp: QApplication, tmp_path: Path) -> Iterator[MainWindow]:
    """Open the window with the system that is shipped."""
    theme.apply(qapp)
    store = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    window = MainWindow(default_system("elbana"), Settings(store), Context(device="cpu"))
    qtbot.addWidget(window)
    with qtbot.waitActive(window, timeout=20_000):
        window.show()
        window.activateWindow()
    yield window
    window.close()


def test_an_xray_is_analysed_and_explained_in_the_window(
    qtbot: Any, window: MainWindow, xray: Path
) -> None:
    session = window.session
    window.opener.open_paths([xray])
    qtbot.waitUntil(lambda: session.volume is not None, timeout=20_000)
    qtbot.keyClick(window, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: window.work.kind_asker.dialog is not None, timeout=60_000)
    dialog = window.work.kind_asker.dialog
    assert dialog is not None
    qtbot.mouseClick(dialog.findChild(QPushButton, "kind-DX"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: session.analysis is AnalysisState.RUNNING, timeout=20_000)
    qtbot.waitUntil(lambda: session.analysis is not AnalysisState.RUNNING, timeout=120_000)
    findings = session.findings
    assert findings is not None
    assert {estimate.task for estimate in findings.estimates} == {"covid-2", "cxr-4"}
    assert len(window.findings_panel.findChildren(ProbabilityBar)) == 6
    assert findings.timings.total > 0
    session.choose_heatmap(HeatmapChoice("cxr-4", findings.estimates[1].classes[0].key))
    qtbot.waitUntil(lambda: session.heatmap is not None, timeout=60_000)
    heatmap = session.heatmap
    assert heatmap is not None
    assert heatmap.values.shape == (320, 320)


def test_the_same_without_a_screen(xray: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    end = secondread(
        xray, "--modality", "DX", "--analyse", "--out", out, QT_QPA_PLATFORM="offscreen"
    )
    assert end.returncode == 0, end.stderr
    assert end.stderr == ""
    assert f"Written: {out / 'window.png'}" in end.stdout
    report = json.loads((out / "findings.json").read_text(encoding="utf-8"))
    assert report["device"]
    assert not QImage(str(out / "window.png")).isNull()


def test_the_shipped_models_are_those_that_a_ct_needs() -> None:
    kinds = {record.kind for record in ModelStore().records}
    assert kinds >= {"recognition", "manifestations", "streams", "evidence", "domain"}


def test_a_ct_without_a_screen(write_ct: Callable[..., Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    end = secondread("open", write_ct(slices=4), "--analyse", "--offscreen", "--out", out)
    assert end.returncode == 0, end.stderr
    for name in ("findings.json", "labels.nii.gz", "window.png"):
        assert (out / name).exists()
    assert (out / "seg.dcm").exists() or "Not written: seg.dcm." in end.stdout


@pytest.mark.parametrize("kind", ["empty", "text", "cut", "mixed", "tiny"])
def test_bad_input_is_a_sentence_and_status_2(
    write_ct: Callable[..., Path], tmp_path: Path, kind: str
) -> None:
    good = write_ct("good", slices=4)
    bad = tmp_path / "bad.dcm"
    if kind == "empty":
        bad.mkdir()
    elif kind == "text":
        bad.write_text("This is no image.")
    elif kind == "cut":
        whole = (good / "000.dcm").read_bytes()
        bad.write_bytes(whole[: len(whole) // 2])
    elif kind == "mixed":
        write_ct("other", slices=4, seed="two").rename(good / "other")
        bad = good
    else:
        bad = bad.with_suffix(".jpg")
        assert QImage(10, 10, QImage.Format.Format_Grayscale8).save(str(bad))
    end = secondread("open", bad, "--offscreen", "--out", tmp_path / "out")
    assert end.returncode == 2
    assert end.stderr.strip().endswith(".")
    assert "Traceback" not in end.stdout + end.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(
    not os.environ.get("DISPLAY") or os.environ.get("QT_QPA_PLATFORM") == "offscreen",
    reason="needs a screen",
)
def test_the_window_stays_until_it_is_ended(write_ct: Callable[..., Path]) -> None:
    process = subprocess.Popen(
        [*PROGRAM, str(write_ct())], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        time.sleep(4)
        assert process.poll() is None, process.communicate()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
        assert process.returncode in {-signal.SIGINT, 130}
        assert "Traceback" not in said
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
