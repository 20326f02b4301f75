"""What the hand does to a plane on the screen: mouse, wheel and keys."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent
from PySide6.QtWidgets import QApplication, QWidget

from viewer.mouse import Turn
from viewer.painting import part
from viewer.session import Tool
from viewer.viewport.annotations import note_place
from viewer.viewport.framing import Framing
from viewer.viewport.gestures import notches_of, tool_of, turn_of
from viewer.viewport.guests import GuestOverlay
from viewer.viewport.plane_view import PlaneView
from viewer.viewport.wheel import WheelSteps

if TYPE_CHECKING:
    from PySide6.QtGui import QFocusEvent, QMouseEvent, QPainter, QWheelEvent

    from inference.studies.model import Window
    from viewer.session import ReadingSession

__all__ = ["SliceView"]

_ZOOM_DRAG = 0.01
"""Natural logarithm of the zoom a pixel of dragging."""

_ZOOM_NOTCH = 1.2
"""Zoom factor of one notch of the wheel."""

_SCROLL_DRAG = 8.0
"""Pixels of dragging a plane."""

_CURSORS = {
    Tool.WINDOW: Qt.CursorShape.CrossCursor,
    Tool.PAN: Qt.CursorShape.OpenHandCursor,
    Tool.ZOOM: Qt.CursorShape.SizeVerCursor,
    Tool.SCROLL: Qt.CursorShape.SizeVerCursor,
    Tool.CROSSHAIR: Qt.CursorShape.CrossCursor,
    Tool.MAGNIFIER: Qt.CursorShape.BlankCursor,
}


@dataclass(frozen=True, slots=True)
class _Drag:
    """What is being dragged, and how things were when it began."""

    button: Qt.MouseButton
    tool: Tool
    start: QPointF
    framing: Framing
    window: Window
    index: int


class SliceView(PlaneView):
    """One pane: a plane of the session's volume that can be worked on.

    What drags and the wheel do stands in the session's mouse map (`viewer.mouse`). Moving with
    Shift takes the other panes along. A double click gives the pane the whole room, or fits the
    picture where it has it already.

    Parameters
    ----------
    session
        What is shown, and asked to change.
    number
        Of the pane.
    parent
        Owner, or None.
    """

    menu_asked = Signal(str, bool, object)
    """(id of the measurement there or ``""``, whether a lesion is there, which is chosen now, where
    on the screen as `QPoint`)."""

    def __init__(
        self, session: ReadingSession, number: int = 0, parent: QWidget | None = None
    ) -> None:
        self._drag: _Drag | None = None
        self._menu_at: QPointF | None = None
        self._guests = GuestOverlay(session)
        super().__init__(session, number, parent)
        self._wheel = WheelSteps()
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        session.guests.changed.connect(self.update)
        session.tool_changed.connect(self._on_tool)
        session.manner.mouse_changed.connect(self._on_tool)
        self._on_tool()

    def paint(self, painter: QPainter) -> None:
        """Draw the picture, and over it what was opened beside it; that is never exported."""
        super().paint(painter)
        if self._framing is not None:
            with part(painter, "Opened segmentations", note_place(QRectF(self.rect()), 5)):
                self._guests.paint(
                    painter, self._planes(), self._scene.pane, self._scene.index, self._framing,
                    [entry.rect for entry in self._placed],
                )  # fmt: skip

    def guests(self) -> list[str]:
        """What is written of the opened segmentations on this plane."""
        if self._framing is None:
            return []
        return self._guests.legend(self._planes(), self._scene.pane, self._scene.index)

    def _forget_hand(self) -> None:
        """What was being dragged or pointed at is gone."""
        super()._forget_hand()
        self._drag = None

    def _on_tool(self) -> None:
        self.setCursor(self._usual_cursor())

    def _usual_cursor(self) -> Qt.CursorShape:
        mouse, tool = self._session.manner.mouse, self._session.tool
        used = tool_of(mouse, Qt.MouseButton.LeftButton, tool) or tool
        return _CURSORS.get(used, Qt.CursorShape.CrossCursor)

    def event(self, event: QEvent) -> bool:
        """Leave a key to a measurement that needs it, before it becomes a command."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            projection = self._projection()
            if projection is not None and self.measuring.wants(projection, event):
                event.accept()
                return True
        return super().event(event)

    # -- mouse ---------------------------------------------------------------------------------

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Do what the mouse map says: at first go through the slices, zoom with Ctrl."""
        event.accept()
        notches = notches_of(event)
        if self._framing is None:
            return
        turn = turn_of(self._session.manner.mouse, event.modifiers())
        if turn is Turn.ZOOM:
            at = event.position()
            self._reframe(self._framing.zoomed(_ZOOM_NOTCH**notches, at.x(), at.y()))
        elif turn is not Turn.NOTHING and (steps := self._wheel.add(notches)):
            self._session.arrangement.stop_cine()
            many = 10 if turn is Turn.TEN_SLICES else 1
            self._go_to(self._scene.index + steps * many)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a drag; the pane becomes the active one."""
        self._session.arrangement.activate(self._number)
        if event.button() == Qt.MouseButton.RightButton:
            self._menu_at = event.position()
        tool = tool_of(self._session.manner.mouse, event.button(), self._session.tool)
        if tool is None or self._framing is None or self._drag is not None:
            event.ignore()
            return
        if event.button() == Qt.MouseButton.LeftButton:
            if self._grips.press(self._planes(), self._framing, event.position()):
                return
            projection = self._projection()
            if projection is not None and self.measuring.press(projection, event):
                return
            if projection is None and tool.measures is not None:
                self._session.post("info", self._scene.why_not_measured())
                return
        self._drag = _Drag(
            event.button(),
            tool,
            event.position(),
            self._framing,
            self._session.window,
            self._scene.index,
        )
        self._continue(self._drag, event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go on with the drag, and tell what lies under the cursor."""
        self._cursor = event.position()
        if self._grips.move(event.position()):
            return
        if self._drag is not None:
            self._continue(self._drag, event.position())
        elif not self._is_measured(event) and (
            event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        ):
            self._look_at(event.position())
        self.update()

    def _is_measured(self, event: QMouseEvent) -> bool:
        """Let a measurement follow the mouse, and show what the mouse would do to one."""
        projection = self._projection()
        taken, wanted = False, None
        if projection is not None:
            taken = self.measuring.move(projection, event)
            wanted = self.measuring.cursor(projection, event.position())
        if self._framing is not None and not taken:
            on_grip = self._grips.holds(self._planes(), self._framing, event.position())
            wanted = Qt.CursorShape.PointingHandCursor if on_grip else wanted
        self.setCursor(self._usual_cursor() if wanted is None else wanted)
        return taken

    def _go_to(self, index: int) -> None:
        self._session.set_cursor(self._planes().moved(self._session.cursor, index))

    def _look_at(self, at: QPointF) -> None:
        """Take all planes to a point of this one."""
        if self._framing is not None:
            column, row = self._framing.to_picture(at.x(), at.y())
            index = self._scene.index
            self._session.set_cursor(self._planes().to_voxel(column, row, index))

    def _continue(self, drag: _Drag, at: QPointF) -> None:
        moved = at - drag.start
        if drag.tool is Tool.PAN:
            self._reframe(drag.framing.panned(moved.x(), moved.y()))
        elif drag.tool is Tool.ZOOM:
            factor = math.exp(-moved.y() * _ZOOM_DRAG)
            self._reframe(drag.framing.zoomed(factor, drag.start.x(), drag.start.y()))
        elif drag.tool is Tool.SCROLL:
            self._go_to(drag.index - round(moved.y() / _SCROLL_DRAG))
        elif drag.tool is Tool.CROSSHAIR:
            self._look_at(at)
        elif drag.tool is Tool.MAGNIFIER:
            self._lens_at = at
            self.update()
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
        """End the drag with the button that began it; a right click that moved nothing asks for a
        menu.
        """
        if event.button() == Qt.MouseButton.RightButton:
            self._end_right_click(event)
        if event.button() == Qt.MouseButton.LeftButton and self._grips.release():
            return
        if self._drag is not None and event.button() == self._drag.button:
            if self._is_click(self._drag, event):
                self._choose_lesion(event.position())
            self._drag = None
            self._lens_at = None
            self.update()
        elif event.button() == Qt.MouseButton.LeftButton:
            projection = self._projection()
            if projection is not None:
                self.measuring.release(projection, event)

    def _end_right_click(self, event: QMouseEvent) -> None:
        began, self._menu_at = self._menu_at, None
        if began is None:
            return
        moved = (event.position() - began).manhattanLength()
        if moved < QApplication.startDragDistance():
            self._ask_menu(event.position())

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Answer the menu key; where the mouse asks, it is heard when the button goes up."""
        if event.reason() is QContextMenuEvent.Reason.Keyboard:
            self._ask_menu(QPointF(self.rect().center()))
        event.accept()

    def _ask_menu(self, at: QPointF) -> None:
        projection = self._projection()
        found = "" if projection is None else self.measuring.under(projection, at)
        is_lesion = not found and self._choose_lesion(at)
        self.menu_asked.emit(found, is_lesion, self.mapToGlobal(at.toPoint()))

    def _is_click(self, drag: _Drag, event: QMouseEvent) -> bool:
        """Nothing was dragged: the reader pointed at something."""
        left = event.button() == Qt.MouseButton.LeftButton
        moved = (event.position() - drag.start).manhattanLength()
        return left and moved < QApplication.startDragDistance()

    def _choose_lesion(self, at: QPointF) -> bool:
        """Choose the lesion under the mouse, where masks are shown; say whether there is one."""
        if self._framing is None or not self._session.overlays_on:
            return False
        column, row = self._framing.to_picture(at.x(), at.y())
        x, y, z = self._planes().to_voxel(column, row, self._scene.index)
        return self._session.review.choose_at((math.floor(x + 0.5), math.floor(y + 0.5), round(z)))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Write on a measurement; else give the pane the whole room, or take it away again.

        A pane that is alone fits its picture.
        """
        if event.button() != Qt.MouseButton.LeftButton:
            return
        projection = self._projection()
        if projection is not None and self.measuring.double_click(projection, event):
            return
        arrangement = self._session.arrangement
        if arrangement.layout.count == 1:
            self.fit()
        else:
            arrangement.activate(self._number)
            arrangement.maximise(not arrangement.maximised)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Who comes here by the keyboard gives commands to this pane."""
        self._session.arrangement.activate(self._number)
        super().focusInEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Give a measurement the keys that are for it."""
        projection = self._projection()
        if projection is None or not self.measuring.key(projection, event):
            super().keyPressEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is under the cursor any more."""
        self._cursor = None
        self.update()
        super().leaveEvent(event)
