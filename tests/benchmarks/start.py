"""How long the program takes to start: ``python -m tests.benchmarks.start``.

Each start is a new process. The time runs from just before it is made until the window has been
painted and has answered a first press of a key, which is then taken to be able to work. Settings
are those of a new user. Beside it, in turns with it, the same for a Python that does nothing but
import ``PySide6.QtWidgets``: what no program with Qt can be quicker than.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

_BARE = "import PySide6.QtWidgets"
_PROGRAM = """
import sys
from pathlib import Path
from PySide6.QtCore import QEvent, QObject, QSettings, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
import viewer.command  # what the command "secondread" does, but for reading its arguments
from inference.systems import Context
from viewer import app, settings
from viewer.opened import Wish, open_study

real = settings.QSettings
settings.QSettings = lambda *_: real(sys.argv[1] + "/s.ini", real.Format.IniFormat)


class Watch(QObject):
    painted = False

    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint and not self.painted:
            self.painted = True
            QTimer.singleShot(0, self.press)
        return False

    def press(self):
        main = next(w for w in QApplication.topLevelWidgets() if hasattr(w, "session"))
        QTest.keyClick(main, Qt.Key.Key_P)
        if main.session.tool.value != "pan":  # the screen has not given it the keys yet
            main.activateWindow()
            QTimer.singleShot(5, self.press)
            return
        print("ready", flush=True)
        main.close()


watch = Watch()
make = app.MainWindow


def watched_window(*given):
    window = make(*given)
    window.view.installEventFilter(watch)
    return window


app.MainWindow = watched_window
open_study(Wish(None, False, False, None, "elbana", Context()), None)
slow = [name for name in ("torch", "vtk", "highdicom", "SimpleITK") if name in sys.modules]
print("imported:", *slow)
"""


def _seconds(code: str, folder: str) -> float:
    """Start a process; give the time to its word that it is ready, or to its end.

    Raises
    ------
    RuntimeError
        When the window does not hear the key, or something slow was imported.
    """
    environment = {**os.environ, "XDG_CACHE_HOME": folder}
    started = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-c", code, folder],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline().strip()
        seconds = time.perf_counter() - started
        rest = process.stdout.read().strip()
    if code is _BARE:
        return seconds
    if first != "ready" or rest != "imported:" or process.returncode != 0:
        raise RuntimeError(f"The window said “{first}”, then “{rest}”.")
    return seconds


def measure(times: int = 5) -> tuple[list[float], list[float]]:
    """Seconds of a bare import of Qt, and of the program until its window is ready, by turns."""
    bare: list[float] = []
    program: list[float] = []
    for _ in range(times):
        with tempfile.TemporaryDirectory() as folder:
            bare.append(_seconds(_BARE, folder))
            program.append(_seconds(_PROGRAM, folder))
    return bare, program


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--times", type=int, default=5, help="starts of each kind")
    bare, program = measure(parser.parse_args().times)
    for name, seconds in (
        ("import PySide6.QtWidgets", bare),
        ("SecondRead, window ready", program),
    ):
        low, middle, high = min(seconds), statistics.median(seconds), max(seconds)
        print(f"{name:28} median {middle:.2f} s, {low:.2f} to {high:.2f} s, n = {len(seconds)}")


if __name__ == "__main__":
    main()
