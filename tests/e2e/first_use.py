"""What a reader does first with the program: open, rest, analyse, export.

``python -m tests.e2e.first_use STUDY FOLDER`` does it in the real program, with the engine that
ships, and prints as JSON for how many ms the window was held up by each act at most. In a fresh
process every library is loaded for the first time. FOLDER gets what is exported.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from tests.gui.handling import is_whole
from tests.gui.heartbeat import Heartbeat
from viewer.app import run
from viewer.session import AnalysisState
from viewer.settings import Settings
from viewer.window import MainWindow

REST_SECONDS = 1.0
ACTS = ("open", "get ready", "analyse", "seg", "nifti", "json")

_SUFFIXES = {"seg": "dcm", "nifti": "nii.gz", "json": "json"}
_LOOK_MS = 20


class Reader:
    """Acts, one after the other, while the program runs.

    Parameters
    ----------
    study
        What to open.
    folder
        Where to export to.
    """

    def __init__(self, study: Path, folder: Path) -> None:
        self.held_up: dict[str, float] = {}
        self._study = study
        self._folder = folder
        self._awaited: Callable[[], bool] = lambda: True
        self._acts = self._act()
        self._look = QTimer()
        self._look.setInterval(_LOOK_MS)
        self._look.timeout.connect(self._go_on)
        self._look.start()

    def _go_on(self) -> None:
        if not self._awaited():
            return
        awaited = next(self._acts, None)
        if awaited is None:
            self._look.stop()
            QApplication.closeAllWindows()
        else:
            self._awaited = awaited

    def _act(self) -> Iterator[Callable[[], bool]]:
        yield _rested()
        window = next(w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow))
        session = window.session

        def do(act: str) -> Callable[[], bool]:
            if act == "open":
                window.opener.open_paths([self._study])
                return lambda: is_whole(window)
            if act == "get ready":
                made, making = lambda: window.analyst._system, lambda: window.analyst._ready_job
                return lambda: made() is not None and making() is None
            if act == "analyse":
                window.analyst.start()
                return lambda: session.analysis is AnalysisState.DONE
            path = self._folder / f"first.{_SUFFIXES[act]}"
            window.exporter._ask = lambda _format: path
            window.exporter.export(act)
            return lambda: path.exists() and not window.busy

        for act in ACTS:
            heart = Heartbeat()
            heart.start()
            yield do(act)
            yield _rested()
            heart.stop()
            self.held_up[act] = heart.longest_ms


def _rested() -> Callable[[], bool]:
    end = time.monotonic() + REST_SECONDS
    return lambda: time.monotonic() > end


def main() -> None:
    """Run the program."""
    Settings().set_notice_read()
    _app = QApplication.instance() or QApplication(["secondread"])
    reader = Reader(Path(sys.argv[1]), Path(sys.argv[2]))
    run()
    print(json.dumps(reader.held_up))


# The process that renders imports this module anew.
if __name__ == "__main__":
    main()
