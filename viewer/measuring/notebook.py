"""The measurements of the open series: observable, undoable, one list a grid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from inference.measurements import Kind, Measurement, Point, Slant, Values, measure
from inference.measurements.model import grid_key
from inference.merging import merged
from viewer.measuring.history import History, Step

if TYPE_CHECKING:
    from inference.measurements.slabs import SlabPlanes
    from inference.studies.model import Volume

__all__ = ["Notebook"]


@dataclass(slots=True)
class _Page:
    """What is known of one grid of one series."""

    measurements: tuple[Measurement, ...] = ()
    history: History = field(default_factory=History)
    loaded: bool = False


@dataclass(frozen=True, slots=True)
class _Change:
    """A step: one list instead of another. Measurements are small and frozen."""

    page: _Page
    before: tuple[Measurement, ...]
    after: tuple[Measurement, ...]

    def do(self) -> None:
        """Do to the list what made the new one of the old one."""
        self._turn(self.before, self.after)

    def undo(self) -> None:
        """Do the contrary."""
        self._turn(self.after, self.before)

    def _turn(self, old: tuple[Measurement, ...], new: tuple[Measurement, ...]) -> None:
        """Take the new list, with what another window has added to the old one meanwhile."""
        if self.page.measurements == old:
            self.page.measurements = new
            return
        sides = [{each.id: each for each in side} for side in (old, new, self.page.measurements)]
        together = merged(*sides).values()
        self.page.measurements = tuple(sorted(together, key=lambda each: each.number))

    def concerned(self) -> Measurement | None:
        """One that is in the list now and was changed; None where some went."""
        names = {each.id for each in set(self.before) ^ set(self.after)}
        return next((each for each in self.page.measurements if each.id in names), None)


class Notebook(QObject):
    """Everything measured on the open series, in the order of its numbers.

    Coming back to a series shows its measurements again, with their history.
    """

    changed = Signal()
    """The list or its history changed, or another series is open."""
    selection_changed = Signal()
    place_wanted = Signal(object)
    """`Measurement`: this one is to be seen."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pages: dict[str, _Page] = {}
        self._page = _Page()
        self._volume: Volume | None = None
        self._selected = ""
        self._values: dict[Measurement, Values] = {}

    # -- which series --------------------------------------------------------------------------

    def open(self, volume: Volume) -> None:
        """Turn to a series; what was measured on it in this run is there again."""
        self._volume = volume
        self._page = self._pages.setdefault(grid_key(volume), _Page())
        self._values.clear()
        self._selected = ""
        self.changed.emit()
        self.selection_changed.emit()

    def close(self) -> None:
        """Turn to nothing; what was measured is there again when its series is."""
        self._volume = None
        self._page = _Page()
        self._values.clear()
        self._selected = ""
        self.changed.emit()
        self.selection_changed.emit()

    @property
    def volume(self) -> Volume | None:
        """What is measured."""
        return self._volume

    @property
    def loaded(self) -> bool:
        """What was kept of this series has been restored in this run."""
        return self._page.loaded

    def restore(self, measurements: Sequence[Measurement]) -> None:
        """Show what was kept from an earlier run; this is no step to undo."""
        self._page.measurements = tuple(measurements)
        self._page.loaded = True
        self.changed.emit()

    def take(self, measurements: Sequence[Measurement]) -> None:
        """Show what another window has changed as well; this is no step to undo."""
        self._page.measurements = tuple(measurements)
        self._tell()

    # -- what is there -------------------------------------------------------------------------

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        """All of the open series, by number."""
        return self._page.measurements

    def get(self, measurement_id: str) -> Measurement | None:
        """One of them, or None."""
        return next((each for each in self.measurements if each.id == measurement_id), None)

    def values(self, measurement: Measurement) -> Values:
        """What a measurement says of the open series, computed once.

        Raises
        ------
        ValueError
            When nothing is open.
        """
        if self._volume is None:
            raise ValueError("no volume is open")
        if measurement not in self._values:
            self._values[measurement] = measure(measurement, self._volume)
        return self._values[measurement]

    def forget_values(self) -> None:
        """Compute every number anew: the pixels of the open volume have changed."""
        self._values.clear()
        self.changed.emit()

    # -- selection -----------------------------------------------------------------------------

    @property
    def selected(self) -> Measurement | None:
        """The one that keys and handles work on."""
        return self.get(self._selected)

    def select(self, measurement_id: str) -> None:
        """Select one, or none with an empty name."""
        if measurement_id != self._selected:
            self._selected = measurement_id
            self.selection_changed.emit()

    def show(self, measurement_id: str) -> None:
        """Select one, and ask for a plane that it lies on."""
        found = self.get(measurement_id)
        if found is not None:
            self.place_wanted.emit(found)
            self.select(measurement_id)

    def leave(self, seen: Callable[[Measurement], bool]) -> None:
        """Other planes are looked at: keys must not work on what nobody sees.

        Parameters
        ----------
        seen
            Says whether a measurement lies in any of them.
        """
        selected = self.selected
        if selected is not None and not seen(selected):
            self.select("")

    # -- changes, each a step to undo ----------------------------------------------------------

    def add(
        self,
        kind: Kind,
        points: Sequence[Point],
        axis: int,
        text: str = "",
        slant: Slant | None = None,
        slab: SlabPlanes | None = None,
    ) -> Measurement:
        """Add one, selected.

        Raises
        ------
        ValueError
            When nothing is open, or the points make no such measurement.
        """
        if self._volume is None:
            raise ValueError("no volume is open")
        number = max((each.number for each in self.measurements), default=0) + 1
        made = Measurement.on(
            self._volume, kind, points, axis, number=number, text=text, slant=slant, slab=slab
        )
        self._do((*self.measurements, made))
        self.select(made.id)
        return made

    def move(self, measurement: Measurement, points: Sequence[Point]) -> None:
        """Put one at other points."""
        if self._volume is not None:
            self.change(measurement.moved(self._volume, points))

    def change(self, measurement: Measurement) -> None:
        """Put a changed one in the place of the one with its id; nothing where none is."""
        after = tuple(measurement if m.id == measurement.id else m for m in self.measurements)
        if after != self.measurements:
            self._do(after)

    def set_text(self, measurement_id: str, text: str) -> None:
        """Write another note."""
        known = self.get(measurement_id)
        if known is not None:
            self.change(replace(known, text=text))

    def remove(self, measurement_id: str) -> None:
        """Delete one."""
        if self.get(measurement_id) is not None:
            self._do(tuple(m for m in self.measurements if m.id != measurement_id))

    def remove_all(self) -> None:
        """Delete all of the open series, in one step."""
        if self.measurements:
            self._do(())

    def _do(self, after: tuple[Measurement, ...]) -> None:
        self.do(_Change(self._page, self.measurements, after))

    def _tell(self) -> None:
        gone = self._selected and self.selected is None
        if gone:
            self._selected = ""
        self.changed.emit()
        if gone:
            self.selection_changed.emit()

    def do(self, step: Step) -> None:
        """Do anything that can be undone, in the history of the open series."""
        self._page.history.do(step)
        self._tell()

    # -- undo ----------------------------------------------------------------------------------

    @property
    def can_undo(self) -> bool:
        """There is something to undo in the open series."""
        return self._page.history.can_undo

    @property
    def can_redo(self) -> bool:
        """There is something to do again in the open series."""
        return self._page.history.can_redo

    def undo(self) -> None:
        """Undo the last change, and show what it brought back."""
        self._show_concerned(self._page.history.undo())

    def redo(self) -> None:
        """Do the last undone change again, and show what it brought back."""
        self._show_concerned(self._page.history.redo())

    def _show_concerned(self, step: object) -> None:
        self._tell()
        concerned = step.concerned() if isinstance(step, _Change) else None
        if concerned is not None:
            self.show(concerned.id)
