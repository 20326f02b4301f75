"""What `secondread analyse` writes into a folder, and parts of it for `secondread export`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from inference.errors import ExportRefusedError, NotWrittenError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from inference.findings import Findings
    from inference.studies.model import Series, Study, Volume

__all__ = ["ARCHIVE", "Opened", "main_slice", "write_json_of", "write_png_of", "write_results"]

ARCHIVE: Final = "archive"
"""Folder of what `secondread export` needs."""
_SLICES: Final = "slices"


@dataclass(frozen=True, eq=False, slots=True)
class Opened:
    """A series with its pixels."""

    study: Study
    series: Series
    volume: Volume
    seconds: float


def main_slice(findings: Findings) -> int:
    """The slice with most lesion pixels, or the middle one."""
    import numpy as np

    if not findings.segments:
        return findings.shape[0] // 2
    pixels = np.sum([segment.pixels_per_slice for segment in findings.segments], axis=0)
    return int(pixels.argmax()) if pixels.any() else findings.shape[0] // 2


def write_results(
    opened: Opened,
    findings: Findings,
    out: Path,
    identity: bool,
    also: Mapping[str, Callable[[Path], None]] | None = None,
) -> list[str]:
    """Write findings, masks, key pictures and the archive; earlier results are replaced.

    All of them are written before the first earlier one goes, see `inference.export.results`.

    Parameters
    ----------
    opened, findings
        What was read, and what was found in it.
    out
        Folder; made if need be.
    identity
        Keep name, id, dates, UIDs and file names in the JSON.
    also
        Further results: names of files, and what writes them.

    Returns
    -------
    list of str
        A line for each result, in words where one was refused.

    Raises
    ------
    NotWrittenError
        When something cannot be written; earlier results stay.
    """
    from inference.export import archive, labels, lesion_table, results, seg

    lines: list[str] = []
    with results.replaced(out) as new:
        archive.save(findings, opened.volume, new / ARCHIVE)
        write_json_of(opened, findings, new / "findings.json", identity)
        lines.append(f"Written: {out / 'findings.json'}")
        masks = (
            ("lesions.csv", partial(lesion_table.write_csv, include_identity=identity)),
            ("labels.nii.gz", labels.write_nifti),
            ("seg.dcm", seg.write_seg),
        )
        for name, write in masks if findings.segments else ():
            try:
                note = write(findings, opened.volume, new / name)
            except NotWrittenError:
                raise
            except ExportRefusedError as refusal:
                lines.append(f"Not written: {name}. {refusal}")
            else:
                lines.append(f"Written: {out / name}" + (f" ({note})" if note else ""))
        (new / _SLICES).mkdir()
        for name, index in _key_slices(findings).items():
            picture = f"{name}_{index + 1:03d}.png"
            write_png_of(opened.volume, findings, index, new / _SLICES / picture, outline=False)
            lines.append(f"Written: {out / _SLICES / picture}")
        for name, draw in (also or {}).items():
            draw(new / name)
            lines.append(f"Written: {out / name}")
    lines.append(f"Written: {out / ARCHIVE} (for secondread export)")
    lines.append(f"Written: {out / results.MARK} (last: a folder without it is not whole)")
    return lines


def _key_slices(findings: Findings) -> dict[str, int]:
    """Name and index of the slices worth a picture."""
    found = {
        segment.key.value: segment.largest_slice
        for segment in findings.segments
        if segment.largest_slice is not None
    }
    return found or {"slice": main_slice(findings)}


def write_json_of(opened: Opened, findings: Findings, path: Path, identity: bool) -> None:
    """Write the findings; with name, id, dates and UIDs where `identity` says so."""
    from inference.export.report import write_json

    write_json(
        findings, opened.study, opened.series, opened.volume, path, include_identity=identity
    )


def write_png_of(volume: Volume, findings: Findings, index: int, path: Path, outline: bool) -> None:
    """Write a slice with its masks, filled or outlined."""
    from inference.export.picture import render, write_png

    write_png(render(volume, findings, index, style="outline" if outline else "fill"), path)
