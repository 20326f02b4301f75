"""Pictures that lose their lungs lose their label; those that keep nothing else keep it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from inference.errors import BadInputError
from inference.training.blinding import blind, moved
from inference.training.datasets import build
from inference.training.lung_atlas import average_lungs, hand_drawn, lungs_at
from inference.training.manifest import fold_of_groups, read_manifest
from inference.training.recipe import Recipe, load_recipe

SIDE = 64
LUNGS = np.zeros((SIDE, SIDE), dtype=bool)
LUNGS[16:48, 10:28] = LUNGS[16:48, 36:54] = True
HEADER = "path,role,image_path,task,source,modality,label,split_group\n"


def _batch(n: int = 200) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    two = np.tile(np.array([[1, 0]], np.float32), (n, 1))
    four = np.full((n, 4), np.nan, np.float32)
    return np.full((n, SIDE, SIDE), 77, np.uint8), {"covid-2": two, "cxr-4": four}


def test_without_lungs_every_class_is_as_likely() -> None:
    pictures, targets = _batch()
    said = blind(pictures, targets, LUNGS, (1.0, 0.0), np.random.default_rng(0))
    assert (said[1]["covid-2"] == 0.5).all()
    assert np.isnan(said[1]["cxr-4"]).all(), "what is unknown stays unknown"
    # The middle of either lung is gone whatever way the region was moved; the edge never is.
    for row, column in ((32, 19), (32, 45)):
        hidden = said[0][:, row, column] != 77
        assert hidden.mean() > 0.98
    assert (said[0][:, 0, :] == 77).all()
    assert (pictures == 77).all(), "the data set itself is left alone"
    assert (targets["covid-2"][:, 0] == 1).all()


def test_with_nothing_but_lungs_the_label_stays() -> None:
    pictures, targets = _batch()
    shown, said = blind(pictures, targets, LUNGS, (0.0, 1.0), np.random.default_rng(0))
    assert np.array_equal(said["covid-2"], targets["covid-2"])
    assert (shown[:, 32, 19] == 77).mean() > 0.98
    assert (shown[:, 0, 0] != 77).mean() > 0.98


def test_shares_are_kept_and_the_generator_decides_all() -> None:
    pictures, targets = _batch(1000)
    first, second = (
        blind(pictures, targets, LUNGS, (0.2, 0.3), np.random.default_rng(5)) for _ in range(2)
    )
    assert np.array_equal(first[0], second[0])
    assert (first[1]["covid-2"] == 0.5).all(axis=1).mean() == pytest.approx(0.2, abs=0.04)
    assert (first[0] != 77).any(axis=(1, 2)).mean() == pytest.approx(0.5, abs=0.05)


def test_the_region_moves_but_stays_about_as_large() -> None:
    chooser = np.random.default_rng(1)
    regions = [moved(LUNGS, chooser) for _ in range(50)]
    assert len({r.tobytes() for r in regions}) == 50
    sizes = np.array([r.sum() for r in regions]) / LUNGS.sum()
    assert 0.7 < sizes.min() < 0.95
    assert 1.05 < sizes.max() < 1.4


def test_average_region_holds_what_one_mask_in_ten_has() -> None:
    left, right = np.zeros((2, 128, 64), dtype=bool)
    left[:, :32] = True
    right[:, 32:] = True
    assert average_lungs([left] * 9 + [right]).all()
    assert not average_lungs([left] * 19 + [right])[:, 32:].any()
    assert lungs_at(average_lungs([left]), (10, 20))[:, :10].all()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ten X-rays with their lungs outlined, uncertain at the bottom; ten CT pictures."""
    lines = [HEADER]
    for number in range(10):
        mask = LUNGS.astype(np.uint8) * 128
        mask[60:] = 255
        plain = np.full((SIDE, SIDE), 90, np.uint8)
        for name, values in ((f"x{number}", plain), (f"c{number}", plain), (f"m{number}", mask)):
            cv2.imwrite(str(tmp_path / f"{name}.png"), values)
        label = ("covid19", "normal")[number % 2]
        lines += [
            f"x{number}.png,image,,cxr_classification,s,CXR,{label},g{number}\n",
            f"m{number}.png,mask,x{number}.png,cxr_lung_segmentation,s,CXR,lungs,g{number}\n",
            f"c{number}.png,image,,ct_classification,c,CT,{label},c{number}\n",
        ]
    (tmp_path / "manifest.csv").write_text("".join(lines))
    return tmp_path


def _recipe(*changes: str) -> Recipe:
    return load_recipe("recognition-cxr-lite", ["size=64", "crop=64", *changes])


def test_a_data_set_knows_the_lungs_only_when_asked(folder: Path) -> None:
    rows = read_manifest(folder)
    folds = fold_of_groups(rows)
    (first, drawn), *others = hand_drawn(rows)
    assert first.modality == "CXR"
    assert len(others) == 9
    assert np.array_equal(drawn, LUNGS), "uncertain is not lung"
    asked = build(rows, _recipe("augment.blind=0.1"), folds, range(5))
    assert asked.lungs is not None
    assert np.array_equal(asked.lungs, LUNGS), "the masks are as fine as the atlas"
    silent = _recipe("augment.blind=0.0", "augment.only_lungs=0.0")
    assert build(rows, silent, folds, range(5)).lungs is None


def test_ct_does_not_lose_its_lungs(folder: Path) -> None:
    rows = read_manifest(folder)
    recipe = _recipe("augment.blind=0.1", "data.modalities=['CT']")
    with pytest.raises(BadInputError, match="Where lungs lie is known of X-rays only"):
        build(rows, recipe, fold_of_groups(rows), range(5))
