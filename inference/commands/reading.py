"""``secondread analyse``, ``export`` and ``sample``."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from inference.errors import BadInputError, ExportRefusedError
from inference.progress import Progress

if TYPE_CHECKING:
    import rich.console

    from inference.findings import Findings
    from inference.studies.model import Series, Study, Volume

__all__ = ["Opened", "open_series", "register", "terminal_progress", "write_results"]

_ARCHIVE: Final = "archive"
_SLICES: Final = "slices"


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


@dataclass(frozen=True, eq=False, slots=True)
class Opened:
    """A series with its pixels."""

    study: Study
    series: Series
    volume: Volume
    seconds: float


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
    (or the reason why not), slices/*.png with the most of each manifestation, and archive/, from
    which `secondread export` works without a second analysis. Earlier results in OUT are replaced.
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
    findings: Annotated[Path, typer.Option(help="OUT of an earlier `secondread analyse`.")],
    to: Annotated[
        Path,
        typer.Option(
            help="File to write: .dcm (DICOM segmentation), .nii.gz (label map), .png (a slice), "
            ".csv (lesions) or .json (findings)."
        ),
    ],
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
    """
    from inference.export import archive

    kind = _kind(to)
    with terminal_progress() as progress:
        opened = open_series(path, series, modality, progress)
    folder = findings / _ARCHIVE if (findings / _ARCHIVE).is_dir() else findings
    kept = archive.load(folder, opened.volume)
    if kind == "json":
        _write_json(opened, kept, to, identity)
    elif kind == "png":
        index = _main_slice(kept) if slice_number is None else slice_number - 1
        _write_png(opened.volume, kept, index, to, outline)
    elif kind == "seg":
        from inference.export import seg

        seg.write_seg(kept, opened.volume, to)
    elif kind == "csv":
        from inference.export import lesion_table

        note = lesion_table.write_csv(kept, opened.volume, to)
        if note:
            typer.echo(note, err=True)
    else:
        from inference.export import labels

        note = labels.write_nifti(kept, opened.volume, to)
        if note:
            typer.echo(note, err=True)
    typer.echo(str(to))


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


def _main_slice(findings: Findings) -> int:
    """The slice with most lesion pixels, or the middle one."""
    import numpy as np

    if not findings.segments:
        return findings.shape[0] // 2
    pixels = np.sum([segment.pixels_per_slice for segment in findings.segments], axis=0)
    return int(pixels.argmax()) if pixels.any() else findings.shape[0] // 2


def write_results(opened: Opened, findings: Findings, out: Path, identity: bool) -> list[str]:
    """Write findings, masks, key pictures and the archive; earlier results are replaced.

    Parameters
    ----------
    opened, findings
        What was read, and what was found in it.
    out
        Folder; made if need be.
    identity
        Keep name, id, dates, UIDs and file names in the JSON.

    Returns
    -------
    list of str
        A line for each result, in words where one was refused.

    Raises
    ------
    ExportRefusedError
        When the folder cannot be written.
    """
    from inference.export import archive, labels, lesion_table, seg

    _clear(out)
    archive.save(findings, opened.volume, out / _ARCHIVE)
    _write_json(opened, findings, out / "findings.json", identity)
    lines = [f"Written: {out / 'findings.json'}"]
    if findings.segments:
        for name, write in (
            ("lesions.csv", lesion_table.write_csv),
            ("labels.nii.gz", labels.write_nifti),
            ("seg.dcm", seg.write_seg),
        ):
            try:
                note = write(findings, opened.volume, out / name)
            except ExportRefusedError as refusal:
                lines.append(f"Not written: {name}. {refusal}")
            else:
                lines.append(f"Written: {out / name}" + (f" ({note})" if note else ""))
    for name, index in _key_slices(findings).items():
        picture = out / _SLICES / f"{name}_{index + 1:03d}.png"
        _write_png(opened.volume, findings, index, picture, outline=False)
        lines.append(f"Written: {picture}")
    lines.append(f"Written: {out / _ARCHIVE} (for secondread export)")
    return lines


def _clear(out: Path) -> None:
    """Remove earlier results, so that none is taken for one of this analysis."""
    try:
        (out / _SLICES).mkdir(parents=True, exist_ok=True)
        for name in ("findings.json", "lesions.csv", "labels.nii.gz", "seg.dcm"):
            (out / name).unlink(missing_ok=True)
        for picture in (out / _SLICES).glob("*_[0-9][0-9][0-9].png"):
            picture.unlink()
        if (out / _ARCHIVE).is_dir():
            shutil.rmtree(out / _ARCHIVE)
    except OSError as error:
        raise ExportRefusedError(
            f"The folder {out} cannot be written ({error.strerror}); choose another with --out."
        ) from error


def _key_slices(findings: Findings) -> dict[str, int]:
    """Name and index of the slices worth a picture."""
    found = {
        segment.key.value: segment.largest_slice
        for segment in findings.segments
        if segment.largest_slice is not None
    }
    return found or {"slice": _main_slice(findings)}


def _write_json(opened: Opened, findings: Findings, path: Path, identity: bool) -> None:
    from inference.export.report import write_json

    write_json(
        findings, opened.study, opened.series, opened.volume, path, include_identity=identity
    )


def _write_png(volume: Volume, findings: Findings, index: int, path: Path, outline: bool) -> None:
    from inference.export.picture import render, write_png

    write_png(render(volume, findings, index, style="outline" if outline else "fill"), path)
