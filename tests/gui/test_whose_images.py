"""The window says whose images, and which image: in the corners, in the title, beside a second."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydicom
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QCheckBox, QToolButton

from inference.findings import Findings
from inference.measurements import Kind
from inference.studies import load, scan
from inference.studies.model import Study
from tests.gui.preferences.choosing import go_to, kept
from viewer.identity import name_text
from viewer.preferences import SettingsDialog
from viewer.settings import Settings
from viewer.viewport.annotations import Annotations, Line, Role, place
from viewer.window import MainWindow

SAID = {
    "PatientSex": "F", "PatientAge": "045Y", "InstitutionName": "City Hospital",
    "ConvolutionKernel": "B60f", "SliceThickness": 1.25,
}  # fmt: skip


@pytest.fixture
def read(write_ct: Callable[..., Path]) -> Callable[..., Study]:
    """Write a CT whose numbers run from the head down, and read its headers."""

    def write(name: str = "ct", **said: Any) -> Study:
        folder = write_ct(name, seed=name)
        for index, path in enumerate(sorted(folder.iterdir())):
            ds = pydicom.dcmread(path)
            ds.InstanceNumber = 112 - index
            for keyword, value in (SAID | said).items():
                setattr(ds, keyword, value)
            ds.save_as(path)
        return scan(folder)[0]

    return write


@pytest.fixture
def shown_ct(window: MainWindow, read: Callable[..., Study]) -> MainWindow:
    """Show such a CT in the real window."""
    show(window, read())
    return window


def show(window: MainWindow, study: Study) -> None:
    window.session.add_studies((study,))
    window.session.set_volume(study, study.series[0], load(study.series[0]))


def corners(written: Annotations) -> tuple[list[str], list[str]]:
    """Texts of the upper corners, left and right."""
    left = (*written.whose, *written.top_left)
    right = (*written.acquired, *written.top_right)
    return [line.text for line in left], [line.text for line in right]


def test_every_pane_says_whose_images_they_are_and_how_they_were_made(
    shown_ct: MainWindow,
) -> None:
    shown_ct.actions_["layout-mpr"].trigger()
    views = shown_ct.panes.views
    assert len(views) == 3
    for view in views:
        left, right = corners(view.annotations())
        assert left[:2] == ["Doe, Jane", "ID-77  ·  F  ·  45 y"]
        assert right[:4] == [
            "City Hospital", "2020-03-12 10:11  ·  Chest", "Series 3  ·  Thorax",
            "1.25 mm  ·  kernel B60f",
        ]  # fmt: skip


def test_a_slice_is_called_by_dicoms_number_and_by_its_place(shown_ct: MainWindow) -> None:
    shown_ct.session.set_position(2)
    left, _ = corners(shown_ct.view.annotations())
    assert left[2] == "Im 110 (3/12)  ·  H 10.0 mm"
    assert shown_ct.strip.counter() == "Im 110 (3/12)"
    assert shown_ct.strip.accessibleDescription() == "Im 110, slice 3 of 12"
    shown_ct.actions_["pane-coronal"].trigger()
    left, _ = corners(shown_ct.view.annotations())
    assert left[2].startswith("Coronal  33/64"), "which is no image of the file"


def test_findings_lesions_and_measurements_name_the_image(
    qtbot: Any, shown_ct: MainWindow, make_findings: Callable[..., Findings]
) -> None:
    session = shown_ct.session
    assert session.volume is not None
    session.set_findings(make_findings(session.volume))
    button = shown_ct.findings_panel.findChild(QToolButton, "go-to-ggo")
    assert button.text() == "Im 108 (5/12)"
    table = shown_ct.lesions_panel.table
    qtbot.waitUntil(lambda: table.model().rowCount() > 0, timeout=20_000)
    at = session.lesions.listed.lesions[0].voxel[2]
    tip = table.model().index(0, 0).data(Qt.ItemDataRole.ToolTipRole)
    assert f"Im {112 - at}, slice {at + 1}" in tip
    session.measurements.add(Kind.PROBE, ((5.0, 5.0, 2.0),), 2)
    assert shown_ct.measurements_panel.table.item(0, 2).text() == "Im 110 (3/12)"


def test_what_the_file_does_not_say_has_no_label(
    window: MainWindow, read: Callable[..., Study]
) -> None:
    nothing = dict.fromkeys(SAID, "")
    show(window, read(**nothing, StudyTime="", StudyDescription="", SeriesNumber=None))
    left, right = corners(window.view.annotations())
    assert left[1] == "ID-77"
    assert right == ["2020-03-12", "Thorax", "W 1500  L −600  ·  Lung", right[-1]]


def test_teaching_mode_hides_it_all_and_the_title_too(qtbot: Any, shown_ct: MainWindow) -> None:
    window = shown_ct
    assert window.windowTitle() == "CT · Chest · 2020-03-12 – SecondRead"
    qtbot.keyClick(window, Qt.Key.Key_F8)
    left, right = corners(window.view.annotations())
    assert left == ["CT  ·  names hidden", "Im 106 (7/12)  ·  H 30.0 mm"]
    assert right[0].startswith("W ")
    assert window.windowTitle() == "SecondRead"


def test_the_reader_chooses_what_stands_there_and_it_is_kept(
    qtbot: Any, shown_ct: MainWindow, settings: Settings
) -> None:
    shown_ct.habits.show_settings()
    dialog = shown_ct.findChild(SettingsDialog)
    page = go_to(dialog, "Corners of panes")
    for name in ("sex-age", "institution", "kernel"):
        check = page.findChild(QCheckBox, f"corner-{name}")
        qtbot.mouseClick(check, Qt.MouseButton.LeftButton, pos=QPoint(8, check.height() // 2))
    left, right = corners(shown_ct.view.annotations())
    assert left[1] == "ID-77"
    assert right[:3] == ["2020-03-12 10:11  ·  Chest", "Series 3  ·  Thorax", "1.25 mm"]
    assert {key.value for key in kept(settings).corners_off} == {"sex-age", "institution", "kernel"}
    qtbot.mouseClick(dialog.restore, Qt.MouseButton.LeftButton)
    assert corners(shown_ct.view.annotations())[0][1] == "ID-77  ·  F  ·  45 y"
    dialog.close()


def test_a_picture_that_is_written_says_neither_whose_nor_when(
    shown_ct: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    monkeypatch.setattr(
        "viewer.viewport.plane_view.draw",
        lambda _, placed: drawn.extend(entry.text for entry in placed),
    )
    shown_ct.picture()
    text = "\n".join(drawn)
    assert "Im 106 (7/12)" in text
    assert "Thorax" in text
    for private in ("Doe", "ID-77", "45 y", "City", "2020"):
        assert private not in text


def test_in_a_low_pane_the_slice_outlasts_the_institution() -> None:
    written = Annotations(
        whose=(Line("Doe, Jane", rank=1), Line("ID-77", rank=3)),
        top_left=(Line("Im 64 (85/148)"),),
        acquired=(Line("City", rank=4), Line("2020", rank=1), Line("1 mm", rank=3)),
        top_right=(Line("W 1500  L −600"), Line("×1.00")),
    )

    def texts(height: float) -> set[str]:
        return {e.text for e in place(written, 600, height) if e.role is Role.CORNER}

    assert len(texts(400)) == 8
    assert texts(130) == texts(400) - {"City", "1 mm"}
    assert texts(100) == {"Im 64 (85/148)", "Doe, Jane", "W 1500  L −600", "×1.00"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Doe^Jane", "Doe, Jane"),
        ("Adams^John Robert^^Rev.^B.A.", "Adams, Rev. John Robert, B.A."),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "Yamada, Tarou (山田 太郎)"),
        ("=山田^太郎", "山田 太郎"),
        ("Hong^Gildong==홍^길동", "Hong, Gildong"),
        ("^^^", ""),
    ],
)
def test_a_name_is_written_as_people_do(name: str, text: str) -> None:
    assert name_text(name) == text
