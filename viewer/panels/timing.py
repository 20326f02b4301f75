"""The timing panel: this run beside what has been published, on a logarithmic scale."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QHelpEvent, QPainter, QShowEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QSizePolicy,
    QToolTip,
    QWidget,
)

from inference.findings import Findings
from viewer.painting import PaintedWidget, part
from viewer.panels.labels import heading, muted, sentence
from viewer.panels.published import load_published_times
from viewer.panels.scrolled import ScrolledPanel
from viewer.panels.words import duration
from viewer.session import ReadingSession
from viewer.theme import colour

__all__ = ["LogBars", "TimeRow", "TimingPanel"]

_TICKS = {
    0.1: "0.1 s",
    1.0: "1 s",
    10.0: "10 s",
    60.0: "1 min",
    600.0: "10 min",
    3600.0: "1 h",
    36000.0: "10 h",
}
_SHORTEST, _LONGEST = 0.1, 36000.0
_BAR_HEIGHT = 6
_PARTS = {
    "read": ("Read files", "From the first file to the last pixel"),
    "ready": (
        "Get models ready",
        "Loading the weights. The first time on this computer the models are also made ready for "
        "its processor, which takes longest; that is kept, and near zero where it was done before",
    ),
    "pre": ("Prepare", "Finding the lungs, and the pictures that the networks are shown"),
    "recognise": ("Recognise", "The network that recognises COVID-19"),
    "label": ("Label manifestations", "The network that says which manifestations there are"),
    "segment": ("Segment", "The networks that mark lesions"),
    "post": ("Measure", "Masks on the grid of the images, and what is measured in them"),
}
"""Name and explanation of each part of `Timings.parts`."""
_CT_ALONE = ("label", "segment")


@dataclass(frozen=True, slots=True)
class TimeRow:
    """One bar: who, on what, how long (seconds, None when not run), and a tooltip."""

    name: str
    hardware: str
    seconds: float | None
    tip: str
    own: bool = False


class LogBars(PaintedWidget):
    """Horizontal bars of seconds on a logarithmic axis, text above each bar."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: tuple[TimeRow, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(180)

    def show_rows(self, rows: tuple[TimeRow, ...]) -> None:
        """Draw these rows."""
        self.rows = rows
        self.setAccessibleName("Seconds a case")
        self.setAccessibleDescription(
            "; ".join(f"{row.name} ({row.hardware}): {self.value_text(row)}" for row in rows)
        )
        self.updateGeometry()
        self.update()

    @staticmethod
    def value_text(row: TimeRow) -> str:
        """Return the number beside a bar."""
        return "not run" if row.seconds is None else duration(row.seconds)

    def share(self, seconds: float) -> float:
        """Place on the axis, 0 to 1."""
        span = math.log(_LONGEST / _SHORTEST)
        return min(1.0, max(0.01, math.log(max(seconds, _SHORTEST) / _SHORTEST) / span))

    def sizeHint(self) -> QSize:
        """All rows and the axis."""
        return QSize(240, self._row_height() * len(self.rows) + self.fontMetrics().height() + 8)

    def minimumSizeHint(self) -> QSize:
        """As high as all rows: the panel scrolls."""
        return QSize(180, self.sizeHint().height())

    def event(self, event: QEvent) -> bool:
        """Show the source of the number under the cursor."""
        if event.type() is QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            index = event.pos().y() // self._row_height()
            tip = self.rows[index].tip if 0 <= index < len(self.rows) else ""
            QToolTip.showText(event.globalPos(), tip, self)
            return True
        return super().event(event)

    def paint(self, painter: QPainter) -> None:
        """Draw grid, bars, texts and axis."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        height, width = self._row_height(), self.width()
        bottom = height * len(self.rows)
        with part(painter, "The axis", QRectF(0, bottom, width, self.height() - bottom)):
            self._draw_axis(painter, bottom)
        for index, row in enumerate(self.rows):
            with part(painter, "This time", QRectF(0, index * height, width, height)):
                self._draw_row(painter, row, index * height)

    def _row_height(self) -> int:
        return self.fontMetrics().height() + _BAR_HEIGHT + 12

    def _draw_axis(self, painter: QPainter, bottom: int) -> None:
        metrics = self.fontMetrics()
        free_from = 0.0
        for tick, text in _TICKS.items():
            x = self.share(tick) * (self.width() - 1) if tick > _SHORTEST else 0.0
            painter.setPen(colour("line"))
            for index in range(1, len(self.rows) + 1):
                # Beside the bars only: a line through the text would cost more than it says.
                foot = index * self._row_height()
                painter.drawLine(int(x), foot - _BAR_HEIGHT - 8, int(x), foot)
            width = metrics.horizontalAdvance(text)
            left = min(max(0.0, x - width / 2), self.width() - width)
            if left >= free_from:
                painter.setPen(colour("muted"))
                painter.drawText(
                    QRectF(left, bottom + 4, width + 1, metrics.height()),
                    Qt.AlignmentFlag.AlignCenter,
                    text,
                )
                free_from = left + width + 3

    def _draw_row(self, painter: QPainter, row: TimeRow, top: int) -> None:
        metrics = self.fontMetrics()
        value = self.value_text(row)
        value_width = metrics.horizontalAdvance(value)
        line = QRectF(0, top + 4, self.width(), metrics.height())
        painter.setPen(colour("text"))
        painter.drawText(line, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, value)
        room = self.width() - value_width - 12
        name = metrics.elidedText(row.name, Qt.TextElideMode.ElideRight, int(room))
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, name)
        used = metrics.horizontalAdvance(name) + 8
        painter.setPen(colour("muted"))
        hardware = metrics.elidedText(row.hardware, Qt.TextElideMode.ElideRight, int(room - used))
        painter.drawText(line.adjusted(used, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, hardware)
        if row.seconds is not None:
            tint: QColor = colour("accent" if row.own else "muted")
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(tint)
            length = self.share(row.seconds) * self.width()
            top_of_bar = line.bottom() + 2
            painter.drawRoundedRect(QRectF(0, top_of_bar, length, _BAR_HEIGHT), 2, 2)


class TimingPanel(ScrolledPanel):
    """The bars, and the parts of this run below them.

    Parameters
    ----------
    session
        Its findings carry the clock.
    """

    def __init__(self, session: ReadingSession, parent: QWidget | None = None) -> None:
        super().__init__("Timing", parent)
        self._session = session
        self.rows.addWidget(heading("Time a case, logarithmic"))
        self.bars = LogBars()
        self.rows.addWidget(self.bars)
        self._parts = QWidget()
        self.rows.addWidget(self._parts)
        self.rows.addWidget(
            muted(
                "Published times are those of the hardware named beside them, and of other "
                "cases: they place this run, they do not rank it."
            )
        )
        self.rows.addStretch(1)
        self._behind = False
        session.findings_changed.connect(self._follow)
        self._show()

    def showEvent(self, event: QShowEvent) -> None:
        """Make up for what was not shown while the panel was hidden."""
        if self._behind:
            self._show()
        super().showEvent(event)

    def _follow(self) -> None:
        """Show other findings, at once where anybody sees it."""
        self._behind = True
        if self.isVisible():
            self._show()

    def _show(self) -> None:
        self._behind = False
        findings = self._session.findings
        published = tuple(
            TimeRow(time.name, time.hardware, time.seconds, f"{time.what}\nSource: {time.source}")
            for time in load_published_times()
        )
        own = TimeRow(
            "This run",
            findings.device if findings is not None else "this computer",
            findings.timings.total if findings is not None else None,
            "Measured on this computer, from reading the files to the last number"
            if findings is not None
            else "The open series has not been analysed",
            own=True,
        )
        self.bars.show_rows((own, *published))
        parts = _parts_table(findings) if findings is not None else QWidget()
        self.rows.replaceWidget(self._parts, parts)
        self._parts.hide()
        self._parts.deleteLater()
        self._parts = parts
        parts.show()


def _parts_table(findings: Findings) -> QWidget:
    """List the parts of a run with their seconds, and say below how they come to the total."""
    table = QWidget()
    grid = QGridLayout(table)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setVerticalSpacing(2)
    timings = findings.timings
    # What was not part of this analysis has no row: on an X-ray nothing is labelled or marked.
    left_out = () if findings.estimate("manifestations") or findings.segments else _CT_ALONE
    parts = {name: value for name, value in timings.parts().items() if name not in left_out}
    entries = [(*_PARTS[name], seconds) for name, seconds in parts.items()]
    total = ("Total, measured", "By the clock, from the first file to the last number")
    for row, (name, tip, seconds) in enumerate([*entries, (*total, timings.total)]):
        title, number = muted(name), sentence(f"{seconds:.2f} s")
        number.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        for column, label in enumerate((title, number)):
            label.setToolTip(tip)
            grid.addWidget(label, row, column)
    why = muted(_how_they_add_up(sum(parts.values()), timings.total))
    why.setObjectName("timing-sum")
    grid.addWidget(why, len(entries) + 1, 0, 1, 2)
    grid.setColumnStretch(0, 2)
    grid.setColumnStretch(1, 1)
    return table


def _how_they_add_up(together: float, total: float) -> str:
    return (
        f"Each part is the time for which it was at work, {together:.2f} s together. Parts overlap "
        "(pictures are prepared while the networks run) and waiting belongs to none, so the total "
        f"of {total:.2f} s is measured by the clock and not added up."
    )
