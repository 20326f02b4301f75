"""Painters are made in one place, which ends every one of them."""

from __future__ import annotations

import ast
from pathlib import Path

import viewer

_ROOT = Path(viewer.__file__).parent
_GUARDED = _ROOT / "painting.py"


def _offences(source: str) -> list[str]:
    """What a module does by itself that `viewer.painting` is for."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name.split(".")[-1] in {"QPainter", "QStylePainter"}:
                found.append(f"line {node.lineno}: makes a painter")
            if name in {f"painter.{each}" for each in ("save", "restore", "begin", "end")}:
                found.append(f"line {node.lineno}: {name}")
        if isinstance(node, ast.FunctionDef) and node.name == "paintEvent":
            found.append(f"line {node.lineno}: paints without a guard")
    return found


def test_no_module_paints_on_its_own() -> None:
    modules = [path for path in _ROOT.rglob("*.py") if path != _GUARDED]
    assert len(modules) > 100
    bad = {str(p.relative_to(_ROOT)): _offences(p.read_text("utf-8")) for p in modules}
    assert {name: said for name, said in bad.items() if said} == {}


def test_the_rule_sees_what_it_forbids() -> None:
    source = "def paintEvent(self, event):\n    painter = QPainter(self)\n    painter.end()\n"
    assert len(_offences(source)) == 3
    assert _offences(_GUARDED.read_text("utf-8"))
