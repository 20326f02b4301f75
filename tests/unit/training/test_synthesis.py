"""Drawn effusions, and the slices that training is given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from inference.framing import aerated_lungs
from inference.training.datasets import build
from inference.training.losses import CODES, IGNORE, LUNG
from inference.training.manifest import fold_of_groups, read_manifest
from inference.training.recipe import DataSettings, Recipe
from inference.training.slices import (
    DRAWN,
    DRAWN_LESIONS,
    UNMARKED,
    UNMARKED_SHARE,
    LesionSlice,
    drawn,
    prepared,
    present,
)
from inference.training.synthesis import draw_effusion, draw_lesions, draw_patches

EFFUSION = CODES["effusion"]
SIDE = 160


def ellipse(row: float, column: float, height: float, width: float) -> np.ndarray:
    rows, columns = np.ogrid[:SIDE, :SIDE]
    inside = ((rows - row) / height) ** 2 + ((columns - column) / width) ** 2 <= 1
    return np.asarray(inside)


LUNGS = ellipse(80, 50, 45, 24) | ellipse(80, 110, 45, 24)


@pytest.fixture
def picture() -> np.ndarray:
    """An axial slice: a grey body with two dark lungs."""
    grey = np.zeros((SIDE, SIDE), dtype=np.uint8)
    grey[ellipse(80, 80, 62, 74)] = 215
    grey[LUNGS] = 40
    return grey


def test_both_lungs_are_found_and_air_around_the_patient_is_not(picture: np.ndarray) -> None:
    lungs = aerated_lungs(picture)
    assert len(lungs) == 2
    found = np.logical_or.reduce(lungs)
    assert (found & LUNGS).sum() / LUNGS.sum() > 0.95
    assert (found & ~ellipse(80, 80, 62, 74)).sum() == 0


@pytest.mark.parametrize("seed", range(6))
def test_fluid_lies_at_the_dorsal_edge_and_is_as_grey_as_the_wall(
    picture: np.ndarray, seed: int
) -> None:
    result = draw_effusion(picture, np.zeros_like(picture), np.random.default_rng(seed))
    assert result is not None
    changed, codes = result
    fluid = codes == EFFUSION
    assert fluid.any()
    assert (fluid & LUNGS).sum() / fluid.sum() > 0.9
    assert np.argwhere(fluid)[:, 0].min() > 80, "fluid settles behind the middle of the lung"
    # No aerated lung lies below the fluid in any column (the found edge is smooth to 3 pixels).
    lowest_air = SIDE - 1 - ((changed < 90) & LUNGS)[::-1].argmax(axis=0)
    for column in np.flatnonzero(fluid.any(axis=0)):
        assert np.flatnonzero(fluid[:, column]).max() >= lowest_air[column] - 3
    # Thin fluid shares its pixels with air, but is never taken for lung.
    assert 130 < float(np.median(changed[fluid])) <= 220
    assert (changed[~LUNGS] == picture[~LUNGS]).mean() > 0.97


def test_fluid_lies_behind_a_consolidated_base(picture: np.ndarray) -> None:
    base = LUNGS & (np.arange(SIDE)[:, np.newaxis] > 100)
    picture[base] = 205
    codes = np.where(base, CODES["consolidation"], 0).astype(np.uint8)
    result = draw_effusion(picture, codes, np.random.default_rng(1))
    assert result is not None
    fluid = result[1] == EFFUSION
    assert np.argwhere(fluid)[:, 0].max() > 115
    assert ((result[1] == CODES["consolidation"]) | fluid)[base].all(), "only fluid replaces it"


def test_a_slice_without_lungs_is_left_alone(picture: np.ndarray) -> None:
    picture[LUNGS] = 215
    assert draw_effusion(picture, np.zeros_like(picture), np.random.default_rng(0)) is None


def test_copies_repeat_by_seed_and_keep_their_group(picture: np.ndarray) -> None:
    one = LesionSlice(picture, np.zeros_like(picture), None, "patient", "real")
    first, again, other = drawn([one], 2, 5), drawn([one], 2, 5), drawn([one], 2, 6)
    assert len(first) == 2
    assert {s.group for s in first} == {"patient"}
    assert all(np.array_equal(a.picture, b.picture) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0].codes, first[1].codes)
    assert not np.array_equal(first[0].codes, other[0].codes)


def test_an_unknown_part_leaves_open_what_is_not_seen(picture: np.ndarray) -> None:
    codes = np.zeros_like(picture)
    codes[:4] = IGNORE
    codes[90:94, 50:54] = CODES["ggo"]
    one = LesionSlice(picture, codes, None, "patient", "real")
    known = present([one, replace(one, codes=np.where(codes == IGNORE, 0, codes))])
    np.testing.assert_array_equal(known, [[1, np.nan, np.nan], [1, 0, 0]])


def test_lungs_are_marked_with_the_lesions_in_them_and_not_with_fluid_or_the_unknown(
    picture: np.ndarray,
) -> None:
    codes = np.zeros_like(picture)
    consolidated = LUNGS & (np.arange(SIDE)[:, np.newaxis] > 110)
    picture[consolidated] = 215
    codes[consolidated] = CODES["consolidation"]
    codes[125:, :] = np.where(LUNGS[125:], EFFUSION, 0)
    codes[60:64, 40:60] = IGNORE
    one = LesionSlice(picture, codes, None, "g", "toy")
    _, masks = prepared([one], SIDE, lungs=True)
    known = masks[0] != IGNORE
    marked = known & (masks[0] >= LUNG)
    assert (masks[0] == IGNORE).sum() == 80
    np.testing.assert_array_equal(np.where(known, masks[0] % LUNG, IGNORE), codes)
    assert marked[codes == CODES["consolidation"]].all()
    assert not marked[codes == EFFUSION].any()
    air = LUNGS & ~consolidated & known
    assert marked[air].mean() > 0.95
    assert not marked[~LUNGS].any()
    np.testing.assert_array_equal(prepared([one], SIDE)[1][0], codes)


def test_a_recipe_may_ask_for_drawn_effusions(lesion_folder: Path) -> None:
    rows = read_manifest(lesion_folder)
    folds = fold_of_groups(rows)
    data = DataSettings(train_folds=(0, 1, 2), validation_folds=(3,), effusions=2)
    recipe = Recipe(
        name="toy", kind="streams", seed=1, size=64, steps=1, batch=2, learning_rate=1e-3, data=data
    )
    plain = build(rows, replace(recipe, data=replace(data, effusions=0)), folds, (0, 1, 2))
    mixed = build(rows, recipe, folds, (0, 1, 2))
    new = np.array([s == DRAWN for s in mixed.sources])
    assert len(plain) == (~new).sum()
    assert set(mixed.groups) == set(plain.groups)
    assert new.any()
    assert mixed.masks is not None
    assert (mixed.masks[new] == EFFUSION).any(axis=(1, 2)).all()
    assert mixed.weights[new].sum() == pytest.approx(data.effusions_share)
    assert mixed.weights.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("kind", ["ggo", "consolidation"])
@pytest.mark.parametrize("seed", range(4))
def test_patches_lie_in_the_lungs_and_are_brighter(
    picture: np.ndarray, kind: str, seed: int
) -> None:
    result = draw_patches(picture, np.zeros_like(picture), kind, np.random.default_rng(seed))
    assert result is not None
    changed, codes = result
    cloud = codes == CODES[kind]
    assert cloud.any()
    assert (cloud & LUNGS).sum() / cloud.sum() > 0.9
    assert np.abs(changed[~LUNGS].astype(int) - picture[~LUNGS]).mean() < 1
    inner = float(np.median(changed[cloud & LUNGS]))
    assert (55 < inner < 165) if kind == "ggo" else (120 < inner <= 220), inner


def test_vessels_shine_through_ground_glass_but_not_through_consolidation(
    picture: np.ndarray,
) -> None:
    vessel = np.zeros_like(LUNGS)
    vessel[60:100:6, 32:128] = True
    picture[vessel & LUNGS] = 190
    contrast = {}
    for kind in ("ggo", "consolidation"):
        found = []
        for seed in range(8):
            result = draw_patches(
                picture, np.zeros_like(picture), kind, np.random.default_rng(seed)
            )
            assert result is not None
            inside = (result[1] > 0) & LUNGS
            if (inside & vessel).sum() > 5 and (inside & ~vessel).sum() > 5:
                found.append(result[0][inside & vessel].mean() - result[0][inside & ~vessel].mean())
        contrast[kind] = float(np.mean(found))
    assert contrast["ggo"] > 2 * max(contrast["consolidation"], 5.0)


def test_drawn_lesions_repeat_by_seed_and_need_lungs(picture: np.ndarray) -> None:
    empty = np.zeros_like(picture)
    kinds: set[int] = set()
    for seed in range(12):
        first = draw_lesions(picture, empty, np.random.default_rng(seed))
        again = draw_lesions(picture, empty, np.random.default_rng(seed))
        assert first is not None
        assert again is not None
        assert np.array_equal(first[0], again[0])
        kinds |= set(np.unique(first[1]).tolist())
    assert kinds == {0, *CODES.values()}
    picture[LUNGS] = 215
    assert draw_lesions(picture, empty, np.random.default_rng(0)) is None


def test_pre_training_draws_into_pictures_without_covid_and_leaves_the_others_unknown(
    picture: np.ndarray, tmp_path: Path
) -> None:
    lines = ["path,role,image_path,task,source,modality,label,split_group,notes"]
    for index, (task, label) in enumerate(
        [("ct_classification", "noncovid"), ("ct_classification", "covid19"), ("ct_unlabelled", "")]
        * 5
    ):
        cv2.imwrite(str(tmp_path / f"{index}.png"), picture)
        lines.append(f"{index}.png,image,,{task},toy,CT,{label},g{index},")
    (tmp_path / "manifest.csv").write_text("\n".join(lines))
    rows = read_manifest(tmp_path)
    data = DataSettings(train_folds=(0, 1, 2), validation_folds=(), pretext=3)
    recipe = Recipe(
        name="toy", kind="streams", seed=1, size=64, steps=1, batch=2, learning_rate=1e-3, data=data
    )
    made = build(rows, recipe, fold_of_groups(rows), range(5))
    assert made.masks is not None
    sources = np.array(made.sources)
    assert (sources == DRAWN_LESIONS).sum() == 3 * 5
    assert (sources == UNMARKED).sum() == 10
    assert (made.masks[sources == UNMARKED] == IGNORE).all()
    assert not (made.masks[sources == DRAWN_LESIONS] == IGNORE).any()
    assert made.weights[sources == UNMARKED].sum() == pytest.approx(UNMARKED_SHARE)
