"""A slice as a picture: true aspect, colours where the masks are, banner and letters."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from inference.errors import ExportRefusedError
from inference.export.palette import findings_colours
from inference.export.picture import default_window, render, write_png
from inference.findings import Energy, Findings, Heatmap, Manifestation
from inference.studies.model import Unit, Volume, Window
from tests import factories

_BAR = 34


def _centre(picture: np.ndarray, volume: Volume, row: float, column: float) -> np.ndarray:
    """The picture's colour at a voxel."""
    height, width = picture.shape[0] - _BAR, picture.shape[1]
    _, rows, columns = volume.shape
    return picture[int((row + 0.5) / rows * height), int((column + 0.5) / columns * width)]


def test_pixels_are_square_in_the_patient(volume: Volume) -> None:
    picture = render(volume, None, 0)
    height, width = picture.shape[0] - _BAR, picture.shape[1]
    assert picture.dtype == np.uint8
    # 40 rows of 0.8 mm, 48 columns of 0.7 mm
    assert width / height == pytest.approx(48 * 0.7 / (40 * 0.8), rel=0.01)


def test_window_maps_values_to_grey(volume: Volume) -> None:
    flat = replace(volume, array=np.full(volume.shape, -600, np.int16), has_orientation=False)
    middle = _centre(render(flat, None, 0, Window(-600, 1500)), volume, 12, 16)
    np.testing.assert_allclose(middle, 128, atol=1)
    bright = _centre(render(flat, None, 0, Window(-1500, 100)), volume, 12, 16)
    assert bright.tolist() == [255, 255, 255]
    dark = _centre(
        render(replace(flat, inverted=True), None, 0, Window(-1500, 100)), volume, 12, 16
    )
    assert dark.tolist() == [0, 0, 0]


def test_filled_masks_have_the_papers_colours(findings: Findings, volume: Volume) -> None:
    picture = render(volume, findings, 2, opacity=1.0)
    assert findings_colours()[Manifestation.GGO] == (0xF5, 0xD3, 0x3F)
    assert tuple(_centre(picture, volume, 6, 9)) == (0xF5, 0xD3, 0x3F)
    assert tuple(_centre(picture, volume, 17, 21)) == (0xE5, 0x48, 0x4D)


def test_only_the_layers_asked_for_are_drawn(findings: Findings, volume: Volume) -> None:
    picture = render(volume, findings, 2, opacity=1.0, layers=[Manifestation.CONSOLIDATION])
    assert tuple(_centre(picture, volume, 6, 9)) != (0xF5, 0xD3, 0x3F)
    assert tuple(_centre(picture, volume, 17, 21)) == (0xE5, 0x48, 0x4D)


def test_outlines_leave_the_inside_free(findings: Findings, volume: Volume) -> None:
    plain = render(volume, None, 2)
    outlined = render(volume, findings, 2, style="outline")
    np.testing.assert_array_equal(_centre(outlined, volume, 8, 9), _centre(plain, volume, 8, 9))
    edge = (outlined == np.array([0xF5, 0xD3, 0x3F])).all(axis=2)
    assert 100 < edge.sum() < 5000


def test_the_safe_palette(findings: Findings, volume: Volume) -> None:
    picture = render(volume, findings, 2, opacity=1.0, palette="safe")
    assert tuple(_centre(picture, volume, 6, 9)) == (0xE6, 0x9F, 0x00)


def test_heatmap_colours_only_where_there_is_evidence(volume: Volume) -> None:
    values = np.zeros(volume.shape[1:], np.float32)
    values[4:12, 4:12] = 1
    heatmap = factories.make_heatmap(volume, 1, values=values)
    plain, hot = render(volume, None, 1), render(volume, None, 1, heatmap=heatmap)
    assert np.ptp(_centre(hot, volume, 8, 8).astype(int)) > 20
    np.testing.assert_array_equal(_centre(hot, volume, 15, 25), _centre(plain, volume, 15, 25))
    with pytest.raises(ExportRefusedError, match="another slice"):
        render(volume, None, 2, heatmap=heatmap)


def test_what_must_be_said_of_a_heatmap_is_burnt_in(volume: Volume) -> None:
    heatmap = factories.make_heatmap(volume, 1, values=np.zeros(volume.shape[1:], np.float32))

    def amber(shown: Heatmap | None) -> int:
        picture = render(volume, None, 1, heatmap=shown)[:-_BAR]
        return int((picture == np.array([242, 184, 75])).all(axis=2).sum())

    counts = [
        amber(shown)
        for shown in (
            None,
            heatmap,
            replace(heatmap, lungs=Energy(0.6, 0.4)),
            replace(heatmap, lungs=Energy(0.2, 0.4)),
        )
    ]
    assert counts[0] == 0
    assert sorted(set(counts)) == counts


def test_the_banner_is_burnt_in(volume: Volume) -> None:
    strip = render(volume, None, 0)[-_BAR:]
    assert (strip == np.array([242, 184, 75])).all(axis=2).sum() > 50


def test_letters_need_an_orientation(volume: Volume) -> None:
    black = replace(volume, array=np.full(volume.shape, -3000, np.int16))
    left = render(black, None, 0)[300:420, :40]
    assert left.max() > 100
    assert render(replace(black, has_orientation=False), None, 0)[300:420, :40].max() == 0


def test_default_windows(volume: Volume) -> None:
    assert default_window(volume) == Window(-600, 1500, "Lung")
    grey = replace(volume, unit=Unit.GREY)
    assert default_window(grey).name == "File 1"
    assert default_window(replace(grey, windows=())).name == "1-99 %"


def test_a_slice_that_is_not_there(volume: Volume) -> None:
    with pytest.raises(ExportRefusedError, match=r"no slice 7; this series has slices 1 to 6"):
        render(volume, None, 6)


def test_findings_of_another_series_are_refused(findings: Findings, volume: Volume) -> None:
    with pytest.raises(ExportRefusedError, match="another series"):
        render(replace(volume, series_uid="1.2"), findings, 0)


def test_png_holds_the_picture(findings: Findings, volume: Volume, tmp_path: Path) -> None:
    picture = render(volume, findings, 2)
    write_png(picture, tmp_path / "sliçe.png")
    data = np.frombuffer((tmp_path / "sliçe.png").read_bytes(), np.uint8)
    np.testing.assert_array_equal(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1], picture)
    with pytest.raises(ExportRefusedError, match="could not be written"):
        write_png(picture, tmp_path / "missing" / "slice.png")
