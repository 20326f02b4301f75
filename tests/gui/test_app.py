"""Start-up: what opens first, faults that nobody foresaw, and pictures without a screen."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from inference.commands.reading import open_series
from inference.faults import log_file
from inference.findings import Findings
from inference.progress import Progress
from viewer import app
from viewer.window import MainWindow


@pytest.fixture(autouse=True)
def _keep_signal() -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


class Watch(QObject):
    """Looks at the window until `see` is content, then closes it."""

    def __init__(self, see: Callable[[MainWindow], bool]) -> None:
        super().__init__()
        self._see = see
        self.closed = 0
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)
        self._timer.start(10)

    def _look(self) -> None:
        for window in QApplication.topLevelWidgets():
            if isinstance(window, MainWindow) and window.isVisible() and self._see(window):
                self._timer.stop()
                self.closed += 1
                window.close()


def test_a_path_is_opened_while_the_window_is_there(
    qapp: Any, write_ct: Callable[..., Path]
) -> None:
    watch = Watch(lambda window: window.session.volume is not None)
    assert app.run(write_ct()) == 0
    assert watch.closed == 1


def test_what_has_been_read_is_shown_at_its_largest_segment(
    qapp: Any, write_ct: Callable[..., Path], make_findings: Callable[..., Findings]
) -> None:
    opened = open_series(write_ct(), None, None, Progress())
    found: list[tuple[int, Findings | None]] = []

    def see(window: MainWindow) -> bool:
        found.append((window.session.position, window.session.findings))
        return True

    findings = make_findings(opened.volume)
    watch = Watch(see)
    assert app.run(opened=opened, findings=findings) == 0
    assert watch.closed == 1
    assert found == [(4, findings)]


def test_the_sample_is_made_and_analysed_inside_the_window(
    qapp: Any,
    write_ct: Callable[..., Path],
    fake_system: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    folder, go = write_ct(), threading.Event()
    said: list[str] = []

    def ensure(progress: Progress) -> Path:
        while not go.is_set():
            progress.report("Making the sample study", 7, 50)
            time.sleep(0.01)
        return folder

    def see(window: MainWindow) -> bool:
        page = window.start_page
        if not go.is_set():
            if page.isVisible() and page.progress.maximum() == 50 and window.status.stage.text():
                said.extend((page.title.text(), window.status.stage.text()))
                go.set()
            return False
        return window.session.findings is not None and not window.busy and kept.is_dir()

    kept = tmp_path / "kept"
    monkeypatch.setattr("inference.sample.ensure", ensure)
    monkeypatch.setattr(app, "default_system", lambda _name: lambda: fake_system)
    watch = Watch(see)
    assert app.run(sample=lambda: kept) == 0
    assert watch.closed == 1
    assert said == ["Making the sample study…", "Making the sample study 7/50"]
    # The second time its findings are there already.
    watch = Watch(see)
    assert app.run(sample=lambda: kept) == 0
    assert len(fake_system.contexts) == 1


def test_bad_input_leaves_the_window_open(qapp: Any, tmp_path: Path) -> None:
    said: list[str] = []

    def see(window: MainWindow) -> bool:
        said.extend(message.sentence for message in window.messages.messages if
                    message.kind == "error")  # fmt: skip
        return bool(said)

    watch = Watch(see)
    assert app.run(tmp_path) == 0
    assert watch.closed == 1
    assert "empty" in said[0]


def test_an_unforeseen_fault_is_told_and_the_window_goes_on(
    qapp: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    before = sys.excepthook
    told: list[str] = []

    def see(window: MainWindow) -> bool:
        if not window.property("faulted"):
            window.setProperty("faulted", True)
            error = ValueError("Doe^Jane")
            sys.excepthook(ValueError, error, None)
        told.extend(m.sentence for m in window.messages.messages if m.kind == "error")
        return bool(told)

    watch = Watch(see)
    assert app.run() == 0
    assert watch.closed == 1
    assert "ValueError" in told[0]
    assert "Doe" not in told[0]
    assert "Doe" not in log_file().read_text(encoding="utf-8")
    assert sys.excepthook is before


def test_the_window_can_be_pictured_without_a_screen(
    qapp: Any,
    write_ct: Callable[..., Path],
    tmp_path: Path,
    make_findings: Callable[..., Findings],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    opened = open_series(write_ct(), None, None, Progress())
    plain, analysed = tmp_path / "plain.png", tmp_path / "analysed.png"
    app.take_picture(opened, None, plain)
    findings = make_findings(opened.volume)
    app.take_picture(opened, findings, analysed)
    first, second = QImage(str(plain)), QImage(str(analysed))
    assert first.width() >= 1400
    assert first.size() == second.size()

    def yellow(image: QImage) -> int:
        return sum(
            image.pixelColor(x, y).saturation() > 60 and 40 < image.pixelColor(x, y).hue() < 60
            for x in range(400, 1000, 5)
            for y in range(150, 800, 5)
        )

    assert yellow(first) == 0
    assert yellow(second) > 20
