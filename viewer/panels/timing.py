"""The timing panel: this run beside what has been published, on a logarithmic scale."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QSizePolicy,
    QToolTip,
    QWidget,
)

from inference.findings import Timings
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
_PART_NAMES = {
    "read": "Read files",
    "pre": "Prepare",
    "recognise": "Recognise",
    "label": "Label manifestations",
    "segment": "Segment",
    "post": "Measure",
}


@dataclass(frozen=True, slots=True)
class TimeRow:
    """One bar: who, on what, how long (seconds, None when not run), and a tooltip."""

    name: str
    hardware: str
    seconds: float | None
    tip: str
    own: bool = False


class LogBars(QWidget):
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

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw grid, bars, texts and axis."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        bottom = self._row_height() * len(self.rows)
        self._draw_axis(painter, bottom)
        for index, row in enumerate(self.rows):
            self._draw_row(painter, row, index * self._row_height())

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
        session.findings_changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        findings = self._session.findings
        published = tuple(
            TimeRow(time.name, time.hardware, time.seconds, f"{time.what}\nSource: {time.source}")
            for time in load_published_times()
        )
        own = TimeRow(
            "This run",
            findings.device if findings is not None else "this computer",
            findings.timings.total if findings is not None else None,
            "Measured on this computer, from reading the files to the last number.\n"
            "Parts overlap: each is the time for which it was at work, so together they may be "
            "more than the total."
            if findings is not None
            else "The open series has not been analysed",
            own=True,
        )
        self.bars.show_rows((own, *published))
        parts = _parts_table(findings.timings) if findings is not None else QWidget()
        self.rows.replaceWidget(self._parts, parts)
        self._parts.hide()
        self._parts.deleteLater()
        self._parts = parts
        parts.show()


def _parts_table(timings: Timings) -> QWidget:
    """List the parts of a run with their seconds."""
    table = QWidget()
    table.setToolTip(
        "The time for which each part was at work. Parts overlap, so together they may be more "
        "than the total."
    )
    grid = QGridLayout(table)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setVerticalSpacing(2)
    entries = [(_PART_NAMES[name], seconds) for name, seconds in timings.parts().items()]
    for row, (name, seconds) in enumerate([*entries, ("Total, measured", timings.total)]):
        number = sentence(f"{seconds:.2f} s")
        number.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        grid.addWidget(muted(name), row, 0)
        grid.addWidget(number, row, 1)
    grid.setColumnStretch(0, 2)
    grid.setColumnStretch(1, 1)
    return table
