"""What `secondread analyse` writes into a folder, and parts of it for `secondread export`."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from inference.errors import ExportRefusedError

if TYPE_CHECKING:
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
    archive.save(findings, opened.volume, out / ARCHIVE)
    write_json_of(opened, findings, out / "findings.json", identity)
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
        write_png_of(opened.volume, findings, index, picture, outline=False)
        lines.append(f"Written: {picture}")
    lines.append(f"Written: {out / ARCHIVE} (for secondread export)")
    return lines


def _clear(out: Path) -> None:
    """Remove earlier results, so that none is taken for one of this analysis."""
    try:
        (out / _SLICES).mkdir(parents=True, exist_ok=True)
        for name in ("findings.json", "lesions.csv", "labels.nii.gz", "seg.dcm"):
            (out / name).unlink(missing_ok=True)
        for picture in (out / _SLICES).glob("*_[0-9][0-9][0-9].png"):
            picture.unlink()
        if (out / ARCHIVE).is_dir():
            shutil.rmtree(out / ARCHIVE)
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
