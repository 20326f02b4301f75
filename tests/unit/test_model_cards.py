"""A card says what a model is for, what it saw and how well it does; the pages are never stale."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from inference.commands import learning
from inference.errors import BadInputError
from inference.model_cards import INTENDED_USE, LIMITS, card, pages, write_pages
from inference.models import ModelRecord, ModelStore, Split

DOCS = Path(__file__).parents[2] / "docs" / "models"


@pytest.fixture
def record() -> ModelRecord:
    """A recogniser with one figure of several groups and one of a single group."""
    shared = {"task": "covid-2", "source": "a hospital", "n": 9}
    return ModelRecord(
        name="m", version="1", kind="recognition", architecture="Inception-v3", network={},
        size=32, file="m.safetensors", sha256="cd" * 32, bytes=4_200_000, recipe="m.toml",
        recipe_sha256="ab" * 32, data="9 pictures of toys", device="a slow CPU", steps=1,
        seconds=120.0, split=Split((0, 2), (1,), ("a", "b"), ("c",)),
        figures=(
            {**shared, "metric": "AUC", "value": 0.5, "low": 0.4, "high": 0.6, "groups": 3},
            {**shared, "metric": "F1", "value": 0.25, "low": None, "high": None, "groups": 1},
        ),
    )  # fmt: skip


def test_card_says_all_that_is_known(record: ModelRecord) -> None:
    text = card(record)
    for part in (
        "Research use only. Not for diagnosis.",
        f"Intended use: {INTENDED_USE['recognition']}",
        f"Limits: {LIMITS['recognition']}",
        f"Licence: {record.licence}",
        "Inception-v3",
        record.sha256,
        "9 pictures of toys",
        "a slow CPU",
        "Training: folds 0, 2; 2 groups gave pictures",
        "fold 1; 1 group",
        "| covid-2 | a hospital | AUC | 0.500 | 0.400 to 0.600 | 9 | 3 |",
        "| covid-2 | a hospital | F1 | 0.250 | one group: none | 9 | 1 |",
    ):
        assert part in text


def test_what_was_not_measured_is_said(record: ModelRecord) -> None:
    text = card(replace(record, figures=(), kind="oracle"))
    assert "None has been measured" in text
    assert "Limits: nothing has been written down yet" in text
    assert "|---" not in text


def test_every_shipped_kind_has_its_words() -> None:
    for record in ModelStore().records:
        assert record.kind in INTENDED_USE
        assert record.kind in LIMITS


def test_shipped_pages_are_those_of_the_manifest() -> None:
    """On failure: ``secondread models card --write docs/models``, and commit what it changes."""
    written = {path.name: path.read_text(encoding="utf-8") for path in DOCS.iterdir()}
    assert written == pages(ModelStore())


def test_writing_takes_away_old_cards_and_nothing_else(record: ModelRecord, tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "store")
    store.write([record, replace(record, name="old")])
    folder = tmp_path / "docs"
    write_pages(store, folder)
    assert (folder / "old.md").is_file()
    (folder / "notes.md").write_text("mine")
    store.write([record])
    write_pages(store, folder)
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "m.md", "notes.md"]
    assert "](m.md)" in (folder / "README.md").read_text()
    assert "](old.md)" not in (folder / "README.md").read_text()


def test_the_command_writes_every_page(tmp_path: Path) -> None:
    app = typer.Typer()
    learning.register(app)
    arguments = ["models", "card", "--write", str(tmp_path)]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert {path.name for path in tmp_path.iterdir()} == set(pages(ModelStore()))
    assert str(tmp_path / "README.md") in result.output
    with pytest.raises(BadInputError, match="not both"):
        CliRunner().invoke(app, [*arguments, "recognition"], catch_exceptions=False)
