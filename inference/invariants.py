"""What holds of every result and every volume, checked where they are made.

A part that shows, exports or measures may rely on it, and a made-up result that the program could
not have made is refused. Each function raises `ValueError` in one sentence, for developers.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inference.cuts import MIN_LESION_VOXELS
from inference.taxonomy import TASKS, FindingClass, Manifestation

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from inference.findings import Calibrated, Estimate, Findings, Heatmap, Segment
    from inference.partial import Partial, SliceValues
    from inference.studies.model import Volume

__all__ = [
    "check_calibrated",
    "check_estimate",
    "check_findings",
    "check_heatmap",
    "check_partial",
    "check_segment",
    "check_slice_values",
    "check_volume",
    "names_of",
]

_ADDS_TO_ONE = 1e-3
"""How far the classes that exclude each other may be from one together: float16 is on the way."""


def names_of(model: str) -> tuple[str, ...]:
    """Names of the models in a field that joins several by “ + ”; none in an empty one."""
    return tuple(model.split(" + ")) if model else ()


def check_classes(task: str, classes: Sequence[FindingClass], *, exclusive: bool) -> None:
    """Check that these are the task's classes, in its order, by their keys."""
    known = TASKS.get(task)
    if known is None:
        raise ValueError(f"there is no task {task!r}")
    keys = tuple(each.key for each in classes)
    if keys != known.keys:
        raise ValueError(f"the classes of {task} are {known.keys}, not {keys}")
    if exclusive != known.exclusive:
        raise ValueError(f"whether its classes exclude each other is said wrongly of {task}")


def check_calibrated(calibrated: Calibrated) -> None:
    """Check lengths, probabilities and bands."""
    count = len(calibrated.study)
    _check_probabilities("calibrated", calibrated.study, calibrated.per_slice)
    if len(calibrated.bands) != count or len(calibrated.shares) != count:
        raise ValueError(f"{count} calibrated classes need as many bands and shares")
    for band in calibrated.bands:
        if band is not None and not 0.0 <= band[0] <= band[1] <= 1.0:
            raise ValueError(f"a band goes up within 0 and 1, not {band}")


def check_estimate(estimate: Estimate) -> None:
    """Check the classes, and all values of slices and study."""
    task, count = estimate.task, len(estimate.classes)
    check_classes(task, estimate.classes, exclusive=estimate.exclusive)
    said: list[tuple[float, ...]] = [estimate.study, *(part.study for part in estimate.parts)]
    if estimate.calibrated is not None:
        said.append(estimate.calibrated.study)
        if estimate.calibrated.per_slice.shape != estimate.per_slice.shape:
            raise ValueError(f"{task} has other slices calibrated than not")
        if (np.isnan(estimate.calibrated.per_slice) != np.isnan(estimate.per_slice)).any():
            raise ValueError(f"{task} has other slices calibrated than not")
    if any(len(values) != count for values in said):
        raise ValueError(f"{task} has {count} classes, and not as many values")
    for part in estimate.parts:
        _check_shares(task, part.study)
    _check_probabilities(task, estimate.study, estimate.per_slice)
    if estimate.exclusive:
        for values in said:
            if abs(sum(values) - 1.0) > _ADDS_TO_ONE:
                raise ValueError(f"the classes of {task} add to one, not to {sum(values):.3f}")
    if estimate.parts and names_of(estimate.model) != tuple(p.model for p in estimate.parts):
        raise ValueError(f"{task} is said by {estimate.model!r}, and its parts are of others")


def _check_probabilities(what: str, study: Iterable[float], rows: NDArray[Any]) -> None:
    study = tuple(study)
    _check_shares(what, study)
    _check_rows(what, rows, len(study))


def _check_rows(what: str, rows: NDArray[Any], classes: int) -> None:
    if rows.ndim != 2 or rows.shape[1] != classes:
        raise ValueError(f"{what} has {classes} classes and slices of shape {rows.shape}")
    missing = np.isnan(rows)
    if (missing.any(axis=1) != missing.all(axis=1)).any():
        raise ValueError(f"{what} has a slice with some classes and without others")
    known = rows[~missing]
    if known.size and not (known.min() >= 0.0 and known.max() <= 1.0):
        raise ValueError(f"{what} has slices with probabilities outside 0 and 1")


def _check_shares(what: str, values: Iterable[float]) -> None:
    for value in values:
        if not 0.0 <= value <= 1.0:
            raise ValueError(f"a probability of {what} lies between 0 and 1, not {value}")


def check_segment(segment: Segment) -> None:
    """Check that what is said of a mask is true of it, as far as the mask alone can tell."""
    key, mask = segment.key.value, segment.mask
    if mask.ndim != 3 or mask.dtype != np.bool_:
        raise ValueError(f"the mask of {key} is (slices, rows, columns) of bool")
    # Slice by slice: with an axis, numpy would count a whole volume much more slowly.
    pixels = np.array([np.count_nonzero(slice_) for slice_ in mask])
    if not np.array_equal(segment.pixels_per_slice, pixels):
        raise ValueError(f"the pixels of each slice are not those of the mask of {key}")
    voxels = int(pixels.sum())
    if segment.largest_slice != (int(pixels.argmax()) if voxels else None):
        raise ValueError(f"slice {segment.largest_slice} is not that with most of {key}")
    if not 0 <= segment.lesions * MIN_LESION_VOXELS <= voxels:
        raise ValueError(f"{voxels} voxels of {key} are too few for {segment.lesions} lesions")
    for value, most in ((segment.volume_ml, float("inf")), (segment.percent_of_lung, 100.0)):
        if value is not None and not (0.0 <= value <= most and (value > 0.0) == (voxels > 0)):
            raise ValueError(f"{voxels} voxels of {key} do not measure {value}")
    if segment.mean_hu is not None and not (voxels and np.isfinite(segment.mean_hu)):
        raise ValueError(f"{voxels} voxels of {key} have no mean of {segment.mean_hu} HU")


