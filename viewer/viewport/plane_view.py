"""A plane on the screen: drawn anew where something changed, and its picture for the export."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING, TypeAlias

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QHelpEvent, QImage, QPainter, QPen
from PySide6.QtWidgets import QToolTip, QWidget

from inference.errors import ExportRefusedError
from viewer import theme
from viewer.corners import ALL_CORNERS, TELL_NOBODY
from viewer.measuring.overlay import MeasuringOverlay
from viewer.painting import painting, part
from viewer.panes import Slab
from viewer.reading import SliceState
from viewer.session import Tool
from viewer.viewport.annotations import (
    INVITATION,
    Annotations,
    Placed,
    Role,
    draw,
    draw_invitation,
    note_place,
    place_parts,
)
from viewer.viewport.framing import Framing
from viewer.viewport.pointing import draw_crosshair, draw_lens, lens_framing
from viewer.viewport.scene import Scene
from viewer.viewport.target import TargetMark
from viewer.viewport.tilting import TiltGrips
from viewer.viewport.zooming import ZoomedWidget

if TYPE_CHECKING:
    from inference.studies.model import Series
    from viewer.measuring.projection import Projection
    from viewer.panes import Pane
    from viewer.planes.section import Planes
    from viewer.session import ReadingSession

    _Framed: TypeAlias = tuple[Series | None, Pane, tuple[float, ...]]
    """What was laid out: the series, the pane without its slab, and the size of the picture."""

__all__ = ["PlaneView"]

_WINDOW_DRAG = 500.0
"""Dragging so many pixels changes the window by the width it had when the volume was opened."""


class PlaneView(ZoomedWidget):
    """A plane of the session's volume with overlays and texts: what a pane shows.

    `viewer.viewport.view.SliceView` adds what the hand does to it.

    Parameters
    ----------
    session
        What is shown, and asked to change.
    number
        Of the pane.
    parent
        Owner, or None.
    """

    def __init__(
        self, session: ReadingSession, number: int = 0, parent: QWidget | None = None
    ) -> None:
        super().__init__(session, number, parent)
        self._session = session
        self._scene = Scene(session, number)
        self._pane = self._scene.pane
        self._framed: _Framed | None = None
        self._state = SliceState.READ
        self._cursor: QPointF | None = None
        self.measuring = MeasuringOverlay(session, self)
        self._window_step = 1.0
        self._placed: list[Placed] = []
        self._index: int | None = None
        self._lens_at: QPointF | None = None
        self._mark = TargetMark(self.update, self)
        self._grips = TiltGrips(session, number)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(160, 120)
        self.setAccessibleName("Slice")
        session.volume_changed.connect(self._on_volume)
        session.cursor_changed.connect(self._on_cursor)
        session.arrangement.panes_changed.connect(self._on_panes)
        session.arrangement.layout_changed.connect(self.update)
        session.arrangement.cine_changed.connect(self.update)
        session.reading.changed.connect(self._on_reading)
        session.window_changed.connect(self._on_grey)
        session.layers_changed.connect(self._on_overlays)
        session.findings_changed.connect(self._on_overlays)
        session.early_changed.connect(self._on_overlays)
        session.heatmap_changed.connect(self._on_overlays)
        session.target_changed.connect(self._on_target)
        self.measuring.changed.connect(self.update)
        session.manner.looks_changed.connect(self._on_overlays)
        session.manner.names_changed.connect(self._on_words)
        session.manner.corners_changed.connect(self._on_words)
        session.manner.keys_changed.connect(self._on_words)
        self._on_volume()

    def sizeHint(self) -> QSize:
        """Room for a square picture."""
        return QSize(720, 720)

    def annotations(self) -> Annotations:
        """What is written on the picture now; empty while nothing is open."""
        if self._framing is None:
            return Annotations()
        return self._scene.annotations(self._framing, self._pixel_under_cursor())

    def picture(self) -> QImage:
        """Draw the current view with overlays, texts and the research-use banner burnt in.

        It may go anywhere, so it says neither whose it is, nor where or when it was made.

        Returns
        -------
        QImage
            Opaque, in device pixels of the screen that the view is on.

        Raises
        ------
        ExportRefusedError
            When nothing is open.
        """
        if self._session.volume is None:
            raise ExportRefusedError("There is no picture to export; open a study first.")
        ratio = self.devicePixelRatioF()
        image = QImage(self.size() * ratio, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(ratio)
        with painting(image) as painter:
            self._paint(painter, on_screen=False)
        return image

    # -- the session changed -------------------------------------------------------------------

    def _on_volume(self) -> None:
        """Another volume, or the same now whole, or other planes of it."""
        self._scene.forget_volume()
        self._pane = self._scene.pane
        framed, self._framed = self._framed, None
        framing = self._framing
        if self._scene.section is not None:
            size = self._planes().size()
            self._framed = (self._session.series, replace(self._pane, slab=Slab()), size)
            # A series that has been read to its end stays as the reader has turned it.
            if framed != self._framed:
                # A volume opens with its default window.
                self._window_step = self._session.window.width / _WINDOW_DRAG
                self._framing = Framing(max(1, self.width()), max(1, self.height()), *size)
                self._forget_hand()
                if framing is not None and _leans_otherwise(framed, self._framed):
                    self._framing = self._as_large(framing, self._framing)
                self._tell_scale()
        else:
            self._framing = None
            self._forget_hand()
        self._on_grey()

    def _as_large(self, before: Framing, framing: Framing) -> Framing:
        """An oblique plane that is being turned: what is looked at stays, and as large as it was.

        One that fitted goes on fitting.
        """
        if before.zoom == 1.0:
            return framing
        middle = self._planes().to_picture(self._session.cursor)
        return framing.at_scale(before.pixels_per_mm).centred(*middle)

    def _forget_hand(self) -> None:
        """What was pointed at is gone."""
        self._mark.hide()
        self._lens_at = None

    def _on_panes(self) -> None:
        """Look whether it is this pane that shows something else, or is turned."""
        before, pane = self._pane, self._scene.pane
        if pane == before:
            self.update()
            return
        self.measuring.settle()
        if replace(pane, slab=before.slab) == before:
            self._pane = pane
            self._scene.forget_plane()
            self._on_grey()
        else:
            self._on_volume()

    def _on_cursor(self) -> None:
        index = self._scene.index if self._scene.section is not None else None
        if index != self._index:
            self._index = index
            self.measuring.settle()
            self._scene.forget_plane()
            self._state = self._scene.slice_state()
            self._describe()
        self.update()

    def _on_reading(self) -> None:
        if self._scene.slice_state() is not self._state:
            self._on_grey()

    def _on_grey(self) -> None:
        self._index = self._scene.index if self._scene.section is not None else None
        self._scene.forget_grey()
        self._state = self._scene.slice_state()
        self._describe()
        self.update()

    def _on_overlays(self) -> None:
        self._scene.forget_frame()
        self.update()

    def _on_target(self) -> None:
        """Show a voxel: in the middle where the picture is magnified, and with a ring."""
        target = self._session.target
        if target is None or self._framing is None:
            return
        if self._framing.zoom > 1.0:
            self._reframe(self._framing.centred(*self._planes().to_picture(target)))
        self._mark.show(target)

    def _is_on_plane(self, voxel: tuple[int, int, int]) -> bool:
        return self._planes().index_of(voxel) == self._scene.index

    def _on_words(self) -> None:
        self._describe()
        self.update()

    def _describe(self) -> None:
        written = self.annotations()
        lines = (*written.whose, *written.top_left, *written.acquired, *written.top_right)
        texts = (*(line.text for line in lines), written.instead)
        self.setAccessibleDescription(", ".join(filter(None, texts)) or self._what_to_do())
        self.setAccessibleName(f"{self._scene.pane.content.words}, pane {self._number + 1}")

    def _what_to_do(self) -> str:
        """Why there is no picture, or how to get one."""
        press = self._session.manner.press("open-files", "Open files")
        return self._scene.why_nothing() or INVITATION.format(press=press)

    # -- painting ------------------------------------------------------------------------------

    part_name = "The picture"

    def paint(self, painter: QPainter) -> None:
        """Draw the frame, made anew only where something changed, and the texts."""
        view = QRectF(self.rect())
        self._placed = self._paint(painter, on_screen=True)
        if self._lens_at is not None and self._framing is not None:
            with part(painter, "The magnifier", note_place(view, 3)):
                inside = lens_framing(self._framing, self._lens_at)
                lens = self._scene.magnified(inside, self.devicePixelRatioF())
                draw_lens(painter, lens, self._lens_at)
        if self._is_marked_active():
            painter.setPen(QPen(theme.on_image("accent"), 1.0))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(view.adjusted(0.5, 0.5, -0.5, -0.5))
        with part(painter, "The mark", note_place(view, 4)):
            voxel = self._mark.voxel
            if voxel is not None and self._framing is not None and self._is_on_plane(voxel):
                at = self._framing.to_view(*self._planes().to_picture(voxel))
                self._mark.draw(painter, QPointF(*at))

    def _paint(self, painter: QPainter, *, on_screen: bool) -> list[Placed]:
        """Draw one part after the other, so that each stands without the rest."""
        view, canvas = QRectF(self.rect()), theme.on_image("canvas")
        if self._framing is None:
            painter.fillRect(view, canvas)
            draw_invitation(painter, view, self._what_to_do())
            placed = place_parts(Annotations(), view.width(), view.height())
        else:
            # The frame first: the texts say what of it is missing.
            with part(painter, "The picture", view, canvas):
                frame = self._scene.frame(self._framing, self.devicePixelRatioF())
                painter.drawImage(QPointF(0.0, 0.0), frame)
            corners = ALL_CORNERS if on_screen else TELL_NOBODY
            pixel = self._pixel_under_cursor() if on_screen else None
            written = self._scene.annotations(self._framing, pixel, corners)
            placed = place_parts(written, view.width(), view.height())
            with part(painter, "The crosshair", note_place(view, 1)):
                self._draw_crosshair(painter, self._framing, on_screen=on_screen)
            with part(painter, "Measurements", note_place(view, 2)):
                projection = self._projection()
                if projection is not None:
                    taken = [entry.rect for entry in placed]
                    self.measuring.paint(painter, projection, view, taken, on_screen=on_screen)
        draw(painter, placed)
        return placed

    def _draw_crosshair(self, painter: QPainter, framing: Framing, *, on_screen: bool) -> None:
        if self._shows_crosshair():
            at = framing.to_view(*self._planes().to_picture(self._session.cursor))
            draw_crosshair(painter, QPointF(*at), self.width(), self.height())
            self._grips.draw(painter, self._planes(), framing, with_grips=on_screen)

    def _is_marked_active(self) -> bool:
        arrangement = self._session.arrangement
        several = arrangement.layout.count > 1 and not arrangement.maximised
        return several and arrangement.active == self._number

    def _shows_crosshair(self) -> bool:
        arrangement = self._session.arrangement
        return arrangement.crosshair_on and (
            arrangement.layout.count > 1 or self._session.tool is Tool.CROSSHAIR
        )

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

    # -- where things are -----------------------------------------------------------------------

    def _pixel_under_cursor(self) -> tuple[int, int] | None:
        if self._cursor is None or self._framing is None:
            return None
        return self._framing.pixel_at(self._cursor.x(), self._cursor.y())

    def _projection(self) -> Projection | None:
        return None if self._framing is None else self._scene.projection(self._framing)

    def _planes(self) -> Planes:
        section = self._scene.section
        if section is None:
            raise ValueError("no plane is shown")
        return section


def _leans_otherwise(before: _Framed | None, after: _Framed) -> bool:
    """The same series in the same pane, whose oblique plane was turned."""
    if before is None or before[0] is not after[0]:
        return False
    return replace(before[1], tilt=after[1].tilt) == after[1]
