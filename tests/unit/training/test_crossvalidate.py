"""Cross-validation scores every picture once, by the model that did not see it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from unittest.mock import patch

import pytest
import typer
from typer.testing import CliRunner

from inference.commands.learning import register
from inference.errors import BadInputError
from inference.models import ModelStore
from inference.training import crossvalidate, levers
from inference.training.crossvalidate import cross_validate, of_fold
from inference.training.evaluation.figure import Figure
from inference.training.groups import groups_behind, remember_groups
from inference.training.manifest import fold_of_groups, read_manifest
from inference.training.recipe import load_recipe

RECIPE = """
name = "{name}"
kind = "streams"
seed = 1
size = 64
steps = 1
batch = 2
learning_rate = 1e-3

[network]
form = "{form}"
encoder = "resnet18"
depth = 3
decoder_channels = 8
streams = {{ {streams} }}
"""


def _write(folder: Path, name: str, form: str, *streams: str, more: str = "") -> Path:
    path = folder / f"{name}.toml"
    text = ", ".join(f"{s} = 1" for s in streams)
    path.write_text(RECIPE.format(name=name, form=form, streams=text) + more)
    return path


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    return _write(tmp_path, "tiny", "shared", "ggo", "consolidation", "effusion")


def test_command_pools_the_folds_and_goes_on_where_it_was(
    shared: Path, lesion_folder: Path, tmp_path: Path
) -> None:
    app = typer.Typer()
    register(app)
    arguments = ["crossvalidate", str(lesion_folder), "--recipe", str(shared), "--device", "cpu"]
    arguments += ["--out", str(tmp_path / "cv")]
    first = CliRunner().invoke(app, [*arguments, "--folds", "0"], catch_exceptions=False)
    assert "fold-0: tiny: training on" in first.output
    again = CliRunner().invoke(app, [*arguments, "--folds", "0,1"], catch_exceptions=False)
    assert "fold-0: tiny is trained already" in again.output
    figures = json.loads((tmp_path / "cv" / "figures.json").read_text())
    assert {f["split"] for f in figures} == {"cross-validation"}
    held_out = [g for g, fold in fold_of_groups(read_manifest(lesion_folder)).items() if fold < 2]
    of_all = [f for f in figures if "all slices" in f["metric"] or "pooled" in f["metric"]]
    assert {f["groups"] for f in of_all} == {len(held_out)}
    assert {f["n"] for f in of_all} == {2 * len(held_out)}
    effusion = [f for f in figures if f["metric"] == "Dice, mean over slices that have it"
                and f["source"] == "toy, effusion"]  # fmt: skip
    assert [f["n"] for f in effusion] == [len(held_out)] * 5  # one of a group's two slices has it
    plain = "streams (shared)"
    averaged = f"{plain}, mirror averaged"
    tuned = f"{averaged}, thresholds of the other folds"
    grown = f"{averaged}, grown from seeds, both thresholds of the other folds"
    shipped = f"{plain}, grown from seeds, both thresholds of the other folds"
    assert {f["model"] for f in figures} == {plain, shipped, averaged, tuned, grown}
    page = (tmp_path / "cv" / "figures.md").read_text()
    assert "tiny (1 steps); folds held out: 0, 1." in page
    assert "| toy, mean of the three | streams (shared) | cross-validation |" in page


def test_each_fold_is_held_out_of_its_own_model(
    shared: Path, lesion_folder: Path, tmp_path: Path
) -> None:
    rows = read_manifest(lesion_folder)
    cross_validate([load_recipe(shared)], rows, tmp_path, folds=[1, 3], device="cpu", quiet=True)
    of_group = fold_of_groups(rows)
    for fold in (1, 3):
        (record,) = ModelStore(tmp_path / f"fold-{fold}" / "store").records
        held_out = {g for g, f in of_group.items() if f == fold}
        assert set(record.split.trained_groups) == set(of_group) - held_out


def test_separate_streams_are_scored_together(lesion_folder: Path, tmp_path: Path) -> None:
    recipes = [
        load_recipe(_write(tmp_path, f"s-{s}", "separate", s))
        for s in ("ggo", "consolidation", "effusion")
    ]
    rows = read_manifest(lesion_folder)
    one = cross_validate(recipes[:1], rows, tmp_path, folds=[0], device="cpu", quiet=True)
    assert {f.source for f in one} == {"toy, ggo"}
    figures = cross_validate(recipes, rows, tmp_path, folds=[0], device="cpu", quiet=True)
    assert {f.model.partition(",")[0] for f in figures} == {"streams (separate)"}
    assert "toy, infection" in {f.source for f in figures}


@pytest.fixture
def unet(tmp_path: Path) -> Path:
    """Of one decoder; ImageNet's weights fit its encoder."""
    return _write(tmp_path, "u", "shared", "ggo", "consolidation", "effusion", more="""
decoder = "unet"
""")  # fmt: skip


