"""``secondread quantise``."""

from __future__ import annotations

from math import isfinite
from pathlib import Path
from typing import Annotated

import typer

from inference.errors import BadInputError

__all__ = ["register"]


def quantise(
    data: Annotated[Path, typer.Argument(help="A folder with a manifest.csv.", show_default=False)],
    model: Annotated[
        list[str] | None, typer.Option(help="Only this model; may be repeated.")
    ] = None,
    pictures: Annotated[
        int, typer.Option(min=1, help="Training pictures that the ranges are measured on.")
    ] = 48,
    siblings: Annotated[
        Path | None,
        typer.Option(
            help="Of a model without validation groups: the --out of a cross-validation of its "
            "recipe. What a precision costs is measured fold by fold, each by the network that "
            "was trained without it."
        ),
    ] = None,
    models: Annotated[Path | None, typer.Option(help="Another model store.")] = None,
) -> None:
    """Measure what 8-bit and 16-bit graphs of the models cost, and allow the cheap ones.

    Ranges come from training groups, costs from validation groups (or see --siblings). Writes
    graphs.json beside the models' manifest; to be run again whenever weights change.
    """
    from rich.console import Console
    from rich.table import Table

    from inference.backends import BackendError
    from inference.backends.precisions import read_notes
    from inference.models import ModelStore
    from inference.training.manifest import read_manifest
    from inference.training.quantisation import KINDS
    from inference.training.quantisation import quantise as measure

    store = ModelStore(models)
    known = [record.name for record in store.records if record.kind in KINDS]
    unknown = set(model or ()) - set(known)
    if unknown:
        raise BadInputError(
            f"There is no model {', '.join(sorted(unknown))}; there are {', '.join(known)}."
        )
    records = [r for r in store.records if r.name in (model or known)]
    console = Console(width=160) if not Console().is_terminal else Console()
    rows = read_manifest(data)
    for record in records:
        try:
            costs = measure(rows, store, [record], most=pictures, siblings=siblings)
        except BackendError as error:
            raise BadInputError(f"The graphs cannot be measured here: {error}.") from error
        notes = read_notes(store)[record.sha256]
        table = Table(
            "precision", "metric", "PyTorch float32", "graph", "cost", "95 %", "n (groups)",
            title=f"{record.name}: ranges from {notes.calibrated_on}",
        )  # fmt: skip
        for c in costs[record.name]:
            table.add_row(
                c.precision, c.metric, f"{c.eager:.4f}", f"{c.graph:.4f}", f"{c.cost:+.4f}",
                f"{c.low:+.4f} to {c.high:+.4f}" if isfinite(c.low) else "not defined",
                f"{c.n} ({c.groups})",
            )  # fmt: skip
        console.print(table)
        console.print(f"allowed: {', '.join(notes.allowed) or 'float32 alone'}")


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("quantise")(quantise)
