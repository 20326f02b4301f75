"""What of a volume is analysed, and how it is cut."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.errors import AnalysisError
from inference.lungs import Lungs, find_lungs
from inference.preprocess import Box, prepare, to_picture
from inference.progress import Progress
from inference.studies.model import Volume

__all__ = ["Plan", "is_ct", "make_plan", "prepare_pictures"]


@dataclass(frozen=True, eq=False, slots=True)
class Plan:
    """What is analysed, and how it is cut; the same for analysis and explanation."""

    is_ct: bool
    lungs: Lungs | None
    box: Box | None
    indices: NDArray[np.intp]
    notes: tuple[str, ...]


def is_ct(volume: Volume) -> bool:
    """Whether a volume is to be read as CT, or else as an X-ray.

    Raises
    ------
    AnalysisError
        When it does not say.
    """
    if volume.modality == "CT":
        return True
    if volume.modality in {"CR", "DX"}:
        return False
    raise AnalysisError(
        "This picture does not say whether it is a CT slice or an X-ray; say which, and analyse "
        "again."
    )


def make_plan(volume: Volume) -> Plan:
    """Find the lungs and choose the slices.

    Raises
    ------
    AnalysisError
        When the volume does not say whether it is CT or X-ray.
    """
    ct = is_ct(volume)
    everything = np.arange(volume.shape[0])
    if not ct:
        note = "Manifestations and masks are computed on CT only; on X-ray they are not computed."
        return Plan(ct, None, None, everything, (note,))
    if not volume.is_ct:
        note = (
            "The picture has no Hounsfield units: no lung mask, so every slice was analysed and "
            "masks are not clipped to the lungs."
        )
        return Plan(ct, None, None, everything, (note,))
    lungs = find_lungs(volume)
    if not lungs.found:
        note = (
            "No lungs were found: the study may not show the chest. Every slice was analysed; "
            "distrust the result."
        )
        return Plan(ct, None, None, everything, (note,))
    indices = np.flatnonzero(lungs.slices)
    skipped = volume.shape[0] - len(indices)
    notes = (f"{skipped} slices without lung were not analysed.",) if skipped else ()
    return Plan(ct, lungs, Box.around(lungs.mask), indices, notes)


def prepare_pictures(
    volume: Volume, plan: Plan, sizes: set[int], progress: Progress, every: int
) -> dict[int, NDArray[np.uint8]]:
    """Prepared pictures by size, each (analysed slices, size, size), uint8.

    Parameters
    ----------
    volume, plan
        What is prepared.
    sizes
        Sides of the networks' inputs in pixels.
    progress
        Told before every so many slices; cancelling takes effect there.
    every
        How many.
    """
    result = {s: np.empty((len(plan.indices), s, s), dtype=np.uint8) for s in sizes}
    for done, index in enumerate(plan.indices):
        if done % every == 0:
            progress.report("Preparing slices", done, len(plan.indices))
        picture = to_picture(volume, int(index))
        for size, pictures in result.items():
            pictures[done] = prepare(picture, size, plan.box)
    return result
