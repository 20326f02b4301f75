"""Start-up: the application, its one window, and what it opens first."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QCoreApplication,
    QEvent,
    QMessageLogContext,
    QSettings,
    QSize,
    QtMsgType,
    qInstallMessageHandler,
)
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from inference.faults import Once
from inference.studies.elsewhere import working_elsewhere
from viewer import libraries, theme
from viewer.analysis import default_system
from viewer.collecting import collecting
from viewer.export import write_picture
from viewer.habits import looks_of
from viewer.options import read_choices
from viewer.settings import Settings
from viewer.window import MainWindow

if TYPE_CHECKING:
    from inference.commands.writing import Opened
    from inference.findings import Findings
    from inference.systems.base import Context

__all__ = ["run", "take_picture"]

_PICTURE_SIZE = QSize(1600, 1000)
_SETTLE_SECONDS = 0.3
_LOOK_SECONDS = 0.02
_MOST_SECONDS = 5.0
_ENDED = "stopped on an unforeseen fault"


def run(
    path: Path | None = None,
    *,
    opened: Opened | None = None,
    findings: Findings | None = None,
    analyse: bool = False,
    modality: str | None = None,
    sample: Callable[[], Path] | None = None,
    system: str = "elbana",
    context: Context | None = None,
) -> int:
    """Open the window and stay until it is closed.

    Parameters
    ----------
    path
        What to open first, read while the window is already there.
    opened, findings
        What has been read, and perhaps analysed, already; shown at once, instead of `path`.
    analyse
        Analyse `path` when it is open.
    modality
        What the picture at `path` shows; None to leave it as its file says.
    sample
        Open the sample study, made while the window is already there, with its findings; gives
        the folder in which these are kept. None: something else is opened.
    system, context
        See `inference.systems`; None: what comes with SecondRead.

    Returns
    -------
    int
        Exit status.
    """
    libraries.prepare()
    # Ctrl+C in the terminal ends the program; Python's own handler would wait for an event.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    app = _application()
    settings = Settings()
    choices = read_choices(settings.choices)
    theme.apply(app, looks_of(choices))
    if choices.threads:
        # Read by PyTorch's and NumPy's libraries when they are loaded, which is later.
        os.environ["OMP_NUM_THREADS"] = str(choices.threads)
    window = MainWindow(default_system(system), settings, context)
    libraries.keep()
    with collecting(app), working_elsewhere(), _destroyed(window), _faults_told_in(window):
        window.show()
        window.opener.tidy()
        if opened is not None:
            _show(window, opened, findings)
        elif sample is not None:
            window.sample.open(sample)
        elif path is not None:
            window.opener.open_paths([path], then=partial(_go_on, window, modality, analyse))
        return app.exec()


def take_picture(
    opened: Opened, findings: Findings | None, path: Path, *, identity: bool = False
) -> None:
    """Show a series in the real window, without a screen, and save what it looks like.

    Parameters
    ----------
    opened, findings
        What to show; with findings, at the slice with most of them.
    path
        PNG file.
    identity
        Show what tells whose images they are; without it the window is as in teaching mode.

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
        kept = Path(folder) / "measurements"
        window = MainWindow(
            default_system("elbana"),
            settings,
            measurements=kept,
            findings=Path(folder) / "findings",
        )
        with collecting(app), _no_size_hints(), _destroyed(window):
            if not identity:
                window.session.manner.toggle_names()
            window.resize(_PICTURE_SIZE)
            window.show()
            _show(window, opened, findings)
            write_picture(_settled(window), path)


def _settled(window: MainWindow) -> QImage:
    """What the window looks like when nothing in it has changed for a while."""
    start = since = time.monotonic()
    picture = window.grab().toImage()
    while time.monotonic() - since < _SETTLE_SECONDS and time.monotonic() - start < _MOST_SECONDS:
        QCoreApplication.processEvents()
        time.sleep(_LOOK_SECONDS)
        later = window.grab().toImage()
        if later != picture:
            picture, since = later, time.monotonic()
    return picture


def _application() -> QApplication:
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication(["secondread"])
    app.setApplicationName("SecondRead")
    app.setDesktopFileName("secondread")
    theme.apply(app)
    return app


def _go_on(window: MainWindow, modality: str | None, analyse: bool) -> None:
    """Do what the command line asks of a path that has been opened."""
    if modality is not None:
        window.opener.read_as(modality)
    if analyse:
        window.analyst.start()


def _show(window: MainWindow, opened: Opened, findings: Findings | None) -> None:
    window.opener.show_opened(
        (opened.study,), opened.study, opened.series, opened.volume, opened.seconds
    )
    if findings is None:
        return
    window.session.set_findings(findings)
    found = {s.key: int(s.pixels_per_slice.sum()) for s in findings.segments}
    if any(found.values()):
        window.session.go_to_segment(max(found, key=lambda key: found[key]))


@contextmanager
def _no_size_hints() -> Iterator[None]:
    """Keep from the terminal that the screenless platform takes no size hints: it is expected."""

    def hear(_kind: QtMsgType, _context: QMessageLogContext, text: str) -> None:
        if "propagateSizeHints" not in text:
            sys.stderr.write(f"{text}\n")

    before = qInstallMessageHandler(hear)
    try:
        yield
    finally:
        qInstallMessageHandler(before)


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
    once = Once()

    def hook(kind: type[BaseException], error: BaseException, frames: TracebackType | None) -> None:
        if isinstance(error, KeyboardInterrupt):
            before(kind, error, frames)
            return
        # The window goes on, so it has not stopped; a fault may come with each movement of a mouse.
        sentence, _ = once.record(error.with_traceback(frames), "What was under way", ended=_ENDED)
        window.session.post("error", sentence)

    sys.excepthook = hook
    try:
        yield
    finally:
        sys.excepthook = before
