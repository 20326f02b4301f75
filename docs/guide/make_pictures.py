"""Makes the pictures of the guide: ``make screenshots``.

The real window shows the synthetic sample study, analysed by the shipped models, in every view that
the guide speaks of. Settings are those of a new user, in a temporary folder.

To look at the window before a change is kept, also in views that the guide does not show:
``QT_SCALE_FACTOR=2 make screenshots ARGS="--to out/look --all --light"``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from PIL import Image
from PySide6.QtCore import QSettings, QSize
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QTabWidget, QWidget

from inference import sample
from inference.lesion_review import Verdict
from inference.measurements import Kind, Slant
from viewer import theme
from viewer.analysis import default_system
from viewer.app import _application
from viewer.collecting import collecting
from viewer.measuring.slabs import slab_planes
from viewer.planes import section_of
from viewer.session import HeatmapChoice
from viewer.settings import Settings
from viewer.window import MainWindow

HERE = Path(__file__).parent / "pictures"
FOLDER = [HERE]
"""Where pictures go."""
SIZE = QSize(1280, 800)
Commands = dict[str, Callable[[], None]]
"""What runs each command, by its id."""


def wait(until: Callable[[], bool], seconds: float) -> bool:
    """Let the window work until something holds; says whether it does."""
    end = time.monotonic() + seconds
    while not until() and time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.01)
    return until()


def rest(seconds: float = 0.6) -> None:
    """Let the window come to rest."""
    wait(lambda: False, seconds)


def keep(widget: QWidget, name: str) -> None:
    """Write what a widget looks like."""
    rest()
    folder = FOLDER[-1]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.png"
    widget.grab().save(str(path))
    with Image.open(path) as picture:
        picture.convert("RGB").save(path, optimize=True)
    print(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


@contextmanager
def analysed_window(folder: Path) -> Iterator[MainWindow]:
    """Give the window with the sample study, analysed."""
    store = QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat)
    settings = Settings(store)
    settings.set_notice_read()
    window = MainWindow(
        default_system("elbana"),
        settings,
        measurements=folder / "measurements",
        findings=folder / "findings",
    )
    window.resize(SIZE)
    window.show()
    window.opener.open_paths([sample.ensure()])
    wait(lambda: window.session.volume is not None and not window.busy, 60)
    window.analyst.start()
    wait(lambda: window.session.findings is not None, 300)
    wait(lambda: window.session.lesions.listed is not None, 60)
    try:
        yield window
    finally:
        window.close()


def show_tab(window: MainWindow, title: str) -> None:
    """Bring a tab of the right-hand side to the front."""
    for tabs in window.findChildren(QTabWidget):
        for index in range(tabs.count()):
            if tabs.tabText(index) == title:
                tabs.setCurrentIndex(index)


def show_results(window: MainWindow, run: Commands) -> None:
    """What the machine says: findings, heatmap, lesions."""
    session = window.session
    findings = session.findings
    if findings is None:
        raise SystemExit("The sample study was not analysed.")
    session.go_to_segment(max(findings.segments, key=lambda one: one.volume_ml or 0.0).key)
    keep(window, "window")
    session.choose_heatmap(HeatmapChoice("covid-2", "covid-19"))
    wait(lambda: session.heatmap is not None, 60)
    keep(window, "heatmap")
    session.choose_heatmap(None)
    show_tab(window, "Lesions")
    show_tab(window, "Patterns")
    run["layout-mpr"]()
    listed = session.lesions.listed
    if listed is not None and listed.lesions:
        session.go_to_voxel(*listed.lesions[0].voxel)
    keep(window, "lesions")
    show_tab(window, "Findings")
    show_tab(window, "Layers")
    rest(3.0)  # the ring round the lesion goes


def show_panes(window: MainWindow, run: Commands) -> None:
    """Planes, a slab, and the volume in 3D."""
    keep(window, "planes")
    run["slab-maximum"]()
    measure_on_slab(window)
    keep(window, "slab")
    window.session.measurements.remove_all()
    run["slab-thin"]()
    run["layout-oblique"]()
    for name in ("oblique-left", "oblique-left", "oblique-left", "oblique-left", "oblique-forward"):
        run[name]()
    measure_aslant(window)
    keep(window, "oblique")
    window.session.measurements.remove_all()
    run["oblique-straight"]()
    run["layout-four"]()
    rest(25.0)  # the process that renders starts, and casts its rays
    keep(window, "three-d")
    run["layout-one"]()


def measure_on_slab(window: MainWindow) -> None:
    """A length and a region on the slab of the active pane, which is axial."""
    session = window.session
    pane, (column, row, slice_) = session.arrangement.active_pane, session.cursor
    planes = section_of(session.volume, pane)
    slab = slab_planes(pane.slab, planes.index_of(session.cursor), planes.plane_mm, planes.count)

    def at(across: float, down: float) -> tuple[float, float, float]:
        return column + across, row + down, slice_

    notebook = session.measurements
    notebook.add(Kind.LENGTH, (at(-40.0, -60.0), at(30.0, -80.0)), 2, slab=slab)
    notebook.add(Kind.ELLIPSE, (at(-60.0, 20.0), at(0.0, 70.0)), 2, slab=slab)
    notebook.select("")


def measure_aslant(window: MainWindow) -> None:
    """A length and a region on the oblique plane."""
    session = window.session
    pane = session.arrangement.panes[session.arrangement.oblique or 0]
    section = section_of(session.volume, pane)
    index = section.index_of(session.cursor)
    column, row = section.to_picture(session.cursor)
    slant = Slant(pane.tilt.right, pane.tilt.down, section.pixel_mm)

    def at(right: float, down: float) -> tuple[float, float, float]:
        across, along = right / section.pixel_mm, down / section.pixel_mm
        return section.to_voxel(column + across, row + along, index)

    notebook = session.measurements
    notebook.add(Kind.LENGTH, (at(-85.0, -60.0), at(-55.0, 50.0)), 1, slant=slant)
    notebook.add(Kind.ELLIPSE, (at(-20.0, 10.0), at(25.0, 45.0)), 1, slant=slant)
    notebook.select("")


def show_measuring(window: MainWindow) -> None:
    """A length, an angle and a region."""
    show_tab(window, "Measurements")
    notebook = window.session.measurements
    column, row, slice_ = (round(value) for value in window.session.cursor)

    def at(across: int, down: int) -> tuple[float, float, float]:
        return float(column + across), float(row + down), float(slice_)

    notebook.add(Kind.LENGTH, (at(-60, 0), at(40, -30)), 2)
    notebook.add(Kind.ELLIPSE, (at(60, 0), at(110, 50)), 2)
    notebook.add(Kind.ANGLE, (at(-90, 60), at(-40, 90), at(10, 50)), 2)
    notebook.select("")
    keep(window, "measuring")
    notebook.remove_all()
    show_tab(window, "Layers")


def show_manners(window: MainWindow, run: Commands) -> None:
    """Palette, dialogs, teaching mode and the light theme."""
    run["palette"]()
    palette = window.habits.palette
    if palette is not None:
        QTest.keyClicks(palette.field, "slice")
        keep(window, "palette")
        palette.hide()
    for name in ("settings", "layouts"):
        run[name]()
        rest()
        for dialog in window.findChildren(QDialog):
            if dialog.isVisible():
                keep(dialog, name)
                dialog.close()
    run["hide-names"]()
    keep(window, "teaching")
    run["hide-names"]()
    run["theme"]()
    keep(window, "light")


def show_start(folder: Path) -> None:
    """The window before anything is open."""
    store = QSettings(str(folder / "empty.ini"), QSettings.Format.IniFormat)
    settings = Settings(store)
    settings.set_notice_read()
    window = MainWindow(
        default_system("elbana"),
        settings,
        measurements=folder / "none",
        findings=folder / "none-found",
    )
    window.resize(SIZE)
    window.show()
    keep(window, "start")
    window.close()


def show_more(window: MainWindow, run: Commands) -> None:
    """Views that the guide does not show: small, narrow, hidden, decided."""
    session = window.session
    window.resize(QSize(1280, 760))
    run["layout-mpr"]()
    keep(window, "more-planes-1280x760")
    run["layout-one"]()
    keep(window, "more-one-1280x760")
    window.resize(SIZE)
    session.update_layer(replace(session.layers[0], visible=False))
    keep(window, "more-layer-hidden")
    session.update_layer(replace(session.layers[0], visible=True))
    show_tab(window, "Lesions")
    session.review.step(1)
    session.review.decide(Verdict.REJECTED)
    session.review.step(1)
    session.review.decide(Verdict.ACCEPTED)
    keep(window, "more-lesions-decided")
    for _ in range(2):
        session.measurements.undo()
    show_tab(window, "Findings")
    show_tab(window, "Timing")
    keep(window, "more-timing")
    show_tab(window, "Layers")
    for name in ("elements", "cards", "keys"):
        run[name]()
        rest(1.5)
        for dialog in window.findChildren(QDialog):
            if dialog.isVisible():
                keep(dialog, f"more-{name}")
                dialog.close()


def main() -> int:
    """Make all pictures."""
    asked = argparse.ArgumentParser(description="Make the pictures of the guide.")
    asked.add_argument("--to", type=Path, default=HERE, help="folder for the pictures")
    asked.add_argument("--light", action="store_true", help="in the light theme")
    asked.add_argument("--all", action="store_true", help="also views that the guide leaves out")
    given = asked.parse_args()
    FOLDER.append(given.to)
    app = _application()
    with tempfile.TemporaryDirectory() as folder:
        if given.all:
            show_start(Path(folder))
        with collecting(app), analysed_window(Path(folder)) as window:
            run = {c.id: window.actions_[c.id].trigger for c in window.actions_.commands}
            if given.light:
                run["theme"]()
            show_results(window, run)
            show_panes(window, run)
            show_measuring(window)
            if given.all:
                show_more(window, run)
            show_manners(window, run)
            theme.apply(app)
    return 0


if __name__ == "__main__":
    sys.exit(main())
