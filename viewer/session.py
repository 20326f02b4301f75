"""ReadingSession: the one observable state of the window.

Widgets show it and ask it to change; they never speak to each other. It holds no widget and knows
neither files nor torch.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from inference.findings import Manifestation
from inference.studies.model import Window
from viewer.arrangement import Arrangement
from viewer.choices import AnalysisState, HeatmapChoice, Layer, LayerStyle, Tool
from viewer.early import Early
from viewer.first_window import first_window, percentile_window
from viewer.lesions import LesionList
from viewer.manner import Manner
from viewer.measuring.notebook import Notebook
from viewer.reading import Arrivals, Reading, same_slice

if TYPE_CHECKING:
    from inference.findings import Findings, Heatmap
    from inference.partial import Partial
    from inference.studies.model import Series, Study, Volume

__all__ = ["AnalysisState", "HeatmapChoice", "Layer", "LayerStyle", "ReadingSession", "Tool"]


class ReadingSession(QObject):
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
    layers_changed = Signal()
    tool_changed = Signal()
    findings_changed = Signal()
    early_changed = Signal()
    """More slices of a running analysis arrived, or what had arrived was dropped."""
    heatmap_changed = Signal()
    """The choice or the computed map changed."""
    analysis_changed = Signal()
    """State, stage or counts of the analysis changed."""
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
        self._volume: Volume | None = None
        self._read_seconds = 0.0
        self._cursor = (0.0, 0.0, 0.0)
        self.arrangement = Arrangement(self)
        self._target: tuple[int, int, int] | None = None
        self._window = self._opened_with = self.default_window()
        self._inverted = False
        self._tool = Tool.WINDOW
        self._layers = {key: Layer(key) for key in Manifestation}
        self._overlays_on = True
        self._findings: Findings | None = None
        self._early: Early | None = None
        self._heatmap: Heatmap | None = None
        self._heatmap_choice: HeatmapChoice | None = None
        self._heatmap_opacity = 0.5
        self._heatmap_threshold = 0.0
        self._analysis = AnalysisState.NONE
        self._stage = ("", 0, 0)
        self.lesions = LesionList(self)
        """The lesions of `findings`, one by one."""
        self.measurements = Notebook(self)
        """What was measured on the open series."""
        self.cursor_changed.connect(self._leave_measurement)
        self.measurements.place_wanted.connect(self._show_place)

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
    def volume(self) -> Volume | None:
        """The open series' pixels."""
        return self._volume

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
        if before is not None and before.slices:
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
        self._findings = self._heatmap = self._heatmap_choice = None
        self._analysis = AnalysisState.NONE
        self._stage = ("", 0, 0)
        self._target = None
        self._inverted = False
        self._window = self._opened_with = self.default_window()
        # What is measured on is whole: slices that cannot be decoded will be left out.
        if self._volume is None or self.reading.active:
            self.measurements.close()
        else:
            self.measurements.open(self._volume)
        self.volume_changed.emit()
        self.findings_changed.emit()
        self.heatmap_changed.emit()
        self._drop_early()
        self.analysis_changed.emit()
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
        column, row, slice_ = self._cursor
        self.measurements.leave((round(column), round(row), round(slice_)))

    def _show_place(self, axis: int, index: int) -> None:
        """Go to a plane of the voxel axis; the other two coordinates stay."""
        place = list(self._cursor)
        place[axis] = float(index)
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
        """Use another window; the width stays at least 1."""
        self._window = replace(window, width=max(1.0, float(window.width)))
        self.window_changed.emit()

    def default_window(self) -> Window:
        """By the hanging rule of the modality; see `viewer.first_window`."""
        return first_window(self._volume, self.reading.read)

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

    # -- layers ------------------------------------------------------------------------------

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The three mask layers, in drawing order."""
        return tuple(self._layers[key] for key in Manifestation)

    def layer(self, key: Manifestation) -> Layer:
        """One mask layer."""
        return self._layers[key]

    def update_layer(self, layer: Layer) -> None:
        """Change how a mask is shown."""
        self._layers[layer.key] = layer
        self.layers_changed.emit()

    @property
    def overlays_on(self) -> bool:
        """All overlays (masks and heatmap) are shown at all."""
        return self._overlays_on

    def toggle_overlays(self) -> None:
        """Hide or show every overlay at once."""
        self._overlays_on = not self._overlays_on
        self.layers_changed.emit()

    # -- findings ----------------------------------------------------------------------------

    @property
    def findings(self) -> Findings | None:
        """Findings of the *open* volume, or None; never those of another one."""
        return self._findings

    def set_findings(self, findings: Findings) -> None:
        """Show findings.

        Raises
        ------
        ValueError
            When they belong to another series than the open one.
        """
        if self._volume is None or findings.series_uid != self._volume.series_uid:
            raise ValueError("these findings belong to another series")
        if findings.shape != self._volume.shape:
            raise ValueError("these findings lie on another grid")
        self._findings = findings
        self._analysis = AnalysisState.DONE
        self._heatmap = None
        # The parts of the window go from the early result to the whole one without a gap.
        self._early = None
        self.findings_changed.emit()
        self.early_changed.emit()
        self.analysis_changed.emit()
        self.heatmap_changed.emit()

    def go_to_segment(self, key: Manifestation) -> None:
        """Go to the slice with most of a manifestation."""
        segment = self._findings.segment(key) if self._findings else None
        if segment is not None and segment.largest_slice is not None:
            self.set_position(segment.largest_slice)

    @property
    def heatmap_choice(self) -> HeatmapChoice | None:
        """The class whose heatmap is asked for, or None."""
        return self._heatmap_choice

    @property
    def heatmap(self) -> Heatmap | None:
        """The computed heatmap if it is that of the slice on the screen and of the choice."""
        heatmap, choice = self._heatmap, self._heatmap_choice
        if heatmap is None or choice is None or heatmap.slice_index != self.position:
            return None
        if (heatmap.task, heatmap.class_name) != (choice.task, choice.class_name):
            return None
        return heatmap

    def choose_heatmap(self, choice: HeatmapChoice | None) -> None:
        """Ask for a class's heatmap, or for none."""
        self._heatmap_choice = choice
        self.heatmap_changed.emit()

    def set_heatmap(self, series_uid: str, heatmap: Heatmap) -> None:
        """Show a computed heatmap; one of another series is ignored."""
        if self._volume is not None and self._volume.series_uid == series_uid:
            self._heatmap = heatmap
            self.heatmap_changed.emit()

    @property
    def heatmap_opacity(self) -> float:
        """0 to 1."""
        return self._heatmap_opacity

    def set_heatmap_opacity(self, opacity: float) -> None:
        """Set the heatmap's opacity."""
        self._heatmap_opacity = min(1.0, max(0.0, opacity))
        self.heatmap_changed.emit()

    @property
    def heatmap_threshold(self) -> float:
        """0 to 1; where the map is lower, it is not drawn."""
        return self._heatmap_threshold

    def set_heatmap_threshold(self, threshold: float) -> None:
        """Draw the heatmap from a value on."""
        self._heatmap_threshold = min(1.0, max(0.0, threshold))
        self.heatmap_changed.emit()

    @property
    def early(self) -> Early | None:
        """What has arrived of the running analysis; None before, and when it is over."""
        return self._early

    def add_partial(self, partial: Partial) -> None:
        """Show a group of slices that is finished.

        Ignored when no analysis is running, or when it is of another series or grid.
        """
        volume = self._volume
        if volume is None or self._analysis is not AnalysisState.RUNNING:
            return
        if (partial.series_uid, partial.shape) != (volume.series_uid, volume.shape):
            return
        if self._early is None:
            self._early = Early(partial)
        else:
            self._early.add(partial)
        self.early_changed.emit()

    def _drop_early(self) -> None:
        if self._early is not None:
            self._early = None
            self.early_changed.emit()

    # -- analysis ----------------------------------------------------------------------------

    @property
    def analysis(self) -> AnalysisState:
        """Where the analysis of the open series stands."""
        return self._analysis

    @property
    def stage(self) -> tuple[str, int, int]:
        """(stage in words, done, total) of the running analysis."""
        return self._stage

    def set_analysis(self, state: AnalysisState) -> None:
        """Say where the analysis stands; starting one drops the old findings.

        What had arrived of an analysis is dropped by every change.
        """
        self._analysis = state
        self._stage = ("", 0, 0)
        self._drop_early()
        if state is AnalysisState.RUNNING and self._findings is not None:
            self._findings = None
            self._heatmap = None
            self.findings_changed.emit()
            self.heatmap_changed.emit()
        self.analysis_changed.emit()

    def set_stage(self, stage: str, done: int, total: int) -> None:
        """Progress of the running analysis."""
        self._stage = (stage, done, total)
        self.analysis_changed.emit()

    def post(self, kind: str, sentence: str) -> None:
        """Show a sentence to the reader."""
        self.message_posted.emit(kind, sentence)
