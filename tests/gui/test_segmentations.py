"""Segmentations from files: seen on the images, told apart from the machine's, never exported."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QCheckBox, QToolButton

from inference.export import seg
from inference.findings import Findings, Manifestation
from inference.studies import load, scan
from tests.gui.handling import drop, is_whole, sentences, words
from tests.gui.several import open_series, press, show_series, until
from viewer import asking
from viewer.viewport.guests import edges
from viewer.window import MainWindow


@pytest.fixture
def write_seg(tmp_path: Path, make_findings: Callable[..., Findings]) -> Callable[..., Path]:
    """Write a segmentation as SecondRead does, of a CT in a folder."""

    def write(folder: Path, name: str = "masks.dcm") -> Path:
        volume = load(scan(folder)[0].series[0])
        seg.write_seg(make_findings(volume), volume, tmp_path / name)
        return tmp_path / name

    return write


@pytest.fixture
def choose(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Let the file dialog answer with a file."""

    def answer(path: Path) -> None:
        monkeypatch.setattr(asking.QFileDialog, "getOpenFileNames", lambda *_: ([str(path)], ""))

    return answer


def tinted(image: QImage) -> int:
    """Count pixels that are no grey, in the middle half of a picture."""
    cells = image.convertToFormat(QImage.Format.Format_RGB32)
    flat = np.frombuffer(cells.constBits(), np.uint8)
    pixels = flat.reshape(cells.height(), cells.bytesPerLine() // 4, 4)[..., :3].astype(int)
    height, width = pixels.shape[:2]
    middle = pixels[height // 4 : 3 * height // 4, width // 4 : 3 * width // 4]
    return int(((middle.max(axis=2) - middle.min(axis=2)) > 60).sum())


@pytest.fixture
def opened_seg(
    qtbot: Any, window: MainWindow, write_ct: Callable[..., Path],
    write_seg: Callable[..., Path], choose: Callable[[Path], None],
) -> MainWindow:  # fmt: skip
    """Give a window with a CT and, by the command, its own segmentation on it."""
    folder = open_series(qtbot, window, write_ct, "one")[0]
    choose(write_seg(folder))
    window.actions_["open-segmentation"].trigger()
    until(qtbot, lambda: bool(window.session.guests.of(window.session.volume)))
    window.session.set_position(4)
    return window


def test_it_is_seen_with_its_names_and_whose_it_is(opened_seg: MainWindow) -> None:
    legend = opened_seg.view.guests()
    assert [line.partition("  ·  ")[0] for line in legend] == [Manifestation.GGO.label]
    assert legend[0].partition("  ·  ")[2].startswith("SEG: SecondRead")
    assert tinted(opened_seg.view.grab().toImage()) > 50
    opened_seg.session.set_position(0)
    assert opened_seg.view.guests() == []
    said = words(opened_seg.layers_panel)
    assert "Opened segmentations (not the machine's)" in said
    assert "SEG by SecondRead" in said


def test_its_outline_lies_around_its_pixels(opened_seg: MainWindow) -> None:
    mask = np.zeros((8, 9), bool)
    mask[2:5, 3:7] = True
    lines = {(e.x1(), e.y1(), e.x2(), e.y2()) for e in edges(mask)}
    assert lines == {(3, 2, 7, 2), (3, 5, 7, 5), (3, 2, 3, 5), (7, 2, 7, 5)}


def test_no_export_holds_it_and_no_finding(
    qtbot: Any, opened_seg: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    make_findings: Callable[..., Findings],
) -> None:  # fmt: skip
    assert opened_seg.session.findings is None
    assert tinted(opened_seg.picture()) == 0
    assert not opened_seg.actions_["export-seg"].isEnabled()
    volume = opened_seg.session.volume
    assert volume is not None
    opened_seg.session.set_findings(replace(make_findings(volume), segments=()))
    assert not opened_seg.actions_["export-seg"].isEnabled()
    path = tmp_path / "findings.json"
    monkeypatch.setattr(opened_seg.exporter, "_ask", lambda _format: path)
    opened_seg.actions_["export-json"].trigger()
    until(qtbot, lambda: path.exists() and not opened_seg.busy)
    assert json.loads(path.read_text())["segments"] is None, "not computed"
    path = tmp_path / "view.png"
    opened_seg.actions_["export-png"].trigger()
    until(qtbot, lambda: path.exists() and not opened_seg.busy)
    assert "The opened segmentations are not in the picture." in "".join(sentences(opened_seg))


def test_a_segment_is_hidden_and_all_are_closed(qtbot: Any, opened_seg: MainWindow) -> None:
    box = opened_seg.layers_panel.findChild(QCheckBox, "guest-1")
    box.click()
    assert opened_seg.view.guests() == []
    assert tinted(opened_seg.view.grab().toImage()) == 0
    opened_seg.layers_panel.findChild(QCheckBox, "guest-1").click()
    assert len(opened_seg.view.guests()) == 1
    press(qtbot, opened_seg, Qt.Key.Key_G)
    assert opened_seg.view.guests() == [], "all overlays are off"
    press(qtbot, opened_seg, Qt.Key.Key_G)
    uid = opened_seg.session.guests.of(opened_seg.session.volume)[0].uid
    opened_seg.layers_panel.findChild(QToolButton, f"close-{uid}").click()
    assert opened_seg.view.guests() == []
    assert "Opened segmentations" not in words(opened_seg.layers_panel)


def test_it_is_seen_in_other_planes(opened_seg: MainWindow) -> None:
    opened_seg.actions_["layout-mpr"].trigger()
    opened_seg.session.set_cursor((15.0, 15.0, 4.0))
    seen = [view.guests() for view in opened_seg.panes.views]
    assert all(seen), "GGO reaches all three planes"


def test_it_belongs_to_its_series(
    qtbot: Any, window: MainWindow, write_ct: Callable[..., Path],
    write_seg: Callable[..., Path], choose: Callable[[Path], None],
) -> None:  # fmt: skip
    folders = open_series(qtbot, window, write_ct, "one", "two")
    shown = window.session.series
    assert shown is not None
    choose(write_seg(shown.slices[0].path.parent))
    window.actions_["open-segmentation"].trigger()
    until(qtbot, lambda: bool(window.session.guests.of(window.session.volume)))
    show_series(qtbot, window, 1)
    window.session.set_position(4)
    assert window.view.guests() == []
    other = next(f for f in folders if f != shown.slices[0].path.parent)
    show_series(qtbot, window, 0)
    window.session.set_position(4)
    assert len(window.view.guests()) == 1
    # That of the other series is refused in words.
    choose(write_seg(other, "other.dcm"))
    window.actions_["open-segmentation"].trigger()
    until(qtbot, lambda: "“other.dcm” was drawn on other images" in "".join(sentences(window)))


def test_dropped_with_its_series_it_is_laid_on_it(
    qtbot: Any, window: MainWindow, write_ct: Callable[..., Path], write_seg: Callable[..., Path]
) -> None:
    folder = write_ct()
    assert drop(window, write_seg(folder), folder)
    until(qtbot, lambda: is_whole(window) and not window.busy)
    until(qtbot, lambda: bool(window.session.guests.of(window.session.volume)))
    window.session.set_position(4)
    assert len(window.view.guests()) == 1


def test_dropped_on_its_images_it_is_laid_on_them(
    qtbot: Any, window: MainWindow, write_ct: Callable[..., Path], write_seg: Callable[..., Path]
) -> None:
    folder = open_series(qtbot, window, write_ct, "one")[0]
    shown = window.session.volume
    assert drop(window, write_seg(folder))
    until(qtbot, lambda: bool(window.session.guests.of(window.session.volume)))
    assert window.session.volume is shown, "the images stay"


def test_without_images_it_is_said_what_to_do(
    qtbot: Any, window: MainWindow, write_ct: Callable[..., Path], write_seg: Callable[..., Path]
) -> None:
    assert drop(window, write_seg(write_ct()))
    until(
        qtbot,
        lambda: "“masks.dcm” is a segmentation; open the images" in "".join(sentences(window)),
    )


def test_teaching_mode_tells_no_person_and_no_date(qtbot: Any, opened_seg: MainWindow) -> None:
    guests = opened_seg.session.guests
    (one,) = guests.of(opened_seg.session.volume)
    guests.open(replace(one, creator="Reader, Rita", date="2021-05-06", description="Of Jane Doe"))
    assert "Reader, Rita, 2021-05-06" in opened_seg.view.guests()[0]
    assert "Of Jane Doe" in words(opened_seg.layers_panel)
    press(qtbot, opened_seg, Qt.Key.Key_F8)
    assert opened_seg.view.guests()[0].endswith("SEG: SecondRead")
    said = words(opened_seg.layers_panel)
    for private in ("Rita", "2021", "Jane"):
        assert private not in said
