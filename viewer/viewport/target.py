"""A ring round the place that the reader asked to see, for a moment."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QPointF, Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPen

from viewer import theme
from viewer.painting import saved

__all__ = ["TargetMark"]

_SHOWN_MS = 2500
_RADIUS = 22.0
_WIDTH = 2.0
_HALO = 2.0
"""Dark on both sides of the ring, so that it is seen on white, too."""


class TargetMark(QObject):
    """Shows a voxel for a moment, on the planes that it lies in.

    Parameters
    ----------
    changed
        Called when the mark comes or goes.
    """

    def __init__(self, changed: Callable[[], None], parent: QObject) -> None:
        super().__init__(parent)
        self._changed = changed
        self._voxel: tuple[int, int, int] | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SHOWN_MS)
        self._timer.timeout.connect(self.hide)

    def show(self, voxel: tuple[int, int, int]) -> None:
        """Mark a voxel (column, row, slice)."""
        self._voxel = voxel
        self._timer.start()
        self._changed()

    def hide(self) -> None:
        """Mark nothing."""
        self._timer.stop()
        if self._voxel is not None:
            self._voxel = None
            self._changed()

    @property
    def voxel(self) -> tuple[int, int, int] | None:
        """(column, row, slice) of what is marked, or None."""
        return self._voxel

    @staticmethod
    def draw(painter: QPainter, at: QPointF) -> None:
        """Draw the ring."""
        with saved(painter):
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            halo = QColor(theme.on_image("canvas"))
            halo.setAlphaF(0.6)
            for tint, width in ((halo, _WIDTH + 2 * _HALO), (theme.on_image("accent"), _WIDTH)):
                painter.setPen(QPen(tint, width))
                painter.drawEllipse(at, _RADIUS, _RADIUS)
