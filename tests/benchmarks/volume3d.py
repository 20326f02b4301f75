"""How long 3D takes, and whether slices can be scrolled meanwhile.

    python -m tests.benchmarks.volume3d --slices 300 --size 512

A made chest is shown as slices and in 3D at once. It is turned while the slices are scrolled, and
the times between two turns of the event loop, and of painting a slice, are written down.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
from PySide6.QtWidgets import QApplication

from inference.studies.model import Series, SourceKind, Study, Volume
from tests import factories
from viewer import theme
from viewer.session import ReadingSession
from viewer.viewport import SliceView
from viewer.volume3d.view import VolumeView

TURNS = 40


def made_volume(slices: int, size: int) -> Volume:
    """Two air-filled lungs with vessels in a body of soft tissue, noise all over."""
    z, y, x = (np.linspace(-1, 1, n, dtype=np.float32) for n in (slices, size, size))
    array = np.empty((slices, size, size), np.int16)
    rng = np.random.default_rng(0)
    for k, height in enumerate(z):
        body = (x[None] / 0.9) ** 2 + (y[:, None] / 0.65) ** 2 < 1
        lungs = ((np.abs(x[None]) - 0.42) / 0.3) ** 2 + (y[:, None] / 0.45) ** 2 + height**2 < 1
        vessels = np.sin(40 * x[None]) * np.sin(40 * y[:, None]) > 0.95
        plane = np.where(body, 40, -1000)
        plane[lungs] = -850
        plane[lungs & vessels] = 30
        array[k] = plane + rng.integers(-30, 30, plane.shape)
    affine = np.diag([350 / size, 350 / size, 300 / slices, 1.0])
    return factories.make_volume(array, affine)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--size", type=int, default=512)
    given = parser.parse_args()
    app = QApplication([])
    theme.apply(app)
    session = ReadingSession()
    slices, pane = SliceView(session), VolumeView(session)
    for widget in (slices, pane):
        widget.resize(700, 740)
        widget.show()
    volume = made_volume(given.slices, given.size)
    series = Series("1.2.3", SourceKind.DICOM, "CT", "", (), *volume.shape[1:])
    app.processEvents()
    stalls: list[float] = []

    def wait(until: Callable[[], bool]) -> float:
        began = last = time.perf_counter()
        while not until():
            app.processEvents()
            time.sleep(0.001)
            now = time.perf_counter()
            stalls.append(now - last)
            last = now
        return last - began

    def is_sharp() -> bool:
        return pane.canvas.is_sharp and not pane.scene.waiting and not pane.canvas.is_moving

    session.set_volume(Study("1", "", "", "", "", (series,)), series, volume)
    wait(lambda: bool(slices.isVisible()))
    stalls.clear()
    first = wait(lambda: pane.canvas.image is not None)
    sharp = wait(is_sharp)
    print(f"{volume.shape}, shown at {pane.scene.mm:g} mm, {pane.scene.caster_text}")
    print(f"first picture after {first:.1f} s, in full {sharp:.1f} s later")
    print(f"longest stall of the window meanwhile {1000 * max(stalls):.0f} ms")
    stalls.clear()
    painted: list[float] = []
    began = time.perf_counter()
    for step in range(TURNS):
        pane.canvas.look_at(pane.canvas.camera.turned(3.0, 0.0))
        session.set_position(step % volume.shape[0])
        at = time.perf_counter()
        slices.repaint()
        painted.append(time.perf_counter() - at)
        wait(lambda: not pane.scene.waiting)
    rate = TURNS / (time.perf_counter() - began)
    print(f"turning: {rate:.0f} pictures a second")
    print(f"painting a slice: median {1000 * np.median(painted):.1f} ms, "
          f"95 % {1000 * np.percentile(painted, 95):.1f} ms; "
          f"longest stall {1000 * max(stalls):.0f} ms")  # fmt: skip
    print(f"in full after turning: {wait(is_sharp):.1f} s")
    pane.close()
    slices.close()


if __name__ == "__main__":
    main()
