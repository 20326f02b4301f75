"""The tables of El-bana et al. with their printed figures, and ours beside them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from fnmatch import fnmatchcase
from importlib import resources
from typing import Any

from inference.training.evaluation.figure import CROSS_VALIDATION, Figure

__all__ = ["percent", "published_tables"]

_RUN = ", run "
"""In the names of single folds, which only the table of single runs shows."""
_OWN_SPLITS = ("test", CROSS_VALIDATION)


def percent(figure: Figure) -> str:
    """A value and its interval in percent."""
    if not (math.isfinite(figure.low) and math.isfinite(figure.high)):
        return f"{100 * figure.value:.1f}"
    return f"{100 * figure.value:.1f} ({100 * figure.low:.1f} to {100 * figure.high:.1f})"


def _content() -> dict[str, Any]:
    path = resources.files("resources") / "published_results.json"
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _metric(cell: Any, split: str) -> tuple[str, str] | None:
    if cell is None:
        return None
    return (cell, split) if isinstance(cell, str) else (cell[0], cell[1])


def _own_rows(entry: dict[str, Any], figures: Sequence[Figure]) -> list[str]:
    """Rows of one entry, one for each model, source and split that has figures of it."""
    wanted = entry.get("model")
    mine = [
        f for f in figures
        if f.task == entry["task"] and fnmatchcase(f.source, entry["source"])
        and (_RUN not in f.model if wanted is None else fnmatchcase(f.model, wanted))
    ]  # fmt: skip
    rows = []
    for split in _OWN_SPLITS:
        for of in dict.fromkeys((f.model, f.source) for f in mine if f.split == split):
            found = {(f.metric, f.split): f for f in mine if (f.model, f.source) == of}
            cells = [found.get(key) if key else None
                     for key in (_metric(cell, split) for cell in entry["metrics"])]  # fmt: skip
            shown = [percent(f) if f else "" for f in cells]
            sizes = [f"{f.n} ({f.groups})" for f in cells if f and f.split == split]
            if sizes:
                name = f"**{entry['name']}**, {of[0]}, {split}"
                rows.append(f"| {name} | " + " | ".join([*shown, sizes[-1]]) + " |")
    return rows


def published_tables(figures: Sequence[Figure]) -> list[str]:
    """Lines of Markdown: the paper's tables of which some figure is ours, in percent.

    Parameters
    ----------
    figures
        Of an evaluation or of a cross-validation.
    """
    content = _content()
    lines: list[str] = []
    for table in content["tables"]:
        own = [row for entry in table["ours"] for row in _own_rows(entry, figures)]
        if not own:
            continue
        columns = ["model", *table["columns"], "n (groups)"]
        lines += [f"### Table {table['number']}: {table['title']}", "",
                  "| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]  # fmt: skip
        for name, values in table["published"]:
            cells = ["" if value is None else f"{value:g}" for value in values]
            lines.append(f"| {name} | " + " | ".join([*cells, ""]) + " |")
        lines += [*own, "", table["why"], ""]
    if not lines:
        return []
    head = ["## The paper's tables", "", f"From {content['source']} In bold: SecondRead, on groups "
            "that the model has not seen, with 95 % intervals where more than one group counts. "
            "All in percent.", ""]  # fmt: skip
    return head + lines
