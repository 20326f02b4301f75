"""The list of lesions: as a part of findings.json, and as a CSV table."""

from __future__ import annotations

import csv
import io
import math
from typing import TYPE_CHECKING, Any, Final

from inference.errors import ExportRefusedError
from inference.export.current import require_current
from inference.lesion_data import DEPTHS_MM, HU_EDGES
from inference.lesions import find_lesions

if TYPE_CHECKING:
    from pathlib import Path

    from inference.findings import Findings
    from inference.lesion_data import Lesion, Patterns
    from inference.studies.model import Volume

__all__ = ["COLUMNS", "as_json", "write_csv"]

COLUMNS: Final = (
    "number", "manifestation", "volume_ml", "voxels", "mean_hu", "sd_hu", "diameter_mm", "side",
    "zone", "place", "peripheral_share", "slice_number", "slice_index", "row_index",
    "column_index", "x_mm", "y_mm", "z_mm",
)  # fmt: skip
"""Columns of the CSV; ``slice_number`` counts from 1 as the window does, indices from 0."""

_DIGITS: Final = 6

Json = dict[str, Any]


def as_json(findings: Findings, volume: Volume) -> Json | None:
    """List the lesions for findings.json; None where no masks were computed."""
    found = find_lesions(findings, volume)
    if found is None:
        return None
    return {
        "list": [_lesion(lesion) for lesion in found.lesions],
        "specks": found.specks,
        "specks_ml": _number(found.specks_ml),
        "patterns": _patterns(found.patterns),
    }


def write_csv(findings: Findings, volume: Volume, path: Path) -> str:
    """Write the list of lesions as CSV (RFC 4180), a line each; what is not computed is empty.

    Parameters
    ----------
    findings
        Of this volume.
    volume
        What was analysed.
    path
        File to write.

    Returns
    -------
    str
        What the table leaves out, in a sentence, or ``""``.

    Raises
    ------
    ExportRefusedError
        When the findings belong to another series or have no masks, or the file cannot be written.
    """
    require_current(findings, volume)
    found = find_lesions(findings, volume)
    if found is None:
        raise ExportRefusedError(
            "There is no list of lesions to export, because masks are only computed on CT; export "
            "the findings as JSON instead."
        )
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, COLUMNS)
    table.writeheader()
    table.writerows(_row(lesion) for lesion in found.lesions)
    try:
        path.write_text(text.getvalue(), encoding="utf-8", newline="")
    except OSError as error:
        raise ExportRefusedError(
            f"{path.name} could not be written ({error.strerror}); choose another folder."
        ) from error
    return found.left_out


def _lesion(lesion: Lesion) -> Json:
    column, row, slice_ = lesion.voxel
    return {
        "number": lesion.number,
        "key": lesion.key.value,
        "voxels": lesion.voxels,
        "volume_ml": _number(lesion.volume_ml),
        "mean_hu": _number(lesion.mean_hu),
        "sd_hu": _number(lesion.sd_hu),
        "diameter_mm": _number(lesion.diameter_mm),
        "voxel": {"slice": slice_, "row": row, "column": column},
        "position_mm": None
        if lesion.position_mm is None
        else [_number(value) for value in lesion.position_mm],
        "side": _word(lesion.side),
        "zone": _word(lesion.zone),
        "place": _word(lesion.place),
        "peripheral_share": _number(lesion.peripheral_share),
    }


def _row(lesion: Lesion) -> Json:
    line = _lesion(lesion)
    voxel, position = line.pop("voxel"), line.pop("position_mm") or (None, None, None)
    return {
        **{name: value for name, value in line.items() if name in COLUMNS},
        "manifestation": line["key"],
        "slice_number": voxel["slice"] + 1,
        **{f"{name}_index": place for name, place in voxel.items()},
        **dict(zip(("x_mm", "y_mm", "z_mm"), position, strict=True)),
    }


def _patterns(patterns: Patterns) -> Json:
    histogram, periphery = patterns.histogram, patterns.periphery
    return {
        "count": patterns.count,
        "percent_of_lung": _number(patterns.percent_of_lung),
        "hu_histogram": None
        if histogram is None
        else {
            "edges_hu": list(HU_EDGES),
            "shares": [_number(share) for share in histogram.shares],
            "below": _number(histogram.below),
            "above": _number(histogram.above),
        },
        "periphery": None
        if periphery is None
        else {
            "depths_mm": list(DEPTHS_MM),
            "ratios": [_number(ratio) for ratio in periphery.ratios],
            "inside": _number(periphery.inside),
        },
    }


def _word(value: str | None) -> str | None:
    return None if value is None else str(value)


def _number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else round(float(value), _DIGITS)
