"""``secondread``: the command line of `inference.cli`, and ``open``, which has a window."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from inference import cli
from inference.commands.reading import ModalityOption, RecogniserOption, Streams
from inference.errors import BadInputError

__all__ = ["has_no_screen", "main", "with_open"]

_OF_THE_PROGRAM = frozenset({"--help", "-h", "--version"})


@cli.app.command("open")
def open_(
    path: Annotated[
        Path | None,
        typer.Argument(
            help="A DICOM, NIfTI, NRRD, MHA, PNG or JPEG file, a DICOMDIR, a ZIP archive, or a "
            "folder.",
            show_default=False,
        ),
    ] = None,
    sample: Annotated[
        bool, typer.Option("--sample", help="Open the synthetic sample study, already analysed.")
    ] = False,
    analyse: Annotated[
        bool, typer.Option("--analyse", help="Analyse what is opened at once.")
    ] = False,
    system: Annotated[str, typer.Option(help="Published system.")] = "elbana",
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
    streams: Annotated[
        Streams, typer.Option(help="Form of the segmentation networks.")
    ] = Streams.DEFAULT,
    recogniser: RecogniserOption = "default",
    modality: ModalityOption = None,
    offscreen: Annotated[
        bool, typer.Option("--offscreen", help="Open no window, as where there is no display.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Where results go when no window is opened.")] = Path(
        "out"
    ),
    identity: Annotated[
        bool,
        typer.Option(
            "--identity",
            help="When no window is opened: keep name, id, dates, UIDs and file names in the JSON "
            "and in window.png.",
        ),
    ] = False,
) -> None:
    """Open the viewer. `secondread PATH` and `secondread` alone do the same.

    Where there is no display, or with --offscreen, OUT receives what the window would show: with
    --sample or --analyse findings.json, labels.nii.gz, seg.dcm (or the reason why not) and key
    slices, and always window.png, without names and dates unless --identity is given. A file that
    is named like a command is opened as ./NAME.
    """
    from inference.systems import SYSTEMS, Context
    from viewer.opened import Wish, open_study

    if system not in SYSTEMS:
        raise BadInputError(f"There is no system “{system}”; choose one of {', '.join(SYSTEMS)}.")
    if sample and path is not None:
        raise BadInputError("Give a path or --sample, not both.")
    if path is not None and not path.exists():
        raise BadInputError(f"There is nothing at {path}; check the path.")
    context = Context(device=device, streams=streams.value, recogniser=recogniser)
    wish = Wish(path, sample, analyse, modality, system, context, identity)
    raise typer.Exit(open_study(wish, out if offscreen or has_no_screen() else None))


def has_no_screen() -> bool:
    """Say whether there is no display to open a window on (Linux without X or Wayland)."""
    if not sys.platform.startswith("linux"):
        return False
    platform = os.environ.get("QT_QPA_PLATFORM", "")
    if platform:
        return platform.partition(":")[0] in {"offscreen", "minimal"}
    return not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def with_open(arguments: Sequence[str]) -> list[str]:
    """Put ``open`` before arguments that name no command.

    Parameters
    ----------
    arguments
        Without the program's name.

    Examples
    --------
    >>> with_open(["scan.dcm"]), with_open(["analyse", "scan.dcm", "--out", "o"])
    (['open', 'scan.dcm'], ['analyse', 'scan.dcm', '--out', 'o'])
    >>> with_open([]), with_open(["--sample"]), with_open(["--version"])
    (['open'], ['open', '--sample'], ['--version'])
    """
    names = {command.name for command in cli.app.registered_commands}
    names |= {group.name for group in cli.app.registered_groups}
    if arguments and arguments[0] in names | _OF_THE_PROGRAM:
        return list(arguments)
    return ["open", *arguments]


def main() -> None:
    """Run the program and leave with its exit status."""
    sys.exit(cli.run(with_open(sys.argv[1:])))
