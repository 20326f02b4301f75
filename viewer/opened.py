"""What ``secondread open`` does: the window, or the same job where there is no screen."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from inference import leftovers
from inference.commands.reading import Modality, open_series, terminal_progress
from inference.commands.writing import Opened, write_results
from inference.errors import BadInputError, ExportRefusedError, SecondReadError
from inference.systems.base import Context

if TYPE_CHECKING:
    from inference.findings import Findings
    from inference.progress import Progress

__all__ = ["Wish", "analysed_sample", "open_study"]

_PICTURE = "window.png"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be opened, and how.

    Parameters
    ----------
    path
        What to open; None for the sample, or for an empty window.
    sample
        Open the sample study, analysed.
    analyse
        Analyse what is opened.
    modality
        What a picture shows.
    system, context
        See `inference.systems`.
    identity
        Without a window: what is written tells whose images they are.
    """

    path: Path | None = None
    sample: bool = False
    analyse: bool = False
    modality: Modality | None = None
    system: str = "elbana"
    context: Context = field(default_factory=Context)
    identity: bool = False


def open_study(wish: Wish, out: Path | None) -> int:
    """Open the window; or, with `out`, write there what it would show.

    Parameters
    ----------
    wish
        What to open.
    out
        Folder for findings, masks and a picture of the window; None to open the window.

    Returns
    -------
    int
        Exit status.

    Raises
    ------
    SecondReadError
        In words for the reader.
    """
    if out is not None:
        leftovers.sweep()
        _without_screen(wish, out)
        return 0
    from viewer import libraries

    libraries.prepare()
    from viewer import app

    if not wish.sample:
        modality = wish.modality.value if wish.modality is not None else None
        return app.run(
            wish.path,
            analyse=wish.analyse,
            modality=modality,
            system=wish.system,
            context=wish.context,
        )
    return app.run(sample=partial(_kept_findings, wish), system=wish.system, context=wish.context)


def analysed_sample(wish: Wish, progress: Progress) -> tuple[Opened, Findings]:
    """Read the sample study with its findings, kept from the last start when they still hold.

    Raises
    ------
    SecondReadError
        When the sample cannot be made or analysed.
    """
    from inference import sample
    from inference.export import archive

    opened = open_series(sample.ensure(progress), None, None, progress)
    folder = _kept_findings(wish)
    # None yet, or of other pixels: then the analysis below replaces them.
    with suppress(BadInputError):
        return opened, archive.load(folder, opened.volume)
    findings = _analyse(opened, wish, progress)
    # If they cannot be kept, the next start takes longer; nothing else depends on it.
    with suppress(SecondReadError):
        archive.save(findings, opened.volume, folder)
    return opened, findings


def _without_screen(wish: Wish, out: Path) -> None:
    if not wish.sample and wish.path is None:
        raise BadInputError(
            "There is no screen and nothing to open; give a path, or --sample for the sample study."
        )
    findings: Findings | None = None
    with terminal_progress() as progress:
        if wish.sample or wish.path is None:
            opened, findings = analysed_sample(wish, progress)
        else:
            opened = open_series(wish.path, None, wish.modality, progress)
            if wish.analyse:
                findings = _analyse(opened, wish, progress)
    typer.echo(f"No window was opened; {out} holds what it would have shown.")
    from viewer.app import take_picture

    draw = partial(take_picture, opened, findings, identity=wish.identity)
    if findings is None:
        _make_folder(out)
        draw(out / _PICTURE)
        typer.echo(f"Written: {out / _PICTURE}")
        return
    for line in write_results(opened, findings, out, wish.identity, {_PICTURE: draw}):
        typer.echo(line)


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExportRefusedError(
            f"The folder {out} cannot be written ({error.strerror}); choose another with --out."
        ) from error


def _analyse(opened: Opened, wish: Wish, progress: Progress) -> Findings:
    from inference.systems import get_system

    context = replace(wish.context, progress=progress, read_seconds=opened.seconds)
    return get_system(wish.system).analyse(opened.volume, context)


def _kept_findings(wish: Wish) -> Path:
    """Return the folder of the sample's findings by these very weights, asked for in this way."""
    from platformdirs import user_cache_path

    import inference
    from inference.models import ModelStore

    asked = wish.context
    parts = [inference.__version__, wish.system, asked.device, asked.streams, asked.recogniser]
    parts += sorted(f"{r.sha256} {r.calibrations}" for r in ModelStore().records)
    name = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    return user_cache_path("secondread", appauthor=False) / "findings" / name
