"""Charts: what goes in is on them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from inference.calibration import Bin
from inference.training.evaluation.calibration import Curve
from inference.training.metrics import Interval
from inference.training.plots import Example, Roc, draw_examples, draw_reliability, draw_roc


def _drawn(path: Path) -> str:
    """The comments of matplotlib's SVG, which hold every text as it was written."""
    return path.read_text(encoding="utf-8")


def test_each_roc_curve_has_its_area_and_interval(tmp_path: Path) -> None:
    """More curves than colours: none may be lost."""
    truth = np.array([True, True, False, False])
    said = np.array([0.9, 0.4, 0.6, 0.1])
    curves = [Roc(f"source {k}", truth, said, Interval(0.75, 0.5, 1.0)) for k in range(10)]
    draw_roc(curves, tmp_path / "roc.svg")
    text = _drawn(tmp_path / "roc.svg")
    for k in range(10):
        assert f"source {k}: 0.75 [0.50, 1.00]" in text


def test_reliability_has_a_panel_a_class_and_names_both_curves(tmp_path: Path) -> None:
    bins = (Bin(0.2, 0.1, 0.0, 0.4, 20, 10), Bin(0.8, 0.9, 0.6, 1.0, 20, 10))
    curves = [
        Curve("model", "task", name, "test", calibrated, 40, 20, bins)
        for name in ("one", "two") for calibrated in (False, True)
    ]  # fmt: skip
    draw_reliability(curves, tmp_path / "r.svg")
    text = _drawn(tmp_path / "r.svg")
    for words in ("one", "two", "as the network says", "calibrated", "n 40, groups 20"):
        assert words in text


def test_examples_show_known_and_found_in_colour(tmp_path: Path) -> None:
    picture = np.full((40, 40), 90, dtype=np.uint8)
    mask = np.zeros((40, 40), dtype=bool)
    mask[10:30, 10:30] = True
    nothing = np.zeros_like(mask)
    example = Example("best", picture, {"consolidation": mask}, {"consolidation": nothing})
    draw_examples([example], tmp_path / "e.png")
    shown = cv2.imread(str(tmp_path / "e.png")).astype(int)
    red = shown[..., 2] - shown[..., 1] > 60
    half = shown.shape[1] // 2
    assert red[:, :half].any()
    assert not red[:, half:].any()
