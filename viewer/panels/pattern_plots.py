"""The four findings of DeepSC-COVID as plots: this study beside the published values."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from inference.lesion_data import DEPTHS_MM, HU_EDGES, PERIPHERAL_MM
from viewer import theme
from viewer.panels.labels import heading, muted, sentence
from viewer.panels.published_lesions import load_published_lesions
from viewer.panels.words import NOT_COMPUTED, quantity

if TYPE_CHECKING:
    from PySide6.QtGui import QColor

    from inference.lesion_data import HuHistogram, Patterns, PeripheralCurve
    from viewer.panels.published_lesions import PublishedValues

__all__ = ["PatternPlots"]

_HEIGHT = 124
_TURN = 0.6
"""Names of values beyond so much of the axis stand on the left of their line."""
_LINES = {"COVID-19": Qt.PenStyle.DashLine, "CAP": Qt.PenStyle.DotLine}
"""The published diseases differ by their line and their name: colour is the study's own."""


class PatternPlots(QWidget):
    """Count, share of the lungs, HU and periphery, each with its source in words."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.patterns: Patterns | None = None
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(8)
        published = load_published_lesions()
        lines = (
            "This study beside what was published of COVID-19 and of community-acquired pneumonia "
            "(CAP). Not a diagnosis: the published lesions were drawn by radiologists in one "
            "hospital, these are a network's."
        )
        rows.addWidget(sentence(lines))
        self.count = _Plot("pattern-count", "lesions")
        self.share = _Plot("pattern-share", "% of the lungs")
        self.density = _Plot("pattern-density", "HU", f"% per {HU_EDGES[1] - HU_EDGES[0]} HU")
        self.periphery = _Plot("pattern-periphery", "mm from the lung's surface", "% of lesions")
        for plot in (self.count, self.share, self.density, self.periphery):
            rows.addWidget(plot)
        rows.addWidget(muted(f"Published: {published.source}. {published.what}"))
        rows.addWidget(
            muted("Ground glass and consolidation together; where they touch they are one lesion.")
        )
        rows.addStretch(1)

    def show_patterns(self, patterns: Patterns) -> None:
        """Draw a study."""
        self.patterns = patterns
        published = load_published_lesions()
        self.count.show_number(
            "Opacities, touching ones counted once",
            patterns.count,
            str(patterns.count),
            published.count,
        )
        percent = patterns.percent_of_lung
        self.share.show_number(
            "Share of the lungs", percent, quantity(percent, "%"), published.percent_of_lung
        )
        self._show_density(patterns.histogram, empty=patterns.count == 0)
        self._show_periphery(patterns.periphery)

    def _show_density(self, histogram: HuHistogram | None, *, empty: bool) -> None:
        published, plot = load_published_lesions(), self.density
        plot.begin("Density of the lesions")
        known = "; ".join(
            f"{group.disease} more than {group.percent:g} % in "
            + " and ".join(f"{_signed(low)} to {_signed(high)}" for low, high in group.ranges)
            for group in published.hu
        )
        said = []
        if histogram is None:
            said.append(f"This study: {'nothing to measure' if empty else NOT_COMPUTED}.")
        else:
            shares = 100.0 * np.array(histogram.shares)
            plot.steps(np.array(HU_EDGES, float), shares)
            here = "; ".join(
                f"{quantity(100 * sum(histogram.between(*r) for r in group.ranges), '%')} of the "
                f"voxels in the range of {group.disease}"
                for group in published.hu
            )
            said.append(f"This study: {here}.")
            beyond = histogram.below + histogram.above
            if beyond > 0.0:
                said.append(f"{quantity(100 * beyond, '%')} lies outside the picture.")
        top = 1.0 if histogram is None else max(1.0, 100.0 * max(histogram.shares))
        for level, group in enumerate(published.hu):
            plot.ranges(group.disease, group.ranges, top * (1.38 - 0.22 * level))
        plot.limits((HU_EDGES[0], HU_EDGES[-1]), (0.0, 1.55 * top))
        plot.end(f"{' '.join(said)} Published: {known}.", published.hu_where)

    def _show_periphery(self, curve: PeripheralCurve | None) -> None:
        values, plot = load_published_lesions().peripheral_percent, self.periphery
        plot.begin("Peripheral lesion ratio")
        for disease, value in values.values:
            plot.level(disease, value)
        plot.limits((DEPTHS_MM[0], DEPTHS_MM[-1]), (0.0, 108.0))
        if curve is None:
            said = f"This study: {NOT_COMPUTED}, since no lesion lies in a known lung."
        else:
            plot.curve(np.array(DEPTHS_MM, float), 100.0 * np.array(curve.ratios))
            here = 100.0 * curve.ratios[DEPTHS_MM.index(int(PERIPHERAL_MM))]
            said = f"This study: {quantity(here, '%')} within {PERIPHERAL_MM:g} mm."
            if curve.inside < 0.995:
                said += (
                    f" {quantity(100 * (1 - curve.inside), '%')} of the lesions' volume lies "
                    "outside the lung mask and is left out."
                )
        known = ", ".join(f"{disease} {value:g} %" for disease, value in values.values)
        plot.end(f"{said} Published: {known}, for a thickness that is not named.",
                 f"{values.where}. {values.what}")  # fmt: skip


class _Plot(QWidget):
    """A heading, a plot without buttons, and the same in words."""

    def __init__(self, name: str, across: str, up: str = "") -> None:
        super().__init__()
        self.setObjectName(name)
        self._title = heading("")
        self._words = muted("")
        self.plot: Any = pg.PlotWidget(background=None, enableMenu=False)
        self.plot.setFixedHeight(_HEIGHT)
        self.plot.setMinimumWidth(120)
        self.plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        # The panel scrolls under the wheel; nothing here is to be dragged.
        self.plot.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        # It is made all the same, as a window of its own, and would outlive the plot.
        menu = self.plot.getPlotItem().ctrlMenu
        menu.setParent(self.plot, menu.windowFlags())
        self.plot.hideButtons()
        self.plot.setMouseEnabled(x=False, y=False)
        self.plot.getPlotItem().getViewBox().setDefaultPadding(0.0)
        self._style_axes(across, up)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 8, 0, 0)
        rows.setSpacing(2)
        for part in (self._title, self.plot, self._words):
            rows.addWidget(part)

    def _style_axes(self, across: str, up: str) -> None:
        small, ink = theme.font("small"), theme.colour("muted")
        for side, label in (("bottom", across), ("left", up)):
            axis = self.plot.getAxis(side)
            axis.setPen(pg.mkPen(theme.colour("line")))
            axis.setTextPen(ink)
            axis.setStyle(tickFont=small, tickLength=-4)
            axis.enableAutoSIPrefix(False)
            if label:
                axis.setLabel(label, color=ink.name(), **{"font-size": f"{small.pixelSize()}px"})
        if up:
            self.plot.getAxis("left").setWidth(44)
        else:
            self.plot.hideAxis("left")

    def begin(self, title: str) -> None:
        """Start anew."""
        self._title.setText(title)
        self.plot.clear()

    def end(self, words: str, tip: str) -> None:
        """Say in words what is drawn, and whence it comes."""
        self._words.setText(words)
        self.setToolTip(f"{load_published_lesions().source}, {tip}")
        self.plot.setAccessibleName(self._title.text())
        self.plot.setAccessibleDescription(words)

    def show_number(
        self, title: str, value: float | None, text: str, published: PublishedValues
    ) -> None:
        """Draw a bar for the study, and a line for each published mean."""
        self.begin(title)
        known = [number for _, number in published.values]
        longest = 1.25 * max([*known, value or 0.0, 1.0])
        self.limits((0.0, longest), (0.0, 1.0))
        if value is not None:
            bar = pg.BarGraphItem(
                x0=0.0, x1=value, y0=0.08, y1=0.36, brush=theme.colour("accent"), pen=None
            )
            self.plot.addItem(bar)
        # The least stands highest, so that no line runs through the name of another.
        for level, (disease, number) in enumerate(sorted(published.values, key=itemgetter(1))):
            height = 0.88 - 0.28 * level
            pen = _pen(theme.colour("text"), disease)
            self.plot.addItem(pg.PlotDataItem([number, number], [0.0, height], pen=pen))
            label = _label(f"{disease} {number:g}", anchor=(float(number > _TURN * longest), 0.5))
            label.setPos(number, height)
            self.plot.addItem(label, ignoreBounds=True)
        means = ", ".join(f"{disease} {number:g}" for disease, number in published.values)
        self.end(f"This study: {text}. Published means: {means}.",
                 f"{published.where}. {published.what}")  # fmt: skip

    def steps(self, edges: np.ndarray, heights: np.ndarray) -> None:
        """Draw a histogram."""
        fill = theme.colour("accent")
        fill.setAlphaF(0.35)
        self.plot.plot(edges, heights, stepMode="center", fillLevel=0.0, brush=fill,
                       pen=pg.mkPen(theme.colour("accent"), width=1))  # fmt: skip

    def curve(self, across: np.ndarray, up: np.ndarray) -> None:
        """Draw a curve."""
        self.plot.plot(across, up, pen=pg.mkPen(theme.colour("accent"), width=2))

    def ranges(self, name: str, ranges: tuple[tuple[float, float], ...], height: float) -> None:
        """Draw where most of a disease's voxels lie, as lines over the curve."""
        for low, high in ranges:
            ends = pg.PlotDataItem([low, high], [height, height],
                                   pen=_pen(theme.colour("text"), name, 2))  # fmt: skip
            self.plot.addItem(ends)
        label = _label(name, anchor=(0.0, 0.5))
        label.setPos(ranges[0][1], height)
        self.plot.addItem(label, ignoreBounds=True)

    def level(self, name: str, height: float) -> None:
        """Draw a published value over the whole width."""
        pen = _pen(theme.colour("text"), name)
        self.plot.addItem(pg.InfiniteLine(height, angle=0, pen=pen))
        # On the left, where the study's curve begins at nought.
        label = _label(f"{name} {height:g}", anchor=(0.0, 1.0))
        label.setPos(DEPTHS_MM[0], height)
        self.plot.addItem(label, ignoreBounds=True)

    def limits(self, across: tuple[float, float], up: tuple[float, float]) -> None:
        """Show just this part."""
        self.plot.setXRange(*across, padding=0.0)
        self.plot.setYRange(*up, padding=0.0)


def _pen(tint: QColor, name: str, width: int = 1) -> Any:
    return pg.mkPen(tint, width=width, style=_LINES[name])


def _label(text: str, anchor: tuple[float, float]) -> Any:
    label = pg.TextItem(text, color=theme.colour("text"), anchor=anchor)
    label.setFont(theme.font("small"))
    return label


def _signed(hu: float) -> str:
    return f"{hu:g}".replace("-", "−")