def _effusion(figures: list[Figure], form: str) -> dict[str, float]:
    return {
        f.metric: f.value
        for f in figures
        if f.model == f"streams ({form})" and f.source == "toy, effusion"
    }


class TestMixed:
    """A network that marks some lesions speaks of those beside one that marks all."""

    def test_both_speak_where_both_know_the_lesion(
        self, shared: Path, unet: Path, lesion_folder: Path, tmp_path: Path
    ) -> None:
        recipes, rows = [load_recipe(shared), load_recipe(unet)], read_manifest(lesion_folder)
        figures = cross_validate(
            recipes, rows, tmp_path / "cv", folds=[0], device="cpu", quiet=True,
            keep=["ggo", "consolidation"],
        )  # fmt: skip
        assert {f.model.partition(",")[0] for f in figures} == {
            "streams (shared)",
            "streams (mixed)",
        }

        def values(name: str, source: str) -> dict[str, float]:
            return {
                f.metric: f.value
                for f in figures
                if (f.model, f.source) == (f"streams ({name})", f"toy, {source}")
            }

        assert values("mixed", "ggo") != values("shared", "ggo")
        assert values("mixed", "effusion") == values("shared", "effusion") != {}
        kept = ModelStore(tmp_path / "cv" / "fold-0" / "kept").records
        assert {r.name: r.streams for r in kept} == {
            "tiny": ("ggo", "consolidation", "effusion"),
            "u": ("ggo", "consolidation"),
        }
        whole = ModelStore(tmp_path / "cv" / "fold-0" / "store").records
        assert {len(r.streams) for r in whole} == {3}, "what was trained stays whole"

    def test_all_streams_kept_are_the_mean(
        self, shared: Path, unet: Path, lesion_folder: Path, tmp_path: Path
    ) -> None:
        recipes, rows = [load_recipe(shared), load_recipe(unet)], read_manifest(lesion_folder)
        figures = cross_validate(recipes, rows, tmp_path, folds=[0], device="cpu", quiet=True)
        assert _effusion(figures, "shared") != _effusion(figures, "mixed")

    def test_a_silent_network_leaves_a_stream_to_the_other(
        self, shared: Path, unet: Path, lesion_folder: Path, tmp_path: Path
    ) -> None:
        rows = read_manifest(lesion_folder)

        def figures(*recipes: Path, silence: tuple[str, ...] = ()) -> list[Figure]:
            chosen = [load_recipe(recipe) for recipe in recipes]
            out = tmp_path / "-".join(r.name for r in chosen)
            return cross_validate(
                chosen, rows, out, folds=[0], device="cpu", quiet=True, silence=silence
            )

        alone, both = figures(unet), figures(shared, unet, silence=("tiny:effusion",))
        assert _effusion(both, "mixed") == _effusion(alone, "shared") != {}
        assert _effusion(both, "shared") != _effusion(alone, "shared")
        for wrong in ("tiny", "tiny:lungs", "other:effusion"):
            with pytest.raises(BadInputError, match="takes a recipe and one of its streams"):
                figures(shared, unet, silence=(wrong,))

    def test_what_cannot_be_kept_is_refused(
        self, shared: Path, unet: Path, lesion_folder: Path, tmp_path: Path
    ) -> None:
        rows = read_manifest(lesion_folder)
        for recipe, keep, words in (
            (shared, ["ggo"], "U-Net's decoder"),
            (unet, ["lungs"], "names streams"),
        ):
            with pytest.raises(BadInputError, match=words):
                cross_validate(
                    [load_recipe(recipe)], rows, tmp_path / recipe.stem, folds=[0], device="cpu",
                    quiet=True, keep=keep,
                )  # fmt: skip

    def test_each_recipe_has_its_start(self, shared: Path, unet: Path, tmp_path: Path) -> None:
        recipes = [load_recipe(shared), load_recipe(unet)]
        with pytest.raises(BadInputError, match="once for each of the 2 recipes"):
            cross_validate(recipes, [], tmp_path, init=["random", "imagenet", "random"])

    def test_the_command_says_both_starts(
        self, shared: Path, unet: Path, lesion_folder: Path, tmp_path: Path
    ) -> None:
        app = typer.Typer()
        register(app)
        arguments = ["crossvalidate", str(lesion_folder), "--recipe", str(shared), "--recipe"]
        arguments += [str(unet), "--init", "random", "--init", "random", "--keep", "ggo"]
        arguments += ["--device", "cpu", "--out", str(tmp_path / "cv"), "--folds", "0"]
        arguments += ["--enter", "Both", "--models", str(tmp_path)]
        CliRunner().invoke(app, arguments, catch_exceptions=False)
        (lever,) = levers.read(tmp_path)
        assert lever.start == "random, random"
        page = "\n".join(levers.section([lever]))
        assert "streams (mixed)" in page
        assert "| streams (shared) |" not in page, "that is a lever of its own"


