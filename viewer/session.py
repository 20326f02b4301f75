"""ReadingSession: the one observable state of the window.

Widgets show it and ask it to change; they never speak to each other. It holds no widget and knows
neither files nor torch.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Signal

from inference.studies.model import VoiFunction, Window
from viewer.arrangement import Arrangement
from viewer.choices import AnalysisState, HeatmapChoice, Layer, LayerStyle, Tool
from viewer.first_window import first_window, percentile_window
from viewer.lesion_review import LesionReview
from viewer.manner import Manner
from viewer.measuring.notebook import Notebook
from viewer.measuring.seen import is_seen, pane_that_shows
from viewer.reading import Arrivals, Reading, same_slice
from viewer.results import Results

if TYPE_CHECKING:
    from inference.measurements import Measurement
    from inference.studies.model import Series, Study, Volume

__all__ = ["AnalysisState", "HeatmapChoice", "Layer", "LayerStyle", "ReadingSession", "Tool"]

_LEAST_WIDTH = 1e-3
"""Of a window whose function takes any width above 0."""


class ReadingSession(Results):
    """Study, position, window, layers, tool, findings: what the reader sees.

    Signals say that something changed; the listener reads the new state from the properties.
    """

    studies_changed = Signal()
    volume_changed = Signal()
    """Another volume (or none) is open; findings and heatmap were dropped with the old one. Or the
    one that was being read has become whole: series and position are the same."""
    position_changed = Signal(int)
    cursor_changed = Signal()
    """Another point is looked at; of the slice alone `position_changed` tells as well."""
    target_changed = Signal()
    """The reader asked to see a voxel; the position has already been changed to its slice."""
    window_changed = Signal()
    tool_changed = Signal()
    message_posted = Signal(str, str)
    """(kind, sentence); kind is "info", "warning" or "error"."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.manner = Manner(self)
        self.reading = Reading(self)
        """Which slices of the open series have been read."""
        self._studies: tuple[Study, ...] = ()
        self._study: Study | None = None
        self._series: Series | None = None
        self._read_seconds = 0.0
        self._cursor = (0.0, 0.0, 0.0)
        self.arrangement = Arrangement(self)
        self._target: tuple[int, int, int] | None = None
        self._window = self._opened_with = self.default_window()
        self._inverted = False
        self._tool = Tool.WINDOW
        self.measurements = Notebook(self)
        """What was measured on the open series."""
        self.review = LesionReview(self)
        """What the reader decided of the lesions."""
        self.cursor_changed.connect(self._leave_measurement)
        self.arrangement.panes_changed.connect(self._leave_measurement)
        self.measurements.place_wanted.connect(self._show_measurement)

    # -- studies -----------------------------------------------------------------------------

    @property
    def studies(self) -> tuple[Study, ...]:
        """All that has been opened, newest last."""
        return self._studies

    @property
    def study(self) -> Study | None:
        """The study of the open series."""
        return self._study

    @property
    def series(self) -> Series | None:
        """The open series."""
        return self._series

    @property
    def read_seconds(self) -> float:
        """How long reading the open series took."""
        return self._read_seconds

    def add_studies(self, studies: tuple[Study, ...]) -> None:
        """Add studies to the tree; one already there (same uid) is replaced."""
        uids = {study.uid for study in studies}
        self._studies = tuple(s for s in self._studies if s.uid not in uids) + studies
        self.studies_changed.emit()

    def set_volume(
        self,
        study: Study,
        series: Series,
        volume: Volume,
        read_seconds: float = 0.0,
        arrivals: Arrivals | None = None,
    ) -> None:
        """Show a series; whatever was known of the previous one is dropped.

        With `arrivals` the volume is still being read, and `complete_volume` follows.
        """
        self.reading.end()
        if arrivals is not None:
            self.reading.begin(arrivals, volume.shape[0])
        self._study, self._series, self._volume = study, series, volume
        self._read_seconds = read_seconds
        slices, rows, columns = volume.shape
        self._cursor = (float(columns // 2), float(rows // 2), float(slices // 2))
        self._start_anew()

    def complete_volume(self, volume: Volume, read_seconds: float) -> None:
        """Take the whole volume for the one that was being read; the reader's place is kept.

        Slices that could not be decoded are left out of it: the others go by other indexes.
        """
        before = self._volume
        untouched = self._window == self._opened_with
        self.reading.end()
        self._volume, self._read_seconds = volume, read_seconds
        position = self.position
        if before is not None:
            column, row, _ = self._cursor
            kept = same_slice(before.slices, volume.slices, position)
            self._cursor = (column, row, float(kept))
        self._window = self.default_window() if untouched else self._window
        self.measurements.open(volume)
        self.volume_changed.emit()
        self.analysis_changed.emit()
        self.window_changed.emit()
        if position != self.position:
            self.position_changed.emit(self.position)
        self.cursor_changed.emit()

    def close_volume(self) -> None:
        """Show nothing."""
        if self._volume is None:
            return
        self.reading.end()
        self._study = self._series = self._volume = None
        self._read_seconds, self._cursor = 0.0, (0.0, 0.0, 0.0)
        self._start_anew()

    def _start_anew(self) -> None:
        self._forget_results()
        self._target = None
        self._inverted = False
        self._window = self._opened_with = self.default_window()
        # What is measured on is whole: slices that cannot be decoded will be left out.
        if self._volume is None or self.reading.active:
            self.measurements.close()
        else:
            self.measurements.open(self._volume)
        self.volume_changed.emit()
        self._tell_results()
        self.window_changed.emit()
        self.arrangement.start_afresh()
        self.position_changed.emit(self.position)
        self.cursor_changed.emit()

    # -- position and grey -------------------------------------------------------------------

    @property
    def position(self) -> int:
        """Index of the slice on the screen."""
        return round(self._cursor[2])

    def set_position(self, index: int) -> None:
        """Go to a slice; out-of-range values stop at the ends."""
        column, row, _ = self._cursor
        self.set_cursor((column, row, float(int(index))))

    def step(self, delta: int) -> None:
        """Move by that many slices."""
        self.set_position(self.position + delta)

    @property
    def cursor(self) -> tuple[float, float, float]:
        """The voxel (column, row, slice) that is looked at; all planes go through it."""
        return self._cursor

    def set_cursor(self, voxel: tuple[float, float, float]) -> None:
        """Look at a voxel; out-of-range values stop at the edges."""
        if self._volume is None:
            return
        slices, rows, columns = self._volume.shape
        limits = (columns, rows, slices)
        column, row, slice_ = (
            max(0.0, min(float(value), count - 1.0))
            for value, count in zip(voxel, limits, strict=True)
        )
        before = self.position
        if (column, row, slice_) == self._cursor:
            return
        self._cursor = (column, row, slice_)
        if self.position != before:
            self.reading.look_at(self.position)
            self.position_changed.emit(self.position)
        self.cursor_changed.emit()

    def _leave_measurement(self) -> None:
        volume, panes = self._volume, self.arrangement.panes
        if volume is not None:
            self.measurements.leave(lambda each: is_seen(each, volume, self._cursor, panes))

    def _show_measurement(self, measurement: Measurement) -> None:
        """Go to the plane of a measurement, in a pane that shows it or can be made to."""
        if self._volume is None:
            return
        place = [float(at) for at in np.mean(measurement.points, axis=0)]
        if measurement.slant is None:
            # The other two coordinates stay.
            place, across = list(self._cursor), measurement.axis
            place[across] = float(measurement.plane)
        arrangement = self.arrangement
        wanted = pane_that_shows(measurement, self._volume, arrangement.panes, arrangement.active)
        if wanted is not None:
            arrangement.update_pane(*wanted)
        self.set_cursor((place[0], place[1], place[2]))

    @property
    def target(self) -> tuple[int, int, int] | None:
        """Voxel (column, row, slice) that the reader asked to see last, or None."""
        return self._target

    def go_to_voxel(self, column: int, row: int, slice_: int) -> None:
        """Go to a voxel of the open volume; values out of range stop at the ends."""
        if self._volume is None:
            return
        self.set_cursor((column, row, slice_))
        x, y, z = (round(value) for value in self._cursor)
        self._target = (x, y, z)
        self.target_changed.emit()

    @property
    def window(self) -> Window:
        """The VOI window in use, in the volume's unit."""
        return self._window

    def set_window(self, window: Window) -> None:
        """Use another window; the width stays at least 1, or what its function can take."""
        least = 1.0 if window.function is VoiFunction.LINEAR else _LEAST_WIDTH
        self._window = replace(window, width=max(least, float(window.width)))
        self.window_changed.emit()

    def default_window(self) -> Window:
        """By the hanging rule of the modality; see `viewer.first_window`."""
        return first_window(self._volume, self.reading.read, self.manner.presets)

    def percentile_window(self) -> Window:
        """From the 1st to the 99th percentile of the stored values.

        Raises
        ------
        ValueError
            When nothing is open.
        """
        if self._volume is None:
            raise ValueError("nothing is open")
        return percentile_window(self._volume, self.reading.read)

    @property
    def inverted(self) -> bool:
        """The reader asked for inverted grey (on top of MONOCHROME1)."""
        return self._inverted

    def toggle_invert(self) -> None:
        """Invert grey, or not."""
        self._inverted = not self._inverted
        self.window_changed.emit()

    def reset_view(self) -> None:
        """Fit the picture and go back to the default window."""
        self._inverted = False
        self._window = self.default_window()
        self.window_changed.emit()
        self.arrangement.make_upright()

    @property
    def tool(self) -> Tool:
        """What the left mouse button does."""
        return self._tool

    def set_tool(self, tool: Tool) -> None:
        """Choose what the left mouse button does."""
        self._tool = tool
        self.tool_changed.emit()

    # -- messages ----------------------------------------------------------------------------

    def post(self, kind: str, sentence: str) -> None:
        """Show a sentence to the reader."""
        self.message_posted.emit(kind, sentence)
