"""One zoom for linked series: a millimetre is as long on the screen in all of their panes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from viewer.arrangement import Rescaled
from viewer.comparing import Comparison, Link

if TYPE_CHECKING:
    from viewer.viewport import PaneGrid, SliceView

__all__ = ["OneZoom"]


class OneZoom(QObject):
    """Keeps all panes of two linked series at one number of screen pixels a mm.

    Where a picture fits its pane, all of them fit: the scale is the largest at which none is cut
    off. Where distances are unknown, each pane keeps a zoom of its own.

    Parameters
    ----------
    comparison
        Says whether two series are linked; the owner.
    panes
        Of the open series.
    beside
        The pane of the other.
    """

    def __init__(self, comparison: Comparison, panes: PaneGrid, beside: SliceView) -> None:
        super().__init__(comparison)
        self._comparison = comparison
        self._sessions = comparison.sessions
        self._panes, self._beside = panes, beside
        self._shared: float | None = None
        self._busy = False
        comparison.changed.connect(self._begin)
        for session in self._sessions:
            session.arrangement.rescaled.connect(self._follow)

    def _is_on(self) -> bool:
        volumes = [session.volume for session in self._sessions]
        known = all(volume is not None and volume.has_geometry for volume in volumes)
        return known and self._comparison.link is not Link.NONE

    def _begin(self) -> None:
        """Newly linked, or linked no more: all of them fit, then each is as it was left."""
        self._shared = None
        if self._is_on():
            self._apply()

    def _follow(self, told: Rescaled) -> None:
        """One pane was zoomed, fitted or made larger: the others follow."""
        if self._busy or not self._is_on():
            return
        if told.wished:
            self._shared = None if told.fits else told.pixels_per_mm
        self._apply()

    def _apply(self) -> None:
        shown = [view for view in (*self._panes.views, self._beside) if view.isVisible()]
        fitted = [scale for view in shown if (scale := view.fitted_scale) is not None]
        if not fitted:
            return
        scale = min(fitted) if self._shared is None else self._shared
        with self._leading():
            for view in shown:
                view.show_at(scale)

    @contextmanager
    def _leading(self) -> Iterator[None]:
        self._busy = True
        try:
            yield
        finally:
            self._busy = False
