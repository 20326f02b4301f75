"""Which panes the window shows, and how: the part of the session that is not about the study."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto

from PySide6.QtCore import QObject, Signal

from viewer.panes import Content, Layout, Pane, Slab, fill

__all__ = ["CINE_SPEEDS", "Arrangement", "Rescaled", "ZoomWish"]

CINE_SPEEDS = (2.0, 5.0, 10.0, 15.0, 20.0, 30.0)
"""Slices a second that can be chosen."""
_FIRST_SPEED = 10.0


@dataclass(frozen=True, slots=True)
class Rescaled:
    """How large a pane shows its picture now.

    Parameters
    ----------
    pixels_per_mm
        Logical screen pixels a mm.
    fits
        The whole picture was asked for.
    wished
        The reader zoomed; else the pane or its picture changed.
    """

    pixels_per_mm: float
    fits: bool
    wished: bool


class ZoomWish(Enum):
    """How large the active pane's picture is wanted."""

    FIT = auto()
    PIXELS = auto()
    """One pixel of the picture on one of the screen."""
    TRUE_SIZE = auto()
    """One mm of the picture on one of the screen."""


class Arrangement(QObject):
    """Layout, panes, the active one, crosshair and cine.

    Signals say that something changed; the listener reads the new state from the properties.
    """

    layout_changed = Signal()
    """Other panes, or in other places."""
    panes_changed = Signal()
    """What a pane shows or how, or which one is active."""
    zoom_asked = Signal(object)
    """`ZoomWish` for the active pane."""
    rescaled = Signal(object)
    """`Rescaled`: a pane shows its picture larger or smaller."""
    cine_changed = Signal()
    """The slices began or ceased to run by themselves, or at another speed."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._layout = Layout("One")
        self._panes = fill(self._layout, ())
        self._active = 0
        self._maximised = False
        self._crosshair_on = True
        self._is_running = False
        self._speed = _FIRST_SPEED

    @property
    def layout(self) -> Layout:
        """Where the panes stand."""
        return self._layout

    @property
    def panes(self) -> tuple[Pane, ...]:
        """What each shows, in the order of the layout."""
        return self._panes

    @property
    def active(self) -> int:
        """Number of the pane that commands are for."""
        return self._active

    @property
    def active_pane(self) -> Pane:
        """What the active pane shows."""
        return self._panes[self._active]

    @property
    def oblique(self) -> int | None:
        """Number of the pane with oblique planes, the active or else the first; None: no such."""
        shown = [n for n, pane in enumerate(self._panes) if pane.content is Content.OBLIQUE]
        if self._active in shown:
            return self._active
        return shown[0] if shown else None

    @property
    def maximised(self) -> bool:
        """The active pane alone is shown for the time being."""
        return self._maximised

    def set_layout(self, layout: Layout) -> None:
        """Arrange the panes anew; those that stay keep how they show it."""
        self._layout = layout
        self._panes = fill(layout, self._panes)
        self._active = min(self._active, layout.count - 1)
        self._maximised = False
        self.layout_changed.emit()
        self.panes_changed.emit()

    def update_pane(self, number: int, pane: Pane) -> None:
        """Change what a pane shows, or how."""
        if self._panes[number] == pane:
            return
        panes = list(self._panes)
        panes[number] = pane
        self._panes = tuple(panes)
        self._layout = self._layout.showing(each.content for each in panes)
        self.panes_changed.emit()

    def update_active(self, pane: Pane) -> None:
        """Change the active pane."""
        self.update_pane(self._active, pane)

    def show_in_active(self, content: Content) -> None:
        """Show other planes in the active pane."""
        self.update_active(replace(self.active_pane, content=content))

    def set_slab(self, slab: Slab) -> None:
        """Show one plane, or several as one, in the active pane."""
        self.update_active(replace(self.active_pane, slab=slab))

    def activate(self, number: int) -> None:
        """Make a pane the one that commands are for."""
        if 0 <= number < len(self._panes) and number != self._active:
            self._active = number
            self.panes_changed.emit()

    def maximise(self, on: bool) -> None:
        """Show the active pane alone, or all of them again."""
        on = on and self._layout.count > 1
        if on != self._maximised:
            self._maximised = on
            self.layout_changed.emit()

    def make_upright(self) -> None:
        """Undo what was done to the active pane's picture, and fit it."""
        self.update_active(self.active_pane.upright())
        self.ask_zoom(ZoomWish.FIT)

    def ask_zoom(self, wish: ZoomWish) -> None:
        """Ask for the active pane's picture to be so large."""
        self.zoom_asked.emit(wish)

    def start_afresh(self) -> None:
        """Another volume is open: one plane at a time, nothing turned, nothing running."""
        self._panes = tuple(pane.upright() for pane in self._panes)
        self.panes_changed.emit()
        self.stop_cine()

    # -- crosshair ---------------------------------------------------------------------------

    @property
    def crosshair_on(self) -> bool:
        """Where several planes are shown, each shows where the others lie."""
        return self._crosshair_on

    def toggle_crosshair(self) -> None:
        """Show or hide where the other planes lie."""
        self._crosshair_on = not self._crosshair_on
        self.panes_changed.emit()

    # -- cine --------------------------------------------------------------------------------

    @property
    def cine_speed(self) -> float:
        """Slices a second, while they run."""
        return self._speed

    @property
    def cine_running(self) -> bool:
        """The planes of the active pane run by themselves."""
        return self._is_running

    def toggle_cine(self) -> None:
        """Let the planes of the active pane run by themselves, or stop them."""
        self._is_running = not self._is_running
        self.cine_changed.emit()

    def stop_cine(self) -> None:
        """Stop them, if they run."""
        if self._is_running:
            self.toggle_cine()

    def change_speed(self, steps: int) -> None:
        """Let them run faster or slower, by so many of `CINE_SPEEDS`."""
        place = CINE_SPEEDS.index(self._speed) + steps
        self._speed = CINE_SPEEDS[max(0, min(place, len(CINE_SPEEDS) - 1))]
        self.cine_changed.emit()
