"""The strip under the picture: what was marked on each slice, and the slider through them."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFontMetricsF,
    QHelpEvent,
    QImage,
    QPainter,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from inference.studies.naming import image_name, slice_name
from viewer import theme
from viewer.painting import PaintedWidget, painting, part
from viewer.viewport.lanes import Lane, bars, lanes_of, lanes_of_early, pixel_area
from viewer.viewport.wheel import WheelSteps

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent, QMouseEvent, QResizeEvent, QWheelEvent

    from viewer.session import ReadingSession

__all__ = ["SliceStrip"]

_MARGIN = 8
_LANE = 14
_GAP = 3
_GROOVE = 4
_LINE = 1.0
"""Width of the line of probabilities."""
_LEAST_BAR = 1.0
"""A slice that was analysed shows at least a line: it is not the same as one that was not."""


class SliceStrip(PaintedWidget):
    """A slider whose groove is made of what was marked on each slice.

    Bars are the marked areas, each class on its own scale; a thin line is its probability; ticks
    above are slices with a listed lesion.

    Parameters
    ----------
    session
        What is shown, and asked to change.
    parent
        Owner, or None.
    """

    def __init__(self, session: ReadingSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._lanes: tuple[Lane, ...] = ()
        self._drawn: QImage | None = None
        self._single = False
        self._longest = ""
        self._wheel = WheelSteps()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(240)
        self.setAccessibleName("Slices")
        session.volume_changed.connect(self._on_volume)
        session.findings_changed.connect(self._on_findings)
        session.lesions.changed.connect(self._on_findings)
        session.early_changed.connect(self._on_findings)
        session.manner.looks_changed.connect(self._on_findings)
        session.reading.changed.connect(self._on_findings)
        session.position_changed.connect(self._on_position)
        self._on_volume()

    def sizeHint(self) -> QSize:
        """Height for three lanes, whether or not there are findings, so that nothing jumps."""
        return QSize(480, 2 * _MARGIN + 3 * _LANE + 2 * _GAP)

    def minimumSizeHint(self) -> QSize:
        """Same height as `sizeHint`."""
        return QSize(240, self.sizeHint().height())

    def counter(self) -> str:
        """DICOM's number and the place, e.g. ``"Im 64 (87/148)"``; empty while nothing is open."""
        return self._named(self._session.position) if self._count() else ""

    def _named(self, index: int) -> str:
        volume = self._session.volume
        return slice_name(volume.slices if volume is not None else (), index, self._count())

    def slice_at(self, x: float) -> int | None:
        """Slice under a view x; beyond the ends, the first or last; None while nothing is open."""
        count, groove = self._count(), self._groove()
        if count == 0:
            return None
        return max(0, min(count - 1, int((x - groove.left()) / groove.width() * count)))

    def describe(self, index: int) -> str:
        """Slice number and what was found there, in words."""
        values = [f"{lane.title}: {lane.readings[index]}" for lane in self._lanes]
        state = self._session.reading.state(index).value
        volume = self._session.volume
        image = image_name(volume.slices if volume is not None else (), index)
        place = f"lice {index + 1} of {self._count()}"
        name = f"{image}, s{place}" if image else f"S{place}"
        return "\n".join((name, *filter(None, (state, *values))))

    # -- the session changed -------------------------------------------------------------------

    def _on_volume(self) -> None:
        self._longest = max(map(self._named, range(self._count())), key=len, default="")
        self._on_findings()

    def _on_findings(self) -> None:
        session, area = self._session, pixel_area(self._session.volume)
        self._lanes = (
            lanes_of_early(session.early, area)
            if session.early
            else lanes_of(session.findings, area, session.lesions.listed)
        )
        self._drawn = None
        # A single picture has no slices to go through.
        if (single := self._count() == 1) != self._single:
            self._single = single
            self.setHidden(single)
        self._on_position()

    def _on_position(self) -> None:
        count = self._count()
        self.setAccessibleDescription(
            self.describe(self._session.position) if count else "No study is open"
        )
        self.update()

    def _count(self) -> int:
        volume = self._session.volume
        return 0 if volume is None else volume.shape[0]

    # -- painting ------------------------------------------------------------------------------

    def _groove(self) -> QRectF:
        """Where the slices are: between the lanes' names and the counter."""
        metrics = QFontMetricsF(theme.font("small"))
        names = max((metrics.horizontalAdvance(lane.title) for lane in self._lanes), default=0.0)
        names = min(names, 0.25 * self.width())
        count = metrics.horizontalAdvance(self._longest)
        left = _MARGIN + (names + _MARGIN if names else 0.0)
        right = self.width() - 2 * _MARGIN - count
        return QRectF(left, _MARGIN, max(1.0, right - left), self.height() - 2 * _MARGIN)

    def _lane_rect(self, index: int) -> QRectF:
        groove = self._groove()
        # Fewer lanes share the same height.
        height = (groove.height() - (len(self._lanes) - 1) * _GAP) / len(self._lanes)
        return QRectF(groove.left(), groove.top() + index * (height + _GAP), groove.width(), height)

    part_name = "The slices"

    def paint(self, painter: QPainter) -> None:
        """Draw the lanes (kept until they change), then the marker and the counter."""
        painter.fillRect(self.rect(), theme.colour("background"))
        if self._count():
            if self._drawn is None or self._drawn.devicePixelRatio() != self.devicePixelRatioF():
                self._drawn = self._draw_lanes()
            painter.drawImage(QPointF(0.0, 0.0), self._drawn)
            groove = self._groove()
            beside = QRectF(groove.right(), 0, self.width() - groove.right(), self.height())
            with part(painter, "The place", beside):
                self._draw_marker(painter)
        if self.hasFocus():
            painter.setPen(theme.colour("accent"))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def _draw_lanes(self) -> QImage:
        ratio = self.devicePixelRatioF()
        image = QImage(self.size() * ratio, QImage.Format.Format_ARGB32_Premultiplied)
        image.setDevicePixelRatio(ratio)
        image.fill(Qt.GlobalColor.transparent)
        with painting(image) as painter:
            painter.setFont(theme.font("small"))
            if self._session.reading.active:
                with part(painter, "What has been read", self._groove()):
                    self._draw_reading(painter)
            elif not self._lanes:
                self._draw_groove(painter)
            for index, lane in enumerate(self._lanes):
                rect = self._lane_rect(index)
                with part(painter, "This finding", rect):
                    self._draw_lane(painter, lane, rect, ratio)
        return image

    def _draw_groove(self, painter: QPainter) -> None:
        groove = self._groove()
        middle = groove.center().y() - _GROOVE / 2
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("line"))
        painter.drawRoundedRect(
            QRectF(groove.left(), middle, groove.width(), _GROOVE), _GROOVE / 2, _GROOVE / 2
        )

    def _draw_reading(self, painter: QPainter) -> None:
        """What has been read is filled, what has not is hollow, what cannot be is told apart."""
        groove, reading = self._groove(), self._session.reading
        top = groove.center().y() - _LANE / 2
        states = 2 * reading.broken.astype(np.int8) + reading.read
        starts = [0, *(np.flatnonzero(np.diff(states)) + 1).tolist()]
        scale = groove.width() / len(states)
        for start, stop in zip(starts, [*starts[1:], len(states)], strict=True):
            run = QRectF(groove.left() + start * scale, top, (stop - start) * scale, _LANE)
            if reading.broken[start]:
                painter.fillRect(run, theme.colour("error"))
            elif reading.read[start]:
                painter.fillRect(run, theme.colour("disabled"))
            else:
                _hollow(painter, run)

    def _draw_lane(self, painter: QPainter, lane: Lane, rect: QRectF, ratio: float) -> None:
        painter.setPen(theme.colour("muted"))
        names = QRectF(_MARGIN, rect.top(), rect.left() - 2 * _MARGIN, rect.height())
        title = QFontMetricsF(painter.font()).elidedText(
            lane.title, Qt.TextElideMode.ElideRight, names.width() + 1.0
        )
        middle = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(names, middle, title)
        painter.fillRect(rect, theme.colour("panel"))
        columns = max(1, round(rect.width() * ratio))
        values = bars(lane.values, columns)
        fill = theme.findings_colour(lane.key) if lane.key else theme.colour("text")
        unknown = np.isnan(values)
        waiting = unknown & _columns_of(lane.waiting, columns)
        # Runs of equal height are one rectangle.
        edges = np.flatnonzero(
            (np.diff(unknown.astype(np.int8)) != 0)
            | (np.diff(waiting.astype(np.int8)) != 0)
            | (np.diff(np.nan_to_num(values)) != 0)
        )
        starts = [0, *(edges + 1).tolist()]
        for start, stop in zip(starts, [*starts[1:], columns], strict=True):
            run = QRectF(
                rect.left() + start / ratio, rect.top(), (stop - start) / ratio, rect.height()
            )
            if waiting[start]:
                _hollow(painter, run)
            elif unknown[start]:
                _hatch(painter, run)
            else:
                height = max(_LEAST_BAR, float(values[start]) * rect.height())
                run.setTop(rect.bottom() - height)
                painter.fillRect(run, fill)

        self._draw_line(painter, lane, rect, ratio)
        self._draw_ticks(painter, lane, rect)

    def _draw_line(self, painter: QPainter, lane: Lane, rect: QRectF, ratio: float) -> None:
        """Draw the probability, broken where a slice was not analysed."""
        if lane.line is None:
            return
        columns = max(1, round(rect.width() * ratio))
        values = bars(lane.line, columns)
        known = np.flatnonzero(~np.isnan(values))
        painter.setPen(QPen(theme.colour("text"), _LINE))
        left, bottom, height = rect.left(), rect.bottom() - _LINE, rect.height() - 2 * _LINE
        for run in filter(len, np.split(known, np.flatnonzero(np.diff(known) > 1) + 1)):
            # Where the columns of a slice are level, the ends are enough.
            turns = np.flatnonzero(np.diff(values[run]))
            ends = run[np.unique([0, *turns, *(turns + 1), len(run) - 1])].tolist()
            painter.drawPolyline(
                QPolygonF(
                    [
                        QPointF(left + (column + 0.5) / ratio, bottom - value * height)
                        for column, value in zip(ends, values[ends].tolist(), strict=True)
                    ]
                )
            )

    def _draw_ticks(self, painter: QPainter, lane: Lane, rect: QRectF) -> None:
        """Draw a tick above each slice with a listed lesion."""
        for index in lane.ticks:
            x = rect.left() + (index + 0.5) / max(1, self._count()) * rect.width()
            tick = QRectF(x - 0.5, rect.top() - _GAP, 1.0, _GAP + 1.0)
            painter.fillRect(tick, theme.colour("text"))

    def _draw_marker(self, painter: QPainter) -> None:
        count, groove = self._count(), self._groove()
        x = round(groove.left() + (self._session.position + 0.5) / count * groove.width())
        marker = QRectF(x - 1, _MARGIN / 2, 2, self.height() - _MARGIN)
        # The ground on both sides, so that it shows on every colour.
        painter.fillRect(marker.adjusted(-1, 0, 1, 0), theme.colour("background"))
        painter.fillRect(marker, theme.colour("text"))
        painter.setPen(theme.colour("text"))
        painter.setFont(theme.font("small"))
        flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(self.rect().adjusted(0, 0, -_MARGIN, 0), flags, self.counter())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay the lanes out anew."""
        self._drawn = None
        super().resizeEvent(event)

    def event(self, event: QEvent) -> bool:
        """Tell number and values of the slice under the mouse."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            index = self.slice_at(event.pos().x())
            if index is None:
                QToolTip.hideText()
            else:
                text = escape(self.describe(index)).replace("\n", "<br>")
                QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)

    # -- mouse and keys ------------------------------------------------------------------------

    def _go_to(self, x: float) -> None:
        index = self.slice_at(x)
        if index is not None:
            self._session.set_position(index)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the slice under the mouse."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._go_to(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the drag."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._go_to(event.position().x())

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Go through the slices, as over the picture."""
        event.accept()
        if steps := self._wheel.add(event.angleDelta().y() / 120.0):
            self._session.step(steps)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and right go one slice back and forth."""
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        step = steps.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            self._session.step(step)


def _columns_of(slices: NDArray[np.bool_] | None, columns: int) -> NDArray[np.bool_]:
    """Spread marked slices over screen columns: a column with one of them is marked."""
    if slices is None:
        return np.zeros(columns, dtype=bool)
    return bars(slices.astype(np.float32), columns) > 0


def _hollow(painter: QPainter, rect: QRectF) -> None:
    """Not yet: an empty frame, which the analysis will fill."""
    painter.fillRect(rect, theme.colour("background"))
    painter.setPen(theme.colour("disabled"))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(rect.adjusted(0.5, 0.5, -0.5, -0.5))


def _hatch(painter: QPainter, rect: QRectF) -> None:
    painter.fillRect(rect, QBrush(QColor(theme.colour("disabled")), Qt.BrushStyle.BDiagPattern))
