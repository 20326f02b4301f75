"""The layers panel: how masks and heatmaps are shown."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSlider,
    QWidget,
)

from inference.findings import Manifestation
from inference.heat_energy import figure_text, warning_text
from viewer.explained import explained_classes
from viewer.panels.guests import GuestRows
from viewer.panels.labels import chip, heading, muted, sentence
from viewer.panels.scrolled import ScrolledPanel
from viewer.panels.words import NOT_COMPUTED
from viewer.session import LayerStyle, ReadingSession

if TYPE_CHECKING:
    from inference.findings import Findings, Heatmap

__all__ = ["LayersPanel"]

_XRAY = ("CR", "DX")


_STYLES = (
    (LayerStyle.FILL, "Fill"),
    (LayerStyle.OUTLINE, "Outline"),
    (LayerStyle.BOTH, "Both"),
)


class LayersPanel(ScrolledPanel):
    """Visible, opacity, fill or outline of each mask; class and opacity of the heatmap.

    Parameters
    ----------
    session
        What is shown and changed.
    """

    def __init__(self, session: ReadingSession, parent: QWidget | None = None) -> None:
        super().__init__("Layers", parent)
        self._session = session
        self._masks = {key: _MaskRow(session, key) for key in Manifestation}
        for row in self._masks.values():
            self.rows.addWidget(row)
        self.rows.addWidget(heading("Heatmap (not a segmentation)"))
        self._classes = QComboBox()
        self._classes.setObjectName("heatmap-class")
        self._classes.setAccessibleName("Class explained by the heatmap")
        self._classes.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self._classes.setToolTip("Show what spoke for a class in this slice")
        self.rows.addWidget(self._classes)
        self._opacity = _OpacityRow("heatmap-opacity", "Opacity of the heatmap")
        self.rows.addWidget(self._opacity)
        self.rows.addWidget(muted("Drawn from this value on:"))
        self._threshold = _OpacityRow("heatmap-threshold", "Value from which the heatmap is drawn")
        self.rows.addWidget(self._threshold)
        self._warning = sentence("", "warning")
        self._warning.setObjectName("heatmap-warning")
        self.rows.addWidget(self._warning)
        self._energy = sentence("")
        self._energy.setObjectName("heatmap-energy")
        self._energy.setToolTip(
            "The share of the heat that lies inside the lungs, and the share that a map without "
            "any preference would have there: that of the lungs' area in what the network saw. "
            "No interval is known for one slice."
        )
        self.rows.addWidget(self._energy)
        self._legend = muted("")
        self._legend.setObjectName("heatmap-legend")
        self.rows.addWidget(self._legend)
        self.rows.addWidget(GuestRows(session))
        self.rows.addStretch(1)
        for control in self.viewport().findChildren(QWidget):
            # A click leaves the keys with the picture; Tab reaches every control all the same.
            if control.focusPolicy() != Qt.FocusPolicy.NoFocus and not isinstance(control, QLabel):
                control.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._classes.currentIndexChanged.connect(self._choose)
        self._opacity.slider.valueChanged.connect(self._set_heatmap_opacity)
        self._threshold.slider.valueChanged.connect(self._set_heatmap_threshold)
        session.findings_changed.connect(self._list_classes)
        session.volume_changed.connect(self._show_rows)
        session.heatmap_changed.connect(self._show_heatmap)
        session.position_changed.connect(self._show_heatmap)
        session.layers_changed.connect(self._show_heatmap)
        session.manner.keys_changed.connect(self._show_heatmap)
        self._list_classes()
        self._show_rows()

    def _show_rows(self) -> None:
        """Masks are of CT alone: on an X-ray there is nothing to show or hide."""
        volume = self._session.volume
        for row in self._masks.values():
            row.setVisible(volume is None or volume.modality not in _XRAY)

    def _list_classes(self) -> None:
        findings = self._session.findings
        with QSignalBlocker(self._classes):
            self._classes.clear()
            self._classes.addItem("None", None)
            for choice, text in explained_classes(findings):
                self._classes.addItem(text, choice)
        self._show_heatmap()

    def _show_heatmap(self) -> None:
        session = self._session
        choices = [self._classes.itemData(i) for i in range(self._classes.count())]
        wanted = session.heatmap_choice
        sliders = (self._opacity.slider, self._threshold.slider)
        with QSignalBlocker(self._classes), QSignalBlocker(sliders[0]), QSignalBlocker(sliders[1]):
            self._threshold.show_value(session.heatmap_threshold)
            self._classes.setCurrentIndex(choices.index(wanted) if wanted in choices else 0)
            self._opacity.show_value(session.heatmap_opacity)
        stale = session.kept is not None and session.kept.stale
        self._classes.setEnabled(len(choices) > 1 and not stale)
        self._opacity.setEnabled(wanted is not None)
        self._threshold.setEnabled(wanted is not None)
        self._legend.setText(self._legend_text())
        # What is not on the picture is not spoken of.
        shown = session.heatmap if session.overlays_on else None
        for label, text in (
            (self._warning, warning_text(shown.lungs) if shown else ""),
            (self._energy, _energy_text(shown) if shown else ""),
        ):
            label.setText(text.replace(" %", "\N{NO-BREAK SPACE}%"))
            label.setVisible(bool(text))

    def _legend_text(self) -> str:
        session = self._session
        if session.findings is None:
            return "Heatmaps can be asked for after an analysis."
        if session.kept is not None and session.kept.stale:
            return "No heatmaps: the findings are not of the models that would explain them."
        if session.heatmap_choice is None:
            return "No class is explained."
        if session.heatmap is None:
            return "Computed when you stay on a slice."
        if not session.overlays_on:
            return f"Hidden: all overlays are off; {session.manner.press('overlays', 'Overlays')}."
        return (
            f"{session.heatmap.method}. 0 = no evidence, 1 = most in this slice. "
            f"An explanation, not a segmentation.{_part_text(session.findings, session.heatmap)}"
        )

    def _choose(self, index: int) -> None:
        self._session.choose_heatmap(self._classes.itemData(index))

    def _set_heatmap_opacity(self, percent: int) -> None:
        self._session.set_heatmap_opacity(percent / 100)

    def _set_heatmap_threshold(self, percent: int) -> None:
        self._session.set_heatmap_threshold(percent / 100)


def _part_text(findings: Findings, heatmap: Heatmap) -> str:
    """That a map explains one of several models, where several spoke."""
    estimate = findings.estimate(heatmap.task)
    if estimate is None or len(estimate.voices) < 2:
        return ""
    others = " and ".join(name for name in estimate.voices if name != heatmap.model)
    return (
        f" It explains {heatmap.model} alone: the probability is joined with {others}, which the "
        "map leaves out."
    )


def _energy_text(heatmap: Heatmap) -> str:
    if heatmap.empty:
        return f"Nothing in this slice speaks for {heatmap.explained.label}: the map is empty."
    if heatmap.lungs is None:
        return f"Heat inside the lungs: {NOT_COMPUTED}, since no lung mask is known."
    return figure_text(heatmap.lungs)


class _OpacityRow(QWidget):
    """A slider from 0 to 100 % and its number."""

    def __init__(self, name: str, accessible: str) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setObjectName(name)
        self.slider.setAccessibleName(accessible)
        self.slider.setToolTip(accessible)
        self.slider.setRange(0, 100)
        self._number = QLabel()
        self._number.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._number.setMinimumWidth(self.fontMetrics().horizontalAdvance("100 %") + 2)
        row.addWidget(self.slider, 1)
        row.addWidget(self._number)

    def show_value(self, opacity: float) -> None:
        """Show an opacity in [0, 1]."""
        self.slider.setValue(round(opacity * 100))
        self._number.setText(f"{round(opacity * 100)} %")


class _MaskRow(QWidget):
    """One manifestation: visible, fill or outline, opacity."""

    def __init__(self, session: ReadingSession, key: Manifestation) -> None:
        super().__init__()
        self._session = session
        self._key = key
        self.visible_box = QCheckBox(key.label)
        self.visible_box.setObjectName(f"visible-{key.value}")
        self.visible_box.setToolTip(f"Show or hide {key.label.lower()}")
        self.style_box = QComboBox()
        self.style_box.setObjectName(f"style-{key.value}")
        self.style_box.setAccessibleName(f"{key.label}: fill, outline or both")
        self.style_box.setToolTip("Fill the mask, draw its outline, or both")
        for style, text in _STYLES:
            self.style_box.addItem(text, style)
        self.opacity = _OpacityRow(f"opacity-{key.value}", f"Opacity of {key.label.lower()}")
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        grid.addWidget(chip(key), 0, 0)
        grid.addWidget(self.visible_box, 0, 1)
        grid.addWidget(self.style_box, 0, 2)
        grid.addWidget(self.opacity, 1, 1, 1, 2)
        grid.setColumnStretch(1, 1)
        self.visible_box.toggled.connect(self._set_visible)
        self.style_box.currentIndexChanged.connect(self._set_style)
        self.opacity.slider.valueChanged.connect(self._set_opacity)
        session.layers_changed.connect(self._show)
        session.manner.keys_changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        layer = self._session.layer(self._key)
        boxes = (self.visible_box, self.style_box, self.opacity.slider)
        blockers = [QSignalBlocker(box) for box in boxes]
        self.visible_box.setChecked(layer.visible)
        self.style_box.setCurrentIndex(self.style_box.findData(layer.style))
        self.opacity.show_value(layer.opacity)
        for blocker in blockers:
            blocker.unblock()
        press = self._session.manner.press("overlays", "Overlays")
        self.setToolTip("" if self._session.overlays_on else f"All overlays are off: {press}")

    def _set_visible(self, visible: bool) -> None:
        layer = self._session.layer(self._key)
        self._session.update_layer(replace(layer, visible=visible))

    def _set_style(self, index: int) -> None:
        style = LayerStyle(self.style_box.itemData(index))
        self._session.update_layer(replace(self._session.layer(self._key), style=style))

    def _set_opacity(self, percent: int) -> None:
        layer = self._session.layer(self._key)
        self._session.update_layer(replace(layer, opacity=percent / 100))
