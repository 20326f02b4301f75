"""The real window, driven by mouse and keys, and what is then to be seen of it.

Every place in the panes whose grey or colour follows from the phantom is compared with what it has
to be; letters and lines are looked for where they belong.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, QSettings, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from scipy import ndimage

from inference.findings import Manifestation
from tests import factories
from viewer import theme
from viewer.analysis import default_system
from viewer.settings import Settings
from viewer.window import MainWindow

pytestmark = pytest.mark.e2e

LUNG, MEDIASTINUM = (-600.0, 1500.0), (40.0, 400.0)
LEVELS = 3
"""Grey levels by which rounding and a screen may be off."""
MOST_COVERED = 0.35
"""Share of the places of one grey over which texts, letters, bars and lines may lie."""
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
    folder = factories.write_series(
        tmp_path / "ct", phantom(), spacing=(6.0, 2.0, 2.0), origin=(0.0, 0.0, 0.0)
    )
    study, series, volume = factories.read_ct(folder)
    window.session.add_studies((study,))
    window.session.set_volume(study, series, volume)
    codes = factories.to_codes({Manifestation.CONSOLIDATION: volume.array == 60})
    window.session.set_findings(factories.make_findings(volume, codes))
    yield window
    window.close()
    window.deleteLater()


def pixels(image: QImage) -> np.ndarray:
    """Shape (height, width, 3), int."""
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    flat = np.frombuffer(image.constBits(), np.uint8)
    lines = flat.reshape(image.height(), image.bytesPerLine())[:, : 4 * image.width()]
    return lines.reshape(image.height(), image.width(), 4)[..., 2::-1].astype(int)


def greys(values: np.ndarray, window: tuple[float, float]) -> np.ndarray:
    """What values look like in a window (centre, width)."""
    centre, width = window
    return np.clip((values - (centre - width / 2.0)) / width, 0.0, 1.0) * 255.0


def calm(values: np.ndarray) -> np.ndarray:
    """Where a picture is the same all around, so that it does not matter how it is enlarged."""
    highest, lowest = ndimage.maximum_filter(values, 5), ndimage.minimum_filter(values, 5)
    found: np.ndarray = highest == lowest
    return found


def tinted(grey: np.ndarray, mask: np.ndarray, window: MainWindow) -> np.ndarray:
    """Grey with the mask's colour over it, red, green and blue last."""
    layer = window.session.layer(Manifestation.CONSOLIDATION)
    colour = theme.findings_colour(Manifestation.CONSOLIDATION)
    over = np.array([colour.red(), colour.green(), colour.blue()], float)
    picture = np.repeat(grey[..., None], 3, axis=-1)
    picture[mask] = (1.0 - layer.opacity) * picture[mask] + layer.opacity * over
    return picture


def shows(window: MainWindow, number: int, expected: np.ndarray, calm_at: np.ndarray) -> None:
    """Compare a pane with a picture (rows, columns, 3) wherever that is calm."""
    QApplication.processEvents()
    view = window.panes.views[number]
    framing, seen, ratio = view._framing, *grabbed(view)
    assert (framing.rows, framing.columns) == expected.shape[:2]
    off: dict[tuple[float, ...], list[bool]] = {}
    for row, column in np.argwhere(calm_at)[::7]:
        x, y = framing.to_view(column + 0.5, row + 0.5)
        if view.rect().contains(int(x), int(y)):
            at = seen[int(y * ratio), int(x * ratio)]
            wanted = expected[row, column]
            off.setdefault(tuple(wanted), []).append(np.abs(at - wanted).max() > LEVELS)
    compare(off)


def compare(off: dict[Any, list[bool]]) -> None:
    """Of each grey or colour, most places have to be as expected."""
    for wanted, wrong in off.items():
        share = np.mean(wrong)
        assert share < MOST_COVERED, f"{100 * share:.0f} % of {len(wrong)} places are not {wanted}"
    assert len(off) >= 2
    assert sum(map(len, off.values())) > 60


def grabbed(view: Any) -> tuple[np.ndarray, float]:
    """Pixels of a pane, and how many there are to a logical one."""
    image = view.grab().toImage()
    return pixels(image), image.devicePixelRatio()


def colour_at(window: MainWindow, number: int, column: int, row: int) -> np.ndarray:
    """Of one pixel of a pane's picture, as displayed."""
    view = window.panes.views[number]
    image = view.grab().toImage()
    x, y = view._framing.to_view(column + 0.5, row + 0.5)
    ratio = image.devicePixelRatio()
    found: np.ndarray = pixels(image)[int(y * ratio), int(x * ratio)]
    return found


OPPOSITE = dict(zip("RLAPHF", "LRPAFH", strict=True))


