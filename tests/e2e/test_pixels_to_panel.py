"""Known pixels through the real program and the shipped engine, by its window: the same ml, HU and
mm on the panel and in every file that it writes.

What they have to be is counted anew here, from the stored values of the files, their headers, and
the masks as other programs read them.
"""

from __future__ import annotations

import csv
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom
import pytest
import SimpleITK
from PySide6.QtCore import QPoint, QSettings, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from scipy import ndimage

from tests import factories
from tests.gui.handling import is_whole, words
from viewer import theme
from viewer.analysis import default_system
from viewer.session import HeatmapChoice
from viewer.settings import Settings
from viewer.window import MainWindow

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

SLICE_MM, ROW_MM, COLUMN_MM = 5.0, 0.8, 0.7
SLOPE = 2
CODES = {"ggo": 1, "consolidation": 2, "effusion": 3}
WAIT_S = 600.0
"""The engine's networks are made ready for this computer, whatever else it does."""


def chest(slices: int = 8, rows: int = 360, columns: int = 460) -> np.ndarray:
    """A body with two lungs and their vessels, and along the left one's back haze and dense tissue.

    Returns
    -------
    ndarray
        Even Hounsfield units, of shape (slices, rows, columns).
    """
    rng = np.random.default_rng(5)
    shape = (slices, rows, columns)
    _, y, x = np.ogrid[:slices, :rows, :columns]
    y, x = (y / rows - 0.5) * 2.0, (x / columns - 0.5) * 2.0

    def ellipse(down: float, across: float, high: float, wide: float) -> np.ndarray:
        return np.broadcast_to(((y - down) / high) ** 2 + ((x - across) / wide) ** 2 < 1, shape)

    hu = np.full(shape, -1000.0)
    hu[ellipse(0.0, 0.0, 0.86, 0.94)] = -100.0
    hu[ellipse(0.0, 0.0, 0.80, 0.89)] = 45.0
    hu[ellipse(0.56, 0.0, 0.10, 0.126)] = 300.0
    lungs = ellipse(-0.02, -0.45, 0.62, 0.31) | ellipse(-0.02, 0.45, 0.62, 0.31)
    hu[lungs] = -860.0
    for _ in range(160):
        at, radius = rng.uniform((-0.6, -0.75), (0.6, 0.75)), rng.uniform(0.006, 0.018)
        hu[ellipse(*at, radius, radius) & lungs] = 20.0
    texture = ndimage.gaussian_filter(rng.normal(size=shape), (0.6, 4.0, 4.0))
    texture /= texture.std()
    back = np.broadcast_to((x > 0.0) & (y > 0.1), shape)
    rim = lungs & ~ellipse(-0.02, 0.42, 0.5, 0.24) & back
    share = ndimage.gaussian_filter(rim.astype(float), (0.5, 5.0, 5.0)) * (1.0 + 0.4 * texture)
    share = np.clip(share, 0.0, 1.0)
    hu = ndimage.gaussian_filter(hu, (0.4, 1.2, 1.2))
    hu = hu * (1.0 - share) - 20.0 * share + np.where(lungs, 40.0 * texture, 0.0)
    return SLOPE * np.rint((hu + rng.normal(0.0, 15.0, shape)) / SLOPE).astype(np.int16)


@dataclass(frozen=True)
class Used:
    """The window after it was used, the folder it read, and what it wrote."""

    window: MainWindow
    source: Path
    files: dict[str, Path]


def until(holds: Callable[[], bool]) -> None:
    """Let the window work until something holds."""
    end = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < end, "the window does not get there"
        QTest.qWait(20)


