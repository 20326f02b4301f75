"""The picture, what is laid over it, and the strip of slices under it."""

from viewer.viewport.grid import PaneGrid
from viewer.viewport.strip import SliceStrip
from viewer.viewport.view import SliceView

__all__ = ["PaneGrid", "SliceStrip", "SliceView"]