def has_letters(window: MainWindow, number: int, expected: str) -> None:
    """Look which letters stand at the left, right, top and bottom of a pane."""
    view = window.panes.views[number]
    seen = pixels(view.grab().toImage())[..., 1].astype(float)
    x, y = seen.shape[1] // 2, seen.shape[0] // 2
    strips = (np.s_[y - 30 : y + 30, :40], np.s_[y - 30 : y + 30, -40:],
              np.s_[:40, x - 30 : x + 30], np.s_[-60:, x - 30 : x + 30])  # fmt: skip
    for letter, strip in zip(expected, strips, strict=True):
        this, other = (likeness(seen[strip], each) for each in (letter, OPPOSITE[letter]))
        assert this > other + 0.2, f"not {letter} but {OPPOSITE[letter]}: {this:.2f}, {other:.2f}"
        assert this > 0.7, f"no {letter}: {this:.2f}"


def likeness(place: np.ndarray, letter: str) -> float:
    """How well the shape of a letter fits somewhere in a picture, at most 1."""
    best = 0.0
    for part in range(16):  # where between two pixels it stands is nobody's business
        drawn = QImage(24, 24, QImage.Format.Format_RGB32)
        drawn.fill(QColor("black"))
        painter = QPainter(drawn)
        painter.setFont(theme.font("normal"))
        painter.setPen(theme.on_image("text"))
        rect = QRectF(part % 4 / 4.0, part // 4 / 4.0, 24.0, 24.0)
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, letter)
        painter.end()
        shape = pixels(drawn)[5:-5, 5:-5, 1].astype(float)
        shape -= shape.mean()
        around = np.lib.stride_tricks.sliding_window_view(place, shape.shape)
        around = around - around.mean(axis=(-1, -2), keepdims=True)
        sizes = np.linalg.norm(around, axis=(-1, -2)) * np.linalg.norm(shape)
        alike = (around * shape).sum(axis=(-1, -2)) / np.maximum(sizes, 1.0)
        best = max(best, float(alike.max()))
    return best


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


def axial(window: MainWindow, slice_: int) -> tuple[np.ndarray, np.ndarray]:
    """A slice as it has to look in the lung window, and where it is calm."""
    values = phantom()[slice_].astype(float)
    return tinted(greys(values, LUNG), values == 60, window), calm(values)


def test_one_pane(window: MainWindow) -> None:
    window.session.set_position(14)
    shows(window, 0, *axial(window, 14))
    has_letters(window, 0, "RLAP")
    # The wider lung is the left one, on the right of the screen; the ball is in it, in colour.
    for column, row, grey in ((109, 64, 85), (18, 64, 236), (64, 19, 255), (64, 100, 236)):
        assert colour_at(window, 0, column, row) == pytest.approx([grey] * 3, abs=LEVELS)
    red, green, blue = colour_at(window, 0, 96, 70)
    assert max(red, green, blue) - min(red, green, blue) > 40


def test_a_mask_is_hidden_with_the_overlays(window: MainWindow) -> None:
    window.session.set_position(14)
    key(window, Qt.Key.Key_G)
    assert colour_at(window, 0, 96, 70) == pytest.approx([240] * 3, abs=LEVELS)


def test_planes_meet_where_the_crosshair_was_dragged(window: MainWindow) -> None:
    key(window, Qt.Key.Key_3, Qt.KeyboardModifier.AltModifier)
    key(window, Qt.Key.Key_K)
    window.session.set_position(14)
    drag(window.panes.views[0], (64.5, 64.5), (96.5, 70.5))
    assert window.session.cursor == pytest.approx((96, 70, 14), abs=0.6)
    column, row, slice_ = (round(at) for at in window.session.cursor)
    volume = phantom().astype(float)
    for number, values, edges in (
        (0, volume[slice_], "RLAP"),
        (1, volume[::-1, row], "RLHF"),
        (2, volume[::-1, :, column], "APHF"),
    ):
        expected = tinted(greys(values, LUNG), values == 60, window)
        shows(window, number, expected, calm(values))
        has_letters(window, number, edges)
    # Where the other planes lie, there are lines: here in the even grey in front of the spine.
    for number, place in ((0, (column, 100)), (1, (64, 39 - slice_))):
        grey = greys(np.array(40.0), LUNG)
        beside = colour_at(window, number, place[0] + 4 * (number == 0), place[1] + 4 * number)
        assert beside == pytest.approx([grey] * 3, abs=LEVELS)
        assert np.abs(colour_at(window, number, *place) - grey).max() > 10


