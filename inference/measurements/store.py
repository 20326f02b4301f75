"""Measurements kept between runs: one small file a grid, in the user's data folder.

Never beside the images, which may lie in an archive or belong to someone else. File names are
hashes; the content names no patient.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from inference import locks
from inference.atomic import replace_text
from inference.errors import ExportRefusedError
from inference.measurements.model import Kind, Measurement, carried, grid_key
from inference.measurements.planes import Slant
from inference.measurements.slabs import Merge, SlabPlanes
from inference.merging import merged

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

    from inference.studies.model import Volume

__all__ = ["Kept", "default_folder", "load", "save"]

_FORMAT: Final = "secondread-measurements"
_VERSION: Final = 4
"""Version 1 knew no oblique planes, 2 no slabs, 3 no bidirectional ones; all are still read."""

_WAIT_SECONDS: Final = 3.0
"""For another window, which writes for milliseconds."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What was found in the folder.

    Parameters
    ----------
    measurements
        They lie on the grid that was asked for.
    notes
        Sentences for the reader: what was set aside, or brought from another grid.
    """

    measurements: tuple[Measurement, ...] = ()
    notes: tuple[str, ...] = ()


class _DamagedError(Exception):
    """A file is none of ours, or is of another version."""


def default_folder() -> Path:
    """Where measurements are kept."""
    from platformdirs import user_data_path

    return user_data_path("secondread", appauthor=False) / "measurements"


def save(
    measurements: tuple[Measurement, ...],
    volume: Volume,
    folder: Path,
    base: tuple[Measurement, ...] | None = None,
) -> Kept:
    """Keep all measurements of a volume's grid, with what another window has kept meanwhile.

    The file is replaced in one step, so that a crash leaves the old one or the new one; and it is
    read, merged and written under a lock, so that of two windows neither undoes the other.

    Parameters
    ----------
    measurements
        Of this volume. None at all is kept too: what was deleted must not come back from the file
        of another grid.
    volume
        Names the grid.
    folder
        Made, for the user alone, when it is not there. A lock lies beside it.
    base
        What was kept when `measurements` began to differ from it; None to replace whatever is kept.

    Returns
    -------
    Kept
        What is kept now: of `measurements` what was added, changed or deleted since `base`, and all
        that others did elsewhere. A number that two have given is given anew.

    Raises
    ------
    ExportRefusedError
        When the folder cannot be written.
    """
    key = grid_key(volume)
    path = folder / f"{key}.json"
    notes: tuple[str, ...] = ()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locks.held(folder.with_name(f".{folder.name}.lock"), _WAIT_SECONDS):
            there = None if base is None else _read(path, key)
            if base is not None and there is not None and not there.notes:
                measurements = _merged(base, measurements, there.measurements)
            if measurements == (base if there is None else there.measurements):
                return Kept(measurements)
            notes = () if there is None else there.notes
            content = _to_json(measurements, volume)
            text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
            replace_text(path, text + "\n")
    except OSError as error:
        raise ExportRefusedError(
            f"The measurements could not be kept in {folder} ({error.strerror or error}); export "
            "them before you close this series."
        ) from error
    return Kept(measurements, notes)


def _merged(
    base: tuple[Measurement, ...], mine: tuple[Measurement, ...], theirs: tuple[Measurement, ...]
) -> tuple[Measurement, ...]:
    sides = [{each.id: each for each in side} for side in (base, mine, theirs)]
    together = merged(*sides)
    taken = {each.number for each in together.values() if each.id in sides[2]}
    for each in together.values():
        if each.id in sides[2]:
            continue
        number = each.number if each.number not in taken else max(taken) + 1
        taken.add(number)
        together[each.id] = replace(each, number=number)
    return tuple(sorted(together.values(), key=lambda each: each.number))


def load(volume: Volume, folder: Path) -> Kept:
    """Read what was kept for a volume's grid.

    Where nothing was, measurements of other grids of the same series (it was read with other
    slices) are brought to this one by their mm; those whose plane is not there stay in their file.

    Parameters
    ----------
    volume
        The open series.
    folder
        As given to `save`.

    Returns
    -------
    Kept
        A file that cannot be used is set aside under another name, never deleted, and a note says
        so.
    """
    key = grid_key(volume)
    try:
        own = _read(folder / f"{key}.json", key)
        if own is not None:
            return own
        return _carry(volume, folder, key)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return Kept(
            notes=(
                f"The measurements of this series in {folder} could not be read ({reason}); see "
                "that the folder may be read, and open the series again.",
            )
        )


def _carry(volume: Volume, folder: Path, key: str) -> Kept:
    found: dict[str, Measurement] = {}
    lost = 0
    notes: list[str] = []
    series = key.partition("-")[0]
    for path in sorted(folder.glob(f"{series}-*.json")) if folder.is_dir() else ():
        kept = _read(path, path.stem) or Kept()
        notes += kept.notes
        for old in kept.measurements:
            here = carried(old, volume)
            if here is None:
                lost += 1
            else:
                found.setdefault(here.id, here)
    if found or lost:
        stay = f" Not shown, since their slices are not there: {lost}." if lost else ""
        notes.append(
            "This series was read with other slices before. Measurements brought along by their "
            f"position in mm: {len(found)}.{stay}"
        )
    ordered = sorted(found.values(), key=lambda each: (each.number, each.created))
    return Kept(_renumbered(ordered), tuple(notes))


def _renumbered(measurements: list[Measurement]) -> tuple[Measurement, ...]:
    """Count anew where two grids have used a number twice."""
    if len({each.number for each in measurements}) == len(measurements):
        return tuple(measurements)
    return tuple(replace(each, number=n) for n, each in enumerate(measurements, start=1))


def _read(path: Path, key: str) -> Kept | None:
    """Read one file; None when there is none."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        return Kept(_from_json(text, key))
    except _DamagedError as error:
        now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        aside = path.with_name(f"{path.stem}.{now}.unreadable")
        path.replace(aside)
        return Kept(
            notes=(
                f"The measurements kept for this series {error}; the file was set aside as "
                f"{aside}, and the series is shown without them.",
            )
        )


