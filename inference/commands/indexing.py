"""``secondread index``: what is remembered of files that were opened, and how to forget it."""

from __future__ import annotations

from typing import Annotated

import typer

from inference.errors import SecondReadError

__all__ = ["register"]


def index(
    clear: Annotated[bool, typer.Option("--clear", help="Forget everything.")] = False,
) -> None:
    """Say how much is remembered of the headers of files that were opened, or forget it.

    The index makes a folder open at once the second time. It lies in the user's cache folder,
    is readable by its owner alone, and holds patients' names as the headers do.
    """
    from inference.studies import index as kept

    if clear:
        try:
            kept.clear()
        except OSError as error:
            raise SecondReadError(
                "The index is in use and could not be removed; close SecondRead and try again."
            ) from error
        typer.echo("The index is empty.")
        return
    size = kept.size()
    typer.echo(
        f"{size.files:,} files in {size.folders:,} folders, {size.bytes / 2**20:.1f} MB: "
        f"{kept.index_path()}"
    )


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("index")(index)