def go_over(widget: QWidget) -> None:
    """Move the mouse over a part of the window, in steps that no line is missed by."""
    for across in range(0, 11):
        for down in range(0, 11, 2):
            at = QPoint(across * (widget.width() - 1) // 10, down * (widget.height() - 1) // 10)
            QTest.mouseMove(widget, at)
            QApplication.processEvents()


@pytest.fixture(scope="module")
def used(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Used]:
    """Open, F5, look at everything, choose a heatmap, export everything."""
    folder = tmp_path_factory.mktemp("used")
    source = factories.write_series(
        folder / "ct", chest(), spacing=(SLICE_MM, ROW_MM, COLUMN_MM), slope=SLOPE
    )
    theme.apply(qapp)
    settings = Settings(QSettings(str(folder / "s.ini"), QSettings.Format.IniFormat))
    settings.set_notice_read()
    window = MainWindow(default_system("elbana"), settings, measurements=folder / "kept")
    window.resize(1200, 800)
    window.show()
    window.activateWindow()
    until(window.isActiveWindow)
    session = window.session
    window.opener.open_paths([source])
    until(lambda: is_whole(window) and not window.busy)
    QTest.keyClick(window, Qt.Key.Key_F5)
    until(lambda: session.findings is not None and not window.busy)
    until(lambda: session.lesions.listed is not None)
    window.actions_["layout-mpr"].trigger()
    QApplication.processEvents()
    for view in window.panes.views:
        go_over(view)
    go_over(window.strip)
    session.choose_heatmap(HeatmapChoice("covid-2", "covid-19"))
    until(lambda: session.heatmap is not None and not window.busy)
    go_over(window.panes.views[0])
    files = {}
    names = {"seg": "seg.dcm", "nifti": "map.nii.gz", "csv": "lesions.csv", "json": "all.json",
             "png": "view.png"}  # fmt: skip
    for kind, name in names.items():
        files[kind] = folder / name
        window.exporter._ask = lambda _format, path=files[kind]: path
        window.actions_[f"export-{kind}"].trigger()
        until(lambda path=files[kind]: path.exists() and not window.busy)
    yield Used(window, source, files)
    window.close()
    window.deleteLater()
    QApplication.processEvents()


@dataclass(frozen=True)
class Counted:
    """What has to be said of one manifestation."""

    voxels: int
    ml: float
    mean_hu: float | None


@pytest.fixture(scope="module")
def hu(used: Used) -> np.ndarray:
    """The files' own values, from the feet to the head."""
    read = [pydicom.dcmread(path) for path in used.source.iterdir()]
    read.sort(key=lambda ds: float(ds.ImagePositionPatient[2]))
    for ds in read:
        assert [float(mm) for mm in ds.PixelSpacing] == [ROW_MM, COLUMN_MM]
    return np.stack([ds.pixel_array * ds.RescaleSlope + ds.RescaleIntercept for ds in read])


@pytest.fixture(scope="module")
def codes(used: Used) -> np.ndarray:
    """The masks, as SimpleITK reads them from NIfTI."""
    return SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(used.files["nifti"])))


@pytest.fixture(scope="module")
def counted(hu: np.ndarray, codes: np.ndarray) -> dict[str, Counted]:
    """Voxels, millilitres and mean, counted here."""
    found = {}
    for key, code in CODES.items():
        voxels = int((codes == code).sum())
        mean = float(hu[codes == code].mean()) if voxels else None
        found[key] = Counted(voxels, voxels * ROW_MM * COLUMN_MM * SLICE_MM / 1000.0, mean)
    assert found["ggo"].ml > 5.0, "the engine marks something"
    assert found["consolidation"].ml > 1.0
    return found


def test_nothing_went_wrong_under_the_mouse(used: Used) -> None:
    said = [each.sentence for each in used.window.messages.messages if each.kind == "error"]
    assert said == []


