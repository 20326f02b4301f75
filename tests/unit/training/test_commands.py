"""``train``, ``evaluate`` and ``models`` as they are typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from inference.commands.learning import register
from inference.errors import BadInputError
from inference.models import ModelStore
from inference.training.manifest import fold_of_groups, read_manifest


@pytest.fixture(scope="module")
def app() -> typer.Typer:
    made = typer.Typer()
    register(made)
    return made


@pytest.fixture(scope="module")
def trained(
    app: typer.Typer,
    lesion_folder: Path,
    tiny_recipe: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    (folder / "tiny.toml").write_text(tiny_recipe)
    arguments = ["train", str(folder / "tiny.toml"), "--data", str(lesion_folder)]
    arguments += ["--out", str(folder / "run"), "--device", "cpu"]
    arguments += ["--install", str(folder / "store")]
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    assert "24 pictures of 12 groups" in done.output
    return folder


def test_training_enters_the_model_with_its_split(trained: Path) -> None:
    (record,) = ModelStore(trained / "store").records
    assert record.name == "tiny"
    assert len(record.split.trained_groups) == 12
    assert record.recipe == "tiny.toml"
    assert "toy 24" in record.data


def test_evaluate_names_what_was_trained_on_and_writes_figures(
    app: typer.Typer, trained: Path, lesion_folder: Path, tmp_path: Path
) -> None:
    arguments = ["evaluate", str(lesion_folder), "--models", str(trained / "store")]
    arguments += ["--task", "segmentation", "--device", "cpu", "--enter"]
    arguments += ["--report", str(tmp_path / "r.md"), "--json", str(tmp_path / "f.json")]
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    assert "tiny: trained on 12 groups of this folder (48 rows): left out" in done.output
    figures = json.loads((tmp_path / "f.json").read_text())
    assert {f["split"] for f in figures} == {"test", "validation"}
    page = (tmp_path / "r.md").read_text()
    assert "## Segmentation of CT slices" in page
    assert ModelStore(trained / "store").records[0].figures


def test_evaluating_twice_gives_the_same_page(
    app: typer.Typer, trained: Path, lesion_folder: Path, tmp_path: Path
) -> None:
    pages = []
    for name in ("a.md", "b.md"):
        arguments = ["evaluate", str(lesion_folder), "--models", str(trained / "store")]
        arguments += ["--task", "segmentation", "--all", "--device", "cpu"]
        arguments += ["--report", str(tmp_path / name)]
        CliRunner().invoke(app, arguments, catch_exceptions=False)
        pages.append((tmp_path / name).read_text())
    assert pages[0] == pages[1]
    assert "| trained on |" in pages[0]


def test_figure_page_shows_what_there_is_and_says_what_there_is_not(
    app: typer.Typer, trained: Path, lesion_folder: Path, tmp_path: Path
) -> None:
    """The store has streams alone: no ROC, no reliability, no example; twice the same bytes."""
    charts = []
    for name in ("a", "b"):
        arguments = ["figures", str(lesion_folder), "--models", str(trained / "store")]
        arguments += ["--out", str(tmp_path / name), "--device", "cpu"]
        done = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert done.exit_code == 0
        charts.append((tmp_path / name / "figures" / "dice.svg").read_bytes())
    assert charts[0] == charts[1]
    page = (tmp_path / "a" / "figures.md").read_text()
    assert page.count("Not computed") == 3
    assert "![Dice of each slice](figures/dice.svg)" in page
    rows = read_manifest(lesion_folder)
    folds = fold_of_groups(rows)
    test = [r for r in rows if r.role == "image" and folds[r.group] == 4]
    shown = sum("ggo" in r.label for r in test)
    assert f"ggo, test: {shown} of {len(test)} slices" in page


def test_shipped_models_are_listed_verified_and_described(app: typer.Typer) -> None:
    listed = CliRunner().invoke(app, ["models", "list"], catch_exceptions=False)
    verified = CliRunner().invoke(app, ["models", "verify"], catch_exceptions=False)
    card = CliRunner().invoke(app, ["models", "card", "recognition"], catch_exceptions=False)
    for record in ModelStore().records:
        assert record.name in listed.output
        assert f"{record.name}: SHA-256 is that of the manifest" in verified.output
    assert "Research use only" in card.output
    assert "Inception-v3" in card.output


def test_unknown_model_names_those_there_are(app: typer.Typer) -> None:
    with pytest.raises(BadInputError, match=r"there are .*manifestations, recognition"):
        CliRunner().invoke(app, ["models", "card", "oracle"], catch_exceptions=False)
