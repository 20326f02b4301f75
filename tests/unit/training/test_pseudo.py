"""Masks that a teacher draws."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from inference.commands.learning import register
from inference.errors import BadInputError
from inference.findings import Manifestation
from inference.training.datasets import build
from inference.training.losses import CODES, IGNORE
from inference.training.manifest import Row, fold_of_groups, read_manifest
from inference.training.pseudo import pseudo_codes, upright
from inference.training.recipe import DataSettings, Recipe
from inference.training.slices import PSEUDO


def test_only_what_is_sure_is_written() -> None:
    maps = {
        Manifestation.GGO: np.array([[0.9, 0.7, 0.45, 0.1]], dtype=np.float32),
        Manifestation.CONSOLIDATION: np.array([[0.2, 0.8, 0.1, 0.1]], dtype=np.float32),
        Manifestation.EFFUSION: np.array([[0.0, 0.0, 0.0, 0.29]], dtype=np.float32),
    }
    expected = [[CODES["ggo"], CODES["consolidation"], IGNORE, 0]]
    np.testing.assert_array_equal(pseudo_codes(maps), expected)


def test_a_lying_slice_is_turned_onto_the_back() -> None:
    """The spine, at the left in the file, comes to lie below, and the left edge's top goes left."""
    picture = np.arange(12, dtype=np.uint8).reshape(3, 4)
    row = Row(Path("a"), "image", None, "ct_unlabelled", "s", "CT", "", "g", "turned (spine left)")
    turned = upright(row, picture)
    np.testing.assert_array_equal(turned[-1], picture[:, 0])
    other = replace(row, path=Path("radiopaedia_1_2.jpg"))
    np.testing.assert_array_equal(upright(other, picture)[-1], picture[::-1, -1])
    plain = Row(Path("a"), "image", None, "ct_unlabelled", "s", "CT", "", "g")
    np.testing.assert_array_equal(upright(plain, picture), picture)


@pytest.fixture(scope="module")
def folder(lesion_folder: Path, tiny_recipe: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The annotated toy slices and eight slices without masks, of eight more patients."""
    made = tmp_path_factory.mktemp("unlabelled")
    lines = (lesion_folder / "manifest.csv").read_text().splitlines()
    for file in lesion_folder.glob("*.png"):
        (made / file.name).symlink_to(file)
    for index in range(8):
        picture = np.full((64, 80), 40 + index, dtype=np.uint8)
        cv2.imwrite(str(made / f"u{index}.png"), picture)
        lines.append(f"u{index}.png,image,,ct_unlabelled,toy,CT,covid19_patient,u{index}")
    (made / "manifest.csv").write_text("\n".join(lines) + "\n")
    (made / "tiny.toml").write_text(tiny_recipe)
    return made


def test_a_teacher_draws_and_a_recipe_learns_from_it(folder: Path, tmp_path: Path) -> None:
    app = typer.Typer()
    register(app)

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
        assert done.exit_code == 0
        return done.output

    store, masks = tmp_path / "store", tmp_path / "masks"
    recipe = str(folder / "tiny.toml")
    run("train", recipe, "--data", str(folder), "--out", str(tmp_path / "run"), "--device", "cpu",
        "--install", str(store))  # fmt: skip
    said = run("pseudo", str(folder), "--out", str(masks), "--models", str(store),
               "--streams", "shared", "--device", "cpu")  # fmt: skip
    assert "8 masks" in said
    drawn = cv2.imread(str(masks / "u0.png"), cv2.IMREAD_UNCHANGED)
    assert drawn.shape == (64, 80)
    assert set(np.unique(drawn)) <= {0, *CODES.values(), IGNORE}

    rows = read_manifest(folder)
    folds = fold_of_groups(rows)
    settings = DataSettings((0, 1, 2), (3,), pseudo=str(masks), pseudo_share=0.2)
    student = Recipe("toy", "streams", 1, 64, 1, 2, 1e-3, data=settings)
    data = build(rows, student, folds, (0, 1, 2))
    new = np.array([s == PSEUDO for s in data.sources])
    assert data.weights[new].sum() == pytest.approx(0.2)
    assert {folds[g] for g in np.array(data.groups)[new]} <= {0, 1, 2}, "held-out ones stay out"
    assert new.sum() == sum(g.startswith("u") and f in (0, 1, 2) for g, f in folds.items())


def test_missing_masks_are_named_with_what_to_do(folder: Path, tmp_path: Path) -> None:
    rows = read_manifest(folder)
    settings = DataSettings((0, 1, 2), (3,), pseudo=str(tmp_path))
    recipe = Recipe("toy", "streams", 1, 64, 1, 2, 1e-3, data=settings)
    with pytest.raises(BadInputError, match="make them with: secondread pseudo"):
        build(rows, recipe, fold_of_groups(rows), (0, 1, 2))
