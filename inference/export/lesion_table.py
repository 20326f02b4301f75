"""The list of lesions: as a part of findings.json, and as a CSV table."""

from __future__ import annotations

import csv
import io
import math
from typing import TYPE_CHECKING, Any, Final

from inference.errors import ExportRefusedError
from inference.export import files
from inference.export.current import require_current
from inference.export.images import image_of
from inference.lesion_data import DEPTHS_MM, HU_EDGES
from inference.lesion_review import Decision, is_doubtful, reader_totals
from inference.lesions import find_lesions

if TYPE_CHECKING:
    from pathlib import Path

    from inference.findings import Findings
    from inference.lesion_data import Lesion, Lesions, Patterns
    from inference.lesion_review import Decisions
    from inference.studies.model import Volume

__all__ = ["COLUMNS", "as_json", "write_csv"]

COLUMNS: Final = (
    "number", "manifestation", "volume_ml", "voxels", "mean_hu", "sd_hu", "diameter_mm", "side",
    "zone", "place", "peripheral_share", "slice_number", "instance_number", "sop_instance_uid",
    "slice_index", "row_index", "column_index", "x_mm", "y_mm", "z_mm", "lung_share",
    "slice_probability", "doubtful", "reader_decision", "reader_comment",
)  # fmt: skip
"""Columns of the CSV; ``slice_number`` counts from 1 as the window does, indices from 0.

``instance_number`` and ``sop_instance_uid`` are DICOM's, of the image in which `voxel` lies.
"""

_DIGITS: Final = 6

Json = dict[str, Any]


def as_json(
    findings: Findings,
    volume: Volume,
    *,
    include_identity: bool = False,
    decisions: Decisions | None = None,
) -> Json | None:
    """List the lesions for findings.json; None where no masks were computed.

    Parameters
    ----------
    findings, volume
        What was found, and in what.
    include_identity
        Keep the images' UIDs.
    decisions
        The reader's, by number of the lesion; None where nobody decided.
    """
    found = find_lesions(findings, volume)
    if found is None:
        return None
    return {
        "list": [
            _lesion(lesion, findings, volume, include_identity, decisions)
            for lesion in found.lesions
        ],
        "reader": _reader(findings, found, decisions) if decisions else None,
        "specks": found.specks,
        "specks_ml": _number(found.specks_ml),
        "patterns": _patterns(found.patterns),
    }


def write_csv(
    findings: Findings,
    volume: Volume,
    path: Path,
    *,
    include_identity: bool = False,
    decisions: Decisions | None = None,
) -> str:
    """Write the list of lesions as CSV (RFC 4180), a line each; what is not computed is empty.

    Parameters
    ----------
    findings
        Of this volume.
    volume
        What was analysed.
    path
        File to write.
    include_identity
        Keep the images' UIDs; without it their SHA-256 stands in their place, as in findings.json.
    decisions
        The reader's, by number of the lesion; None where nobody decided.

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
            "There is no list of lesions to export, because masks are only computed on axial CT; "
            "export the findings as JSON instead."
        )
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, COLUMNS)
    table.writeheader()
    table.writerows(
        _row(_lesion(each, findings, volume, include_identity, decisions)) for each in found.lesions
    )
    files.write_text(path, text.getvalue())
    return found.left_out


def _reader(findings: Findings, found: Lesions, decisions: Decisions) -> list[Json]:
    return [
        {
            "key": total.key.value,
            "lesions": total.lesions,
            "accepted": total.accepted,
            "rejected": total.rejected,
            "volume_ml": _number(total.volume_ml),
            "percent_of_lung": _number(total.percent_of_lung),
        }
        for total in reader_totals(findings, found, decisions)
    ]


def _decided(lesion: Lesion, decisions: Decisions | None) -> Json | None:
    decision = (decisions or {}).get(lesion.number, Decision())
    if decision.empty:
        return None
    return {
        "decision": _word(decision.verdict),
        "comment": decision.comment or None,
    }


def _probability(lesion: Lesion, findings: Findings) -> float | None:
    """Of the lesion's manifestation in its slice, as it is shown."""
    said = findings.estimate("manifestations")
    if said is None or lesion.key.value not in said.keys:
        return None
    return _number(float(said.shown_per_slice[lesion.voxel[2], said.keys.index(lesion.key.value)]))


def _lesion(
    lesion: Lesion,
    findings: Findings,
    volume: Volume,
    include_identity: bool,
    decisions: Decisions | None,
) -> Json:
    column, row, slice_ = lesion.voxel
    instance, uid = image_of(volume, slice_, include_identity)
    return {
        "number": lesion.number,
        "key": lesion.key.value,
        "voxels": lesion.voxels,
        "volume_ml": _number(lesion.volume_ml),
        "mean_hu": _number(lesion.mean_hu),
        "sd_hu": _number(lesion.sd_hu),
        "diameter_mm": _number(lesion.diameter_mm),
        "voxel": {"slice": slice_, "row": row, "column": column},
        "instance_number": instance,
        "sop_instance_uid": uid,
        "position_mm": None
        if lesion.position_mm is None
        else [_number(value) for value in lesion.position_mm],
        "side": _word(lesion.side),
        "zone": _word(lesion.zone),
        "place": _word(lesion.place),
        "peripheral_share": _number(lesion.peripheral_share),
        "lung_share": _number(lesion.lung_share),
        "slice_probability": _probability(lesion, findings),
        "doubtful": is_doubtful(lesion),
        "reader": _decided(lesion, decisions),
    }


def _row(line: Json) -> Json:
    voxel, position = line.pop("voxel"), line.pop("position_mm") or (None, None, None)
    return {
        **{name: value for name, value in line.items() if name in COLUMNS},
        "manifestation": line["key"],
        "doubtful": "yes" if line["doubtful"] else "no",
        "reader_decision": (line["reader"] or {}).get("decision"),
        "reader_comment": (line["reader"] or {}).get("comment"),
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
