"""How long a frame takes while a reader scrolls, with three masks over it.

Run as ``python -m tests.benchmarks.frames [--frames 60]``. A made-up CT of 512 × 512 with masks is
scrolled slice by slice in panes of several sizes and layouts; each frame is painted at once, so the
time runs from the turn of the wheel to the painted pixels (not to the light of the screen). Beside
it, in turns with it, pyqtgraph paints the same slices with the same masks: an `ImageItem` of int16
with a table of 256 greys, and one of RGBA for each mask. Medians, and the 95th percentile in
brackets; ratios count, since machines differ.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pyqtgraph
from PySide6.QtCore import QEvent, QObject
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from rich.console import Console
from rich.table import Table

from inference.findings import Findings, Manifestation
from inference.studies.model import Series, SourceKind, Study, Volume
from tests import factories
from viewer import theme
from viewer.hanging import load_layouts
from viewer.panes import Layout
from viewer.session import ReadingSession
from viewer.tilt import Tilt
from viewer.viewport import PaneGrid

SLICES, SIDE = 120, 512
UID = "1.2.3"


@dataclass(frozen=True, slots=True)
class Row:
    """What a frame took, in milliseconds.

    Parameters
    ----------
    what
        Layout and size.
    ours, worst
        Median and 95th percentile.
    reference
        Median of pyqtgraph; NaN where it has no such layout.
    """

    what: str
    ours: float
    worst: float
    reference: float

    @property
    def ratio(self) -> float:
        """Times as quick as the reference."""
        return self.reference / self.ours


def make_study() -> tuple[Study, Series, Volume, Findings]:
    """Make a CT with three masks that overlap every slice."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[0:SIDE, 0:SIDE] / SIDE - 0.5
    body = np.where((rows / 0.40) ** 2 + (columns / 0.46) ** 2 < 1, 40.0, -1000.0)
    noise = rng.normal(0, 25, (SIDE, SIDE))
    array = np.stack(
        [(body + np.roll(noise, 9 * k, axis=1)).astype(np.int16) for k in range(SLICES)]
    )
    masks = {}
    for number, key in enumerate(Manifestation):
        spots = ((rows - 0.1 * number) / 0.15) ** 2 + (
            (columns + 0.2 * number - 0.2) / 0.1
        ) ** 2 < 1
        masks[key] = np.broadcast_to(spots & (noise > -20), array.shape).copy()
    volume = factories.make_volume(array, np.diag([0.7, 0.7, 1.5, 1.0]), series_uid=UID)
    findings = factories.make_findings(volume, factories.to_codes(masks))
    series = Series(UID, SourceKind.DICOM, "CT", "", volume.slices, SIDE, SIDE)
    return Study("1", "", "", "", "", (series,)), series, volume, findings


class Ours(QObject):
    """The panes of the window."""

    def __init__(self, layout: Layout, width: int, height: int) -> None:
        super().__init__()
        study, series, volume, findings = make_study()
        self.session = ReadingSession()
        self.grid = PaneGrid(self.session)
        self.session.arrangement.set_layout(layout)
        self.session.set_volume(study, series, volume)
        self.session.set_findings(findings)
        arrangement = self.session.arrangement
        if arrangement.oblique is not None:
            tilt = Tilt().rotated((1.0, 0.0, 0.0), 20.0).rotated((0.0, 0.0, 1.0), 30.0)
            leaning = replace(arrangement.panes[arrangement.oblique], tilt=tilt)
            arrangement.update_pane(arrangement.oblique, leaning)
        self.grid.resize(width, height)
        self.grid.show()
        QTest.qWaitForWindowExposed(self.grid)
        self.painted = 0
        for view in self.grid.views:
            view.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Count what was painted."""
        self.painted += event.type() == QEvent.Type.Paint
        return False

    def frame(self, index: int) -> None:
        """Show another point, and paint all panes at once."""
        step = index % SLICES
        self.session.set_cursor((200.0 + step, 200.0 + step, float(step)))
        before = self.painted
        shown = [view for view in self.grid.views if view.isVisible()]
        # Once for all of them, as the window does when it comes back to its events.
        self.grid.repaint()
        if self.painted - before < len(shown):
            raise RuntimeError("The screen does not show the window, so nothing was painted.")

    def close(self) -> None:
        """Take it off the screen."""
        self.grid.close()


class Reference:
    """pyqtgraph with the same pictures."""

    def __init__(self, width: int, height: int) -> None:
        _, _, volume, findings = make_study()
        self.array = volume.array
        self.widget = pyqtgraph.GraphicsLayoutWidget()
        box = self.widget.addViewBox(lockAspect=True, invertY=True)
        self.image = pyqtgraph.ImageItem(axisOrder="row-major")
        self.image.setLookupTable(np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1))
        box.addItem(self.image)
        self.masks = []
        for segment in findings.segments:
            item = pyqtgraph.ImageItem(axisOrder="row-major")
            colour = theme.findings_colour(segment.key)
            box.addItem(item)
            self.masks.append(
                (item, segment.mask, (colour.red(), colour.green(), colour.blue(), 115))
            )
        self.widget.resize(width, height)
        self.widget.show()
        QTest.qWaitForWindowExposed(self.widget)
        self.frame(0)
        box.autoRange()
        QApplication.processEvents()

    def frame(self, index: int) -> None:
        """Show another slice, and paint it at once."""
        step = index % SLICES
        self.image.setImage(self.array[step], autoLevels=False, levels=(-1350, 150))
        for item, mask, colour in self.masks:
            rgba = np.zeros((SIDE, SIDE, 4), np.uint8)
            rgba[mask[step]] = colour
            item.setImage(rgba, autoLevels=False, levels=(0, 255))
        self.widget.viewport().repaint()

    def close(self) -> None:
        """Take it off the screen."""
        self.widget.close()


def _times(frame: Callable[[int], None], frames: int) -> list[float]:
    for index in range(5):
        frame(index)
    found = []
    for index in range(frames):
        started = time.perf_counter()
        frame(index)
        found.append(1000.0 * (time.perf_counter() - started))
    return found


def measure(frames: int = 60) -> list[Row]:
    """Measure every layout; the reference only where one pane is shown."""
    app = QApplication.instance() or QApplication([])
    theme.apply(app)  # type: ignore[arg-type]
    layouts = {named.id: named.layout for named in load_layouts()}
    found = []
    shown = (("one", 512), ("one", 1024), ("mpr", 1024), ("oblique", 1024), ("four", 1024),
             ("four", 2048))  # fmt: skip
    for name, side in shown:
        ours = Ours(layouts[name], side, side)
        mine = _times(ours.frame, frames)
        ours.close()
        theirs = [float("nan")]
        if name == "one":
            reference = Reference(side, side)
            theirs = _times(reference.frame, frames)
            reference.close()
        worst = float(np.percentile(mine, 95))
        what = f"{layouts[name].name}, {side} × {side} in all"
        found.append(Row(what, statistics.median(mine), worst, statistics.median(theirs)))
    return found


def table(rows: list[Row]) -> Table:
    """The rows for reading."""
    made = Table("frame while scrolling, 3 masks", "ms (95 %)", "pyqtgraph, ms", "times as quick")
    for row in rows:
        known = not np.isnan(row.reference)
        made.add_row(
            row.what,
            f"{row.ours:.1f} ({row.worst:.1f})",
            f"{row.reference:.1f}" if known else "",
            f"{row.ratio:.1f}" if known else "",
        )
    return made


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--frames", type=int, default=60)
    Console().print(table(measure(parser.parse_args().frames)))


if __name__ == "__main__":
    main()
