"""The real window, driven by mouse and keys, and what is then to be seen of it.

Pictures are compared with those in ``tests/e2e/pictures``: a few in a hundred pixels may differ, as
fonts do from one system to the next. ``SECONDREAD_KEEP_PICTURES=1`` writes them anew; look at every
one before it is committed.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QSettings, QSize, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from inference.findings import Findings, Manifestation, Segment, Timings
from inference.studies.model import Series, SourceKind, Study, Unit, Volume
from viewer import theme
from viewer.analysis import default_system
from viewer.settings import Settings
from viewer.window import MainWindow

pytestmark = pytest.mark.e2e

PICTURES = Path(__file__).parent / "pictures"
UNLIKE = 40
"""Grey levels from which a pixel counts as different."""
MOST_UNLIKE = 0.03
"""Share of such pixels that fonts may account for."""
SIZE = QSize(1100, 760)
SHAPE = (40, 128, 128)


def phantom() -> np.ndarray:
    """A chest with unequal lungs, a bright ball in the left one, and a bar in front."""
    slices, rows, columns = np.ogrid[:40, :128, :128]
    array = np.full(SHAPE, -1000, np.int16)
    body = ((rows - 64) / 50) ** 2 + ((columns - 64) / 60) ** 2 < 1
    array[np.broadcast_to(body, SHAPE)] = 40
    for middle, wide in ((36, 14), (92, 20)):  # seen from the feet the left lung is on the right
        lung = (
            ((rows - 64) / 32) ** 2 + ((columns - middle) / wide) ** 2 + ((slices - 20) / 17) ** 2
        ) < 1
        array[lung] = -850
    ball = (rows - 70) ** 2 + (columns - 96) ** 2 + (3 * (slices - 14)) ** 2 < 64
    array[ball] = 60
    array[:, 18:21, 40:88] = 700
    return array


@pytest.fixture
def window(qapp: QApplication, qtbot: Any, tmp_path: Path) -> Iterator[MainWindow]:
    """Give the real window with the phantom, and a mask where its ball is."""
    theme.apply(qapp)
    store = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    settings = Settings(store)
    settings.set_notice_read()
    window = MainWindow(default_system("elbana"), settings, measurements=tmp_path / "kept")
    window.resize(SIZE)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=20_000)  # keys go nowhere before
    volume = Volume(
        array=phantom(), affine=np.diag([2.0, 2.0, 6.0, 1.0]), unit=Unit.HU, modality="CT",
        has_geometry=True, has_orientation=True, series_uid="1.2.3", frame_of_reference="1.2.4",
    )  # fmt: skip
    series = Series("1.2.3", SourceKind.DICOM, "CT", "Phantom", (), 128, 128)
    study = Study("1.2", "Made", "20200102", "Made^Up", "0", (series,))
    window.session.add_studies((study,))
    window.session.set_volume(study, series, volume)
    mask = volume.array == 60
    window.session.set_findings(
        Findings(
            "elbana", "1.2.3", SHAPE, volume.affine, (),
            (Segment(Manifestation.CONSOLIDATION, mask, "made", 1, 14, 6.0, 1.0, 60.0,
                     mask.sum((1, 2))),),
            None, None, np.ones(40, bool), Timings(*[0.0] * 7), (), "cpu", "",
        )
    )  # fmt: skip
    yield window
    window.close()
    window.deleteLater()


def pixels(image: QImage) -> np.ndarray:
    """Shape (height, width, 3), int."""
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    flat = np.frombuffer(image.constBits(), np.uint8)
    lines = flat.reshape(image.height(), image.bytesPerLine())[:, : 4 * image.width()]
    return lines.reshape(image.height(), image.width(), 4)[..., 2::-1].astype(int)


def looks_like(window: MainWindow, name: str) -> None:
    """Compare the panes with a picture that was looked at."""
    QApplication.processEvents()
    seen = window.panes.grab().toImage()
    path = PICTURES / f"{name}.png"
    if os.environ.get("SECONDREAD_KEEP_PICTURES"):
        PICTURES.mkdir(exist_ok=True)
        seen.save(str(path))
    kept = QImage(str(path))
    assert not kept.isNull(), f"{path.name} is missing"
    if seen.size() != kept.size():
        # Bars and panels are as high as their fonts: what is inside must still look the same.
        seen = seen.scaled(kept.size(), mode=Qt.TransformationMode.SmoothTransformation)
    unlike = np.abs(pixels(seen) - pixels(kept)).max(axis=-1) > UNLIKE
    assert unlike.mean() < MOST_UNLIKE, f"{name}: {100 * unlike.mean():.1f} % of pixels differ"


def key(window: MainWindow, code: Qt.Key, held: Qt.KeyboardModifier | None = None) -> None:
    """Press a key on the window, and let it lay itself out."""
    QTest.keyClick(window, code, held or Qt.KeyboardModifier.NoModifier)
    QApplication.processEvents()


def drag(view: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag with the left button from one place of the picture to another."""
    a, b = (QPointF(*view._framing.to_view(*place)).toPoint() for place in (start, end))
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=a)
    for share in (0.5, 1.0):
        QTest.mouseMove(view, a + (b - a) * share)
        QApplication.processEvents()
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=b)


