"""Findings kept on disk, so that a study can be shown or exported again without a new analysis."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from contextlib import suppress
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from inference import atomic
from inference.cuts import HALF, Cut
from inference.errors import BadInputError, NotWrittenError
from inference.export.current import content_hash, require_current
from inference.findings import (
    Calibrated,
    Domain,
    Estimate,
    Findings,
    Manifestation,
    ModelProvenance,
    Part,
    Segment,
    Timings,
)
from inference.taxonomy import TASKS, FindingClass

if TYPE_CHECKING:
    from inference.studies.model import Volume

__all__ = ["load", "save"]

_FORMAT: Final = 4
_READABLE: Final = (2, 3, 4)
"""Format 2 had the words of classes without their keys, 3 did not name its file of arrays."""
_TEXT: Final = "archive.json"
_ARRAYS: Final = "archive.npz"
_NAMED: Final = re.compile(r"archive(-[0-9a-f]{16})?\.npz")

Json = dict[str, Any]
Arrays = dict[str, NDArray[np.generic]]


def save(findings: Findings, volume: Volume, folder: Path) -> None:
    """Keep findings, all of them, without loss.

    An older archive in the folder holds until the new one is whole: the text names its file of
    arrays, and is replaced last.

    Parameters
    ----------
    findings
        Of this volume.
    volume
        Its identity and content are noted, not its pixels.
    folder
        Made when it is not there; an older archive in it is replaced.

    Raises
    ------
    ExportRefusedError
        When the findings belong to another series, or (`NotWrittenError`) the folder cannot be
        written.
    """
    require_current(findings, volume)
    arrays: Arrays = {"affine": findings.affine, "analysed": np.packbits(findings.analysed)}
    if findings.lungs is not None:
        arrays["lungs"] = np.packbits(findings.lungs)
    for number, estimate in enumerate(findings.estimates):
        arrays[f"estimate-{number}-study"] = np.array(estimate.study, np.float64)
        arrays[f"estimate-{number}-slices"] = estimate.per_slice
        if estimate.calibrated is not None:
            arrays[f"estimate-{number}-calibrated"] = estimate.calibrated.per_slice
    for number, segment in enumerate(findings.segments):
        arrays[f"segment-{number}-mask"] = np.packbits(segment.mask)
        arrays[f"segment-{number}-slices"] = segment.pixels_per_slice
    stream = io.BytesIO()
    savez: Any = np.savez_compressed  # its stub takes array names for keywords of its own
    savez(stream, **arrays)
    digest = hashlib.sha256(stream.getvalue()).hexdigest()
    name = f"archive-{digest[:16]}.npz"
    content = _to_json(findings, volume) | {"arrays": {"file": name, "sha256": digest}}
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        before = _arrays_of(folder)
        atomic.replace_bytes(folder / name, stream.getvalue())
        atomic.replace_text(folder / _TEXT, text + "\n")
        if before not in {None, name}:
            # Of this name alone: another one may be of a process that is just writing, too.
            (folder / str(before)).unlink(missing_ok=True)
    except OSError as error:
        raise NotWrittenError(
            f"The findings could not be kept in {folder} ({error.strerror or error}); choose "
            "another folder, or free some space in this one."
        ) from error


def load(folder: Path, volume: Volume) -> Findings:
    """Read findings that were kept for this very volume.

    Parameters
    ----------
    folder
        As given to `save`.
    volume
        The open volume.

    Raises
    ------
    BadInputError
        When there is no archive, it cannot be read, or it was made from another series, another
        grid or other pixels: stale findings are never shown as current.
    """
    text, arrays = _read(folder)
    try:
        if text["format"] not in _READABLE:
            raise BadInputError(
                f"The findings in {folder} were written by another version of SecondRead; analyse "
                "the study again."
            )
        source = text["source"]
        if (
            source["series"] != _digest(volume.series_uid)
            or tuple(source["shape"]) != volume.shape
            or source["content"] != content_hash(volume)
        ):
            raise BadInputError(
                f"The findings in {folder} were made from another series or from other pixels; "
                "analyse this study again."
            )
        if source["modality"] != volume.modality:
            raise BadInputError(
                f"The findings in {folder} were made with the picture read as "
                f"{source['modality']}; read it so again, or analyse it anew."
            )
        return _to_findings(text, arrays, volume)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _broken(folder) from error


def _digest(uid: str) -> str:
    return hashlib.sha256(uid.encode()).hexdigest()


def _broken(folder: Path) -> BadInputError:
    return BadInputError(f"The findings in {folder} are damaged; analyse the study again.")


def _read(folder: Path) -> tuple[Json, Arrays]:
    if not (folder / _TEXT).is_file():
        raise BadInputError(
            f"There are no findings in {folder}; run “secondread analyse” with --out first."
        )
    try:
        text: Json = json.loads((folder / _TEXT).read_text("utf-8"))
        name, digest = _named_arrays(text)
        content = (folder / name).read_bytes()
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            arrays: Arrays = {name: stored[name] for name in stored.files}
    except (
        OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile,
    ) as error:  # fmt: skip
        raise _broken(folder) from error
    if digest is not None and hashlib.sha256(content).hexdigest() != digest:
        raise _broken(folder)
    return text, arrays


def _named_arrays(text: Json) -> tuple[str, str | None]:
    """Name and SHA-256 of the file of arrays; formats before 4 say neither."""
    said = text.get("arrays", {"file": _ARRAYS, "sha256": None})
    if _NAMED.fullmatch(said["file"]) is None:
        raise ValueError("arrays of another name")
    return said["file"], said["sha256"]


def _arrays_of(folder: Path) -> str | None:
    """Name of the file of arrays of the archive in a folder; None without one."""
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        return _named_arrays(json.loads((folder / _TEXT).read_text("utf-8")))[0]
    return None


def _to_json(findings: Findings, volume: Volume) -> Json:
    return {
        "format": _FORMAT,
        "source": {
            "series": _digest(volume.series_uid),
            "shape": list(volume.shape),
            "content": content_hash(volume),
            "modality": volume.modality,
        },
        "system": findings.system,
        "lung_ml": findings.lung_ml,
        "device": findings.device,
        "created": findings.created,
        "notes": list(findings.notes),
        "domain": None if findings.domain is None else asdict(findings.domain),
        "timings": asdict(findings.timings),
        "models": [asdict(model) for model in findings.models],
        "estimates": [
            {
                **{
                    n: getattr(e, n)
                    for n in _plain(
                        Estimate, "study", "per_slice", "calibrated", "parts", "classes"
                    )
                },
                "classes": [asdict(each) for each in e.classes],
                "parts": [asdict(part) for part in e.parts],
                "calibrated": None
                if e.calibrated is None
                else {n: getattr(e.calibrated, n) for n in _plain(Calibrated, "per_slice")},
            }
            for e in findings.estimates
        ],
        "segments": [
            {
                **{n: getattr(s, n) for n in _plain(Segment, "mask", "pixels_per_slice", "cut")},
                "cut": asdict(s.cut),
            }
            for s in findings.segments
        ],
    }


def _plain(kind: type[Estimate | Calibrated | Segment], *arrays: str) -> list[str]:
    """Names of the fields that are kept as text."""
    return [field.name for field in fields(kind) if field.name not in arrays]


def _to_findings(text: Json, arrays: Arrays, volume: Volume) -> Findings:
    shape = volume.shape
    lungs = arrays.get("lungs")
    return Findings(
        system=text["system"],
        series_uid=volume.series_uid,
        shape=shape,
        affine=arrays["affine"].astype(np.float64).reshape(4, 4),
        estimates=tuple(
            _to_estimate(stored, f"estimate-{number}", arrays, shape[0])
            for number, stored in enumerate(text["estimates"])
        ),
        segments=tuple(
            Segment(
                **{
                    **stored,
                    "key": Manifestation(stored["key"]),
                    # Until there were two thresholds, all masks were cut at one half.
                    "cut": Cut(**stored.get("cut", asdict(HALF))),
                    "mask": _unpack(arrays[f"segment-{number}-mask"], shape),
                    "pixels_per_slice": arrays[f"segment-{number}-slices"].reshape(shape[0]),
                }
            )
            for number, stored in enumerate(text["segments"])
        ),
        lungs=None if lungs is None else _unpack(lungs, shape),
        lung_ml=text["lung_ml"],
        analysed=_unpack(arrays["analysed"], shape[:1]),
        timings=Timings(**text["timings"]),
        models=tuple(ModelProvenance(**model) for model in text["models"]),
        device=text["device"],
        created=text["created"],
        notes=tuple(text["notes"]),
        domain=_to_domain(text.get("domain")),
    )


def _to_estimate(stored: Json, name: str, arrays: Arrays, slices: int) -> Estimate:
    size = (slices, len(stored["classes"]))
    kept = stored["calibrated"]
    calibrated = (
        None
        if kept is None
        else Calibrated(
            **{
                **kept,
                "study": tuple(kept["study"]),
                "bands": tuple(None if band is None else tuple(band) for band in kept["bands"]),
                "shares": tuple(kept["shares"]),
                "per_slice": arrays[f"{name}-calibrated"].reshape(size),
            }
        )
    )
    return Estimate(
        **{
            **stored,
            "classes": _to_classes(stored),
            "study": tuple(arrays[f"{name}-study"].tolist()),
            "per_slice": arrays[f"{name}-slices"].reshape(size),
            "calibrated": calibrated,
            "parts": tuple(
                Part(part["model"], tuple(part["study"])) for part in stored.get("parts", ())
            ),
        }
    )


def _to_classes(stored: Json) -> tuple[FindingClass, ...]:
    if all(isinstance(each, str) for each in stored["classes"]):
        # Until format 3 there were words alone, in the order of the task.
        classes = TASKS[stored["task"]].classes
        if len(classes) != len(stored["classes"]):
            raise ValueError("classes of another task")
        return classes
    return tuple(FindingClass(**each) for each in stored["classes"])


def _to_domain(stored: Json | None) -> Domain | None:
    return None if stored is None else Domain(**{**stored, "reasons": tuple(stored["reasons"])})


def _unpack(bits: NDArray[np.generic], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    count = int(np.prod(shape))
    if bits.dtype != np.uint8 or bits.shape != (-(-count // 8),):
        raise ValueError("a mask of another size")
    return np.unpackbits(bits.astype(np.uint8), count=count).reshape(shape).astype(np.bool_)
