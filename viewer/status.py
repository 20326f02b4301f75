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
from viewer.theme import tell
from viewer.viewport.annotations import BANNER
from viewer.worker import Worker

__all__ = ["StatusBar", "time_left"]


_SECONDS_TO_KNOW = 1.5
_STEPS_TO_KNOW = 2
"""A rate is known after so long and so many steps."""


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
        ``"about 9 s left"``, or ``""`` where nothing can be said yet.

    Examples
    --------
    >>> time_left(6.0, 20, 50), time_left(60.0, 10, 50), time_left(0.1, 1, 50)
    ('about 9 s left', 'about 4 min left', '')
    """
    if done < _STEPS_TO_KNOW or total <= done or seconds < _SECONDS_TO_KNOW:
        return ""
    left = seconds * (total - done) / done
    if left < 1.0:
        return ""
    if left >= 90.0:
        return f"about {round(left / 60)} min left"
    # Beyond a few seconds the last digit is a guess.
    return f"about {round(left) if left < 20 else 5 * round(left / 5)} s left"


def _keep_place(tallest: QWidget) -> None:
    """Let a widget have its place when it is hidden, too.

    Otherwise the line grows with every job, and the pictures above it are drawn anew, smaller.
    """
    place = tallest.sizePolicy()
    place.setRetainSizeWhenHidden(True)
    tallest.setSizePolicy(place)


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
    asked
        Says in words what the next analysis is asked for.
    """

    def __init__(
        self,
        session: ReadingSession,
        workers: Sequence[Worker],
        cancel: Callable[[], None],
        asked: Callable[[], str],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._workers = tuple(workers)
        self._asked = asked
        self._also: Callable[[], str] = str
        self._asked_before = ""
        self._shown: tuple[str, float] = ("", 0.0)
        self.setSizeGripEnabled(False)
        banner = QLabel(BANNER)
        banner.setObjectName("research-use-only")
        banner.setContentsMargins(8, 0, 8, 0)
        tell(banner, "warning")
        self.hidden = QLabel("Names hidden")
        self.hidden.setObjectName("names-hidden")
        tell(self.hidden, "accent")
        self.stage = QLabel()
        self.stage.setObjectName("activity-stage")
        self.stage.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.stage.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedSize(120, 8)
        self.left = QLabel()
        self.left.setMinimumWidth(self.fontMetrics().horizontalAdvance("about 00 min left") + 8)
        self.cancel_button = QToolButton()
        self.cancel_button.setObjectName("activity-cancel")
        self.cancel_button.setText("Cancel")
        self.cancel_button.setAccessibleName("Cancel what is being done")
        self.cancel_button.clicked.connect(cancel)
        _keep_place(self.cancel_button)
        self.device = QLabel()
        self.device.setContentsMargins(8, 0, 8, 0)
        tell(self.device, "muted")
        # One permanent widget over the whole width: a status tip can never hide the banner.
        line = QWidget()
        row = QHBoxLayout(line)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(banner)
        row.addWidget(self.hidden)
        row.addWidget(self.stage, 1)
        for widget in (self.bar, self.left, self.cancel_button, self.device):
            row.addWidget(widget)
        self.addPermanentWidget(line, 1)
        self._hear_workers()
        session.findings_changed.connect(self._show_findings)
        session.manner.names_changed.connect(self._show_names)
        session.manner.keys_changed.connect(self._show_keys)
        self._show_names()
        self._show_keys()
        self.show_activity()
        self._show_findings()

    def _hear_workers(self) -> None:
        for worker in self._workers:
            worker.busy_changed.connect(self.show_activity)
            worker.progressed.connect(partial(self._show_progress, worker))

    def show_cancelling(self) -> None:
        """Say that the Cancel button was heard; the work stops at its next step."""
        if any(worker.busy for worker in self._workers):
            self.stage.setText("Cancelling…")
            self.cancel_button.setEnabled(False)

    def say_also(self, words: Callable[[], str]) -> None:
        """Say after the stage of the work what else there is to say of it."""
        self._also = words

    def show_activity(self) -> None:
        """Show the first job that is being done, or that none is."""
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
        text = f"{stage} {done:,}/{total:,}" if total > 0 else stage
        self.stage.setText(f"{text}{self._also()}")
        self.bar.setRange(0, max(0, total))
        self.bar.setValue(done)
        self.left.setText(time_left(now - self._shown[1], done, total))

    def _show_findings(self) -> None:
        self._asked_before = self._asked()
        self.show_asked()

    def show_asked(self) -> None:
        findings = self._session.findings
        if findings is not None:
            # What is shown says what made it, whatever is asked for from now on.
            changed = self._asked_before != self._asked()
            after = f"  ·  next analysis: {self._asked()}" if changed else ""
            self.device.setText(f"{findings.device}{after}")
        else:
            self.device.setText(self._asked())

    def _show_names(self) -> None:
        hidden = self._session.manner.names_hidden
        self.hidden.setVisible(hidden)

    def _show_keys(self) -> None:
        key = self._session.manner.key("cancel")
        said = f" ({key})" if key else ""
        self.cancel_button.setToolTip(f"Stop what is being done{said}")
        key = self._session.manner.key("hide-names")
        said = f"; {key} shows them" if key else ""
        self.hidden.setToolTip(
            f"Teaching mode: names are kept off the screen and out of exported pictures{said}. "
            "What is burnt into the images themselves stays."
        )