def test_folds_and_steps_have_hashes_of_their_own(shared: Path, tmp_path: Path) -> None:
    recipe = load_recipe(shared)
    assert of_fold(recipe, 2).data.train_folds == (0, 1, 3, 4)
    assert len({recipe.sha256, *(of_fold(recipe, k).sha256 for k in range(5))}) == 6


def test_a_teacher_that_knew_the_held_out_groups_is_refused(shared: Path) -> None:
    recipe = load_recipe(shared)
    one = dataclasses.replace(recipe, data=dataclasses.replace(recipe.data, pseudo="masks"))
    with pytest.raises(BadInputError, match="once a fold"):
        of_fold(one, 0)
    each = dataclasses.replace(one, data=dataclasses.replace(recipe.data, pseudo="masks-{fold}"))
    assert of_fold(each, 3).data.pseudo == "masks-3"


def test_recipes_of_two_kinds_and_unknown_folds_are_refused(shared: Path, tmp_path: Path) -> None:
    recipe = load_recipe(shared)
    with patch.object(crossvalidate, "train") as train:
        with pytest.raises(BadInputError, match="one kind"):
            cross_validate([recipe, load_recipe("manifestations")], [], tmp_path)
        with pytest.raises(BadInputError, match="from 0 to 4"):
            cross_validate([recipe], [], tmp_path, folds=[5])
    train.assert_not_called()


def test_weights_that_know_held_out_groups_are_no_start(
    shared: Path, lesion_folder: Path, tmp_path: Path
) -> None:
    rows = read_manifest(lesion_folder)
    of_group = fold_of_groups(rows)
    start = tmp_path / "start" / "weights.safetensors"
    start.parent.mkdir()
    remember_groups([g for g, f in of_group.items() if f == 2], "random", start.parent)
    recipe = load_recipe(shared)
    with pytest.raises(BadInputError, match="of fold 2"):
        cross_validate([recipe], rows, tmp_path / "cv", folds=[2], init=[str(start)])
    following = tmp_path / "following"
    following.mkdir()
    remember_groups(["someone"], str(start), following)
    known = groups_behind(str(following / "weights.safetensors"))
    assert known == {"someone", *groups_behind(str(start))}


def test_command_enters_what_a_lever_gave_for_the_results_page(
    shared: Path, lesion_folder: Path, tmp_path: Path
) -> None:
    app = typer.Typer()
    register(app)
    arguments = ["crossvalidate", str(lesion_folder), "--recipe", str(shared), "--device", "cpu"]
    arguments += ["--out", str(tmp_path / "cv"), "--folds", "0", "--enter", "A lever"]
    arguments += ["--models", str(tmp_path)]
    CliRunner().invoke(app, arguments, catch_exceptions=False)
    (lever,) = levers.read(tmp_path)
    assert (lever.title, lever.recipes, lever.folds) == ("A lever", "tiny (1 steps)", (0,))
    measured = json.loads((tmp_path / "cv" / "figures.json").read_text())
    dice = next(f for f in measured if f["metric"] == "Dice, pooled pixels"
                and f["source"] == "toy, ggo" and f["model"] == "streams (shared)")  # fmt: skip
    page = "\n".join(levers.section(levers.read(tmp_path)))
    assert "| A lever | tiny (1 steps) | random | 0 | CPU" in page
    assert f"{dice['value']:.3f} (" in page
    assert "on fewer folds" in page
    complete = dataclasses.replace(lever, title="All folds", folds=tuple(range(5)))
    levers.enter(complete, tmp_path)
    page = "\n".join(levers.section(levers.read(tmp_path)))
    assert page.index("| All folds |") < page.index("on fewer folds") < page.index("| A lever |")
    levers.enter(dataclasses.replace(lever, seconds=0.0), tmp_path)
    assert levers.read(tmp_path)[0].seconds == 0.0, "the same title is replaced"
    assert len(levers.read(tmp_path)) == 2
    assert levers.section(()) == []
