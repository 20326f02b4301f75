"""Lesions as plain frozen data: each one, and what they show together.

`inference.lesions` computes them. None means *not computed*; it never means *absent*.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.findings import Manifestation

__all__ = [
    "DEPTHS_MM",
    "HU_EDGES",
    "OPACITIES",
    "PERIPHERAL_MM",
    "PERIPHERAL_SHARE",
    "HuHistogram",
    "Lesion",
    "LesionPlaces",
    "Lesions",
    "Patterns",
    "PeripheralCurve",
    "Place",
    "Side",
    "Zone",
]

PERIPHERAL_MM: Final = 15.0
"""Lung no deeper than this under its surface is peripheral.

About a third of the way to the deepest point of a slice of an adult's lung: readers call the outer
third peripheral (Bernheim et al., Radiology 2020;295:200463). Wang et al. (DeepSC-COVID) name no
single depth but show 0 to 35 mm; `Patterns` has that curve.
"""
PERIPHERAL_SHARE: Final = 0.5
"""A lesion with at least so much of its lung voxels in the periphery is peripheral."""
OPACITIES: Final = (Manifestation.GGO, Manifestation.CONSOLIDATION)
"""What counts as a lesion in the paper's sense."""
HU_EDGES: Final = tuple(range(-1000, 241, 10))
"""Edges of the histogram's bins in HU: all that the paper speaks of, -970 to 140, in its steps."""
DEPTHS_MM: Final = tuple(range(36))
"""Thicknesses of the periphery, in mm: the range of the paper's Fig. 1 (i)."""


class Side(StrEnum):
    """The patient's side, never the screen's."""

    RIGHT = "right"
    LEFT = "left"
    BOTH = "both"
    """One connected lesion that reaches from one lung into the other."""


class Zone(StrEnum):
    """A third of the height of a lung along the patient's long axis.

    Readers take the carina and the inferior pulmonary veins as borders (Ooi et al., Radiology
    2004;230:836-844); neither is known here, so these are thirds of the lung's own extent.
    """

    UPPER = "upper"
    MIDDLE = "middle"
    LOWER = "lower"


@dataclass(frozen=True, slots=True)
class HuHistogram:
    """How the HU of all lesion voxels are distributed.

    Parameters
    ----------
    shares
        For each bin between `HU_EDGES`, its share of all lesion voxels, padding left out.
    below, above
        Share under the first and from the last edge on; with `shares` they add to one.
    """

    shares: tuple[float, ...]
    below: float
    above: float

    def between(self, low: float, high: float) -> float:
        """Share of the bins that lie in a range of HU, both ends of which are edges."""
        return sum(
            share
            for share, left, right in zip(self.shares, HU_EDGES, HU_EDGES[1:], strict=False)
            if low <= left and right <= high
        )


@dataclass(frozen=True, slots=True)
class PeripheralCurve:
    """Peripheral lesion ratio against the thickness of the periphery.

    The periphery is what an erosion of the lung mask by a disc takes away, slice by slice
    (equation 1 of the paper). The paper's lesions lie inside its lung mask; here they may stick
    out of it, and what has no depth is left out of the ratio.

    Parameters
    ----------
    ratios
        For each of `DEPTHS_MM`, the share of the lesion voxels in the lungs that are no deeper.
    inside
        Share of all lesion voxels that lie in the lung mask.
    """

    ratios: tuple[float, ...]
    inside: float


@dataclass(frozen=True, slots=True)
class Patterns:
    """The four findings of one study.

    Parameters
    ----------
    count
        Lesions of at least `quantify.MIN_LESION_VOXELS`, ground glass and consolidation taken
        together: what touches is one.
    percent_of_lung
        Their share of the lungs, at most 100; None without a lung mask.
    histogram
        None without HU, or where nothing was found.
    periphery
        None without a lung mask or spacing, or where no lesion lies in the lungs.
    """

    count: int
    percent_of_lung: float | None
    histogram: HuHistogram | None
    periphery: PeripheralCurve | None


class Place(StrEnum):
    """Near the surface of the lung, or deep in it."""

    PERIPHERAL = "peripheral"
    CENTRAL = "central"


