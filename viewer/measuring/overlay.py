"""What the mouse and the keys do to measurements in one view, and how they are drawn there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QLineF, QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QWidget

from inference.measurements import Kind, Measurement, Point, measure
from viewer.measuring.hits import Hit, can_move, find_hit, is_movable
from viewer.measuring.labels import label_size, place_label
from viewer.measuring.note import NoteEdit
from viewer.measuring.painter import Label, draw_label, draw_leader, draw_shape, draw_strokes
from viewer.measuring.projection import Pointer, Projection
from viewer.measuring.shapes import bounds, handles, strokes, with_handle
from viewer.measuring.tools import CLICK, Drawing, begin

if TYPE_CHECKING:
    from inference.studies.model import Volume
    from viewer.session import ReadingSession

__all__ = ["MeasuringOverlay"]

_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


@dataclass(slots=True)
class _Grab:
    """A measurement that is being moved, in whole or in part."""

    hit: Hit
    start: Pointer
    moved: Measurement
    under_way: bool = False


class MeasuringOverlay(QObject):
    """The measurements of one view: drawn, made, taken hold of, moved and written on.

    The view forwards its events and draws; whatever changes goes through the session's notebook.

    Parameters
    ----------
    session
        Its tool says what the left button makes; its notebook holds what was made.
    view
        Gets the line for notes; owner.
    """

    changed = Signal()
    """Something is to be drawn anew."""

    def __init__(self, session: ReadingSession, view: QWidget) -> None:
        super().__init__(view)
        self._session = session
        self._notebook = session.measurements
        self._view = view
        self._drawing: Drawing | None = None
        self._grab: _Grab | None = None
        self._handle: int | None = None
        self._unwritten: Measurement | None = None
        self._note: NoteEdit | None = None
        self._labels: list[Label] = []
        self._notebook.changed.connect(self.changed)
        self._notebook.selection_changed.connect(self._on_selection)
        session.volume_changed.connect(self.cancel)
        session.tool_changed.connect(self.settle)

    @property
    def labels(self) -> tuple[Label, ...]:
        """What was written on the screen last."""
        return tuple(self._labels)

    def cancel(self) -> None:
        """Forget what is being drawn, moved or written; what was there stays as it was."""
        self._drawing = None
        self._grab = None
        if self._note is not None:
            self._note.close_with(None)
        self.changed.emit()

    def settle(self) -> None:
        """Another plane or tool: a note is taken as it stands, the rest is forgotten."""
        if self._note is not None:
            self._note.take()
        self.cancel()

    def _on_selection(self) -> None:
        self._handle = None
        self.changed.emit()

    # -- mouse: each says whether it has dealt with the event ------------------------------------

    def press(self, projection: Projection, event: QMouseEvent) -> bool:
        """Take hold of what is there, or go on drawing, or begin to."""
        pointer = _pointer(projection, event)
        if self._drawing is not None:
            self._drawing.press(pointer)
            self.changed.emit()
            return True
        hit = self._hit(pointer)
        kind = self._session.tool.measures
        if hit is not None:
            self._notebook.select(hit.measurement.id)
            if can_move(hit, projection):
                self._handle = hit.handle
                self._grab = _Grab(hit, pointer, hit.measurement)
            self.changed.emit()
            return True
        self._notebook.select("")
        if kind is None or not projection.holds(pointer.at):
            return kind is not None
        if not self._session.overlays_on:
            self._session.toggle_overlays()
        self._drawing = begin(kind, self._notebook.volume)
        self._drawing.press(pointer)
        self.changed.emit()
        return True

    def move(self, projection: Projection, event: QMouseEvent) -> bool:
        """Go on with what was begun."""
        pointer = _pointer(projection, event)
        if self._drawing is not None:
            self._drawing.move(pointer)
        elif self._grab is not None:
            self._drag(self._grab, pointer)
        else:
            return False
        self.changed.emit()
        return True

    def release(self, projection: Projection, event: QMouseEvent) -> bool:
        """Set a point, or leave what was moved where it is."""
        pointer = _pointer(projection, event)
        if self._drawing is not None:
            self._drawing.release(pointer)
            if self._drawing.done:
                self._finish(self._drawing, projection)
            self.changed.emit()
            return True
        if self._grab is not None:
            grab, self._grab = self._grab, None
            if grab.under_way:
                self._notebook.change(grab.moved)
            self.changed.emit()
            return True
        return False

    def double_click(self, projection: Projection, event: QMouseEvent) -> bool:
        """Write on what is there; while drawing, it is a press like any other."""
        hit = None if self._drawing is not None else self._hit(_pointer(projection, event))
        if hit is None and (self._drawing is not None or self._session.tool.measures is not None):
            return self.press(projection, event)
        if hit is None:
            return False
        self._grab = None
        self._write(hit.measurement, event.position(), is_new=False)
        return True

    def cursor(self, projection: Projection, at: QPointF) -> Qt.CursorShape | None:
        """What the mouse would do here; None where it has nothing to do with a measurement."""
        if self._drawing is not None:
            return Qt.CursorShape.CrossCursor
        hit = self._grab.hit if self._grab is not None else self._hit(Pointer(at, projection))
        if hit is not None:
            whole = hit.handle is None and can_move(hit, projection)
            return Qt.CursorShape.SizeAllCursor if whole else Qt.CursorShape.PointingHandCursor
        return Qt.CursorShape.CrossCursor if self._session.tool.measures is not None else None

    def under(self, projection: Projection, at: QPointF) -> str:
        """Id of the measurement at a place of the view, or ``""``."""
        hit = self._hit(Pointer(at, projection))
        return "" if hit is None else hit.measurement.id

    def _drag(self, grab: _Grab, pointer: Pointer) -> None:
        """Move a whole measurement, one handle, or its label."""
        if not grab.under_way and QLineF(grab.start.at, pointer.at).length() <= CLICK:
            return
        grab.under_way = True
        old, projection, volume = grab.hit.measurement, pointer.projection, self._notebook.volume
        if volume is None:
            return
        if grab.hit.label is not None:
            middle = grab.hit.label + pointer.at - grab.start.at
            grab.moved = replace(old, label=projection.point(middle))
            return
        if grab.hit.handle is not None:
            there, steps = self._handle_point(old, pointer), projection.steps(old)
            points = with_handle(old, grab.hit.handle, there, steps, volume.affine)
        else:
            points = projection.shifted(old.points, grab.start.point, pointer.point)
            if old.kind is Kind.PROBE:
                points = (projection.probed(projection.view(points[0])),)
        grab.moved = old.moved(volume, points)

    def _handle_point(self, measurement: Measurement, pointer: Pointer) -> Point:
        if measurement.kind is Kind.PROBE:
            return pointer.projection.probed(pointer.at)
        return pointer.point

    # -- making --------------------------------------------------------------------------------

    def _finish(self, drawing: Drawing, projection: Projection) -> None:
        self._drawing = None
        if not drawing.is_worth_it(projection) or self._notebook.volume is None:
            return
        if drawing.kind in {Kind.TEXT, Kind.ARROW}:
            volume = self._notebook.volume
            made = _measurement(drawing, projection, volume)
            self._write(made, projection.view(drawing.points[-1]), is_new=True)
        else:
            self._notebook.add(
                drawing.kind, drawing.points, projection.axis,
                slant=projection.slant, slab=projection.slab,
            )  # fmt: skip

    def _write(self, measurement: Measurement, at: QPointF, *, is_new: bool) -> None:
        """Ask for the note of a measurement; a new one is added with it, in one step."""

        def finish(text: str | None) -> None:
            self._note = None
            self._unwritten = None
            self.changed.emit()
            kind = measurement.kind
            if not is_new:
                # A text without words would be nothing.
                if text is not None and (text or kind is not Kind.TEXT):
                    self._notebook.set_text(measurement.id, text)
            elif text or (text is not None and kind is Kind.ARROW):
                self._notebook.add(
                    kind, measurement.points, measurement.axis, text,
                    measurement.slant, measurement.slab,
                )  # fmt: skip

        if self._note is not None:
            self._note.close_with(None)
        self._unwritten = measurement if is_new else None
        self._note = NoteEdit(self._view, at, measurement.text, finish)

    # -- keys ----------------------------------------------------------------------------------

    def wants(self, projection: Projection, event: QKeyEvent) -> bool:
        """Say whether a key is for a measurement, even if it is also a shortcut."""
        if event.key() == Qt.Key.Key_Escape:
            return (
                self._drawing is not None
                or self._grab is not None
                or self._visible_selected(projection) is not None
            )
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        selected = self._visible_selected(projection)
        if self._handle is None or selected is None or event.key() not in _ARROWS:
            return False
        return plain and is_movable(selected, projection)

    def key(self, projection: Projection, event: QKeyEvent) -> bool:
        """Esc lets go, step by step; arrows nudge the handle that was taken last by a pixel."""
        if not self.wants(projection, event):
            return False
        if event.key() == Qt.Key.Key_Escape:
            if self._drawing is not None or self._grab is not None:
                self.cancel()
            else:
                self._notebook.select("")
            return True
        selected, volume = self._notebook.selected, self._notebook.volume
        if selected is not None and self._handle is not None and volume is not None:
            steps = projection.steps(selected)
            here = handles(selected, steps)[self._handle]
            there = projection.nudged(here, *_ARROWS[Qt.Key(event.key())])
            points = with_handle(selected, self._handle, there, steps, volume.affine)
            self._notebook.move(selected, points)
        return True

    def _visible_selected(self, projection: Projection) -> Measurement | None:
        selected = self._notebook.selected
        return selected if selected in self._visible(projection) else None

    # -- what is under the mouse -----------------------------------------------------------------

    def _visible(self, projection: Projection) -> list[Measurement]:
        if not self._session.overlays_on:
            return []
        return [each for each in self._notebook.measurements if projection.shows(each)]

    def _hit(self, pointer: Pointer) -> Hit | None:
        visible = self._visible(pointer.projection)
        return find_hit(pointer, visible, self._labels, self._notebook.selected)

    # -- drawing -------------------------------------------------------------------------------

    def paint(
        self,
        painter: QPainter,
        projection: Projection,
        view: QRectF,
        taken: Sequence[QRectF],
        *,
        on_screen: bool,
    ) -> None:
        """Draw what lies on a plane.

        Parameters
        ----------
        painter
            In logical view pixels.
        projection
            The plane.
        view
            What is on the screen.
        taken
            Where something else is written.
        on_screen
            With handles, and with what is being drawn; an exported picture has neither.
        """
        selected = self._notebook.selected if on_screen else None
        shown = [self._now(each) for each in self._visible(projection)]
        for each in shown:
            is_selected = selected is not None and each.id == selected.id
            draw_shape(painter, each, projection, selected=is_selected)
        labels: list[Label] = []
        if on_screen and self._drawing is not None:
            shown += self._paint_drawing(painter, self._drawing, projection)
        if on_screen and self._unwritten is not None:
            draw_shape(painter, self._unwritten, projection, selected=False)
        shapes = [bounds(each, projection) for each in shown]
        for each, shape in zip(shown, shapes, strict=True):
            lines = self._lines(each)
            # An upright line has a box without area, which meets nothing.
            if not lines or not shape.adjusted(-1, -1, 1, 1).intersects(view):
                continue
            used = [*taken, *(label.rect for label in labels)]
            wanted = projection.view(each.label) if each.label is not None else None
            anchor = shape
            if each.kind is Kind.ARROW:
                tail = projection.view(each.points[1])
                anchor = QRectF(tail, tail)
            others = [other for other in shapes if other is not shape]
            rect = place_label(anchor, label_size(lines), view, used, others, wanted)
            label = Label(self._notebook.get(each.id) or each, rect, lines)
            if wanted is not None:
                draw_leader(painter, label, shape, selected=label.measurement == selected)
            labels.append(label)
        # Words last: no line crosses them.
        for label in labels:
            draw_label(painter, label, selected=label.measurement == selected)
        if on_screen:
            self._labels = labels

    def _paint_drawing(
        self, painter: QPainter, drawing: Drawing, projection: Projection
    ) -> list[Measurement]:
        """Draw what is not finished; returns it as a measurement where it has all its points."""
        lines = strokes(drawing.kind, drawing.points, projection.steps(), projection)
        draw_strokes(painter, drawing.kind, lines, selected=True)
        if self._notebook.volume is None or len(drawing.points) < drawing.kind.points:
            return []
        return [_measurement(drawing, projection, self._notebook.volume)]

    def _now(self, measurement: Measurement) -> Measurement:
        """As it is being moved."""
        grab = self._grab
        if grab is not None and grab.hit.measurement.id == measurement.id:
            return grab.moved
        return measurement

    def _lines(self, measurement: Measurement) -> tuple[str, ...]:
        volume = self._notebook.volume
        if volume is None:
            return ()
        known = self._notebook.get(measurement.id) == measurement
        values = self._notebook.values(measurement) if known else measure(measurement, volume)
        note = (measurement.text,) if measurement.text else ()
        return (*note, *values.lines)


def _measurement(drawing: Drawing, projection: Projection, volume: Volume) -> Measurement:
    """What is being drawn, as far as it has come."""
    return Measurement.on(
        volume, drawing.kind, drawing.points, projection.axis,
        slant=projection.slant, slab=projection.slab,
    )  # fmt: skip


def _pointer(projection: Projection, event: QMouseEvent) -> Pointer:
    shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
    return Pointer(event.position(), projection, shift)
