"""The process that runs the real program and uses it; started by `tests.monkey.__main__`.

``python -m tests.monkey.child PLAN`` where PLAN is a JSON file; what went wrong is written beside
it, and the exit status is 1.
"""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Final

__all__ = ["HEARD", "STACKS", "STEPS", "TROUBLE", "main"]

HEARD: Final = "heard.log"
STACKS: Final = "stacks.log"
STEPS: Final = "steps.log"
TROUBLE: Final = "trouble.json"


def main(plan_file: Path) -> int:
    """Run the program to the end of a plan."""
    # Before the window's modules, which take what they find there.
    from tests.monkey.watch import Trouble, hear_faults

    place = plan_file.parent
    heard = (place / HEARD).open("w", encoding="utf-8")
    hear_faults(heard)
    from PySide6.QtCore import QObject, QUrl, Slot
    from PySide6.QtGui import QDesktopServices
    from PySide6.QtWidgets import QApplication

    from tests.monkey.stepper import Plan, Stepper
    from viewer.app import run

    class Desk(QObject):
        """Takes what would be opened with another program."""

        @Slot(QUrl)
        def take(self, _url: QUrl) -> None:
            """Do nothing."""

    wanted = json.loads(plan_file.read_text(encoding="utf-8"))
    for name in ("files", "others"):
        wanted[name] = tuple(Path(path) for path in wanted[name])
    plan = Plan(**{**wanted, "exports": Path(wanted["exports"])})
    _app = QApplication(["secondread"])
    QApplication.setAttribute(_dialogs_of_qt())
    desk = Desk()
    for scheme in ("file", "http", "https", "mailto"):
        QDesktopServices.setUrlHandler(scheme, desk, "take")
    with (
        (place / STEPS).open("w", encoding="utf-8") as log,
        (place / STACKS).open("w", encoding="utf-8") as stacks,
    ):
        faulthandler.enable(stacks)
        if hasattr(signal, "SIGUSR1"):
            faulthandler.register(signal.SIGUSR1, stacks)

        def end(trouble: Trouble) -> None:
            (place / TROUBLE).write_text(json.dumps(asdict(trouble)), encoding="utf-8")
            # Nothing of a window in such a state is to be gone on with.
            os._exit(1)

        stepper = Stepper(plan, log, end)
        status = run()
        trouble = stepper.last_trouble()
        if trouble is None and not stepper.closing:
            trouble = Trouble("end", "the program ended before its time")
        if trouble is not None:
            end(trouble)
        faulthandler.disable()
    heard.close()
    return status


def _dialogs_of_qt() -> object:
    from PySide6.QtCore import Qt

    return Qt.ApplicationAttribute.AA_DontUseNativeDialogs


# Processes that the program starts import this module anew.
if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
