"""Segmentations that were opened from files: whose they are, and their masks on the open grid.

They are shown beside the machine's findings and never become part of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["OpenedSegment", "OpenedSegmentation"]


@dataclass(frozen=True, eq=False, slots=True)
class OpenedSegment:
    """One segment.

    Parameters
    ----------
    number
        In its file, from 1.
    label
        Its name, as the file has it.
    how
        ``"automatic"``, ``"semiautomatic"`` or ``"manual"``; empty where the file does not say.
    colour
        Red, green and blue, 0 to 255, that the file recommends; None where it recommends none.
    mask
        Shape of the open volume, bool.
    """

    number: int
    label: str
    how: str
    colour: tuple[int, int, int] | None
    mask: NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True)
class OpenedSegmentation:
    """A DICOM segmentation that lies on the open volume.

    Parameters
    ----------
    uid
        SOP instance UID: a file that is opened again replaces itself.
    series_uid, shape
        Of the volume on whose grid the masks are.
    maker
        Program or manufacturer that wrote it; empty where it does not say.
    creator
        Person whom it names as its creator; empty where it names none.
    description
        Of its series.
    date
        When it was made, year-month-day; empty where it does not say.
    segments
        At least one.
    notes
        Sentences: that it was resampled, or cut at one half.
    """

    uid: str
    series_uid: str
    shape: tuple[int, int, int]
    maker: str
    creator: str
    description: str
    date: str
    segments: tuple[OpenedSegment, ...]
    notes: tuple[str, ...] = ()

    def whose(self, *, named: bool = True) -> str:
        """Whose it is, in a few words; without persons and dates unless `named`."""
        words = [self.maker or "unknown maker"]
        if named:
            words += [self.creator, self.date]
        return ", ".join(filter(None, words))
