"""The table of known faults is true of the code as it is now."""

from __future__ import annotations

import ast
from collections import Counter

import pytest

from tests.mutants import ROOT, Mutant, read_mutants
from tests.mutate import faults_of, relevant_tests

MUTANTS = read_mutants()


def test_ids_are_given_once() -> None:
    assert [name for name, n in Counter(m.id for m in MUTANTS).items() if n > 1] == []


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.id)
def test_a_known_fault_can_still_be_put_in(mutant: Mutant) -> None:
    faulty = mutant.apply((ROOT / mutant.file).read_text(encoding="utf-8"))
    ast.parse(faulty)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.id)
def test_the_tests_of_a_known_fault_are_there(mutant: Mutant) -> None:
    for test in mutant.tests:
        file, *names = test.partition("[")[0].split("::")
        tree: ast.AST = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        for name in names:
            (tree,) = (
                node
                for node in ast.iter_child_nodes(tree)
                if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name
            )


def test_a_fault_whose_place_has_gone_is_refused() -> None:
    mutant = Mutant("X", "a.py", "words", "x = 1", "x = 2", ("test_a.py",))

    with pytest.raises(ValueError, match="0 times"):
        mutant.apply("y = 1")
    with pytest.raises(ValueError, match="2 times"):
        mutant.apply("x = 1\nx = 1")


def test_faults_are_made_on_the_lines_asked_for_alone() -> None:
    faults = list(faults_of("LEAST = 3\n\n\ndef f(a: int) -> bool:\n    return a < LEAST\n", {5}))

    assert {line for line, _, _ in faults} == {5}
    assert any("a <= LEAST" in code for _, _, code in faults)
    assert all("LEAST = 3" in code for _, _, code in faults)


def test_the_tests_of_a_module_are_those_that_import_it() -> None:
    tests = relevant_tests("inference/calibration.py")

    assert "tests/unit/test_calibration.py" in tests
    assert "tests/unit/test_lungs.py" not in tests
