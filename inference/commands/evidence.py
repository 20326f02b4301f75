"""``secondread evidence``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["register"]


def evidence(
    data: Annotated[Path, typer.Argument(help="A folder with a manifest.csv.", show_default=False)],
    models: Annotated[Path | None, typer.Option(help="Another model store.")] = None,
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
    enter: Annotated[
        bool, typer.Option("--enter", help="Enter the evidence beside the models.")
    ] = False,
) -> None:
    """Fit what the lesion streams' numbers say of COVID-19, and join it with the CT recogniser.

    The regression is fitted on the recogniser's training groups; what it uses is chosen on
    validation groups and on a source left out, and the three weights that join it are fitted on
    validation groups. Test groups are not looked at. It belongs to the weights of
    both networks and is not used with others, so run it again whenever one of them changes, and
    calibrate after it.
    """
    from rich.console import Console
    from rich.table import Table

    from inference.models import ModelStore
    from inference.training.evaluation.figure import Job
    from inference.training.evidence import fit, install
    from inference.training.manifest import read_manifest

    store = ModelStore(models)
    found = fit(Job.begin(read_manifest(data), store, (), device, None))
    console = Console(width=160) if not Console().is_terminal else Console()
    table = Table("parts", "strength C", "AUC, validation", "AUC, source left out", "")
    for one in found.tried:
        elsewhere = "" if one.elsewhere is None else f"{one.elsewhere:.3f}"
        mark = "taken" if one == found.choice else ""
        table.add_row(one.parts, f"{one.strength:g}", f"{one.held_out:.3f}", elsewhere, mark)
    console.print(table)
    join = found.join
    recogniser, regression, extent = join.weights
    console.print(
        f"joined: {recogniser:.2f} × {found.recogniser.name} {regression:+.2f} × these numbers "
        f"{extent:+.2f} × how much is marked {join.bias:+.2f}, on {found.n} pictures of "
        f"{found.groups} validation groups"
    )
    if enter:
        record = install(found, store)
        console.print(f"entered {record.name}, SHA-256 {record.sha256[:12]}")


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("evidence")(evidence)
