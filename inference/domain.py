"""Whether a volume shows what the models know: a chest CT, or a frontal chest X-ray.

A CT in HU is judged by what its lungs measure; a picture without HU by a small network that was
trained on chest pictures and on pictures of other things. Both err, so what they doubt is
*flagged*: it is analysed, and every result carries the doubt. *Refused* is only what can hold no
chest whatever it is: an empty picture, or noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.errors import OutsideDomainError
from inference.findings import Domain
from inference.preprocess import prepare, to_picture

if TYPE_CHECKING:
    from inference.engine import Engine
    from inference.lungs import Lungs
    from inference.models import ModelRecord
    from inference.progress import Progress
    from inference.studies.model import Volume

__all__ = ["LEAST_LUNG_SHARE", "body_pixels", "examine", "refuse_nothing"]

LEAST_LUNG_SHARE = 0.2
"""Lung in the body's cross-section, at its largest, of a slice or a short stack.

In the training series with the smallest lungs 97 % of the slices from the middle half of the lungs
have more.
"""
LEAST_SHARE_OF_STUDY = 0.1
"""The same of a whole series, which shows that there are lungs however little air they hold."""
WHOLE_STUDY_MM = 100.0
"""A stack at least this long is taken for a whole study."""
LEAST_LUNG_MM = 80.0
"""Length of the lungs in a whole study; less is an abdomen with the bases of the lungs."""
LEAST_BODY_CM2 = 250.0
"""Cross-section of the trunk where the lungs are; a head has less, and so has a small child."""
GAS_HU = -960.0
"""Lungs hold blood and tissue; a median below this is gas in a hollow."""
AIR_HU = -320.0

MOST_SLICES = 9
"""Slices of a series that the network looks at."""
LEAST_CORRELATION = 0.2
"""Of neighbouring pixels; chest pictures have more than 0.8, white noise has none."""

ADVICE = "The models know nothing else, so distrust every result."


def refuse_nothing(volume: Volume) -> None:
    """Refuse what holds no picture: one grey level, or noise.

    Parameters
    ----------
    volume
        Any; up to `MOST_SLICES` slices are looked at.

    Raises
    ------
    OutsideDomainError
        When not one of the slices holds a picture.
    """
    empty = True
    for index in _spread(np.arange(volume.shape[0])):
        values = volume.array[index]
        if values.min() == values.max():
            continue
        empty = False
        if _correlation(values) >= LEAST_CORRELATION:
            return
    if empty:
        raise OutsideDomainError(
            "The picture is empty: all its pixels have one value. It was not analysed; open "
            "another."
        )
    raise OutsideDomainError(
        "The picture is noise: neighbouring pixels have nothing in common. It was not analysed; "
        "open a chest CT or a frontal chest X-ray."
    )


def _correlation(values: NDArray[np.generic]) -> float:
    """Correlation of pixels with their right and lower neighbours, the larger of both.

    At most about 512 rows or columns are taken; those of a large picture say enough.
    """
    best = 0.0
    for lines in (values, values.T):
        some = lines[:: max(1, lines.shape[0] // 512)].astype(np.float64)
        one, other = some[:, :-1].ravel(), some[:, 1:].ravel()
        if one.size > 1 and one.std() > 0 and other.std() > 0:
            best = max(best, float(np.corrcoef(one, other)[0, 1]))
    return best


def _spread(indices: NDArray[np.intp]) -> NDArray[np.intp]:
    """At most `MOST_SLICES` of some slices, evenly over their middle part."""
    if len(indices) <= MOST_SLICES:
        return indices
    places = np.linspace(0.2, 0.8, MOST_SLICES) * (len(indices) - 1)
    return indices[np.rint(places).astype(np.intp)]


def body_pixels(volume: Volume, lungs: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
    """Pixels inside the largest outline of each slice; shape (slices,), at least 1.

    Parameters
    ----------
    volume
        A CT in HU.
    lungs
        Shape of the volume, bool: belongs to the body even where the edge of the picture cuts it.
    """
    result = np.ones(volume.shape[0])
    for index, values in enumerate(volume.array):
        tissue = (values > AIR_HU).astype(np.uint8)
        if lungs is not None:
            tissue |= lungs[index]
        outlines, _ = cv2.findContours(tissue, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        result[index] = max((cv2.contourArea(o) for o in outlines), default=1.0)
    return np.maximum(result, 1.0)


@dataclass(frozen=True, slots=True)
class _Rule:
    """One measurement against its limit; `fit` is 1 where the limit is kept with room."""

    fit: float
    reason: str


def judge_lungs(volume: Volume, lungs: Lungs | None) -> Domain:
    """Judge a CT in HU by what its lungs measure.

    Parameters
    ----------
    volume
        A CT in HU.
    lungs
        Of `lungs.find_lungs`; None, or not found, where there are none.
    """
    method = "measurements of the lungs"
    if lungs is None or not lungs.found:
        reason = "No lungs were found, so this may not be a chest CT."
        return Domain(False, 0.0, (f"{reason} {ADVICE}",), method)
    rules = list(_lung_rules(volume, lungs))
    broken = [rule for rule in rules if rule.fit < 1.0]
    # One sentence: the rule that is broken most says best what this is.
    reasons = (f"{min(broken, key=lambda r: r.fit).reason} {ADVICE}",) if broken else ()
    return Domain(not broken, min(1.0, *(r.fit for r in rules)), reasons, method)


def _lung_rules(volume: Volume, lungs: Lungs) -> list[_Rule]:
    between, row_mm, column_mm = volume.spacing
    pixels = lungs.mask.sum(axis=(1, 2)).astype(np.float64)
    body = body_pixels(volume, lungs.mask)
    share = pixels / body
    most = float(share.max())
    whole = volume.has_geometry and volume.shape[0] * between >= WHOLE_STUDY_MM
    least = LEAST_SHARE_OF_STUDY if whole else LEAST_LUNG_SHARE
    rules = [
        _Rule(
            most / least,
            f"Lung with air fills {most:.0%} of the body's cross-section at most; in a chest CT "
            f"it is {least:.0%} or more. This may be the abdomen, the head, or a chest almost "
            "without air.",
        )
    ]
    median = float(np.median(volume.array[lungs.mask].astype(np.float32)))
    rules.append(
        _Rule(
            # 1 at the limit and falling to 0 at the HU of air, 40 HU lower.
            1.0 - max(0.0, GAS_HU - median) / (GAS_HU + 1000.0),
            f"What looks like lung holds gas alone (median {median:.0f} HU); this may be a "
            "hollow body, such as a phantom or the bowel.".replace("-", "−"),
        )
    )
    if volume.has_geometry:
        centre = float(np.median(body[lungs.slices])) * row_mm * column_mm / 100.0
        rules.append(
            _Rule(
                centre / LEAST_BODY_CM2,
                f"The body's cross-section is {centre:.0f} cm², that of an adult's chest "
                f"{LEAST_BODY_CM2:.0f} cm² or more. This may be a head, a phantom, a small child, "
                "or a part of a picture.",
            )
        )
    if whole:
        length = float(lungs.slices.sum()) * between
        rules.append(
            _Rule(
                length / LEAST_LUNG_MM,
                f"Only {length:.0f} mm of the lungs are in the series; this may be the abdomen or "
                "the neck.",
            )
        )
    return rules


def _judge_picture(
    volume: Volume, engine: Engine, record: ModelRecord, progress: Progress, notes: list[str]
) -> Domain:
    """Judge pictures without HU by the network."""
    return judge_probabilities(
        picture_probabilities(volume, engine, record, progress, notes),
        is_ct=volume.modality == "CT",
        record=record,
    )


def picture_probabilities(
    volume: Volume, engine: Engine, record: ModelRecord, progress: Progress, notes: list[str]
) -> NDArray[np.float64]:
    """What the detector says of pictures without HU.

    Parameters
    ----------
    volume, engine, record, progress, notes
        As `examine`; `record` is the detector.

    Returns
    -------
    ndarray
        Length 3: X-ray, CT, something else; the median over at most `MOST_SLICES` slices.
    """
    chosen = _spread(np.arange(volume.shape[0]))
    pictures = np.stack([prepare(to_picture(volume, int(i)), record.size) for i in chosen])
    stage = "Looking whether it is a chest"
    parts = [out["domain"] for _, out in engine.run(record, pictures, stage, progress, 16, notes)]
    logits = np.concatenate(parts).astype(np.float64)
    values = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(np.median(values / values.sum(axis=1, keepdims=True), axis=0))


def judge_probabilities(
    probability: NDArray[np.float64], *, is_ct: bool, record: ModelRecord
) -> Domain:
    """Judge a picture by the network's probabilities.

    Parameters
    ----------
    probability
        Length 3: X-ray, CT, something else.
    is_ct
        What the picture is to be analysed as.
    record
        The network; gives the thresholds.
    """
    own, other = (1, 0) if is_ct else (0, 1)
    score = float(probability[own])
    names = ("a frontal chest X-ray", "a chest CT slice")
    if score >= record.thresholds["CT" if is_ct else "CXR"]:
        return Domain(True, score, (), record.name)
    if probability[other] > max(score, float(probability[2])):
        reason = (
            f"This looks like {names[other]}, and it is analysed as {names[own]}. If so, say "
            "which it is and analyse again; until then distrust every result."
        )
    else:
        reason = f"This does not look like {names[own]}. {ADVICE}"
    return Domain(False, score, (reason,), record.name)


def examine(
    volume: Volume,
    lungs: Lungs | None,
    engine: Engine,
    progress: Progress,
    notes: list[str],
) -> tuple[Domain | None, tuple[ModelRecord, ...]]:
    """Say whether a volume shows what the models know.

    Parameters
    ----------
    volume
        A CT or an X-ray.
    lungs
        Of a CT in HU; None where none were found. Of no use for other volumes.
    engine
        Runs the network, where one is installed.
    progress
        Where to report, and how to be cancelled.
    notes
        Gets a sentence when memory ran out.

    Returns
    -------
    tuple
        The judgement, or None where a picture could not be judged since no detector is
        installed; and the models that made it.

    Raises
    ------
    OutsideDomainError
        When the volume holds no picture.
    """
    refuse_nothing(volume)
    if volume.is_ct:
        return judge_lungs(volume, lungs), ()
    detector = next((r for r in engine.store.records if r.kind == "domain"), None)
    if detector is None:
        return None, ()
    return _judge_picture(volume, engine, detector, progress, notes), (detector,)
