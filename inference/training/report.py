"""Figures as Markdown, as JSON and as tables on the terminal."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from inference.models import ModelStore
from inference.training.evaluation.figure import Figure
from inference.training.evaluation.run import TITLES

__all__ = ["enter_figures", "markdown", "print_tables", "tables", "write_json"]


def _tables(figures: Sequence[Figure]) -> Iterator[tuple[str, list[Figure]]]:
    order = list(TITLES)
    for task, group in groupby(
        sorted(figures, key=lambda f: order.index(f.task)), key=lambda f: f.task
    ):
        yield task, list(group)


def _interval(figure: Figure) -> str:
    if not (math.isfinite(figure.low) and math.isfinite(figure.high)):
        return "one group: none"
    return f"{figure.low:.3f} to {figure.high:.3f}"


def _cells(figure: Figure) -> tuple[str, ...]:
    return (
        figure.source, figure.model, figure.split, figure.metric, f"{figure.value:.3f}",
        _interval(figure), str(figure.n), str(figure.groups),
    )  # fmt: skip


_HEAD = ("source", "model", "split", "metric", "value", "95 % interval", "n", "groups")


def print_tables(figures: Sequence[Figure], console: Console) -> None:
    """Print one table a task."""
    for task, group in _tables(figures):
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
        names = {record.name}
        if record.kind == "streams":
            names.add(f"streams ({'all' if record.streams == ('all',) else record.form})")
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


def markdown(figures: Sequence[Figure], store: ModelStore, command: str) -> str:
    """The results page: every table, and what each model was trained on.

    Parameters
    ----------
    figures
        Of `evaluate`.
    store
        The models scored.
    command
        What reproduces the page.
    """
    lines = [
        "# Results",
        "",
        f"Made by `{command}`; running it again gives the same figures. Arithmetic is float32.",
        "",
        "- **Split.** `test` groups were neither trained on nor used for any choice; on "
        "`validation` groups the form of the streams was chosen, so those figures are a little "
        "kind. Groups are patients, or runs of similar slices where the source does not name "
        "patients; none stands on two sides.",
        "- **Interval.** 95 %, percentile bootstrap over groups (1000 resamples). With one group "
        "there is none.",
        "- **Calibration.** Every group counts once. ECE: 10 bins of equal mass, mean over the "
        "classes; it is not zero even for perfect probabilities, since shares scatter, and its "
        "bootstrap interval lies high for the same reason. `before` is the network's own "
        "probability, `after` that of `secondread calibrate`, fitted on the validation groups, "
        "where it is a little kind. A model without `after` is shown uncalibrated, and said so.",
        "- **Empty masks.** A slice without the class counts only in the metric that says so.",
        "- **Sources** are small and differ in more than disease; an AUC inside them is an upper "
        "bound of what to expect elsewhere. Children's X-rays (kermany) stand against adult "
        "COVID-19 pictures, cxnet has COVID-19 only: both are shortcuts a network can take.",
        "- **`recognition` on CT** is reported though CT is analysed by `recognition-ct`: it is "
        "the paper's multi-modal form, one network for X-ray and CT, and shows what sharing batch "
        "statistics costs. That CT needs a recogniser of its own was seen on test groups as well "
        "as on validation groups, so for this one choice the test figures are not untouched.",
        "",
        "## Models",
        "",
        "| model | architecture | trained on | took | SHA-256 |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {r.name} {r.version} | {r.architecture} | {r.data} | {r.steps} steps, "
        f"{r.seconds / 60:.0f} min, {r.device} | `{r.sha256[:12]}` |"
        for r in store.records
    ]
    lines += ["", f"Default form of the streams: **{store.default_streams}**. "
              f"{store.default_reason}", ""]  # fmt: skip
    return "\n".join([*lines, *tables(figures)])


def tables(figures: Sequence[Figure]) -> list[str]:
    """Lines of Markdown: one table a task with every figure."""
    lines: list[str] = []
    for task, group in _tables(figures):
        lines += [f"## {TITLES[task]}", "", "| " + " | ".join(_HEAD) + " |", "|---" * 8 + "|"]
        lines += ["| " + " | ".join(_cells(figure)) + " |" for figure in group]
        lines.append("")
    return lines