@dataclass(frozen=True, slots=True)
class Lesion:
    """One connected lesion.

    Parameters
    ----------
    number
        From 1, over all manifestations, the largest first.
    key
        Which manifestation.
    voxels
        How many it has.
    volume_ml
        None where the spacing is unknown.
    mean_hu, sd_hu
        Mean and standard deviation without padding; None where the source has no HU.
    diameter_mm
        Largest distance between two voxel centres of one slice; None where the spacing is unknown.
    voxel
        (column, row, slice) of the voxel of the lesion that is nearest to its centre of mass, so
        that whoever goes there sees it, however the lesion is bent.
    position_mm
        LPS position of that voxel; None where the patient axes are unknown.
    side
        By the lung that holds it, or is nearest to it; None without orientation, without lungs, or
        where the two lungs cannot be told apart.
    zone
        Third of that lung's height; None as for `side`, and where the lung is cut off by the scan.
    peripheral_share
        Share of its voxels in the lungs that lie within `PERIPHERAL_MM` of the lung's surface, in
        the slice; None without spacing or lungs, for effusions, which lie outside the lung, and
        for what lies less than a tenth in the lung mask.
    lung_share
        Share of its voxels in the lung mask; None without one.
    """

    number: int
    key: Manifestation
    voxels: int
    volume_ml: float | None
    mean_hu: float | None
    sd_hu: float | None
    diameter_mm: float | None
    voxel: tuple[int, int, int]
    position_mm: tuple[float, float, float] | None
    side: Side | None
    zone: Zone | None
    peripheral_share: float | None
    lung_share: float | None = None

    @property
    def place(self) -> Place | None:
        """Peripheral or central; None where the share is not known."""
        if self.peripheral_share is None:
            return None
        return Place.PERIPHERAL if self.peripheral_share >= PERIPHERAL_SHARE else Place.CENTRAL


@dataclass(frozen=True, eq=False, slots=True)
class LesionPlaces:
    """Which voxel belongs to which listed lesion.

    Parameters
    ----------
    shape
        Of the volume.
    voxels
        Flat indices of all voxels of listed lesions, ascending, int64.
    numbers
        Of the same length: the lesion's number, int32.
    """

    shape: tuple[int, int, int]
    voxels: NDArray[np.int64]
    numbers: NDArray[np.int32]

    def number_at(self, voxel: tuple[int, int, int]) -> int:
        """Number of the lesion that holds a voxel (column, row, slice); 0 where none does."""
        column, row, slice_ = voxel
        slices, rows, columns = self.shape
        if not (0 <= column < columns and 0 <= row < rows and 0 <= slice_ < slices):
            return 0
        wanted = (slice_ * rows + row) * columns + column
        place = int(np.searchsorted(self.voxels, wanted))
        known = place < len(self.voxels) and int(self.voxels[place]) == wanted
        return int(self.numbers[place]) if known else 0


@dataclass(frozen=True, eq=False, slots=True)
class Lesions:
    """Every lesion of one analysis, and what they show together.

    Parameters
    ----------
    lesions
        The largest first.
    least_voxels
        Components of fewer voxels are not listed.
    specks
        How many there are of these.
    specks_ml
        What these hold together; None where the spacing is unknown.
    lungs_known
        There is a lung mask; without it side, zone and place are not computed.
    sides_known
        Right and left lung could be told apart.
    patterns
        The four findings of Wang et al. (DeepSC-COVID).
    places
        Where the listed lesions lie: see `at`.
    """

    lesions: tuple[Lesion, ...]
    least_voxels: int
    specks: int
    specks_ml: float | None
    lungs_known: bool
    sides_known: bool
    patterns: Patterns
    places: LesionPlaces | None = None

    def at(self, voxel: tuple[int, int, int]) -> Lesion | None:
        """The listed lesion that holds a voxel (column, row, slice), or None."""
        number = 0 if self.places is None else self.places.number_at(voxel)
        return self.lesions[number - 1] if number else None

    @property
    def left_out(self) -> str:
        """What is too small to be listed, in a sentence; ``""`` where nothing is."""
        if not self.specks:
            return ""
        many = "component" if self.specks == 1 else "components"
        volume = "" if self.specks_ml is None else f" ({self.specks_ml:.2g} ml)"
        return f"Not listed: {self.specks} {many} of fewer than {self.least_voxels} voxels{volume}."
