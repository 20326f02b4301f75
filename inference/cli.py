"""The command line without a screen: the program's commands, and what their ends mean.

Exit status 0: done. 1: it failed. 2: the input or the command was wrong. 130: interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, Final

import typer

from inference import __version__, leftovers
from inference.commands import evidence, indexing, learning, quantising, reading
from inference.errors import BadInputError, SecondReadError
from inference.faults import record

__all__ = ["app", "run"]

FAILED: Final = 1
BAD_INPUT: Final = 2
INTERRUPTED: Final = 130

app = typer.Typer(
    name="secondread",
    help="A machine's second opinion on chest CT and X-ray studies. Research use only, not for "
    "diagnosis.\n\nExit status: 0 done, 1 failed, 2 wrong input or command, 130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
reading.register(app)
indexing.register(app)
learning.register(app)
quantising.register(app)
evidence.register(app)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"secondread {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    if context.invoked_subcommand != "open":
        # The window does it beside its start.
        leftovers.sweep()
    # Not needed for the help.
    from inference.studies.elsewhere import working_elsewhere

    context.with_resource(working_elsewhere())


def run(argv: Sequence[str] | None = None, app: typer.Typer = app) -> int:
    """Run a command line; nothing that goes wrong reaches the reader as a traceback.

    Parameters
    ----------
    argv
        Arguments without the program's name; None for those of this process.
    app
        The commands; those of this module by default.

    Returns
    -------
    int
        The exit status.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    command = typer.main.get_command(app)
    try:
        command.main(args=arguments, prog_name="secondread")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BadInputError as error:
        return _say(str(error), BAD_INPUT)
    except SecondReadError as error:
        return _say(str(error), FAILED)
    except KeyboardInterrupt:
        return _say("Interrupted.", INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - the last stop before the reader
        return _say(record(error, "The command"), FAILED)
    return 0


def _say(sentence: str, status: int) -> int:
    typer.echo(sentence, err=True)
    return status