def _from_json(text: bytes, key: str) -> tuple[Measurement, ...]:
    """Read the text of a file.

    Raises
    ------
    _DamagedError
        When it is not what `save` has written for this grid.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _DamagedError("are damaged") from error
    if isinstance(document, dict) and document.get("format") == _FORMAT:
        version = document.get("version")
        if isinstance(version, int) and version > _VERSION:
            raise _DamagedError("were written by a newer SecondRead")
    if not _validator().is_valid(document) or document["grid"] != key:
        raise _DamagedError("are damaged")
    try:
        found = tuple(_measurement(each) for each in document["measurements"])
    except (ValueError, OverflowError) as error:
        raise _DamagedError("are damaged") from error
    if len({each.id for each in found}) != len(found):
        raise _DamagedError("are damaged")
    return found


@lru_cache(maxsize=1)
def _validator() -> Draft202012Validator:
    from jsonschema import Draft202012Validator

    text = (files("resources") / "schema" / "measurements.schema.json").read_text("utf-8")
    return Draft202012Validator(json.loads(text))


def _to_json(measurements: tuple[Measurement, ...], volume: Volume) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "version": _VERSION,
        "grid": grid_key(volume),
        "measurements": [asdict(each) for each in measurements],
    }


def _measurement(entry: dict[str, Any]) -> Measurement:
    given = dict(entry)
    given["kind"] = Kind(entry["kind"])
    for name in ("points", "positions"):
        if entry[name] is not None:
            given[name] = tuple(tuple(float(v) for v in point) for point in entry[name])
    if entry["label"] is not None:
        given["label"] = tuple(float(v) for v in entry["label"])
    if given.get("slant") is not None:
        given["slant"] = _slant(given["slant"])
    if given.get("slab") is not None:
        slab = given["slab"]
        given["slab"] = SlabPlanes(
            Merge(slab["merge"]), slab["before"], slab["after"], float(slab["step"])
        )
    return Measurement(**given)


def _slant(entry: dict[str, Any]) -> Slant:
    (x, y, z), (u, v, w) = entry["right"], entry["down"]
    right, down = (float(x), float(y), float(z)), (float(u), float(v), float(w))
    return Slant(right, down, float(entry["step"]))
