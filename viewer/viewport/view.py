"""The slice on the screen: what the mouse does to it, and its picture for the export."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QHelpEvent, QImage, QPainter
from PySide6.QtWidgets import QToolTip, QWidget

from inference.errors import ExportRefusedError
from viewer import theme
from viewer.reading import SliceState
from viewer.session import Tool
from viewer.viewport.annotations import (
    INVITATION,
    Annotations,
    Placed,
    Role,
    draw,
    draw_invitation,
    place,
)
from viewer.viewport.framing import Framing
from viewer.viewport.scene import Scene
from viewer.viewport.wheel import WheelSteps

if TYPE_CHECKING:
    from PySide6.QtGui import QMouseEvent, QPaintEvent, QResizeEvent, QWheelEvent

    from inference.studies.model import Series, Window
    from viewer.session import ReadingSession

__all__ = ["SliceView"]

_WINDOW_DRAG = 500.0
"""Dragging so many pixels changes the window by the width it had when the volume was opened."""

_ZOOM_DRAG = 0.01
"""Natural logarithm of the zoom a pixel of dragging."""

_ZOOM_NOTCH = 1.2
"""Zoom factor of one notch of the wheel."""

_CURSORS = {
    Tool.WINDOW: Qt.CursorShape.CrossCursor,
    Tool.PAN: Qt.CursorShape.OpenHandCursor,
    Tool.ZOOM: Qt.CursorShape.SizeVerCursor,
}


@dataclass(frozen=True, slots=True)
class _Drag:
    """What is being dragged, and how things were when it began."""

    button: Qt.MouseButton
    tool: Tool
    start: QPointF
    framing: Framing
    window: Window


class SliceView(QWidget):
    """One slice of the session's volume with overlays and texts.

    Left drag does what the session's tool says, middle drag pans, right drag zooms, the wheel goes
    through the slices, Ctrl and the wheel zoom, and a double click fits the picture.

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
        self._scene = Scene(session)
        self._framing: Framing | None = None
        self._shown: tuple[Series | None, tuple[float, ...]] | None = None
        self._state = SliceState.READ
        self._cursor: QPointF | None = None
        self._drag: _Drag | None = None
        self._wheel = WheelSteps()
        self._window_step = 1.0
        self._placed: list[Placed] = []
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(320, 240)
        self.setAccessibleName("Slice")
        session.volume_changed.connect(self._on_volume)
        session.reading.changed.connect(self._on_reading)
        session.position_changed.connect(self._on_grey)
        session.window_changed.connect(self._on_grey)
        session.layers_changed.connect(self._on_overlays)
        session.findings_changed.connect(self._on_overlays)
        session.early_changed.connect(self._on_overlays)
        session.heatmap_changed.connect(self._on_overlays)
        session.tool_changed.connect(self._on_tool)
        session.view_reset.connect(self.fit)
        self._on_volume()
        self._on_tool()

    def sizeHint(self) -> QSize:
        """Room for a square picture."""
        return QSize(720, 720)

    def fit(self) -> None:
        """Show the whole picture, centred."""
        if self._framing is not None:
            self._reframe(self._framing.fitted())

    def zoom_by(self, factor: float) -> None:
        """Magnify around the middle of the view."""
        if self._framing is not None:
            middle = QRectF(self.rect()).center()
            self._reframe(self._framing.zoomed(factor, middle.x(), middle.y()))

    def annotations(self) -> Annotations:
        """What is written on the picture now; empty while nothing is open."""
        if self._framing is None:
            return Annotations()
        return self._scene.annotations(self._framing, self._pixel_under_cursor())

    def picture(self) -> QImage:
        """Draw the current view with overlays, texts and the research-use banner burnt in.

        Returns
        -------
        QImage
            Opaque, in device pixels of the screen that the view is on.

        Raises
        ------
        ExportRefusedError
            When nothing is open.
        """
        if self._framing is None:
            raise ExportRefusedError("There is no picture to export; open a study first.")
        ratio = self.devicePixelRatioF()
        image = QImage(self.size() * ratio, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(ratio)
        painter = QPainter(image)
        self._paint(painter, self._scene.annotations(self._framing, None))
        painter.end()
        return image

    # -- the session changed -------------------------------------------------------------------

    def _on_volume(self) -> None:
        self._scene.forget_volume()
        shown, self._shown = self._shown, None
        if self._session.volume is not None:
            size = self._scene.picture_size()
            self._shown = (self._session.series, size)
            same = shown is not None and shown[0] is self._session.series and shown[1] == size
            # A series that has been read to its end stays as the reader has turned it.
            if not same:
                # A volume opens with its default window.
                self._window_step = self._session.window.width / _WINDOW_DRAG
                self._framing = Framing(max(1, self.width()), max(1, self.height()), *size)
                self._drag = None
        else:
            self._framing = self._drag = None
        self._on_grey()

    def _on_reading(self) -> None:
        if self._scene.slice_state() is not self._state:
            self._on_grey()

    def _on_grey(self) -> None:
        self._scene.forget_grey()
        self._state = self._scene.slice_state()
        self._describe()
        self.update()

    def _on_overlays(self) -> None:
        self._scene.forget_frame()
        self.update()

    def _on_tool(self) -> None:
        self.setCursor(_CURSORS[self._session.tool])

    def _describe(self) -> None:
        written = self.annotations()
        lines = (*written.top_left, *written.top_right)
        texts = (*(line.text for line in lines), written.instead)
        text = ", ".join(filter(None, texts)) or INVITATION
        self.setAccessibleDescription(text)

    # -- painting ------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the frame, made anew only where something changed, and the texts."""
        painter = QPainter(self)
        self._placed = self._paint(painter, self.annotations())
        painter.end()

    def _paint(self, painter: QPainter, written: Annotations) -> list[Placed]:
        if self._framing is None:
            painter.fillRect(self.rect(), theme.colour("canvas"))
            draw_invitation(painter, QRectF(self.rect()))
        else:
            painter.drawImage(
                QPointF(0.0, 0.0), self._scene.frame(self._framing, self.devicePixelRatioF())
            )
        placed = place(written, self.width(), self.height())
        draw(painter, placed)
        return placed

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the middle of the picture in the middle of the view."""
        if self._framing is not None:
            self._framing = self._framing.resized(self.width(), self.height())
        super().resizeEvent(event)

    def event(self, event: QEvent) -> bool:
        """Show every doubt in full when the mouse rests on their line."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            self._show_doubts(event)
            return True
        return super().event(event)

    def _show_doubts(self, event: QHelpEvent) -> None:
        doubts = [entry for entry in self._placed if entry.role is Role.DOUBTS]
        if not any(entry.rect.contains(QPointF(event.pos())) for entry in doubts):
            QToolTip.hideText()
            return
        sentences = "".join(f"<p>{escape(p.sentence)}</p>" for p in self._scene.problems())
        QToolTip.showText(event.globalPos(), sentences, self)

    # -- mouse ---------------------------------------------------------------------------------

    def _reframe(self, framing: Framing) -> None:
        self._framing = framing
        self.update()

    def _pixel_under_cursor(self) -> tuple[int, int] | None:
        if self._cursor is None or self._framing is None:
            return None
        return self._framing.pixel_at(self._cursor.x(), self._cursor.y())

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Go through the slices (up is towards the head), or zoom with Ctrl."""
        event.accept()
        notches = event.angleDelta().y() / 120.0
        if self._framing is None:
            return
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            at = event.position()
            self._reframe(self._framing.zoomed(_ZOOM_NOTCH**notches, at.x(), at.y()))
            return
        if steps := self._wheel.add(notches):
            self._session.step(steps)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a drag."""
        tools = {
            Qt.MouseButton.LeftButton: self._session.tool,
            Qt.MouseButton.MiddleButton: Tool.PAN,
            Qt.MouseButton.RightButton: Tool.ZOOM,
        }
        tool = tools.get(event.button())
        if tool is None or self._framing is None or self._drag is not None:
            event.ignore()
            return
        self._drag = _Drag(
            event.button(), tool, event.position(), self._framing, self._session.window
        )

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go on with the drag, and tell what lies under the cursor."""
        self._cursor = event.position()
        if self._drag is not None:
            self._continue(self._drag, event.position())
        self.update()

    def _continue(self, drag: _Drag, at: QPointF) -> None:
        moved = at - drag.start
        if drag.tool is Tool.PAN:
            self._reframe(drag.framing.panned(moved.x(), moved.y()))
        elif drag.tool is Tool.ZOOM:
            factor = math.exp(-moved.y() * _ZOOM_DRAG)
            self._reframe(drag.framing.zoomed(factor, drag.start.x(), drag.start.y()))
        elif not moved.isNull():
            self._session.set_window(
                replace(
                    drag.window,
                    centre=drag.window.centre + moved.y() * self._window_step,
                    width=drag.window.width + moved.x() * self._window_step,
                    name="",
                )
            )

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the drag with the button that began it."""
        if self._drag is not None and event.button() == self._drag.button:
            self._drag = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Fit the picture."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.fit()

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is under the cursor any more."""
        self._cursor = None
        self.update()
        super().leaveEvent(event)
