"""Recipes are checked when they are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from inference.errors import BadInputError
from inference.networks.factory import make_network
from inference.training.recipe import load_recipe, shipped_recipes

GOOD = """
name = "r"
kind = "streams"
seed = 1
size = 64
steps = 2
batch = 2
learning_rate = 1e-3
"""


@pytest.mark.parametrize("name", sorted(shipped_recipes()))
def test_shipped_recipes_make_their_network(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    assert len(recipe.sha256) == 64
    if "xception" not in name and recipe.kind != "recognition":
        make_network(recipe.kind, recipe.network)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD + "colour = 3\n", "unknown settings: colour"),
        (GOOD.replace('"streams"', '"poem"'), "kind is one of"),
        (GOOD.replace("steps = 2", 'steps = "two"'), "steps must be of type int"),
        (GOOD.replace("steps = 2\n", ""), "incomplete"),
        (GOOD + "crop = 128\n", "crop <= size"),
        (GOOD + "[data]\ntrain_folds = [1]\nvalidation_folds = [1]\n", "for validation at once"),
        ("name = [", "not valid TOML"),
    ],
)
def test_bad_recipes_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "r.toml"
    path.write_text(text)
    with pytest.raises(BadInputError, match=message):
        load_recipe(path)


@pytest.mark.parametrize(("kind", "framing"), [("streams", "lungs"), ("recognition", "chest")])
def test_a_framing_that_is_none_is_refused(tmp_path: Path, kind: str, framing: str) -> None:
    path = tmp_path / "r.toml"
    path.write_text(GOOD.replace("streams", kind) + f'framing = "{framing}"\n')
    with pytest.raises(BadInputError, match="framing is whole or"):
        load_recipe(path)


def test_unknown_recipe_names_those_there_are() -> None:
    with pytest.raises(BadInputError, match="shipped are domain, manifestations, recognition"):
        load_recipe("nothing")


def test_settings_may_be_changed_and_change_the_hash_and_the_words() -> None:
    plain = load_recipe("streams-levers")
    other = load_recipe("streams-levers", ["loss.region='iou'", "network.streams.lungs=1"])
    assert other.loss.region == "iou"
    assert plain.loss.region == "dice"
    assert other.loss.union == plain.loss.union
    assert set(other.network["streams"]) - set(plain.network["streams"]) == {"lungs"}
    assert other.sha256 != plain.sha256
    assert plain.words() == "streams-levers (250 steps)"
    assert other.words().endswith("steps, loss.region='iou', network.streams.lungs=1)")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("steps", "'steps' is not a setting such as"),
        ("speed=3", "unknown settings: speed"),
        ("loss.region=3", "region must be of type str"),
        ("sha256='0'", "unknown settings: sha256"),
    ],
)
def test_a_change_that_is_none_is_refused(change: str, message: str) -> None:
    with pytest.raises(BadInputError, match=message):
        load_recipe("streams-levers", [change])
