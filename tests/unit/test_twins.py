"""No test makes by hand what only the program makes: `tests.factories` calls the program for it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
MADE = {"Estimate", "Findings", "Heatmap", "Partial", "Segment", "SliceValues", "Volume"}
FACTORIES = "factories.py"


def made_by_hand(source: str) -> list[str]:
    """Calls of these classes of ours, under whatever name they were imported, with their lines."""
    tree = ast.parse(source)
    names: dict[str, str] = {}
    modules = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("inference"):
            names |= {each.asname or each.name: each.name for each in node.names}
            modules |= {each.asname or each.name for each in node.names}
        elif isinstance(node, ast.Import):
            modules |= {each.asname or each.name.split(".")[0] for each in node.names
                        if each.name.startswith("inference")}  # fmt: skip
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called, name = node.func, ""
        if isinstance(called, ast.Name):
            name = names.get(called.id, "")
        elif isinstance(called, ast.Attribute):
            base = called.value
            while isinstance(base, ast.Attribute):
                base = base.value
            if isinstance(base, ast.Name) and base.id in modules:
                name = called.attr
        if name in MADE:
            found.append(f"{name} in line {node.lineno}")
    return found


def test_results_and_volumes_are_made_by_the_factories_alone() -> None:
    files = [path for path in TESTS.rglob("*.py") if path != TESTS / FACTORIES]
    assert len(files) > 200
    found = {str(path.relative_to(TESTS)): made_by_hand(path.read_text("utf-8")) for path in files}
    assert {name: calls for name, calls in found.items() if calls} == {}


@pytest.mark.parametrize(
    "source",
    [
        "from inference.findings import Findings\nFindings(1)",
        "import inference.partial\ninference.partial.Partial(1)",
        "from inference.findings import Segment as S\nS(2)",
        "from inference import findings\nfindings.Heatmap(3)",
        "from inference.studies import Volume\ndef f(**given):\n    return Volume(**given)",
    ],
)
def test_a_twin_is_seen(source: str) -> None:
    assert len(made_by_hand(source)) == 1


def test_what_has_the_name_alone_is_no_twin() -> None:
    assert made_by_hand("import highdicom as hd\nhd.Volume(1)") == []
    assert made_by_hand("from vtk import Volume\nVolume(1)") == []


def test_the_factories_are_seen_to_make_them() -> None:
    assert made_by_hand((TESTS / FACTORIES).read_text("utf-8"))
