"""``secondread analyse``, ``export`` and ``sample``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inference.commands.writing import (
    ARCHIVE,
    Opened,
    main_slice,
    write_json_of,
    write_png_of,
    write_results,
)
from inference.errors import BadInputError
from inference.progress import Progress

if TYPE_CHECKING:
    import rich.console

    from inference.findings import Findings

__all__ = ["open_series", "register", "terminal_progress"]


class Streams(StrEnum):
    """Forms of the segmentation networks."""

    DEFAULT = "default"
    SHARED = "shared"
    SEPARATE = "separate"
    MIXED = "mixed"
    ALL = "all"


class Backend(StrEnum):
    """Ways to run the networks."""

    AUTO = "auto"
    GRAPH = "graph"
    EAGER = "eager"


class Modality(StrEnum):
    """What a picture without a header may be."""

    CT = "CT"
    CR = "CR"
    DX = "DX"


StudyPath = Annotated[
    Path,
    typer.Argument(
        help="A DICOM, NIfTI, NRRD, MHA, PNG or JPEG file, a DICOMDIR, a ZIP archive, or a folder.",
        show_default=False,
    ),
]
SeriesOption = Annotated[
    str | None,
    typer.Option(help="Number or UID of the series, where PATH holds several."),
]
RecogniserOption = Annotated[
    str, typer.Option(help="Recognition model of the modality; `secondread models list` names all.")
]
ModalityOption = Annotated[
    Modality | None,
    typer.Option(help="What a PNG or JPEG shows; other files say it themselves."),
]
IdentityOption = Annotated[
    bool,
    typer.Option("--identity", help="Keep name, id, dates, UIDs and file names in the JSON."),
]


def analyse(
    path: StudyPath,
    out: Annotated[Path, typer.Option(help="Folder for the results; made if need be.")],
    system: Annotated[str, typer.Option(help="Published system.")] = "elbana",
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
    backend: Annotated[
        Backend,
        typer.Option(
            help="How the networks run: graph (exported, CPU), eager (PyTorch), or auto, the "
            "faster one."
        ),
    ] = Backend.AUTO,
    streams: Annotated[
        Streams, typer.Option(help="Form of the segmentation networks.")
    ] = Streams.DEFAULT,
    recogniser: RecogniserOption = "default",
    series: SeriesOption = None,
    modality: ModalityOption = None,
    identity: IdentityOption = False,
) -> None:
    """Analyse a study and write what was found.

    OUT receives findings.json, the lesions as lesions.csv, the masks as labels.nii.gz and seg.dcm
    (or the reason why not), slices/*.png with the most of each manifestation, archive/, from which
    `secondread export` works without a second analysis, and at last complete.json, the mark of a
    whole folder. Earlier results in OUT are replaced when all new ones are written.
    """
    from inference.commands.summary import show
    from inference.systems import SYSTEMS, Context, get_system

    if system not in SYSTEMS:
        raise BadInputError(f"There is no system “{system}”; choose one of {', '.join(SYSTEMS)}.")
    with terminal_progress() as progress:
        opened = open_series(path, series, modality, progress)
        if opened.volume.modality == "OT":
            raise BadInputError(
                f"“{path.name}” does not say whether it is a CT slice or an X-ray; add --modality "
                "CT, CR or DX."
            )
        context = Context(
            progress=progress,
            device=device,
            backend=backend.value,
            streams=streams.value,
            recogniser=recogniser,
            read_seconds=opened.seconds,
        )
        findings = get_system(system).analyse(opened.volume, context)
    console = _console()
    written = write_results(opened, findings, out, identity)
    problems = (*opened.study.problems, *opened.series.problems, *opened.volume.problems)
    show(console, findings, opened.volume, [problem.sentence for problem in problems])
    for line in written:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def export(
    path: StudyPath,
    to: Annotated[
        Path,
        typer.Option(
            help="File to write: .dcm (DICOM segmentation), .nii.gz (label map), .png (a slice), "
            ".csv (lesions) or .json (findings)."
        ),
    ],
    findings: Annotated[
        Path | None,
        typer.Option(
            help="OUT of an earlier `secondread analyse`. [default: the findings that the window "
            "has kept of this series]"
        ),
    ] = None,
    slice_number: Annotated[
        int | None,
        typer.Option(
            "--slice", min=1, help="Slice of the .png, from 1. [default: most of any lesion]"
        ),
    ] = None,
    outline: Annotated[
        bool, typer.Option("--outline", help="Outlines in the .png instead of filled masks.")
    ] = False,
    series: SeriesOption = None,
    modality: ModalityOption = None,
    identity: IdentityOption = False,
) -> None:
    """Write earlier findings in one format, without analysing again.

    The ending of --to says which. Findings of another series, or of changed pixels, are refused.
    Without --findings those are taken that the window has kept of this series, and when they were
    made is said; also when with other models than those installed now.
    """
    kind = _kind(to)
    with terminal_progress() as progress:
        opened = open_series(path, series, modality, progress)
    kept = _earlier_findings(opened, findings)
    if kind == "json":
        write_json_of(opened, kept, to, identity)
    elif kind == "png":
        index = main_slice(kept) if slice_number is None else slice_number - 1
        write_png_of(opened.volume, kept, index, to, outline)
    elif kind == "seg":
        from inference.export import seg

        seg.write_seg(kept, opened.volume, to)
    elif kind == "csv":
        from inference.export import lesion_table

        note = lesion_table.write_csv(kept, opened.volume, to, include_identity=identity)
        if note:
            typer.echo(note, err=True)
    else:
        from inference.export import labels

        note = labels.write_nifti(kept, opened.volume, to)
        if note:
            typer.echo(note, err=True)
    typer.echo(str(to))


def _earlier_findings(opened: Opened, folder: Path | None) -> Findings:
    """Read findings from a folder, or those that the window has kept; says which on stderr."""
    from inference.export import archive, kept, results

    if folder is not None:
        inside = folder / ARCHIVE
        if not inside.is_dir():
            return archive.load(folder, opened.volume)
        results.require_whole(folder, ARCHIVE)
        return archive.load(inside, opened.volume)
    found, refusal = kept.FindingsStore().load(opened.volume)
    if found is None:
        raise BadInputError(
            refusal
            or "No findings of this series are kept; analyse it in the window, or run “secondread "
            "analyse” and name its --out with --findings."
        )
    typer.echo(f"Kept findings. {found.mark.sentence}", err=True)
    return found.findings


def sample(
    out: Annotated[
        Path | None, typer.Option(help="An empty folder to make it in. [default: the user's cache]")
    ] = None,
) -> None:
    """Make the synthetic sample study and print its folder.

    A chest CT of 64 slices with ground glass, consolidation and a small effusion, computed, the
    same every time. It shows no patient.
    """
    from inference import sample as study

    with terminal_progress() as progress:
        folder = study.ensure(progress) if out is None else study.build(out, progress)
    typer.echo(str(folder))


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("analyse")(analyse)
    app.command("export")(export)
    app.command("sample")(sample)


def _console() -> rich.console.Console:
    from rich.console import Console

    console = Console()
    # Tables in a file or a pipe are not to be squeezed into 80 columns.
    return console if console.is_terminal else Console(width=120)


@contextmanager
def terminal_progress() -> Iterator[Progress]:
    """A bar on the error stream, where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)

        def update(stage: str, done: int, total: int) -> None:
            bar.update(task, description=stage, completed=done, total=total or None)

        yield Progress(update)


def open_series(
    path: Path, series: str | None, modality: Modality | None, progress: Progress
) -> Opened:
    """Read the one series at a path that can be meant, or the one named.

    Parameters
    ----------
    path
        A file or folder.
    series
        Number or UID, or the beginning of one; None where there is but one.
    modality
        What a picture shows; None to leave it as its file says.
    progress
        Where to report, and how to be cancelled.

    Raises
    ------
    BadInputError
        When nothing can be opened, or several series can be meant.
    """
    from inference.studies import load, scan, select, with_modality

    start = time.perf_counter()
    study, chosen = select(scan(path, progress), series)
    volume = load(chosen, progress)
    if modality is not None:
        volume = with_modality(volume, modality.value)
    return Opened(study, chosen, volume, time.perf_counter() - start)


def _kind(path: Path) -> str:
    name = path.name.lower()
    endings = {
        ".dcm": "seg",
        ".nii.gz": "nifti",
        ".nii": "nifti",
        ".png": "png",
        ".csv": "csv",
        ".json": "json",
    }
    for ending, kind in endings.items():
        if name.endswith(ending):
            return kind
    raise BadInputError(
        f"“{path.name}” has no ending that says what to write; use .dcm, .nii.gz, .png, .csv or "
        ".json."
    )
