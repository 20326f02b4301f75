"""Figures as JSON, as tables on the terminal, and in the models' manifest."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from inference.models import ModelStore
from inference.training.evaluation.figure import Figure
from inference.training.evaluation.run import TITLES
from inference.training.page import by_task, interval

__all__ = ["enter_figures", "print_tables", "write_json"]


def _cells(figure: Figure) -> tuple[str, ...]:
    return (
        figure.source, figure.model, figure.split, figure.metric, f"{figure.value:.3f}",
        interval(figure), str(figure.n), str(figure.groups),
    )  # fmt: skip


_HEAD = ("source", "model", "split", "metric", "value", "95 % interval", "n", "groups")


def print_tables(figures: Sequence[Figure], console: Console) -> None:
    """Print one table a task."""
    for task, group in by_task(figures).items():
        table = Table(*_HEAD, title=TITLES[task])
        for figure in group:
            table.add_row(*_cells(figure))
        console.print(table)


def _plain(figure: Figure) -> dict[str, Any]:
    """A figure for JSON; NaN becomes None."""
    return {
        k: None if isinstance(v, float) and not math.isfinite(v) else v
        for k, v in asdict(figure).items()
    }


def enter_figures(figures: Sequence[Figure], store: ModelStore) -> None:
    """Write each model's test figures into the manifest, replacing those of the same tasks."""
    measured = {f.task for f in figures}
    records = []
    for record in store.records:
        names = {record.name, " + ".join(record.voices)}
        if record.kind == "streams":
            names.add(f"streams ({store.form_of(record)})")
        kept = [f for f in record.figures if f["task"] not in measured]
        own = [
            _plain(f) for f in figures
            if f.model in names and f.split == "test"
            and not f.metric.startswith(("confusion", "ROC"))
        ]  # fmt: skip
        records.append(replace(record, figures=(*kept, *own)))
    store.write(records)


def write_json(figures: Sequence[Figure], path: Path) -> None:
    """Write the list of figures; NaN becomes null."""
    rows = [_plain(figure) for figure in figures]
    path.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
