"""Which form of the streams is the better on validation per second; the all-class one beside them.

Run as ``python -m tests.benchmarks.streams``. Times are of one run on this machine, the forms by
turns; the ratio is what counts. Dice on validation groups is what ``secondread evaluate`` gives.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from inference.engine import Engine
from inference.errors import SecondReadError
from inference.models import FORMS, ModelRecord, ModelStore
from inference.progress import Progress
from inference.training.evaluation.run import evaluate
from inference.training.manifest import read_manifest

SLICES = 8
ROUNDS = 5


def seconds_a_slice(engine: Engine, records: tuple[ModelRecord, ...]) -> float:
    """Time of all networks of a form on one slice, in batches."""
    start = time.perf_counter()
    for record in records:
        pictures = np.zeros((SLICES, record.size, record.size), dtype=np.uint8)
        for _ in engine.run(record, pictures, "Timing", Progress(), SLICES, []):
            pass
    return (time.perf_counter() - start) / SLICES


def main() -> int:
    """Print the table; with a data folder as argument, Dice on validation groups too."""
    console = Console()
    store = ModelStore()
    engine = Engine(store)
    times: dict[str, list[float]] = {form: [] for form in FORMS}
    for turn in range(ROUNDS + 1):
        for form in FORMS:
            spent = seconds_a_slice(engine, store.streams(form))
            if turn:  # the first loads the weights
                times[form].append(spent)
    medians = {form: statistics.median(values) for form, values in times.items()}
    table = Table("form", "ms a slice", "ratio", "Dice on validation", title=engine.describe())
    scores: dict[str, str] = dict.fromkeys(FORMS, "name a data folder")
    if len(sys.argv) > 1:
        figures = evaluate(read_manifest(Path(sys.argv[1])), store, tasks=["segmentation"])
        for form in FORMS:
            values = [
                f.value
                for f in figures
                if f.model == f"streams ({form})"
                and f.split == "validation"
                and f.metric == "Dice, mean over slices that have it"
                and not f.source.endswith("infection")
            ]
            scores[form] = f"{statistics.mean(values):.3f}"
    for form in FORMS:
        ratio = medians[form] / medians["shared"]
        table.add_row(form, f"{1000 * medians[form]:.1f}", f"{ratio:.2f} ×", scores[form])
    console.print(table)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except SecondReadError as error:
        sys.exit(str(error))
