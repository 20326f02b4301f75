"""Every export of the window, through the real dialog, and what then stands in the file."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pydicom
import pytest
import SimpleITK
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit
from scipy import ndimage

from inference.findings import Findings, Manifestation
from inference.measurements import Kind
from inference.quantify import MIN_LESION_VOXELS
from tests.gui.handling import drop, is_whole, sentences
from tests.phantoms import COLUMN_MM, ORIGIN, ROW_MM, SLICE_MM, chest, slice_paths, write_phantom
from viewer.window import MainWindow

CODES = {Manifestation.GGO: 1, Manifestation.CONSOLIDATION: 2, Manifestation.EFFUSION: 3}
ACROSS_PX, DOWN_PX = 12.0, 5.0
LENGTH_MM = math.hypot(ACROSS_PX * COLUMN_MM, DOWN_PX * ROW_MM)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A CT whose rows, columns and slices cannot be taken for one another."""
    return write_phantom(tmp_path / "ct", chest(10, 48, 56))


@pytest.fixture
def analysed(qtbot: Any, window: MainWindow, folder: Path) -> MainWindow:
    """The window after F5, with a line drawn on the slice on the screen."""
    drop(window, folder)
    qtbot.waitUntil(lambda: is_whole(window) and not window.busy)
    qtbot.keyClick(window, Qt.Key.Key_F5)
    # The first result of a process brings torch.
    qtbot.waitUntil(lambda: window.session.findings is not None and not window.busy, timeout=60_000)
    notebook, plane = window.session.measurements, float(window.session.position)
    qtbot.waitUntil(lambda: notebook.loaded)
    line = [(10.0, 20.0, plane), (10.0 + ACROSS_PX, 20.0 + DOWN_PX, plane)]
    notebook.add(Kind.LENGTH, line, 2)
    return window


@pytest.fixture
def expected(analysed: MainWindow) -> np.ndarray:
    """The masks as one array of codes, shape (slices, rows, columns)."""
    findings = analysed.session.findings
    assert findings is not None
    labels = np.zeros(findings.shape, np.uint8)
    for segment in findings.segments:
        labels[segment.mask] = CODES[segment.key]
    assert set(np.unique(labels)) >= {0, 1, 2}
    assert not np.array_equal(labels, labels[::-1])
    return labels


@pytest.fixture
def seen(analysed: MainWindow) -> Iterator[list[QFileDialog]]:
    """No dialog of the system's, and what was seen of ours."""
    attribute = Qt.ApplicationAttribute.AA_DontUseNativeDialogs
    before = QApplication.testAttribute(attribute)
    QApplication.setAttribute(attribute)
    yield []
    QApplication.setAttribute(attribute, before)


@pytest.fixture
def export(
    qtbot: Any, analysed: MainWindow, seen: list[Any], tmp_path: Path
) -> Callable[..., Path]:
    """Choose an entry of the menu, type a name in the dialog, and wait for the file."""

    def do(kind: str, title: str, name: str, filters: list[str]) -> Path:
        path = tmp_path / name
        said = len(sentences(analysed))

        def type_it() -> None:
            dialog = QApplication.activeModalWidget()
            if not isinstance(dialog, QFileDialog):
                QTimer.singleShot(20, type_it)
                return
            # Whatever is wrong with it, it must not stay: nothing goes on before it is gone.
            QTimer.singleShot(5_000, dialog.reject)
            edit = dialog.findChild(QLineEdit, "fileNameEdit")
            seen.append((dialog.windowTitle(), dialog.nameFilters(), edit.text()))
            # Typed key by key, the list of names that the dialog offers would take Return.
            edit.setText(str(path))
            qtbot.keyClick(edit, Qt.Key.Key_Return)

        QTimer.singleShot(20, type_it)
        analysed.actions_[f"export-{kind}"].trigger()
        asked_title, asked_filters, suggestion = seen[-1]
        assert (asked_title, asked_filters) == (title, filters)
        assert suggestion.endswith("".join(Path(name).suffixes))
        for private in ("Doe", "Jane", "ID-77"):
            assert private not in suggestion
        qtbot.waitUntil(lambda: len(sentences(analysed)) > said and not analysed.busy)
        assert any(f"“{path}”" in each for each in sentences(analysed)[said:])
        return path

    return do


