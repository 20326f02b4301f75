"""Where masks are cut is chosen without the groups that the shipped models are tested on."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from inference.commands.learning import register
from inference.cuts import HALF, Cut
from inference.errors import BadInputError
from inference.findings import Manifestation
from inference.models import ModelStore, Split
from inference.training.crossvalidate import cross_validate, held_out
from inference.training.cutting import Chosen, choose_cuts, enter_cuts
from inference.training.evaluation import segmentation, thresholds
from inference.training.evaluation.figure import Job
from inference.training.manifest import fold_of_groups, read_manifest
from inference.training.recipe import load_recipe

GGO, CONSOLIDATION, EFFUSION = Manifestation
TEST_FOLD, VALIDATION_FOLD, TRAINING_FOLDS = 1, 3, (0, 2, 4)
CHOSEN_ON = (0, 2, 3, 4)

RECIPE = """
name = "tiny"
kind = "streams"
seed = 1
size = 64
steps = 12
batch = 4
learning_rate = 1e-2

[network]
form = "shared"
encoder = "resnet18"
depth = 3
decoder_channels = 8
streams = { ggo = 1, effusion = 1 }
"""


@pytest.fixture(scope="module")
def validated(lesion_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cross-validation of all folds."""
    out = tmp_path_factory.mktemp("cv")
    (out / "tiny.toml").write_text(RECIPE)
    rows = read_manifest(lesion_folder)
    cross_validate([load_recipe(out / "tiny.toml")], rows, out, device="cpu", quiet=True)
    return out


@pytest.fixture
def store(validated: Path, tmp_path: Path) -> ModelStore:
    """What ships: a network that has a fold for validation and one for its test."""
    made = ModelStore(tmp_path / "store")
    (record,) = ModelStore(validated / f"fold-{TEST_FOLD}" / "store").records
    split = Split(TRAINING_FOLDS, (VALIDATION_FOLD,), (), ())
    weights = validated / f"fold-{TEST_FOLD}" / "store" / record.file
    made.install(weights, dataclasses.replace(record, split=split))
    return made


def test_held_out_slices_of_the_other_folds_decide(
    validated: Path, store: ModelStore, lesion_folder: Path
) -> None:
    rows = read_manifest(lesion_folder)
    found = choose_cuts(rows, validated, store, "shared", [EFFUSION], device="cpu")
    name = "streams (shared)"
    tried = [
        thresholds.try_out(
            segmentation.predict(held_out(rows, validated, fold, device="cpu"))[name],
            thresholds.GROWN,
        )
        for fold in CHOSEN_ON
    ]
    assert found.cuts == {EFFUSION: thresholds.choose(tried)[EFFUSION]}
    groups = [g for g, fold in fold_of_groups(rows).items() if fold in CHOSEN_ON]
    assert f"{2 * len(groups)} slices of {len(groups)} groups of folds 0, 2, 3, 4" in found.basis


def test_the_test_fold_takes_no_part(
    validated: Path, store: ModelStore, lesion_folder: Path, tmp_path: Path
) -> None:
    rows, out = read_manifest(lesion_folder), tmp_path / "cv"
    shutil.copytree(validated, out)
    shutil.rmtree(out / f"fold-{TEST_FOLD}")
    choose_cuts(rows, out, store, "shared", [EFFUSION], device="cpu")
    shutil.rmtree(out / f"fold-{VALIDATION_FOLD}")
    with pytest.raises(BadInputError, match=r"nothing of the form shared .* without fold 3; cross"):
        choose_cuts(rows, out, store, "shared", [EFFUSION], device="cpu")


def test_command_enters_what_it_says(
    validated: Path, store: ModelStore, lesion_folder: Path
) -> None:
    app = typer.Typer()
    register(app)
    arguments = ["cuts", str(lesion_folder), "--out", str(validated), "--device", "cpu"]
    arguments += ["--models", str(store.folder), "--stream", "effusion", "--stream", "ggo"]
    said = CliRunner().invoke(app, arguments, catch_exceptions=False).output
    assert ModelStore(store.folder).cuts("default") == {}
    CliRunner().invoke(app, [*arguments, "--enter"], catch_exceptions=False)
    read = ModelStore(store.folder)
    assert set(read.cuts("default")) == {GGO, EFFUSION}
    for key, cut in read.cuts("default").items():
        line = f"{key.label}, form shared: marked where the probability {cut.in_words()}"
        assert line in said.splitlines()
    assert "each as networks of a cross-validation see it" in read.cuts_reason


def test_a_stream_that_the_form_does_not_mark_is_refused(
    validated: Path, store: ModelStore, lesion_folder: Path
) -> None:
    rows = read_manifest(lesion_folder)
    with pytest.raises(BadInputError, match="The form shared does not mark consolidation"):
        choose_cuts(rows, validated, store, "shared", [CONSOLIDATION], device="cpu")


def test_the_form_is_that_of_the_cross_validation(
    validated: Path, store: ModelStore, lesion_folder: Path
) -> None:
    rows = read_manifest(lesion_folder)
    with pytest.raises(BadInputError, match="takes a recipe and one of its streams"):
        choose_cuts(
            rows, validated, store, "shared", [EFFUSION], silence=["other:ggo"], device="cpu"
        )


def test_cuts_of_another_form_stay(store: ModelStore) -> None:
    store.form_cuts = {"separate": {GGO: HALF}}
    enter_cuts(Chosen("shared", {EFFUSION: Cut(0.4, 0.1)}, "chosen by hand"), store)
    assert ModelStore(store.folder).form_cuts == {
        "separate": {GGO: HALF},
        "shared": {EFFUSION: Cut(0.4, 0.1)},
    }


def test_without_a_cross_validation_the_validation_groups_decide(
    store: ModelStore, lesion_folder: Path
) -> None:
    rows = read_manifest(lesion_folder)
    folds = fold_of_groups(rows)
    trained = tuple(g for g, f in folds.items() if f in TRAINING_FOLDS)
    valid = tuple(g for g, f in folds.items() if f == VALIDATION_FOLD)
    (record,) = store.records
    split = Split(TRAINING_FOLDS, (VALIDATION_FOLD,), trained, valid)
    store.write([dataclasses.replace(record, split=split)])
    found = choose_cuts(rows, None, store, "shared", [EFFUSION], plain=True, device="cpu")
    job = Job.begin(rows, store, ("validation",), "cpu", None)
    seen = segmentation.predict(job)["streams (shared)"]
    assert {row.group for row in seen.rows} == set(valid)
    expected = thresholds.choose([thresholds.try_out(seen, thresholds.PLAIN)])[EFFUSION]
    assert found.cuts == {EFFUSION: expected}
    assert found.cuts[EFFUSION].is_plain
    assert f"of {len(valid)} groups of validation" in found.basis
    store.write([dataclasses.replace(record, split=Split(TRAINING_FOLDS, (), trained + valid, ()))])
    others = [row for row in rows if row.group in trained]
    with pytest.raises(BadInputError, match="no validation slice of the form shared"):
        choose_cuts(others, None, store, "shared", [EFFUSION], device="cpu")
