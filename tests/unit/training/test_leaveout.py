"""A source that is left out is not learned from, and is what is scored."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from unittest.mock import patch

import pytest
import typer
from typer.testing import CliRunner

from inference.commands.comparing import register
from inference.errors import BadInputError
from inference.training import experiments, leaveout
from inference.training.leaveout import LEFT_OUT, MIXED, leave_out, without
from inference.training.manifest import Row, fold_of_groups, read_manifest
from inference.training.recipe import load_recipe

RECIPE = """
name = "tiny"
kind = "recognition"
seed = 1
size = 80
steps = 1
batch = 2
learning_rate = 1e-3

[network]
heads = { "covid-2" = 2, "cxr-4" = 4 }
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture
def two_sources(xray_folder: Path, tmp_path: Path) -> Path:
    """The X-rays dealt to two sources: "clinic" has COVID-19 only, "hospital" has all classes."""
    lines = (xray_folder / "manifest.csv").read_text().splitlines()
    for index, line in enumerate(lines):
        group = int(line.rpartition(",g")[2]) if index else -1
        clinic = ",covid19," in line and group % 2 == 0
        lines[index] = line.replace(",toy,", ",clinic," if clinic else ",hospital,")
        if index:
            lines[index] = f"{xray_folder}/{lines[index]}"
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")
    return folder


def _sides(rows: tuple[Row, ...], source: str) -> tuple[int, int]:
    """Pictures of the source with COVID-19, and normals of others, in groups not trained on."""
    folds = fold_of_groups(rows)
    known = {r.group for r in rows if r.source != source and folds[r.group] in (0, 2, 4)}
    own = sum(r.source == source and r.label == "covid19" and r.group not in known for r in rows)
    others = sum(r.source != source and r.label == "normal" and r.group not in known for r in rows)
    return own, others


def test_command_scores_the_source_and_shows_it_on_the_page(
    recipe: Path, two_sources: Path, tmp_path: Path
) -> None:
    app = typer.Typer()
    register(app)
    arguments = ["leaveout", str(two_sources), "--recipe", str(recipe), "--device", "cpu"]
    arguments += ["--source", "clinic", "--out", str(tmp_path / "runs"), "--enter"]
    arguments += ["--models", str(tmp_path)]
    first = CliRunner().invoke(app, arguments, catch_exceptions=False)
    rows = read_manifest(two_sources)
    learned = [
        r for r in rows if r.source == "hospital" and fold_of_groups(rows)[r.group] in (0, 2, 4)
    ]
    assert f"tiny-without-clinic: training on {len(learned)} pictures" in first.output
    with patch.object(leaveout, "train") as train:
        CliRunner().invoke(app, arguments, catch_exceptions=False)
    train.assert_not_called()
    (one,) = experiments.read(tmp_path / leaveout.FILE)
    own, others = _sides(rows, "clinic")
    assert {(f.source, f.split, f.n) for f in one.figures} == {
        ("COVID-19 of clinic v normal of the other sources", MIXED, own + others)
    }
    page = "\n".join(leaveout.section(tmp_path))
    assert "| without clinic | tiny (1 steps) | random | COVID-19 of clinic v normal" in page
    assert leaveout.section(tmp_path / "nowhere") == []


def test_a_source_with_both_classes_stands_for_itself_too(
    recipe: Path, two_sources: Path, tmp_path: Path
) -> None:
    rows = read_manifest(two_sources)
    figures, record = leave_out(
        load_recipe(recipe), rows, "hospital", tmp_path, device="cpu", quiet=True
    )
    clinic = {r.group for r in rows if r.source == "clinic"}
    assert set(record.split.trained_groups) <= clinic
    assert {f.split for f in figures} == {LEFT_OUT, MIXED}
    alone = next(f for f in figures if f.split == LEFT_OUT)
    # A patient of whom another picture was trained on is no stranger.
    known = set(record.split.trained_groups)
    unseen = [r for r in rows if r.source == "hospital" and r.group not in known]
    assert alone.n == sum(r.label in ("covid19", "normal") for r in unseen)


def test_other_kinds_and_unknown_sources_are_refused(recipe: Path, two_sources: Path) -> None:
    rows = read_manifest(two_sources)
    with pytest.raises(BadInputError, match="Only recognition"):
        leave_out(load_recipe("streams-shared"), rows, "clinic", Path("x"))
    with pytest.raises(BadInputError, match="no pictures of source 'moon'"):
        leave_out(load_recipe(recipe), rows, "moon", Path("x"))


def test_runs_without_different_sources_do_not_pass_for_each_other(recipe: Path) -> None:
    loaded = load_recipe(recipe)
    other = dataclasses.replace(loaded, steps=2)
    hashes = {without(loaded, "a").sha256, without(loaded, "b").sha256, without(other, "a").sha256}
    assert len(hashes - {loaded.sha256}) == 3


def test_command_takes_a_start_and_settings(
    recipe: Path, two_sources: Path, tmp_path: Path
) -> None:
    app = typer.Typer()
    register(app)
    arguments = ["leaveout", str(two_sources), "--recipe", str(recipe), "--source", "clinic"]
    arguments += ["--out", str(tmp_path / "out"), "--init", "imagenet", "--set", "batch=5"]
    with patch("inference.training.leaveout.train", side_effect=BadInputError("stop")) as train:
        CliRunner().invoke(app, arguments)
    assert train.call_args.kwargs["init"] == "imagenet"
    assert train.call_args.args[0].batch == 5
    assert train.call_args.args[0].name == "tiny-without-clinic"


def test_an_experiment_is_replaced_by_one_of_its_recipe_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "some.json"
    first = experiments.Experiment("without a", "small (5 steps)", "random", (1,), "CPU", 1.0, ())
    other = dataclasses.replace(first, recipes="large (5 steps)")
    again = dataclasses.replace(first, recipes="small (9 steps, batch=5)", seconds=2.0)
    network = dataclasses.replace(first, recipes="small (5 steps, network.region=true)")
    loss = dataclasses.replace(first, recipes="small (5 steps, loss.group_step=0.05)")
    for one in (first, other, network, loss, again):
        experiments.enter(one, path)
    assert experiments.read(path) == (again, other, network, loss)
