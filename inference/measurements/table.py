"""The table of measurements as a file: CSV for a spreadsheet, JSON for a program."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import inference
from inference import atomic
from inference.errors import ExportRefusedError
from inference.measurements.values import measure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inference.measurements.model import Measurement
    from inference.studies.model import Volume

__all__ = ["COLUMNS", "rows", "write"]

COLUMNS: Final = (
    "number", "kind", "plane", "index", "instance_number", "sop_instance_uid", "slab",
    "slab_planes", "slab_mm", "text", "length", "short_axis", "length_unit", "angle_deg", "area",
    "area_unit", "pixels", "pixels_without_data", "mean", "sd", "min", "max", "value", "value_unit",
    "notes", "created",
)  # fmt: skip
"""Of the CSV. Empty means that there is no such number, or that none was computed; never zero."""

_PLANES: Final = ("column", "row", "slice")
_DIGITS: Final = 4
_CONVENTIONS: Final = (
    "Research use only. Not for diagnosis. Slices and other planes are counted from 1 "
    "(index), and instance_number is the DICOM Instance Number of a slice; points are counted from "
    "0 with pixel centres at whole numbers. Lengths, angles and areas are those of the outline; a "
    "pixel belongs to a region when its centre lies inside or on it; sd is divided by the number "
    "of pixels; a Cobb angle is the acute one; of a bidirectional measurement length is the "
    "long axis and short_axis the one at right angles to it. "
    "Planes named oblique have no number: points_lps_mm and oblique_lps say where they lie, and "
    "their pixels are samples, step mm apart, interpolated "
    "between voxels. What names a slab was measured on so many planes shown as one: index and "
    "points are those of the middle one, values those of the slab, lengths and angles those in the "
    "picture. Null means not computed."
)

Json = dict[str, Any]


def rows(measurements: Sequence[Measurement], volume: Volume) -> list[Json]:
    """Write one entry a measurement, by number; its keys are `COLUMNS`.

    Parameters
    ----------
    measurements
        Of this volume.
    volume
        Gives the stored values.
    """
    made = []
    for each in sorted(measurements, key=lambda entry: entry.number):
        values = measure(each, volume)
        region = values.region
        suffix = "mm" if values.in_mm else "px"
        has_value = region is not None or values.value is not None
        entry = {
            "number": each.number,
            "kind": each.kind.value,
            "plane": _PLANES[each.axis] if each.slant is None else "oblique",
            "index": each.plane + 1 if each.slant is None else None,
            "instance_number": _instance(each, volume),
            "sop_instance_uid": _hashed(each.sop_instance_uid),
            "slab": each.slab.merge.value if each.slab is not None else None,
            "slab_planes": each.slab.count if each.slab is not None else None,
            "slab_mm": _thickness(each, volume),
            "text": each.text,
            "length": _rounded(values.length),
            "short_axis": _rounded(values.short),
            "length_unit": suffix if values.length is not None else None,
            "angle_deg": _rounded(values.angle),
            "area": _rounded(values.area),
            "area_unit": f"{suffix}2" if values.area is not None else None,
            "pixels": region.pixels if region else None,
            "pixels_without_data": region.left_out if region else None,
            "mean": _rounded(region.mean if region else None),
            "sd": _rounded(region.sd if region else None),
            "min": _rounded(region.minimum if region else None),
            "max": _rounded(region.maximum if region else None),
            "value": _rounded(values.value),
            "value_unit": volume.unit.value if has_value else None,
            "notes": "; ".join(values.notes),
            "created": each.created,
        }
        made.append(entry)
    return made


def write(measurements: Sequence[Measurement], volume: Volume, path: Path) -> None:
    """Write the table; the name of the file says how.

    Parameters
    ----------
    measurements
        Of this volume, at least one.
    volume
        Gives the stored values.
    path
        Ends in ``.csv`` or ``.json``.

    Raises
    ------
    ExportRefusedError
        When there is nothing to write, or the name ends otherwise.
    OSError
        When the file cannot be written.
    """
    if not measurements:
        raise ExportRefusedError("There are no measurements to export; make one first.")
    suffix, mode = path.suffix.lower(), atomic.export_mode()
    if suffix == ".csv":
        # Spreadsheets know UTF-8 by its mark alone.
        atomic.replace_bytes(path, _csv(measurements, volume).encode("utf-8-sig"), mode=mode)
    elif suffix == ".json":
        text = json.dumps(_json(measurements, volume), indent=2, ensure_ascii=False)
        atomic.replace_text(path, text + "\n", mode=mode)
    else:
        raise ExportRefusedError(
            f"{path.name} is neither .csv nor .json; choose one of these endings."
        )


def _csv(measurements: Sequence[Measurement], volume: Volume) -> str:
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, COLUMNS)
    table.writeheader()
    table.writerows(rows(measurements, volume))
    return text.getvalue()


def _json(measurements: Sequence[Measurement], volume: Volume) -> Json:
    ordered = sorted(measurements, key=lambda entry: entry.number)
    return {
        "software": f"SecondRead {inference.__version__}",
        "conventions": _CONVENTIONS,
        "series_uid": _hashed(volume.series_uid),
        "modality": volume.modality,
        "measurements": [
            entry
            | {
                "id": each.id,
                "points_voxel": each.points,
                "points_lps_mm": each.positions,
                "oblique_lps": asdict(each.slant) if each.slant is not None else None,
            }
            for entry, each in zip(rows(ordered, volume), ordered, strict=True)
        ],
    }


def _instance(each: Measurement, volume: Volume) -> int | None:
    """DICOM's number of the image that was measured on; None for other planes."""
    on_image = (
        each.slant is None and _PLANES[each.axis] == "slice" and each.plane < len(volume.slices)
    )
    return volume.slices[each.plane].instance if on_image else None


def _thickness(each: Measurement, volume: Volume) -> float | None:
    if each.slab is None or not volume.has_geometry:
        return None
    return _rounded(each.slab.mm)


def _hashed(uid: str) -> str | None:
    return "sha256:" + hashlib.sha256(uid.encode()).hexdigest() if uid else None


def _rounded(value: float | None) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return round(value, _DIGITS)