def test_the_dicom_segmentation_has_the_masks_on_their_slices(
    export: Any, expected: np.ndarray, folder: Path
) -> None:
    path = export("seg", "Export DICOM segmentation", "masks.dcm", ["DICOM (*.dcm)"])
    uids = [pydicom.dcmread(each, stop_before_pixels=True) for each in slice_paths(folder)]
    read = hd.seg.segread(path).get_pixels_by_source_instance(
        [each.SOPInstanceUID for each in uids],
        assert_missing_frames_are_empty=True,
        combine_segments=True,
    )
    np.testing.assert_array_equal(read, expected)


def test_the_label_map_has_the_masks_on_the_grid_of_the_files(
    export: Any, expected: np.ndarray
) -> None:
    path = export("nifti", "Export label map", "map.nii.gz", ["NIfTI (*.nii.gz)"])
    image = SimpleITK.ReadImage(str(path), imageIO="NiftiImageIO")
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(image), expected)
    assert image.GetSpacing() == pytest.approx((COLUMN_MM, ROW_MM, SLICE_MM))
    assert image.GetOrigin() == pytest.approx(ORIGIN)
    assert image.GetDirection() == pytest.approx((1, 0, 0, 0, 1, 0, 0, 0, 1))


def test_the_table_has_a_line_for_each_lesion(export: Any, expected: np.ndarray) -> None:
    path = export("csv", "Export lesion list", "list.csv", ["CSV (*.csv)"])
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    counted: dict[str, list[int]] = {}
    for key, code in CODES.items():
        found, _ = ndimage.label(expected == code, np.ones((3, 3, 3)))
        sizes = np.bincount(found.ravel())[1:]
        counted[key.value] = sorted(int(n) for n in sizes if n >= MIN_LESION_VOXELS)
    assert sum(map(len, counted.values())) >= 1
    for key, sizes in counted.items():
        of_key = sorted(int(row["voxels"]) for row in rows if row["manifestation"] == key)
        assert of_key == sizes, key
    for row in rows:
        ml = int(row["voxels"]) * COLUMN_MM * ROW_MM * SLICE_MM / 1000.0
        assert float(row["volume_ml"]) == pytest.approx(ml, rel=1e-5)


def test_the_findings_are_those_of_the_window(export: Any, analysed: MainWindow) -> None:
    path = export("json", "Export findings", "all.json", ["JSON (*.json)"])
    report = json.loads(path.read_text(encoding="utf-8"))
    findings: Findings | None = analysed.session.findings
    assert findings is not None
    said = {each["key"]: each["volume_ml"] for each in report["segments"]}
    assert said == {s.key.value: pytest.approx(s.volume_ml) for s in findings.segments}
    assert len(report["slices"]) == 10


def test_the_measurements_are_a_table(export: Any) -> None:
    filters = ["Table (*.csv)", "JSON (*.json)"]
    path = export("measurements", "Export measurements", "lines.csv", filters)
    with path.open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert any(_is(value, LENGTH_MM) for value in row.values()), row


def test_the_measurements_are_a_dicom_report(export: Any) -> None:
    path = export("sr", "Export DICOM report", "lines.dcm", ["DICOM (*.dcm)"])
    ds = pydicom.dcmread(path)
    assert ds.Modality == "SR"
    values = [float(each.value) for each in ds.iterall() if each.keyword == "NumericValue"]
    assert values == [pytest.approx(LENGTH_MM, abs=0.01)]


def test_the_picture_is_that_of_the_panes(export: Any, analysed: MainWindow) -> None:
    shown = analysed.picture()
    path = export("png", "Export picture", "view.png", ["PNG (*.png)"])
    assert QImage(str(path)).convertToFormat(shown.format()) == shown


def test_cancel_in_the_dialog_writes_nothing(
    qtbot: Any, analysed: MainWindow, seen: list[Any], tmp_path: Path
) -> None:
    def think_better() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, QFileDialog)
        seen.append(dialog)
        qtbot.keyClick(dialog, Qt.Key.Key_Escape)

    before = sorted(tmp_path.rglob("*"))
    QTimer.singleShot(200, think_better)
    analysed.actions_["export-csv"].trigger()
    assert len(seen) == 1
    assert not analysed.busy
    assert sorted(tmp_path.rglob("*")) == before


def _is(text: str, value: float) -> bool:
    try:
        return abs(float(text) - value) < 0.01
    except ValueError:
        return False
