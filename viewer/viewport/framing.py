"""Where the picture lies in the view: fit, zoom and pan as plain numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace

__all__ = ["Framing"]

_LEAST_ZOOM = 0.25
_MOST_ZOOM = 40.0
"""Limits of the zoom, relative to the fitted picture."""


@dataclass(frozen=True, slots=True)
class Framing:
    """A picture in a view; pixels are squares only where the patient's are.

    Picture coordinates count displayed pixels from the outer edge of the first, so pixel (0, 0)
    covers 0 to 1 and its centre lies at 0.5. View coordinates are logical screen pixels.

    Parameters
    ----------
    width, height
        Size of the view.
    columns, rows
        Size of the displayed picture.
    column_mm, row_mm
        Distance between pixel centres along the screen's x and y; any common unit will do.
    zoom
        1 fits the picture into the view.
    centre_x, centre_y
        What is shown in the middle of the view, as a fraction of the picture.
    """

    width: float
    height: float
    columns: int
    rows: int
    column_mm: float = 1.0
    row_mm: float = 1.0
    zoom: float = 1.0
    centre_x: float = 0.5
    centre_y: float = 0.5

    @property
    def pixels_per_mm(self) -> float:
        """Logical screen pixels a mm."""
        fit = min(
            self.width / (self.columns * self.column_mm), self.height / (self.rows * self.row_mm)
        )
        return fit * self.zoom

    @property
    def scale_x(self) -> float:
        """Logical screen pixels a picture column."""
        return self.pixels_per_mm * self.column_mm

    @property
    def scale_y(self) -> float:
        """Logical screen pixels a picture row."""
        return self.pixels_per_mm * self.row_mm

    @property
    def left(self) -> float:
        """View x of the picture's left edge."""
        return self.width / 2.0 - self.centre_x * self.columns * self.scale_x

    @property
    def top(self) -> float:
        """View y of the picture's top edge."""
        return self.height / 2.0 - self.centre_y * self.rows * self.scale_y

    def to_picture(self, x: float, y: float) -> tuple[float, float]:
        """View -> picture coordinates."""
        return (x - self.left) / self.scale_x, (y - self.top) / self.scale_y

    def to_view(self, column: float, row: float) -> tuple[float, float]:
        """Picture -> view coordinates."""
        return self.left + column * self.scale_x, self.top + row * self.scale_y

    def pixel_at(self, x: float, y: float) -> tuple[int, int] | None:
        """Displayed (column, row) under a view position, or None outside the picture."""
        column, row = self.to_picture(x, y)
        if 0 <= column < self.columns and 0 <= row < self.rows:
            return int(column), int(row)
        return None

    def resized(self, width: float, height: float) -> Framing:
        """Same picture in a view of another size."""
        return replace(self, width=max(1.0, width), height=max(1.0, height))

    def fitted(self) -> Framing:
        """Whole picture, centred."""
        return replace(self, zoom=1.0, centre_x=0.5, centre_y=0.5)

    def at_scale(self, pixels_per_mm: float) -> Framing:
        """Same middle, so many logical screen pixels a mm: whatever zoom that takes."""
        return replace(self, zoom=self.zoom * pixels_per_mm / self.pixels_per_mm)

    def centred(self, column: float, row: float) -> Framing:
        """Same zoom, with a point of the picture in the middle of the view."""
        return replace(self, centre_x=column / self.columns, centre_y=row / self.rows)

    def panned(self, dx: float, dy: float) -> Framing:
        """Picture moved by so many view pixels; its middle of view stays inside the picture."""
        x = self.centre_x - dx / (self.columns * self.scale_x)
        y = self.centre_y - dy / (self.rows * self.scale_y)
        return replace(self, centre_x=min(1.0, max(0.0, x)), centre_y=min(1.0, max(0.0, y)))

    def zoomed(self, factor: float, x: float, y: float) -> Framing:
        """Picture magnified, with the point at view position (x, y) kept where it is."""
        column, row = self.to_picture(x, y)
        closer = replace(self, zoom=min(_MOST_ZOOM, max(_LEAST_ZOOM, self.zoom * factor)))
        now_x, now_y = closer.to_view(column, row)
        return closer.panned(x - now_x, y - now_y)
