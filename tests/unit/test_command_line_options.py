"""Each option of the program changes something that can be seen: which test sees it.

What has no entry fails; so does an entry whose test does not use the option.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache

import click
import pytest
import typer

import viewer.command
from inference import cli
from tests.mutants import ROOT

REAL = "tests/e2e/test_command_line.py::"
TRAIN = "tests/unit/training/"
GIVEN = f"{TRAIN}test_command_options.py::"
REFUSED = f"{REAL}test_what_is_not_there_is_refused_by_its_name"
EVALUATED = f"{TRAIN}test_commands.py::test_evaluate_names_what_was_trained_on_and_writes_figures"

SEEN_BY = {
    "analyse": {
        "--out": f"{REAL}analysed",
        "--system": REFUSED,
        "--device": REFUSED,
        "--backend": f"{REAL}test_how_the_networks_run_is_the_backend_asked_for",
        "--streams": f"{REAL}test_streams_series_and_identity",
        "--recogniser": f"{REAL}test_the_recogniser_asked_for_is_the_one_that_speaks",
        "--series": f"{REAL}test_streams_series_and_identity",
        "--modality": f"{REAL}test_a_picture_is_analysed_as_what_it_is_said_to_show",
        "--identity": f"{REAL}test_streams_series_and_identity",
    },
    "export": {
        "--to": f"{REAL}export",
        "--findings": f"{REAL}export",
        "--slice": f"{REAL}test_a_slice_filled_and_outlined",
        "--outline": f"{REAL}test_a_slice_filled_and_outlined",
        "--series": f"{REAL}test_findings_are_exported_with_their_own_series_alone",
        "--modality": f"{REAL}test_a_picture_is_exported_as_what_it_is_said_to_show",
        "--identity": f"{REAL}test_a_file_names_the_patient_when_it_is_asked_to",
    },
    "open": {
        "--sample": f"{REAL}test_open_the_sample_shows_it_analysed",
        "--analyse": f"{REAL}test_open_without_a_screen_writes_what_the_window_would_show",
        "--system": REFUSED,
        "--device": REFUSED,
        "--streams": f"{REAL}test_open_analyses_with_the_streams_asked_for",
        "--recogniser": f"{REAL}test_the_recogniser_asked_for_is_the_one_that_speaks",
        "--modality": f"{REAL}test_open_without_a_screen_writes_what_the_window_would_show",
        "--offscreen": f"{REAL}test_open_without_a_screen_writes_what_the_window_would_show",
        "--out": f"{REAL}test_open_without_a_screen_writes_what_the_window_would_show",
        "--identity": (
            "tests/gui/test_command.py::test_the_picture_tells_the_patient_only_when_asked_to"
        ),
    },
    "sample": {"--out": "tests/unit/test_cli.py::test_sample_prints_the_folder_alone"},
    "index": {"--clear": f"{REAL}test_the_index_remembers_and_forgets"},
    "models card": {"--write": f"{REAL}test_models_are_listed_verified_and_described"},
    "train": {
        **dict.fromkeys(
            ("--data", "--out", "--init", "--device", "--resume", "--steps", "--set"),
            f"{GIVEN}test_options_reach_the_loop",
        ),
        "--install": f"{TRAIN}test_commands.py::trained",
        "--keep": f"{GIVEN}test_of_shared_streams_one_is_kept",
    },
    "pseudo": dict.fromkeys(
        ("--out", "--models", "--streams", "--device"), f"{GIVEN}test_pseudo_labels"
    ),
    "crossvalidate": {
        **dict.fromkeys(
            (
                "--recipe", "--out", "--folds", "--steps", "--set", "--init", "--keep",
                "--silence", "--device",
            ),
            f"{GIVEN}test_cross_validation",
        ),
        **dict.fromkeys(
            ("--enter", "--models"),
            f"{TRAIN}test_crossvalidate.py::"
            "test_command_enters_what_a_lever_gave_for_the_results_page",
        ),
    },
    "leaveout": {
        **dict.fromkeys(
            (
                "--recipe", "--source", "--out", "--steps", "--set", "--init", "--device",
                "--models",
            ),
            f"{GIVEN}test_a_source_left_out",
        ),
        "--enter": f"{TRAIN}test_leaveout.py::"
        "test_command_scores_the_source_and_shows_it_on_the_page",
    },
    "cuts": {
        **dict.fromkeys(
            (
                "--stream", "--out", "--plain", "--form", "--keep", "--silence", "--device",
                "--models",
            ),
            f"{GIVEN}test_cuts",
        ),
        "--enter": f"{TRAIN}test_cutting.py::test_command_enters_what_it_says",
    },
    "evaluate": {
        **dict.fromkeys(("--report", "--json", "--enter"), EVALUATED),
        **dict.fromkeys(("--task", "--models", "--device"), f"{GIVEN}test_evaluation"),
        "--all": f"{GIVEN}test_evaluation",
        "--folds": f"{GIVEN}test_evaluation",
    },
    "figures": dict.fromkeys(("--out", "--models", "--device"), f"{GIVEN}test_figures"),
    "calibrate": {
        **dict.fromkeys(("--models", "--device"), f"{GIVEN}test_fits"),
        "--enter": f"{TRAIN}test_calibrate.py::test_the_command_enters_what_it_found",
    },
    "quantise": dict.fromkeys(
        ("--model", "--pictures", "--siblings", "--models"), f"{GIVEN}test_quantising"
    ),
    "evidence": {
        **dict.fromkeys(("--models", "--device"), f"{GIVEN}test_fits"),
        "--enter": f"{TRAIN}test_evidence.py::test_the_command_enters_the_evidence",
    },
}  # fmt: skip


def _commands(group: click.Command, path: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in getattr(group, "commands", {}).items():
        yield f"{path}{name}", command
        yield from _commands(command, f"{path}{name} ")


def _options() -> set[tuple[str, str]]:
    assert viewer.command.cli is cli, "importing it enters `open`"
    found = set()
    for name, command in _commands(typer.main.get_command(cli.app)):
        for parameter in command.params:
            if parameter.param_type_name == "option" and parameter.name != "help":
                names = [*parameter.opts, *parameter.secondary_opts]
                found |= {(name, option) for option in names if option.startswith("--")}
    return found


def test_every_option_has_an_entry_and_every_entry_an_option() -> None:
    listed = {(command, option) for command, seen in SEEN_BY.items() for option in seen}
    there = _options()
    assert len(there) > 70
    assert sorted(there - listed) == []
    assert sorted(listed - there) == []


@cache
def _functions(file: str) -> dict[str, ast.FunctionDef]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("command", SEEN_BY)
def test_the_test_of_an_option_uses_it(command: str) -> None:
    for option, test in SEEN_BY[command].items():
        file, _, name = test.partition("::")
        function = _functions(file)[name]
        words = {node.value for node in ast.walk(function) if isinstance(node, ast.Constant)}
        assert option in words, f"{test} does not use {command} {option}"
