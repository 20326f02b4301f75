"""What the machine said of the open volume, and how it is shown: the half of the session that an
analysis fills."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from inference.findings import Manifestation
from inference.grids import same_grid
from viewer.choices import AnalysisState, HeatmapChoice, KeptFrom, Layer
from viewer.early import Early
from viewer.guests import Guests
from viewer.lesions import LesionList
from viewer.series_states import SeriesState, SeriesStates, Standing

if TYPE_CHECKING:
    from inference.findings import Findings, Heatmap
    from inference.partial import Partial
    from inference.studies.model import Volume

__all__ = ["Results"]


class Results(QObject):
    """Findings, early results, heatmap, layers and the state of the analysis of one volume.

    `viewer.session.ReadingSession` adds the volume and the place that is looked at.
    """

    layers_changed = Signal()
    findings_changed = Signal()
    early_changed = Signal()
    """More slices of a running analysis arrived, or what had arrived was dropped."""
    heatmap_changed = Signal()
    """The choice or the computed map changed."""
    analysis_changed = Signal()
    """State, stage or counts of the analysis changed."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._volume: Volume | None = None
        self._layers = {key: Layer(key) for key in Manifestation}
        self._overlays_on = True
        self._findings: Findings | None = None
        self._kept: KeptFrom | None = None
        self._early: Early | None = None
        self._heatmap: Heatmap | None = None
        self._heatmap_choice: HeatmapChoice | None = None
        self._heatmap_opacity = 0.5
        self._heatmap_threshold = 0.0
        self._analysis = AnalysisState.NONE
        self._stage = ("", 0, 0)
        self.lesions = LesionList(self)
        """The lesions of `findings`, one by one."""
        self.guests = Guests(self)
        """Segmentations from files, which are no findings."""
        self.states = SeriesStates(self)
        """Where the analysis of each series stands."""

    @property
    def volume(self) -> Volume | None:
        """The open series' pixels."""
        return self._volume

    @property
    def position(self) -> int:
        """Index of the slice on the screen."""
        raise NotImplementedError

    def set_position(self, index: int) -> None:
        """Go to a slice."""
        raise NotImplementedError

    def _forget_results(self) -> None:
        """Another volume: nothing is known of it; `_tell_results` says so."""
        self._findings = self._heatmap = self._heatmap_choice = self._kept = self._early = None
        self._analysis = AnalysisState.NONE
        self._stage = ("", 0, 0)

    def _tell_results(self) -> None:
        self.findings_changed.emit()
        self.heatmap_changed.emit()
        self.early_changed.emit()
        self.analysis_changed.emit()

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

    def show_all_layers(self) -> None:
        """Hide no mask, whatever was hidden for another purpose."""
        self._layers = {key: replace(layer, visible=True) for key, layer in self._layers.items()}
        self._overlays_on = True
        self.layers_changed.emit()

    # -- findings ----------------------------------------------------------------------------

    @property
    def findings(self) -> Findings | None:
        """Findings of the *open* volume, or None; never those of another one."""
        return self._findings

    @property
    def kept(self) -> KeptFrom | None:
        """That `findings` were made at an earlier time, and whether they are stale; else None."""
        return self._kept

    def set_findings(self, findings: Findings, kept: KeptFrom | None = None) -> None:
        """Show findings.

        Parameters
        ----------
        findings
            Of the open volume.
        kept
            When and with what they were made, where that was at an earlier time.

        Raises
        ------
        ValueError
            When they belong to another series than the open one, or lie on another grid.
        """
        if self._volume is None or findings.series_uid != self._volume.series_uid:
            raise ValueError("these findings belong to another series")
        grid = self._volume.shape, self._volume.affine
        if not same_grid(findings.shape, findings.affine, *grid):
            raise ValueError("these findings lie on another grid")
        self._findings, self._kept = findings, kept
        self._analysis = AnalysisState.DONE
        standing = Standing.STALE if kept is not None and kept.stale else Standing.DONE
        made, because = ("", "") if kept is None else (kept.made, kept.because)
        self.states.put(findings.series_uid, SeriesState(standing, made=made, why=because))
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
        if (heatmap.task, heatmap.explained.key) != (choice.task, choice.key):
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
        """Say where the analysis stands; starting one drops the old findings, shows all layers.

        What had arrived of an analysis is dropped by every change.
        """
        at_work = {AnalysisState.WAITING, AnalysisState.RUNNING}
        begun = state in at_work
        is_new = begun and self._analysis not in at_work
        self._analysis = state
        self._stage = ("", 0, 0)
        self._drop_early()
        if is_new:
            self.show_all_layers()
        if begun and self._findings is not None:
            self._findings = self._kept = None
            self._heatmap = None
            self.findings_changed.emit()
            self.heatmap_changed.emit()
        self.analysis_changed.emit()

    def set_stage(self, stage: str, done: int, total: int) -> None:
        """Progress of the running analysis."""
        self._stage = (stage, done, total)
        self.analysis_changed.emit()
