"""F5 on a picture that does not say what it is: two buttons, with the guess preselected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton

from inference.picture_kind import KindGuess, guess_kind
from inference.progress import Progress
from inference.studies import load, scan
from inference.studies.model import Volume
from tests.gui.handling import drop, is_whole
from viewer.asking_kind import KindDialog
from viewer.session import AnalysisState
from viewer.window import MainWindow


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A picture of clouds, without any header."""
    noise = np.random.default_rng(1).uniform(0, 255, (160, 140))
    path = tmp_path / "picture.png"
    cv2.imwrite(str(path), cv2.GaussianBlur(noise, (0, 0), 4.0).astype(np.uint8))
    return path


@pytest.fixture
def guessed(monkeypatch: pytest.MonkeyPatch) -> list[KindGuess | None]:
    """What the detector is to say; it says nothing when the list is empty."""
    answers: list[KindGuess | None] = []

    def look(_volume: Volume, _progress: Progress) -> KindGuess | None:
        return answers[0] if answers else None

    monkeypatch.setattr("viewer.asking_kind.guess", look)
    return answers


@pytest.fixture
def asked(qtbot: Any, guessed: list[KindGuess | None], window: MainWindow, picture: Path) -> Any:
    """Open the picture, press F5, and wait for the question."""

    def ask(*answer: KindGuess) -> KindDialog:
        guessed[:] = answer
        assert drop(window, picture)
        qtbot.waitUntil(lambda: is_whole(window) and not window.busy)
        qtbot.keyClick(window, Qt.Key.Key_F5)
        qtbot.waitUntil(lambda: window.work.kind_asker.dialog is not None, timeout=20_000)
        dialog = window.work.kind_asker.dialog
        assert dialog is not None
        return dialog

    return ask


@pytest.mark.parametrize(
    ("modality", "words"), [("DX", "It looks like a chest X-ray."), ("CT", "like a CT slice.")]
)
def test_the_guess_is_preselected_and_said_to_be_one(
    qtbot: Any, window: MainWindow, fake_system: Any, asked: Any, modality: str, words: str
) -> None:
    dialog = asked(KindGuess(modality, 0.9))
    assert window.session.analysis is AnalysisState.NONE, "nothing begins before the answer"
    assert words in dialog.informativeText()
    assert "That is a guess" in dialog.informativeText()
    buttons = [each.text().replace("&", "") for each in dialog.kinds]
    assert buttons == ["Chest X-ray", "CT slice"]
    assert dialog.defaultButton().objectName() == f"kind-{modality}"
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    qtbot.waitUntil(fake_system.started.is_set, timeout=20_000)
    volume = window.session.volume
    assert volume is not None
    assert volume.modality == modality


def test_the_reader_may_know_better(
    qtbot: Any, window: MainWindow, fake_system: Any, asked: Any
) -> None:
    dialog = asked(KindGuess("DX", 0.9))
    qtbot.mouseClick(dialog.findChild(QPushButton, "kind-CT"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(fake_system.started.is_set, timeout=20_000)
    volume = window.session.volume
    assert volume is not None
    assert volume.modality == "CT"


def test_without_a_guess_none_is_claimed(qtbot: Any, window: MainWindow, asked: Any) -> None:
    dialog = asked()
    assert "does not look like either" in dialog.informativeText()
    assert dialog.defaultButton() not in dialog.kinds
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: window.work.kind_asker.dialog is None)
    assert window.session.analysis is AnalysisState.NONE
    volume = window.session.volume
    assert volume is not None
    assert volume.modality == "OT"


def test_the_question_goes_with_its_picture(qtbot: Any, window: MainWindow, asked: Any) -> None:
    asked(KindGuess("DX", 0.9))
    window.session.close_volume()
    qtbot.waitUntil(lambda: window.work.kind_asker.dialog is None)
    assert window.session.analysis is AnalysisState.NONE


def test_the_shipped_detector_knows_a_ct_slice(tmp_path: Path) -> None:
    rows, columns = np.ogrid[:320, :320]
    hu = np.full((320, 320), -1000.0)
    hu[((rows - 160) / 110) ** 2 + ((columns - 160) / 145) ** 2 < 1] = 40.0
    for centre in (95, 225):
        hu[((rows - 150) / 75) ** 2 + ((columns - centre) / 45) ** 2 < 1] = -850.0
    hu[((rows - 245) / 18) ** 2 + ((columns - 160) / 18) ** 2 < 1] = 300.0
    hu += np.random.default_rng(0).normal(0.0, 20.0, hu.shape)
    grey = np.clip((hu + 1350.0) / 1500.0 * 255.0, 0, 255).astype(np.uint8)
    path = tmp_path / "slice.png"
    cv2.imwrite(str(path), grey)
    (study,) = scan(path)
    found = guess_kind(load(study.series[0]), Progress())
    assert found is not None
    assert found.modality == "CT"
    assert 0.5 < found.score <= 1.0
