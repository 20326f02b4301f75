"""The bottom line: what it may be used for, what is being done, and where."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QSizePolicy,
    QStatusBar,
    QToolButton,
    QWidget,
)

from viewer.session import ReadingSession
from viewer.theme import colour
from viewer.viewport.annotations import BANNER
from viewer.worker import Worker

__all__ = ["StatusBar", "time_left"]


def time_left(seconds: float, done: int, total: int) -> str:
    """Say how long is left if the rest goes as fast as what is done.

    Parameters
    ----------
    seconds
        Since the stage began.
    done, total
        Counts of the stage.

    Returns
    -------
    str
        ``"0:09 left"``, or ``""`` where nothing can be said.

    Examples
    --------
    >>> time_left(6.0, 20, 50), time_left(0.1, 0, 50)
    ('0:09 left', '')
    """
    if done <= 0 or total <= done:
        return ""
    minutes, rest = divmod(round(seconds * (total - done) / done), 60)
    return f"{minutes}:{rest:02d} left"


class StatusBar(QStatusBar):
    """Shows the jobs of the workers, first come first shown.

    Parameters
    ----------
    session
        Its findings say which device computed.
    workers
        Whose jobs are shown.
    cancel
        Called by the Cancel button.
    device
        The device asked for.
    """

    def __init__(
        self,
        session: ReadingSession,
        workers: Sequence[Worker],
        cancel: Callable[[], None],
        device: str,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._workers = tuple(workers)
        self._asked_device = device
        self._shown: tuple[str, float] = ("", 0.0)
        self.setSizeGripEnabled(False)
        banner = QLabel(BANNER)
        banner.setObjectName("research-use-only")
        banner.setStyleSheet(f"color: {colour('warning').name()}; padding: 0 8px;")
        self.stage = QLabel()
        self.stage.setObjectName("activity-stage")
        self.stage.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.stage.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedSize(120, 8)
        self.left = QLabel()
        self.left.setMinimumWidth(self.fontMetrics().horizontalAdvance("00:00 left") + 8)
        self.cancel_button = QToolButton()
        self.cancel_button.setObjectName("activity-cancel")
        self.cancel_button.setText("Cancel")
        self.cancel_button.setToolTip("Stop what is being done (Esc)")
        self.cancel_button.clicked.connect(cancel)
        self.device = QLabel()
        self.device.setStyleSheet(f"color: {colour('muted').name()}; padding: 0 8px;")
        # One permanent widget over the whole width: a status tip can never hide the banner.
        line = QWidget()
        row = QHBoxLayout(line)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(banner)
        row.addWidget(self.stage, 1)
        for widget in (self.bar, self.left, self.cancel_button, self.device):
            row.addWidget(widget)
        self.addPermanentWidget(line, 1)
        for worker in self._workers:
            worker.busy_changed.connect(self._show_activity)
            worker.progressed.connect(partial(self._show_progress, worker))
        session.findings_changed.connect(self._show_device)
        self._show_activity()
        self._show_device()

    def show_cancelling(self) -> None:
        """Say that the Cancel button was heard; the work stops at its next step."""
        if any(worker.busy for worker in self._workers):
            self.stage.setText("Cancelling…")
            self.cancel_button.setEnabled(False)

    def _show_activity(self) -> None:
        title = next((worker.title for worker in self._workers if worker.busy), "")
        # The stage stays: it keeps the banner on the left.
        for widget in (self.bar, self.left, self.cancel_button):
            widget.setVisible(bool(title))
        self._shown = (title, time.monotonic())
        self.stage.setText(f"{title}…" if title else "")
        self.left.setText("")
        self.bar.setRange(0, 0)
        self.cancel_button.setEnabled(True)

    def _show_progress(self, worker: Worker, stage: str, done: int, total: int) -> None:
        first = next((each for each in self._workers if each.busy), None)
        if worker is not first or not self.cancel_button.isEnabled():
            return
        now = time.monotonic()
        if stage != self._shown[0]:
            self._shown = (stage, now)
        self.stage.setText(f"{stage} {done:,}/{total:,}" if total > 0 else stage)
        self.bar.setRange(0, max(0, total))
        self.bar.setValue(done)
        self.left.setText(time_left(now - self._shown[1], done, total))

    def _show_device(self) -> None:
        findings = self._session.findings
        if findings is not None:
            self.device.setText(findings.device)
        else:
            asked = self._asked_device
            self.device.setText("device: automatic" if asked == "auto" else f"device: {asked}")
