"""Findings as findings.json: a versioned, validated document (``docs/findings-json.md``)."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jsonschema import Draft202012Validator

from inference import __version__
from inference.answer import OPERATING_POINT, answer_sentence, read
from inference.errors import ExportRefusedError
from inference.export import files, lesion_table
from inference.export.current import require_current
from inference.export.images import hashed, image_of
from inference.findings import SCHEMA_VERSION
from inference.second_estimate import recognition_doubt, second_estimates

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

    from inference.findings import Domain, Estimate, Findings, Segment
    from inference.lesion_review import Decisions
    from inference.second_estimate import SecondEstimate
    from inference.studies.model import Problem, Series, Study, Volume

__all__ = ["BANNER", "build_report", "validate", "write_json"]

BANNER: Final = "Research use only. Not for diagnosis."

_DIGITS: Final = 6
"""Decimals kept; probabilities are float32, which holds no more."""

Json = dict[str, Any]


def build_report(
    findings: Findings,
    study: Study,
    series: Series,
    volume: Volume,
    *,
    include_identity: bool = False,
    decisions: Decisions | None = None,
) -> Json:
    """Put findings into the form of ``resources/schema/findings.schema.json``.

    Parameters
    ----------
    findings
        Of this volume.
    study, series, volume
        What was analysed.
    include_identity
        Keep the patient's name and id, dates, descriptions, file names and real UIDs. Without it
        UIDs are replaced by their SHA-256 and the rest is left out.

    Returns
    -------
    dict
        Ready for `json.dumps`. What was not computed is None, never 0.

    Raises
    ------
    ExportRefusedError
        When the findings belong to another series.
    """
    require_current(findings, volume)
    manifestations = findings.estimate("manifestations")
    problems = dict.fromkeys((*study.problems, *series.problems, *volume.problems))
    return {
        "schema_version": SCHEMA_VERSION,
        "banner": BANNER,
        "software": {"name": "SecondRead", "version": __version__},
        "system": findings.system,
        "created": findings.created,
        "device": findings.device,
        "study": _study(study, series, volume, include_identity),
        "recognition": [_estimate(e) for e in findings.estimates if e is not manifestations],
        "manifestations": _estimate(manifestations) if manifestations else None,
        "segments": [_segment(s) for s in findings.segments] or None,
        "lesions": lesion_table.as_json(
            findings, volume, include_identity=include_identity, decisions=decisions
        ),
        "second_estimate": [_second(s) for s in second_estimates(findings)] or None,
        "recognition_doubt": recognition_doubt(findings) or None,
        "lungs": None if findings.lungs is None else {"volume_ml": _number(findings.lung_ml)},
        "slices": [
            _slice(findings, volume, index, include_identity) for index in range(findings.shape[0])
        ],
        "problems": [_problem(problem, include_identity) for problem in problems],
        "timings_s": {name: _number(value) for name, value in asdict(findings.timings).items()},
        "models": [asdict(model) for model in findings.models],
        "notes": list(findings.notes),
        "domain": None if findings.domain is None else _domain(findings.domain),
    }


def write_json(
    findings: Findings,
    study: Study,
    series: Series,
    volume: Volume,
    path: Path,
    *,
    include_identity: bool = False,
    decisions: Decisions | None = None,
) -> None:
    """Write findings.json, after checking it against its schema; see `build_report`.

    Raises
    ------
    ExportRefusedError
        When the findings belong to another series, break the schema, or cannot be written.
    """
    report = build_report(
        findings, study, series, volume, include_identity=include_identity, decisions=decisions
    )
    validate(report)
    text = json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    files.write_text(path, text)


def validate(report: Json) -> None:
    """Check a report against the schema of this version.

    Raises
    ------
    ExportRefusedError
        When it breaks the schema; the sentence names the place.
    """
    error = min(
        _validator().iter_errors(report), key=lambda e: list(map(str, e.path)), default=None
    )
    if error is not None:
        place = "/".join(map(str, error.path)) or "the document"
        raise ExportRefusedError(
            f"The findings do not fit their own format at {place} ({error.validator}), so nothing "
            "was written; analyse the study again, and report this if it happens again."
        )


@lru_cache(maxsize=1)
def _validator() -> Draft202012Validator:
    text = (resources.files("resources") / "schema" / "findings.schema.json").read_text("utf-8")
    return Draft202012Validator(json.loads(text))


def _number(value: float | None) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return round(float(value), _DIGITS)


def _study(study: Study, series: Series, volume: Volume, include_identity: bool) -> Json:
    between_slices, between_rows, between_columns = volume.spacing
    slices, rows, columns = volume.shape
    study_uid = volume.study_uid or study.uid
    return {
        "study_uid": study_uid if include_identity else hashed(study_uid),
        "series_uid": volume.series_uid if include_identity else hashed(volume.series_uid),
        "uids_hashed": not include_identity,
        "source": series.kind.value,
        "modality": volume.modality,
        "unit": volume.unit.value,
        "slices": slices,
        "rows": rows,
        "columns": columns,
        "spacing_mm": {
            "slices": _number(between_slices),
            "rows": _number(between_rows),
            "columns": _number(between_columns),
        }
        if volume.has_geometry
        else None,
        "lossy": volume.lossy,
        "identity": {
            "patient_name": study.patient_name,
            "patient_id": study.patient_id,
            "study_date": study.date,
            "study_description": study.description,
            "series_description": series.description,
        }
        if include_identity
        else None,
    }


def _estimate(estimate: Estimate) -> Json:
    calibrated = estimate.calibrated
    return {
        "task": estimate.task,
        "title": estimate.title,
        "classes": [_class(estimate, index) for index in range(len(estimate.classes))],
        "answer": answer_sentence(estimate),
        "operating_point": OPERATING_POINT,
        "exclusive": estimate.exclusive,
        "model": estimate.model,
        "parts": [
            {
                "model": part.model,
                "classes": [
                    {"key": each.key, "name": each.label, "probability": _number(value)}
                    for each, value in zip(estimate.classes, part.study, strict=True)
                ],
            }
            for part in estimate.parts
        ],
        "rule": estimate.rule,
        "calibration": {
            "sentence": estimate.calibration,
            "pictures": None if calibrated is None else calibrated.n,
            "groups": None if calibrated is None else calibrated.groups,
            "interval_of": None
            if not any(estimate.bands)
            else ("slice" if calibrated is not None and calibrated.of_slices else "picture"),
        },
    }


def _class(estimate: Estimate, index: int) -> Json:
    calibrated, band = estimate.calibrated, estimate.bands[index]
    return {
        "key": estimate.classes[index].key,
        "name": estimate.classes[index].label,
        "probability": _number(estimate.study[index]),
        "calibrated": None if calibrated is None else _number(calibrated.study[index]),
        "low": None if band is None else _number(band[0]),
        "high": None if band is None else _number(band[1]),
        "reading": read(estimate.shown[index], band).value,
    }


def _domain(domain: Domain) -> Json:
    return {**asdict(domain), "score": _number(domain.score), "reasons": list(domain.reasons)}


def _segment(segment: Segment) -> Json:
    return {
        "key": segment.key.value,
        "label": segment.key.label,
        "model": segment.model,
        "cut": {"seed": segment.cut.seed, "edge": segment.cut.edge},
        "volume_ml": _number(segment.volume_ml),
        "percent_of_lung": _number(segment.percent_of_lung),
        "lesions": segment.lesions,
        "mean_hu": _number(segment.mean_hu),
        "largest_slice": segment.largest_slice,
    }


def _second(second: SecondEstimate) -> Json:
    return {
        "key": second.key.value,
        "masks": second.drawn.value,
        "disagrees": second.disagrees,
        "sentence": second.sentence,
    }


def _slice(findings: Findings, volume: Volume, index: int, include_identity: bool) -> Json:
    instance, uid = image_of(volume, index, include_identity)
    return {
        "index": index,
        "instance_number": instance,
        "sop_instance_uid": uid,
        "position_mm": [_number(v) for v in volume.position(0, 0, index)]
        if volume.has_orientation
        else None,
        "analysed": bool(findings.analysed[index]),
        "probabilities": {e.task: _by_class(e, e.per_slice[index]) for e in findings.estimates},
        "calibrated": {
            e.task: _by_class(e, e.calibrated.per_slice[index])
            for e in findings.estimates
            if e.calibrated is not None
        },
        "pixels": {s.key.value: int(s.pixels_per_slice[index]) for s in findings.segments} or None,
    }


def _by_class(estimate: Estimate, values: NDArray[np.float32]) -> Json:
    return {n: _number(v) for n, v in zip(estimate.keys, values.tolist(), strict=True)}


def _problem(problem: Problem, include_identity: bool) -> Json:
    names = [path.name for path in problem.files]
    sentence = problem.sentence
    if not include_identity:
        sentence = _without(names, sentence)
    return {
        "code": str(problem.code),
        "sentence": sentence,
        "file_count": len(names),
        "files": names if include_identity else None,
    }


def _without(names: Iterable[str], sentence: str) -> str:
    # Longest first, so that no name is cut inside a longer one. File names often hold a patient's.
    for name in sorted(set(names), key=len, reverse=True):
        sentence = sentence.replace(name, "(file)")
    return sentence