def test_a_slab_through_both_lungs(window: MainWindow) -> None:
    key(window, Qt.Key.Key_2, Qt.KeyboardModifier.AltModifier)
    window.session.set_cursor((96, 70, 14))
    QTest.mouseClick(window.panes.views[1], Qt.MouseButton.MiddleButton, pos=QPoint(60, 60))
    key(window, Qt.Key.Key_B, Qt.KeyboardModifier.ShiftModifier)
    while window.session.arrangement.active_pane.slab.mm < 50.0:
        key(window, Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier)
    # 50 mm of rows of 2 mm, the one that is looked at in their middle.
    assert window.session.arrangement.active_pane.slab.mm == 50.0
    values = phantom()[::-1, 58:83].min(axis=1).astype(float)
    covered = (phantom()[::-1, 58:83] == 60).any(axis=1)
    shows(window, 1, tinted(greys(values, LUNG), covered, window), calm(values + covered))
    thin = phantom()[::-1, 70].astype(float)
    assert (thin[calm(values)] != values[calm(values)]).mean() > 0.02, "one plane looks otherwise"


def oblique(window: MainWindow, number: int, below: float = 100.0) -> None:
    """Compare a pane of oblique planes with the values that lie where it says that it looks."""
    QApplication.processEvents()
    view = window.panes.views[number]
    tilt = window.session.arrangement.panes[number].tilt
    framing, seen, ratio = view._framing, *grabbed(view)
    volume, mm = phantom().astype(float), np.array([2.0, 2.0, 6.0])
    smooth = ndimage.maximum_filter(volume, (3, 7, 7)) == ndimage.minimum_filter(volume, (3, 7, 7))
    middle = np.array(window.session.cursor) * mm
    x, y = framing.to_view(*view._planes().to_picture(window.session.cursor))
    off: dict[float, list[bool]] = {}
    for across in range(-100, 101, 8):
        for down in range(-100, int(below) + 1, 8):
            place = middle + across * np.array(tilt.right) + down * np.array(tilt.down)
            c, r, k = np.rint(place / mm).astype(int)
            at = (x + across * framing.pixels_per_mm, y + down * framing.pixels_per_mm)
            inside = 0 <= c < 128 and 0 <= r < 128 and 0 <= k < 40
            if inside and smooth[k, r, c] and view.rect().contains(int(at[0]), int(at[1])):
                grey = greys(volume[k, r, c], LUNG)
                unlike = np.abs(seen[int(at[1] * ratio), int(at[0] * ratio)] - grey).max() > LEVELS
                off.setdefault(float(volume[k, r, c]), []).append(unlike)
    assert set(off) >= {-850.0, 40.0}
    compare(off)


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
    oblique(window, 3)


def test_what_is_measured_on_an_oblique_plane_is_what_lies_there(window: MainWindow) -> None:
    key(window, Qt.Key.Key_5, Qt.KeyboardModifier.AltModifier)
    for _ in range(6):
        key(window, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    window.session.set_cursor((92, 64, 20))
    key(window, Qt.Key.Key_O)
    pane = window.panes.views[3]
    column, row = pane._planes().to_picture(window.session.cursor)
    plain = pixels(pane.grab().toImage())
    drag(pane, (column - 7, row - 7), (column + 7, row + 7))
    (made,) = window.session.measurements.measurements
    said = window.session.measurements.values(made)
    assert said.area == pytest.approx(math.pi * 14.0**2, rel=0.05), "28 mm across"
    assert (said.region.mean, said.region.sd) == pytest.approx((-850.0, 0.0)), "lung alone"
    drawn = pixels(pane.grab().toImage())
    assert (np.abs(drawn - plain).max(axis=-1) > 40).sum() > 60, "it is drawn"
    oblique(window, 3, below=0.0)  # what was measured is written below
    window.session.set_cursor((64, 30, 5))
    key(window, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    window.measurements_panel.table.selectRow(0)
    assert window.session.cursor == pytest.approx((92, 64, 20), abs=1.0), "the table goes there"
    oblique(window, 3, below=0.0)


def test_flipped_turned_inverted_and_measured(window: MainWindow) -> None:
    window.session.set_position(14)
    for code in (Qt.Key.Key_H, Qt.Key.Key_R, Qt.Key.Key_I, Qt.Key.Key_2):
        key(window, code)
    values = np.rot90(phantom()[14][:, ::-1], -1).astype(float)
    expected = tinted(255.0 - greys(values, MEDIASTINUM), values == 60, window)
    shows(window, 0, expected, calm(values))
    # Mirrored the left of the patient is on the left; turned clockwise it is at the top.
    has_letters(window, 0, "PALR")
    key(window, Qt.Key.Key_D)
    view = window.view
    drag(view, (30.5, 30.5), (30.5, 80.5))
    (made,) = window.session.measurements.measurements
    said = window.session.measurements.values(made)
    assert said.length == pytest.approx(100.0, abs=2.0), "50 pixels of 2 mm"


def test_a_picture_that_is_not_alike_is_found_out(window: MainWindow) -> None:
    window.session.set_position(14)
    key(window, Qt.Key.Key_H)  # mirrored: the ball is on the wrong side
    with pytest.raises(AssertionError, match="places are not"):
        shows(window, 0, *axial(window, 14))
    has_letters(window, 0, "LRAP")
