"""Hiding parts of pictures, and a recogniser that looks at the border only."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import cv2
import numpy as np
import pytest

from inference.engine import Engine
from inference.models import ModelRecord, ModelStore, Split
from inference.progress import Progress
from inference.training.evaluation import shortcuts
from inference.training.evaluation.figure import Figure, Job
from inference.training.evaluation.shortcuts import ct_lungs, hide
from inference.training.manifest import Row, read_manifest

HEADER = "path,role,image_path,task,source,modality,label,split_group\n"


def _ellipse(shape: tuple[int, int], centre: tuple[int, int], axes: tuple[int, int]) -> np.ndarray:
    return cv2.ellipse(np.zeros(shape, np.uint8), centre, axes, 0, 0, 360, 1, -1).astype(bool)


def _chest(lesion: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A CT-like picture: dark room, bright body, two dark lungs, and a lesion at a pleura."""
    shape = (120, 160)
    picture = np.full(shape, 5, np.uint8)
    picture[_ellipse(shape, (80, 60), (72, 50))] = 190
    lungs = _ellipse(shape, (50, 60), (22, 34)) | _ellipse(shape, (110, 60), (22, 34))
    picture[lungs] = 25
    picture[lungs & _ellipse(shape, (72, 60), (lesion, lesion))] = 170
    return picture, lungs


def test_hiding_leaves_exactly_the_other_part() -> None:
    picture, lungs = _chest()
    out, only = (hide(picture, lungs, v) for v in ("lungs blacked out", "lungs only"))
    assert not out[lungs].any()
    assert np.array_equal(np.maximum(out, only), picture)
    border = hide(picture, lungs, "border only")
    assert not border[12:-12, 16:-16].any()
    assert np.array_equal(border[:12], picture[:12])
    assert np.array_equal(border[:, -16:], picture[:, -16:])
    assert hide(picture, lungs, "whole picture") is picture


@pytest.mark.parametrize("lesion", [0, 12])
def test_ct_lungs_are_found_with_their_lesions(lesion: int) -> None:
    picture, lungs = _chest(lesion)
    found = ct_lungs(picture)
    assert found[lungs].all()
    body = _ellipse(picture.shape, (80, 60), (72, 50))
    assert not found[~body].any()
    assert found.mean() < 0.5


def test_a_picture_without_lungs_gives_none() -> None:
    assert not ct_lungs(np.full((64, 64), 90, np.uint8)).any()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """12 X-rays of 12 groups; COVID-19 has a bright frame and the same lungs as the others."""
    lines = [HEADER]
    chooser = np.random.default_rng(0)
    for index in range(12):
        label = ("covid19", "normal")[index % 2]
        picture = chooser.integers(60, 120, (80, 80)).astype(np.uint8)
        if label == "covid19":
            picture[:4] = picture[-4:] = 250
        mask = np.zeros((80, 80), np.uint8)
        mask[20:60, 15:35], mask[20:60, 45:65] = 1, 255
        cv2.imwrite(str(tmp_path / f"x{index}.png"), picture)
        cv2.imwrite(str(tmp_path / f"m{index}.png"), mask)
        tail = f"toy,CXR,{label},g{index}\n"
        lines.append(f"x{index}.png,image,,cxr_classification,{tail}")
        mask_tail = f"cxr_lung_segmentation,toy,CXR,lungs,g{index}\n"
        lines.append(f"m{index}.png,mask,x{index}.png,{mask_tail}")
    (tmp_path / "manifest.csv").write_text("".join(lines))
    return tmp_path


def _brightness(job: Job, record: ModelRecord, pictures: np.ndarray) -> dict[str, np.ndarray]:
    """A recogniser that only sees whether the first row is bright."""
    score = (pictures[:, 0].mean(axis=1) - 170.0) / 20.0
    return {"covid-2": np.stack([score, -score], axis=1).astype(np.float32)}


def _figures(folder: Path, rows: tuple[Row, ...]) -> list[Figure]:
    record = ModelRecord(
        name="recognition", version="1", kind="recognition", architecture="", size=80, file="",
        network={"heads": {"covid-2": 2, "cxr-4": 4}}, sha256="", bytes=0, recipe="", data="",
        recipe_sha256="", device="", steps=1, seconds=1.0,
        split=Split((0,), (), ("g0", "g1"), ("g2", "g3")),
    )  # fmt: skip
    store = ModelStore(folder / "none")
    store.records = (record,)
    job = Job(rows, Engine(store, "cpu"), frozenset({"test"}), "cpu", Progress())
    with patch.object(shortcuts, "outputs", _brightness):
        return shortcuts.figures(job)


def test_a_recogniser_of_borders_is_found_out(folder: Path) -> None:
    figures = _figures(folder, read_manifest(folder))
    area = {f.source: f.value for f in figures if f.metric == "AUC"}
    for lungs in ("lungs by hand", "average lung region"):
        name = f"X-ray, COVID-19 v normal ({lungs}): "
        assert area[name + "whole picture"] == 1.0
        assert area[name + "lungs blacked out"] == 1.0
        assert area[name + "border only"] == 1.0
        assert area[name + "lungs only"] == 0.5
    assert {f.n for f in figures} == {8}
    (covered,) = [f for f in figures if f.metric == "hand-drawn lung inside, as a share"]
    assert covered.value == pytest.approx(1.0, abs=0.05)
