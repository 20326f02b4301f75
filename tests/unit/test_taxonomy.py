"""Keys and words of what can be said."""

from __future__ import annotations

import re

from inference.taxonomy import TASKS, Manifestation, manifestation
from inference.training.datasets import TASKS as TRAINED


def test_keys_are_for_programs_and_unique_in_their_task() -> None:
    for task in TASKS.values():
        assert len(set(task.keys)) == len(task.classes)
        for each in task.classes:
            assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", each.key)
            assert each.label
            assert each.short
            assert task.find(each.key) is each
        assert task.find("COVID-19") is None, "words are no keys"


def test_outputs_are_in_the_order_that_networks_were_trained_in() -> None:
    for key in ("covid-2", "cxr-4"):
        assert tuple(each.label for each in TASKS[key].classes) == tuple(TRAINED[key])


def test_manifestations_are_known_by_their_keys() -> None:
    found = [manifestation(each.key) for each in TASKS["manifestations"].classes]
    assert found == list(Manifestation)
    assert manifestation("Ground-glass opacity") is None