def check_heatmap(heatmap: Heatmap) -> None:
    """Check the values, and that the class explained is one of the task."""
    task, values = TASKS.get(heatmap.task), heatmap.values
    if task is None or task.find(heatmap.explained.key) is None:
        raise ValueError(f"{heatmap.task} has no class {heatmap.explained.key!r}")
    if values.ndim != 2 or not values.size:
        raise ValueError(f"a heatmap is (rows, columns), not {values.shape}")
    if not (values.min() >= 0.0 and values.max() <= 1.0):
        raise ValueError("a heatmap's values lie between 0 and 1")
    if heatmap.slice_index < 0:
        raise ValueError(f"there is no slice {heatmap.slice_index}")


def check_findings(findings: Findings) -> None:
    """Check that all parts are of one grid, one analysis and the models named."""
    shape = findings.shape
    if len(shape) != 3 or min(shape) < 1:
        raise ValueError(f"a grid is (slices, rows, columns), not {shape}")
    check_affine(findings.affine)
    if findings.analysed.shape != shape[:1] or findings.analysed.dtype != np.bool_:
        raise ValueError("whether it was analysed is said of every slice")
    _check_lungs(findings)
    if len({each.task for each in findings.estimates}) < len(findings.estimates):
        raise ValueError("there are two estimates of one task")
    for estimate in findings.estimates:
        known = ~np.isnan(estimate.per_slice).any(axis=1)
        if not np.array_equal(known, findings.analysed):
            raise ValueError(f"{estimate.task} has other slices than were analysed")
    _check_masks(findings.segments, shape)
    named = {model.name for model in findings.models}
    spoke = [name for estimate in findings.estimates for name in estimate.voices]
    spoke += [name for segment in findings.segments for name in names_of(segment.model)]
    for name in spoke:
        if name not in named:
            raise ValueError(f"{name!r} spoke and is not among the models")


def _check_lungs(findings: Findings) -> None:
    if findings.lungs is not None:
        if findings.lungs.shape != findings.shape or findings.lungs.dtype != np.bool_:
            raise ValueError("the lung mask lies on another grid")
        return
    if findings.lung_ml is not None:
        raise ValueError("without a lung mask the lungs have no volume")
    if any(segment.percent_of_lung is not None for segment in findings.segments):
        raise ValueError("without a lung mask nothing is a share of the lungs")


def _check_masks(segments: Sequence[Segment], shape: tuple[int, int, int]) -> None:
    if len({segment.key for segment in segments}) < len(segments):
        raise ValueError("there are two masks of one manifestation")
    for segment in segments:
        if segment.mask.shape != shape:
            raise ValueError(f"the mask of {segment.key.value} lies on another grid")
    for one, other in combinations(segments, 2):
        # Few slices hold two, and the others need not be looked at.
        for index in np.flatnonzero((one.pixels_per_slice > 0) & (other.pixels_per_slice > 0)):
            if (one.mask[index] & other.mask[index]).any():
                raise ValueError(
                    f"slice {index} has pixels of both {one.key.value} and {other.key.value}"
                )


def check_affine(affine: NDArray[Any]) -> None:
    """Check that an affine leads from every voxel to a place of its own."""
    if affine.shape != (4, 4) or not np.isfinite(affine).all():
        raise ValueError("the affine must be a finite 4 × 4 matrix")
    if abs(float(np.linalg.det(affine[:3, :3]))) == 0.0:
        raise ValueError("the affine is singular")


def check_slice_values(said: SliceValues) -> None:
    """Check classes and values."""
    check_classes(said.task, said.classes, exclusive=said.exclusive)
    _check_rows(said.task, said.values, len(said.classes))


def check_partial(partial: Partial) -> None:
    """Check that a group is one of those that were planned, and all of it there."""
    slices, rows, columns = partial.shape
    if partial.planned.shape != (slices,) or partial.planned.dtype != np.bool_:
        raise ValueError("whether it is planned is said of every slice")
    group = partial.indices
    if not group.size or (np.diff(group) <= 0).any() or group[0] < 0 or group[-1] >= slices:
        raise ValueError(f"a group is some slices of {slices}, ascending, not {group.tolist()}")
    if not partial.planned[group].all():
        raise ValueError("a group has slices that were not planned")
    if any(len(said.values) != group.size for said in partial.estimates):
        raise ValueError(f"a group of {group.size} slices has values of others")
    if any(np.isnan(said.values).any() for said in partial.estimates):
        raise ValueError("a slice of the group has no values")
    codes = partial.codes
    if codes is None:
        return
    if codes.shape != (group.size, rows, columns) or codes.dtype != np.uint8:
        raise ValueError("the masks of a group lie on another grid")
    if codes.max() > len(Manifestation):
        raise ValueError(f"there is no manifestation {codes.max()}")


def check_volume(volume: Volume) -> None:
    """Check the array, the affine, and that every slice has a source."""
    if volume.array.ndim != 3 or volume.array.size == 0:
        raise ValueError(f"a volume is (slices, rows, columns), not {volume.array.shape}")
    check_affine(volume.affine)
    if len(volume.slices) != volume.array.shape[0]:
        raise ValueError("one source a slice is required")
