"""The picture in 3D, what is written on it, and what mouse and keys do to it.

Pictures are made in another process and painted here by a plain widget. VTK's own Qt widget was
not taken: it is a native window, which covers what Qt draws over it, flickers in splitters, does
not exist on Qt's offscreen platform, and renders on the window's thread; with software OpenGL that
is a second in which no slice moves. Here a picture is an image like any other, it scales with the
screen, and tests read its pixels.

What is drawn over the picture (letters, box, slice) follows the camera that the *picture* was made
with, so that letters are never ahead of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QPainter
from PySide6.QtWidgets import QApplication, QWidget

from viewer import theme
from viewer.corners import ALL_CORNERS, CornerText
from viewer.painting import PaintedWidget, made, part, said
from viewer.viewport.annotations import Annotations, Line, draw, lines_of, note_place, place_parts
from viewer.viewport.corner_lines import with_corners
from viewer.volume3d.box import ClipBox
from viewer.volume3d.camera import Camera
from viewer.volume3d.hands import ZOOM_NOTCH, Drag, camera_after, single_shot
from viewer.volume3d.overlay import Overlay
from viewer.volume3d.wire import Look

if TYPE_CHECKING:
    from PySide6.QtGui import QMouseEvent, QResizeEvent, QWheelEvent

    from viewer.session import ReadingSession
    from viewer.volume3d.presets import Preset
    from viewer.volume3d.scene import Scene

__all__ = ["Canvas"]

_REST_MS = 250
"""After the last movement a picture is made in full."""
_TURN_DEGREES, _TURN_MS = 2.0, 50
"""Of the turntable: a step, and the shortest time between two."""
_CLICK_PIXELS = 3.0
"""Moved by less, a press is a click."""


class Canvas(PaintedWidget):
    """A picture of the scene from a camera.

    Left drag turns, middle drag moves, right drag and the wheel zoom, a click goes to the slice of
    what is clicked on, a double click resets. With the focus, Shift and the arrows turn, + and -
    zoom.
    """

    interacted = Signal()
    """The reader moved something by hand."""
    turntable_changed = Signal(bool)

    def __init__(self, session: ReadingSession, scene: Scene, parent: QWidget) -> None:
        super().__init__(parent)
        self._session = session
        self._scene = scene
        self._camera = Camera()
        self._preset: Preset | None = None
        self._box: ClipBox | None = None
        self._slice_shown = True
        self._image: QImage | None = None
        self._shown: Look | None = None
        self._drag: Drag | None = None
        self._rest = single_shot(self, _REST_MS, lambda: self._ask(resting=True))
        self._turn = single_shot(self, _TURN_MS, self._turn_on)
        self._click = single_shot(self, 0, self._pick)
        self._clicked = QPointF()
        self._turning = False
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(200, 160)
        self.setAccessibleName("3D")
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        scene.pictured.connect(self._on_picture)
        scene.dropped.connect(self._on_dropped)
        scene.changed.connect(self.refresh)
        scene.volume_ready.connect(self.reset)
        scene.picked.connect(self._on_picked)
        session.position_changed.connect(self._on_position)
        session.manner.names_changed.connect(self.update)
        session.manner.corners_changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """Room for a square picture."""
        return QSize(560, 560)

    # -- how it is looked at -----------------------------------------------------------------

    @property
    def camera(self) -> Camera:
        """From where."""
        return self._camera

    @property
    def preset(self) -> Preset | None:
        """Transfer function; None shows the surfaces alone."""
        return self._preset

    @property
    def box(self) -> ClipBox | None:
        """The clipping box, or None."""
        return self._box

    @property
    def turning(self) -> bool:
        """The turntable is on."""
        return self._turning

    @property
    def is_sharp(self) -> bool:
        """What is shown was made in full."""
        return self._shown is not None and self._shown.resting

    @property
    def is_moving(self) -> bool:
        """Something moved a moment ago; a picture in full is still to be asked for."""
        return self._rest.isActive()

    @property
    def image(self) -> QImage | None:
        """The last picture as it came, or None when there is none that is true."""
        return self._image

    def annotations(self, corners: frozenset[CornerText] = ALL_CORNERS) -> Annotations:
        """What is written on the picture; empty while there is none."""
        overlay = self._overlay()
        if overlay is None or self._shown is None:
            return Annotations()
        written = self._annotations(overlay, resting=self._shown.resting)
        return with_corners(written, self._session, corners)

    def set_preset(self, preset: Preset | None) -> None:
        """Use another transfer function."""
        self._preset = preset
        self.look_at(self._camera)

    def look_from(self, view: str) -> None:
        """Look from a side of `camera.VIEWS`."""
        self.stop_turning()
        self.look_at(self._camera.seen_from(view))

    def reset(self) -> None:
        """Look from the front at everything; the box cuts nothing off."""
        self.stop_turning()
        self.reset_box()
        self.look_at(Camera())

    def show_box(self, on: bool) -> None:
        """Use the clipping box, or not."""
        bounds = self._scene.bounds
        self._box = ClipBox.around(bounds) if on and bounds is not None else None
        self.look_at(self._camera)

    def reset_box(self) -> None:
        """Let the box, if it is used, cut nothing off."""
        self.show_box(self._box is not None)

    def show_slice(self, on: bool) -> None:
        """Show where the slice on the screen lies, or not."""
        self._slice_shown = on
        self.update()

    def set_turning(self, on: bool) -> None:
        """Turn slowly until something is touched."""
        if on != self._turning:
            self._turning = on
            if on:
                self._turn.start()
            else:
                self._turn.stop()
                self._rest.start()
            self.turntable_changed.emit(on)

    def stop_turning(self) -> None:
        """End the turntable."""
        self.set_turning(False)

    def refresh(self) -> None:
        """Make the picture anew: something of the scene changed."""
        self.setAccessibleDescription(self._scene.sentence or ", ".join(self._texts()))
        self.look_at(self._camera)

    # -- asking for pictures -----------------------------------------------------------------

    def look_at(self, camera: Camera) -> None:
        """Use a camera: a coarse picture at once, one in full when nothing moves any more."""
        self._camera = camera
        self._ask(resting=False)
        if not self._turning:
            self._rest.start()
        self.update()

    def _ask(self, *, resting: bool) -> None:
        if not self.isVisible() or self._scene.bounds is None:
            return
        self._scene.ask(self._look(resting))

    def _look(self, resting: bool) -> Look:
        ratio = self.devicePixelRatioF()
        size = max(1, round(self.width() * ratio)), max(1, round(self.height() * ratio))
        box = self._box.pair() if self._box is not None else None
        return Look(
            self._scene.next_serial(),
            self._camera,
            size,
            resting,
            self._preset,
            self._scene.styles(self._preset),
            box,
        )

    def _turn_on(self) -> None:
        """Make a step when the last one is to be seen: never faster than pictures come."""
        if self.isVisible() and not self._scene.waiting:
            self.look_at(self._camera.turned(_TURN_DEGREES, 0.0))
        self._turn.start()

    def _on_picture(self, image: QImage, look: Look) -> None:
        self._image, self._shown = image, look
        self.update()

    def _on_dropped(self) -> None:
        self._image = self._shown = None
        self.update()

    def _on_position(self) -> None:
        if self._slice_shown:
            self.update()

    # -- painting ----------------------------------------------------------------------------

    part_name = "The picture in 3D"

    def paint(self, painter: QPainter) -> None:
        """Paint what is shown, texts and the research-use banner included."""
        self.draw_on(painter, ALL_CORNERS)

    def draw_on(self, painter: QPainter, corners: frozenset[CornerText]) -> None:
        """Paint it with no more of patient and study than `corners`."""
        rect = QRectF(self.rect())
        painter.fillRect(rect, theme.on_image("canvas"))
        sentence = self._scene.sentence
        overlay = self._overlay()
        if sentence:
            painter.setFont(theme.font("normal"))
            painter.setPen(theme.on_image("text"))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(rect.adjusted(24, 24, -24, -48), int(flags), sentence)
        elif self._image is not None and overlay is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(rect, self._image)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            volume = self._session.volume
            with part(painter, "The slice", note_place(rect, 0)):
                if self._slice_shown and volume is not None:
                    overlay.draw_slice(painter, volume, self._session.position)
            with part(painter, "The box", note_place(rect, 1)):
                if self._box is not None:
                    overlay.draw_box(painter, self._box)
        draw(painter, place_parts(self.annotations(corners), self.width(), self.height()))

    def _overlay(self) -> Overlay | None:
        """The camera of the picture that is shown."""
        shown, bounds = self._shown, self._scene.bounds
        if shown is None or bounds is None:
            return None
        return Overlay(shown.camera, bounds, self.width(), self.height())

    def _texts(self) -> list[str]:
        name = self._preset.name if self._preset is not None else "Surfaces only"
        return [f"3D  ·  {name}", f"shown at {self._scene.mm:g} mm", self._scene.caster_text]

    def _annotations(self, overlay: Overlay, *, resting: bool) -> Annotations:
        tones = ("text", "muted", "muted")
        lines = list(lines_of("The title", lambda: map(Line, self._texts(), tones)))
        if busy := self._scene.busy_text:
            lines.append(Line(busy, "warning"))
        if not resting and not self._turning:
            lines.append(Line("coarse while moving", "muted"))
        volume = self._session.volume
        missing: dict[str, None] = {}
        oriented = volume is not None and volume.has_orientation
        letters = made("Orientation letters", overlay.letters, None, missing) if oriented else None
        scale = made("The scale", overlay.scale_bar, None, missing)
        lines += (Line(said(name), "error") for name in missing)
        return Annotations(top_left=tuple(lines), letters=letters, scale=scale)

    # -- mouse and keys ----------------------------------------------------------------------

    def _face_at(self, at: QPointF) -> int | None:
        bounds = self._scene.bounds
        if self._box is None or bounds is None:
            return None
        return Overlay(self._camera, bounds, self.width(), self.height()).face_at(self._box, at)

    def _mm_per_pixel(self) -> float:
        bounds = self._scene.bounds
        if bounds is None:
            return 1.0
        return self._camera.half_height(bounds, self.width(), self.height()) * 2 / self.height()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a drag."""
        self.stop_turning()
        self.interacted.emit()
        if self._drag is None and self._scene.bounds is not None:
            left = event.button() == Qt.MouseButton.LeftButton
            face = self._face_at(event.position()) if left else None
            self._drag = Drag(event.button(), event.position(), self._camera, self._box, face)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go on with the drag."""
        drag = self._drag
        if drag is None:
            return
        moved = event.position() - drag.start
        mm = self._mm_per_pixel()
        bounds = self._scene.bounds
        if drag.face is not None and drag.box is not None and bounds is not None:
            across, up = moved.x() * mm, -moved.y() * mm
            self._box = drag.box.dragged(drag.face, across, up, drag.camera, bounds)
            self.look_at(self._camera)
        else:
            self.look_at(drag.camera_at(moved, mm))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the drag; without any way it was a click, unless a second one follows."""
        drag = self._drag
        if drag is None or event.button() != drag.button:
            return
        self._drag = None
        away = event.position() - drag.start
        still = abs(away.x()) + abs(away.y()) <= _CLICK_PIXELS
        if still and drag.button == Qt.MouseButton.LeftButton and drag.face is None:
            self._clicked = event.position()
            self._click.start(QApplication.doubleClickInterval())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Look from the front at everything."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._click.stop()
            self.reset()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom."""
        self.stop_turning()
        self.interacted.emit()
        self.look_at(self._camera.zoomed(ZOOM_NOTCH ** (event.angleDelta().y() / 120.0)))
        event.accept()

    def event(self, event: QEvent) -> bool:
        """Take the keys that turn and zoom before they become the window's shortcuts."""
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and camera_after(self._camera, event) is not None
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Turn or zoom."""
        camera = camera_after(self._camera, event)
        if camera is None:
            super().keyPressEvent(event)
            return
        self.stop_turning()
        self.interacted.emit()
        self.look_at(camera)

    def _pick(self) -> None:
        if self._shown is not None and self._scene.bounds is not None:
            x, y = self._clicked.x() / self.width(), self._clicked.y() / self.height()
            self._scene.pick(self._shown, x, y)

    def _on_picked(self, point: tuple[float, float, float]) -> None:
        """Go to the slice that holds a place."""
        volume = self._session.volume
        if volume is not None:
            index = np.linalg.solve(volume.affine, np.append(point, 1.0))
            self._session.set_position(round(float(index[2])))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Make a picture of the new size."""
        super().resizeEvent(event)
        self.look_at(self._camera)