def test_the_segmentation_says_the_same_as_the_label_map(used: Used, codes: np.ndarray) -> None:
    headers = [pydicom.dcmread(p, stop_before_pixels=True) for p in used.source.iterdir()]
    headers.sort(key=lambda ds: float(ds.ImagePositionPatient[2]))
    read = hd.seg.segread(used.files["seg"]).get_pixels_by_source_instance(
        [ds.SOPInstanceUID for ds in headers],
        assert_missing_frames_are_empty=True,
        combine_segments=True,
    )
    segments = {
        int(segment.SegmentNumber): segment.SegmentLabel.lower()
        for segment in pydicom.dcmread(used.files["seg"]).SegmentSequence
    }
    assert len(segments) == 3
    for key, code in CODES.items():
        (number,) = [n for n, label in segments.items() if _names(label, key)]
        np.testing.assert_array_equal(read == number, codes == code, err_msg=key)


def _names(label: str, key: str) -> bool:
    return {"ggo": "ground", "consolidation": "consolidation", "effusion": "effusion"}[key] in label


def test_the_label_map_lies_where_the_patient_does(used: Used, hu: np.ndarray) -> None:
    image = SimpleITK.ReadImage(str(used.files["nifti"]))
    assert image.GetSpacing() == pytest.approx((COLUMN_MM, ROW_MM, SLICE_MM))
    assert image.GetSize() == hu.shape[::-1]


def test_the_report_has_the_same_millilitres_and_means(
    used: Used, counted: dict[str, Counted]
) -> None:
    report = json.loads(used.files["json"].read_text(encoding="utf-8"))
    for segment in report["segments"]:
        wanted = counted[segment["key"]]
        assert segment["volume_ml"] == pytest.approx(wanted.ml, rel=1e-5)
        assert segment["mean_hu"] == pytest.approx(wanted.mean_hu, abs=1e-3)


def test_the_list_of_lesions_adds_up_to_the_same(
    used: Used, counted: dict[str, Counted], codes: np.ndarray, hu: np.ndarray
) -> None:
    with used.files["csv"].open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = {}
    for key, code in CODES.items():
        labels, _ = ndimage.label(codes == code, np.ones((3, 3, 3)))
        for number, where in enumerate(ndimage.find_objects(labels), start=1):
            part = labels[where] == number
            found.setdefault((key, int(part.sum())), []).append(float(hu[where][part].mean()))
    assert len(rows) >= 2
    for row in rows:
        voxels = int(row["voxels"])
        means = found[row["manifestation"], voxels]
        assert any(float(row["mean_hu"]) == pytest.approx(mean, abs=1e-3) for mean in means)
        ml = voxels * ROW_MM * COLUMN_MM * SLICE_MM / 1000.0
        assert float(row["volume_ml"]) == pytest.approx(ml, rel=1e-5)
        # No lesion is wider than the grid's diagonal, nor thinner than a voxel.
        assert COLUMN_MM <= float(row["diameter_mm"]) < 460.0
    for key, wanted in counted.items():
        listed = sum(int(row["voxels"]) for row in rows if row["manifestation"] == key)
        left_out = sum(n * len(m) for (of, n), m in found.items() if of == key) - listed
        assert listed <= wanted.voxels
        assert listed + left_out == wanted.voxels


def test_the_panel_says_the_same(used: Used, counted: dict[str, Counted]) -> None:
    text = words(used.window.findings_panel).replace("\N{MINUS SIGN}", "-")
    for key in ("ggo", "consolidation"):
        wanted = counted[key]
        mls = [float(number) for number in re.findall(r"(\d+(?:\.\d+)?) ml", text)]
        hus = [float(number) for number in re.findall(r"(-?\d+(?:\.\d+)?) HU", text)]
        assert any(abs(ml - wanted.ml) <= 0.51 for ml in mls), (key, wanted, text)
        assert any(abs(mean - wanted.mean_hu) <= 0.51 for mean in hus), (key, wanted, text)


def test_the_picture_has_the_heatmap_and_the_masks(used: Used) -> None:
    image = QImage(str(used.files["png"])).convertToFormat(QImage.Format.Format_RGB32)
    seen = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4)
    spread = seen[..., :3].max(-1).astype(int) - seen[..., :3].min(-1)
    assert (spread > 30).mean() > 0.01
