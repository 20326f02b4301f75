"""How large a pane shows its picture: fit, zoom, pixel by pixel, true size, as large as another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF

from viewer.arrangement import Rescaled, ZoomWish
from viewer.painting import PaintedWidget

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent
    from PySide6.QtWidgets import QWidget

    from viewer.session import ReadingSession
    from viewer.viewport.framing import Framing

__all__ = ["ZoomedWidget"]

_MM_PER_INCH = 25.4


class ZoomedWidget(PaintedWidget):
    """A widget with a picture in it that can be magnified and moved.

    Parameters
    ----------
    session
        Its arrangement hears how large the picture is.
    number
        Of the pane.
    parent
        Owner, or None.
    """

    def __init__(self, session: ReadingSession, number: int, parent: QWidget | None) -> None:
        super().__init__(parent)
        self._arrangement = session.arrangement
        self._number = number
        self._framing: Framing | None = None
        self._arrangement.zoom_asked.connect(self._on_zoom)

    @property
    def scale(self) -> float | None:
        """Logical screen pixels a mm; None where there is no picture."""
        return None if self._framing is None else self._framing.pixels_per_mm

    @property
    def fitted_scale(self) -> float | None:
        """Logical screen pixels a mm at which the whole picture fits; None without a picture."""
        return None if self._framing is None else self._framing.fitted().pixels_per_mm

    def fit(self) -> None:
        """Show the whole picture, centred."""
        if self._framing is not None:
            self._reframe(self._framing.fitted(), fits=True)

    def zoom_by(self, factor: float) -> None:
        """Magnify around the middle of the view."""
        if self._framing is not None:
            middle = QRectF(self.rect()).center()
            self._reframe(self._framing.zoomed(factor, middle.x(), middle.y()))

    def show_pixels(self) -> None:
        """Show one picture pixel on one pixel of the screen, around the same middle."""
        if self._framing is not None:
            smaller = min(self._framing.column_mm, self._framing.row_mm)
            self._reframe(self._framing.at_scale(1.0 / (smaller * self.devicePixelRatioF())))

    def show_true_size(self) -> None:
        """Show a mm of the picture on a mm of the screen, as far as the screen knows its size."""
        if self._framing is not None:
            dots_per_inch = self.screen().physicalDotsPerInch()
            self._reframe(self._framing.at_scale(dots_per_inch / _MM_PER_INCH))

    def show_at(self, pixels_per_mm: float) -> None:
        """Show the picture at a scale, around the same middle."""
        if self._framing is not None:
            self._reframe(self._framing.at_scale(pixels_per_mm))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the middle of the picture in the middle of the view."""
        if self._framing is not None:
            self._framing = self._framing.resized(self.width(), self.height())
            self._tell_scale()
        super().resizeEvent(event)

    def _on_zoom(self, wish: ZoomWish) -> None:
        if self._number == self._arrangement.active:
            doings = {
                ZoomWish.FIT: self.fit,
                ZoomWish.PIXELS: self.show_pixels,
                ZoomWish.TRUE_SIZE: self.show_true_size,
            }
            doings[wish]()

    def _reframe(self, framing: Framing, *, fits: bool = False) -> None:
        before, self._framing = self._framing, framing
        self.update()
        if fits or before is None or before.pixels_per_mm != framing.pixels_per_mm:
            self._tell_scale(wished=True, fits=fits)

    def _tell_scale(self, *, wished: bool = False, fits: bool = False) -> None:
        if self._framing is not None:
            told = Rescaled(self._framing.pixels_per_mm, fits, wished)
            self._arrangement.rescaled.emit(told)
