"""What of a volume is analysed, and how it is cut."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Event
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from inference.errors import AnalysisError, CancelledError
from inference.framing import frame
from inference.lungs import Lungs, find_lungs
from inference.preprocess import Box, equalise, fit, to_picture
from inference.studies.model import Volume

__all__ = ["CUT_NOTE", "Groups", "Plan", "Prepared", "is_ct", "make_plan", "prepare_pictures"]

Pictures = TypeVar("Pictures")

CUT_NOTE = (
    "The field of view cuts the lung: what lies outside it is in no volume, and in no share of the "
    "lungs."
)


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

    Parameters
    ----------
    volume
        As it stands in the patient (`inference.upright`).

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
        note = "Every slice was analysed, and masks are not clipped, since no lungs were found."
        return Plan(ct, None, None, everything, (note,))
    indices = np.flatnonzero(lungs.slices)
    skipped = volume.shape[0] - len(indices)
    left_out = "slice without lung was" if skipped == 1 else "slices without lung were"
    notes = (f"{skipped} {left_out} not analysed.",) if skipped else ()
    if lungs.cut:
        notes = (CUT_NOTE, *notes)
    return Plan(ct, lungs, Box.around(lungs.mask), indices, notes)


class Groups:
    """Groups of neighbouring slices, of which the nearest to the reader's eye comes first.

    The cut is the same wherever the reader looks, only the order is not: a network's last digits
    depend on what else is in its batch, and findings must not depend on where someone looked.

    Parameters
    ----------
    indices
        Ascending: the slices to be analysed; at least one.
    size
        Slices a group, > 0; the last one may have fewer.
    """

    def __init__(self, indices: NDArray[np.intp], size: int) -> None:
        self._left = [indices[start : start + size] for start in range(0, len(indices), size)]
        self._middle = int(indices[len(indices) // 2])

    def take(self, focus: int | None) -> NDArray[np.intp] | None:
        """The nearest group that has not been taken, or None when all have.

        Parameters
        ----------
        focus
            Slice that the reader looks at; None for the middle of what is analysed.
        """
        if not self._left:
            return None
        eye = self._middle if focus is None else focus

        def distance(group: NDArray[np.intp]) -> tuple[int, float]:
            first, last = int(group[0]), int(group[-1])
            return max(0, first - eye, eye - last), abs((first + last) / 2 - eye)

        nearest = min(range(len(self._left)), key=lambda place: distance(self._left[place]))
        return self._left.pop(nearest)


@dataclass(frozen=True, eq=False, slots=True)
class Prepared(Generic[Pictures]):
    """Slices as networks are shown them.

    Parameters
    ----------
    pictures
        Shape (slices, size, size), uint8, by size and framing: an array, or a tensor on a device.
    boxes
        By framing, what of each slice is shown; None: all of it.
    """

    pictures: dict[tuple[int, str], Pictures]
    boxes: dict[str, list[Box | None]]


def prepare_pictures(
    volume: Volume,
    indices: NDArray[np.intp],
    box: Box | None,
    wanted: set[tuple[int, str]],
    cancelled: Event,
) -> Prepared[NDArray[Any]]:
    """Cut and resize slices for networks.

    Parameters
    ----------
    volume, indices
        Which slices of what.
    box
        What is cut out of each; None: what the framing says.
    wanted
        Sides of the networks' inputs in pixels, and their framings.
    cancelled
        Looked at before every slice.

    Raises
    ------
    CancelledError
        When it is set.
    """
    made = {key: np.empty((len(indices), key[0], key[0]), dtype=np.uint8) for key in wanted}
    boxes: dict[str, list[Box | None]] = {framing: [] for _, framing in wanted}
    for done, index in enumerate(indices):
        if cancelled.is_set():
            raise CancelledError
        picture = to_picture(volume, int(index))
        for framing, shown in boxes.items():
            shown.append(frame(picture, framing) if box is None else box)
        # The dearest part, and the same for every network.
        equalised = equalise(picture)
        for (size, framing), pictures in made.items():
            pictures[done] = fit(equalised, size, boxes[framing][done])
    return Prepared(made, boxes)
