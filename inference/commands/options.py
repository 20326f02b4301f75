"""Arguments and options that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["Folder", "Settings"]

Folder = Annotated[Path, typer.Argument(help="A folder with a manifest.csv.", show_default=False)]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="A setting in place of the recipe's, as its file would have it: loss.union=true; "
        "may be repeated.",
    ),
]
