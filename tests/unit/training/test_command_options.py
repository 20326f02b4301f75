"""Options of the commands that train and measure reach what does the work."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from inference import cli
from inference.models import ModelStore
from inference.training.manifest import read_manifest

Reached = Callable[..., dict[str, Any]]

RECIPE = "streams-lite"


class StopHereError(Exception):
    """Enough: the work itself is not done."""


@pytest.fixture
def reached(lesion_folder: Path) -> Reached:
    """Run a command up to a function, and give what that is called with, by name."""

    def run(function: str, *arguments: object) -> dict[str, Any]:
        signature = inspect.signature(pkgutil.resolve_name(function))
        words = [str(lesion_folder) if word == "DATA" else str(word) for word in arguments]
        with (
            patch(function, autospec=True, side_effect=StopHereError) as called,
            patch.object(cli, "record", side_effect=lambda error, _what: repr(error)),
        ):
            assert cli.run(words) == 1
        called.assert_called_once()
        bound = signature.bind(*called.call_args.args, **called.call_args.kwargs)
        return dict(bound.arguments)

    return run


@pytest.fixture
def recipe(tmp_path: Path, tiny_recipe: str) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(tiny_recipe)
    return path


class TestTrain:
    """``secondread train``."""

    LOOP = "inference.training.loop.train"

    def test_options_reach_the_loop(self, reached: Reached, recipe: Path, tmp_path: Path) -> None:
        given = reached(
            self.LOOP, "train", recipe, "--data", "DATA", "--out", tmp_path / "run", "--resume",
            "--steps", 3, "--set", "batch=5", "--init", "start.safetensors", "--device", "cpu",
        )  # fmt: skip
        chosen = given["recipe"]
        assert (chosen.steps, chosen.batch) == (3, 5)
        assert given["folder"] == tmp_path / "run"
        assert (given["resume"], given["init"]) == (True, "start.safetensors")
        assert given["device"] == "cpu"
        assert len(given["data"]) == 24

    def test_without_them_the_recipe_holds(
        self, reached: Reached, recipe: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.chdir(tmp_path)
        given = reached(self.LOOP, "train", recipe, "--data", "DATA")
        assert given["folder"] == Path("runs/tiny")
        assert (given["resume"], given["init"], given["device"]) == (False, "random", "auto")
        assert given["recipe"].steps != 3

    def test_of_shared_streams_one_is_kept(
        self, reached: Reached, recipe: Path, tmp_path: Path
    ) -> None:
        given = reached(
            "inference.training.install.keep_streams", "train", recipe, "--data", "DATA", "--out",
            tmp_path / "run", "--steps", 1, "--device", "cpu", "--install", tmp_path / "store",
            "--keep", "ggo",
        )  # fmt: skip
        assert given["record"].steps == 1
        assert "ggo" in given.values() or ["ggo"] in given.values()
        assert not (tmp_path / "store").exists()


def test_cross_validation(reached: Reached, recipe: Path, tmp_path: Path) -> None:
    given = reached(
        "inference.training.crossvalidate.cross_validate", "crossvalidate", "DATA", "--recipe",
        recipe, "--out", tmp_path / "cv", "--folds", "1,3", "--steps", 2, "--set", "batch=5",
        "--init", "random", "--keep", "ggo", "--silence", "tiny:effusion", "--device", "cpu",
    )  # fmt: skip
    (chosen,) = given["recipes"]
    assert (chosen.steps, chosen.batch) == (2, 5)
    assert given["folds"] == [1, 3]
    assert (given["keep"], given["silence"]) == (("ggo",), ("tiny:effusion",))
    assert given["init"] == ("random",)
    assert given["device"] == "cpu"
    assert tmp_path / "cv" in given.values()


def test_a_source_left_out(reached: Reached, recipe: Path, tmp_path: Path) -> None:
    given = reached(
        "inference.training.leaveout.leave_out", "leaveout", "DATA", "--recipe", recipe,
        "--source", "toy", "--out", tmp_path / "out", "--steps", 2, "--set", "batch=5", "--init",
        "random", "--device", "cpu", "--models", tmp_path / "store",
    )  # fmt: skip
    assert (given["recipe"].steps, given["recipe"].batch) == (2, 5)
    assert "toy" in given.values()
    assert tmp_path / "out" in given.values()
    assert (given["init"], given["device"]) == ("random", "cpu")
    assert given["joined_with"].folder == tmp_path / "store"


@pytest.mark.parametrize("plain", [False, True])
def test_cuts(reached: Reached, tmp_path: Path, *, plain: bool) -> None:
    given = reached(
        "inference.training.cutting.choose_cuts", "cuts", "DATA", "--stream", "ggo", "--stream",
        "effusion", "--out", tmp_path / "cv", "--form", "separate", "--keep", "ggo", "--silence",
        "tiny:effusion", "--device", "cpu", "--models", tmp_path / "store",
        *(["--plain"] if plain else []),
    )  # fmt: skip
    assert given["plain"] is plain
    assert "separate" in given.values()
    assert ["ggo", "effusion"] in given.values()
    assert (given["keep"], given["silence"]) == (("ggo",), ("tiny:effusion",))
    assert given["device"] == "cpu"
    assert tmp_path / "cv" in given.values()
    assert given["store"].folder == tmp_path / "store"


def test_pseudo_labels(reached: Reached, tmp_path: Path) -> None:
    given = reached(
        "inference.training.pseudo.write_pseudo_labels", "pseudo", "DATA", "--out",
        tmp_path / "masks", "--models", tmp_path / "store", "--streams", "separate", "--device",
        "cpu",
    )  # fmt: skip
    assert (given["form"], given["device"]) == ("separate", "cpu")
    assert given["store"].folder == tmp_path / "store"
    assert tmp_path / "masks" in given.values()


@pytest.mark.parametrize(("option", "everything"), [("--all", True), ("--folds", False)])
def test_evaluation(reached: Reached, tmp_path: Path, option: str, *, everything: bool) -> None:
    given = reached(
        "inference.training.evaluation.run.evaluate", "evaluate", "DATA", "--task", "segmentation",
        "--task", "domain", "--models", tmp_path / "store", "--device", "cpu", option,
    )  # fmt: skip
    assert list(given["tasks"]) == ["segmentation", "domain"]
    assert given["everything"] is everything
    assert given["device"] == "cpu"
    assert given["store"].folder == tmp_path / "store"


def test_figures(reached: Reached, tmp_path: Path) -> None:
    given = reached(
        "inference.training.figure_page.write_page", "figures", "DATA", "--out", tmp_path / "page",
        "--models", tmp_path / "store", "--device", "cpu",
    )  # fmt: skip
    assert tmp_path / "page" in given.values()
    assert given["store"].folder == tmp_path / "store"
    assert given["device"] == "cpu"


@pytest.mark.parametrize("command", ["calibrate", "evidence"])
def test_fits(reached: Reached, tmp_path: Path, command: str, lesion_folder: Path) -> None:
    given = reached(
        "inference.training.evaluation.figure.Job.begin", command, "DATA", "--models",
        tmp_path / "store", "--device", "cpu",
    )  # fmt: skip
    assert given["store"].folder == tmp_path / "store"
    assert given["device"] == "cpu"
    assert len(given["rows"]) == len(read_manifest(lesion_folder))


def test_quantising(reached: Reached, tmp_path: Path) -> None:
    shipped = ModelStore()
    given = reached(
        "inference.training.quantisation.quantise", "quantise", "DATA", "--model", RECIPE,
        "--pictures", 7, "--siblings", tmp_path / "cv", "--models", shipped.folder,
    )  # fmt: skip
    assert 7 in given.values()
    assert tmp_path / "cv" in given.values()
    assert given["store"].folder == shipped.folder
    assert RECIPE in repr(given)
