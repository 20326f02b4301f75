"""Before the window closes: what would be lost, and whether that is wanted."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QMessageBox, QWidget

__all__ = ["ask_to_close", "unfinished"]


def unfinished(
    *, analyses: int, exporting: bool, findings: int, measurements: bool
) -> tuple[str, ...]:
    """Say what would be lost, a sentence each; empty where nothing would.

    Parameters
    ----------
    analyses
        How many run or wait.
    exporting
        A file is being written.
    findings
        Of how many series the findings are kept nowhere.
    measurements
        Those of the open series could not be kept.

    Examples
    --------
    >>> unfinished(analyses=1, exporting=False, findings=0, measurements=False)
    ('An analysis is at work; it would be stopped and leave no result.',)
    >>> unfinished(analyses=0, exporting=False, findings=0, measurements=False)
    ()
    """
    said = []
    if analyses == 1:
        said.append("An analysis is at work; it would be stopped and leave no result.")
    elif analyses:
        said.append(f"{analyses} analyses run or wait; they would be stopped and leave no result.")
    if exporting:
        said.append("A file is still being written.")
    if findings:
        whose = "one series" if findings == 1 else f"{findings} series"
        said.append(f"The findings of {whose} are kept nowhere and would be lost.")
    if measurements:
        said.append("The measurements of the open series could not be kept and would be lost.")
    return tuple(said)


def ask_to_close(parent: QWidget, said: Sequence[str]) -> bool:
    """Ask the reader; staying is what Enter and Escape do.

    Parameters
    ----------
    parent
        The window.
    said
        What would be lost, see `unfinished`.
    """
    box = QMessageBox(parent)
    box.setObjectName("ask-to-close")
    box.setWindowTitle("Close SecondRead?")
    box.setIcon(QMessageBox.Icon.NoIcon)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText("\n".join(said))
    box.setInformativeText("Close all the same?")
    close = box.addButton("Close", QMessageBox.ButtonRole.DestructiveRole)
    stay = box.addButton("Stay", QMessageBox.ButtonRole.RejectRole)
    for button in (close, stay):
        # The style's own icons are black on black.
        button.setIcon(QIcon())
    box.setDefaultButton(stay)
    box.setEscapeButton(stay)
    box.exec()
    wanted = box.clickedButton() is close
    box.deleteLater()
    return wanted