def test_one_pane(window: MainWindow) -> None:
    window.session.set_position(14)
    looks_like(window, "one")


def test_planes_meet_where_the_crosshair_was_dragged(window: MainWindow) -> None:
    key(window, Qt.Key.Key_3, Qt.KeyboardModifier.AltModifier)
    key(window, Qt.Key.Key_K)
    window.session.set_position(14)
    drag(window.panes.views[0], (64.5, 64.5), (96.5, 70.5))
    assert window.session.cursor == pytest.approx((96, 70, 14), abs=0.6)
    looks_like(window, "planes")


def test_a_slab_through_both_lungs(window: MainWindow) -> None:
    key(window, Qt.Key.Key_2, Qt.KeyboardModifier.AltModifier)
    window.session.set_cursor((96, 70, 14))
    QTest.mouseClick(window.panes.views[1], Qt.MouseButton.MiddleButton, pos=QPoint(60, 60))
    key(window, Qt.Key.Key_N, Qt.KeyboardModifier.ShiftModifier)
    for _ in range(4):
        key(window, Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier)
    looks_like(window, "slab")


def test_an_oblique_plane_is_turned_by_its_line(window: MainWindow) -> None:
    key(window, Qt.Key.Key_5, Qt.KeyboardModifier.AltModifier)
    window.session.set_cursor((64, 64, 20))
    axial = window.panes.views[0]
    line = axial._grips.trace(axial._planes(), axial._framing)
    start = line.grips[1]
    end = replace(line, angle=line.angle + math.radians(35.0)).grips[1]
    QTest.mousePress(axial, Qt.MouseButton.LeftButton, pos=start.toPoint())
    QTest.mouseMove(axial, end.toPoint())
    QTest.mouseRelease(axial, Qt.MouseButton.LeftButton, pos=end.toPoint())
    normal = window.session.arrangement.panes[3].tilt.normal
    assert math.degrees(math.acos(normal[1])) == pytest.approx(35.0, abs=1.0)
    looks_like(window, "oblique")


def test_what_is_measured_on_an_oblique_plane_is_what_lies_there(window: MainWindow) -> None:
    key(window, Qt.Key.Key_5, Qt.KeyboardModifier.AltModifier)
    for _ in range(6):
        key(window, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    window.session.set_cursor((92, 64, 20))
    key(window, Qt.Key.Key_O)
    oblique = window.panes.views[3]
    column, row = oblique._planes().to_picture(window.session.cursor)
    drag(oblique, (column - 7, row - 7), (column + 7, row + 7))
    (made,) = window.session.measurements.measurements
    said = window.session.measurements.values(made)
    assert said.area == pytest.approx(math.pi * 14.0**2, rel=0.05), "28 mm across"
    assert (said.region.mean, said.region.sd) == pytest.approx((-850.0, 0.0)), "lung alone"
    looks_like(window, "oblique-measured")
    window.session.set_cursor((64, 30, 5))
    key(window, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    window.measurements_panel.table.selectRow(0)
    assert window.session.cursor == pytest.approx((92, 64, 20), abs=1.0), "the table goes there"
    looks_like(window, "oblique-measured")


def test_flipped_turned_inverted_and_measured(window: MainWindow) -> None:
    window.session.set_position(14)
    for code in (Qt.Key.Key_H, Qt.Key.Key_R, Qt.Key.Key_I, Qt.Key.Key_2):
        key(window, code)
    key(window, Qt.Key.Key_D)
    view = window.view
    drag(view, (30.5, 30.5), (30.5, 80.5))
    (made,) = window.session.measurements.measurements
    values = window.session.measurements.values(made)
    assert values.length == pytest.approx(100.0, abs=2.0), "50 pixels of 2 mm"
    looks_like(window, "turned")


def test_a_picture_that_is_not_alike_is_found_out(window: MainWindow) -> None:
    window.session.set_position(14)
    key(window, Qt.Key.Key_H)  # mirrored: the ball is on the wrong side
    if os.environ.get("SECONDREAD_KEEP_PICTURES"):
        pytest.skip("pictures are being written")
    with pytest.raises(AssertionError, match="% of pixels differ"):
        looks_like(window, "one")
