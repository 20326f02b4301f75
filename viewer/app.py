"""Start-up: the application, its one window, and what it opens first."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QCoreApplication, QEvent, QSettings, QSize
from PySide6.QtWidgets import QApplication

from inference.errors import ExportRefusedError
from viewer import crash, theme
from viewer.analysis import default_system
from viewer.preparing import Reading
from viewer.settings import Settings
from viewer.window import MainWindow

__all__ = ["has_no_screen", "run", "take_picture"]

_PICTURE_SIZE = QSize(1600, 1000)
_SETTLE_SECONDS = 0.3


def has_no_screen() -> bool:
    """Say whether there is no display to open a window on (Linux without X or Wayland)."""
    if not sys.platform.startswith("linux"):
        return False
    platform = os.environ.get("QT_QPA_PLATFORM", "")
    if platform:
        return platform.partition(":")[0] in {"offscreen", "minimal"}
    return not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def run(
    path: Path | None = None,
    *,
    reading: Reading | None = None,
    analyse: bool = False,
    system: str = "elbana",
    device: str = "auto",
    streams: str = "default",
) -> int:
    """Open the window and stay until it is closed.

    Parameters
    ----------
    path
        What to open first, read while the window is already there.
    reading
        What is shown at once, instead of `path`.
    analyse
        Analyse `path` when it is open.
    system, device, streams
        See `inference.systems`.

    Returns
    -------
    int
        Exit status.
    """
    # Ctrl+C in the terminal ends the program; Python's own handler would wait for an event.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    app = _application()
    window = MainWindow(default_system(system), Settings(), device=device, streams=streams)
    with _destroyed(window), _faults_told_in(window):
        window.show()
        if reading is not None:
            _show(window, reading)
        elif path is not None:
            window.opener.open_paths([path], then=window.analyst.start if analyse else None)
        return app.exec()


def take_picture(reading: Reading, path: Path) -> None:
    """Show a reading in the real window, without a screen, and save what it looks like.

    Parameters
    ----------
    reading
        What to show; with findings, the slice with most of them.
    path
        PNG file.

    Raises
    ------
    ExportRefusedError
        When the file cannot be written.
    """
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    app = _application()
    with tempfile.TemporaryDirectory() as folder:
        # The reader's own settings are neither read nor written.
        store = QSettings(str(Path(folder) / "settings.ini"), QSettings.Format.IniFormat)
        settings = Settings(store)
        settings.set_notice_read()
        window = MainWindow(default_system("elbana"), settings)
        with _destroyed(window):
            window.resize(_PICTURE_SIZE)
            window.show()
            _show(window, reading)
            end = time.monotonic() + _SETTLE_SECONDS
            while time.monotonic() < end:
                app.processEvents()
            if not window.grab().save(str(path)):
                raise ExportRefusedError(
                    f"{path.name} could not be written; choose another folder."
                )


def _application() -> QApplication:
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication(["secondread"])
    app.setApplicationName("SecondRead")
    app.setDesktopFileName("secondread")
    theme.apply(app)
    return app


def _show(window: MainWindow, reading: Reading) -> None:
    window.opener.show_reading(
        reading.studies, reading.study, reading.series, reading.volume, reading.read_seconds
    )
    if reading.findings is not None:
        window.session.set_findings(reading.findings)
        sizes = {
            segment.key: int(segment.pixels_per_slice.sum())
            for segment in reading.findings.segments
        }
        if any(sizes.values()):
            window.session.go_to_segment(max(sizes, key=lambda key: sizes[key]))


@contextmanager
def _destroyed(window: MainWindow) -> Iterator[None]:
    """Close the window and its threads before the interpreter or the application goes."""
    try:
        yield
    finally:
        window.close()
        window.deleteLater()
        QCoreApplication.sendPostedEvents(window, QEvent.Type.DeferredDelete.value)


@contextmanager
def _faults_told_in(window: MainWindow) -> Iterator[None]:
    """Write unforeseen faults to the log and tell the reader; the window goes on."""
    before = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, frames: TracebackType | None) -> None:
        if isinstance(error, KeyboardInterrupt):
            before(kind, error, frames)
            return
        window.session.post("error", crash.record(error.with_traceback(frames), "SecondRead"))

    sys.excepthook = hook
    try:
        yield
    finally:
        sys.excepthook = before
