"""Ceilings and tolerances of reading, each with its reason; nothing else decides them."""

from __future__ import annotations

from typing import Final

__all__ = [
    "HU_FLOOR",
    "MAX_ARCHIVE_DEPTH",
    "MAX_DEFLATE_RATIO",
    "MAX_DIRECTORY_BYTES",
    "MAX_FILES",
    "MAX_INFLATED_BYTES",
    "MAX_SIDE",
    "MAX_TIME_POINTS",
    "MAX_UNPACKED_BYTES",
    "MAX_VOXELS",
    "MIN_SIDE",
    "ORIENTATION_TOLERANCE",
    "SAME_POSITION_MM",
    "SHIFT_TOLERANCE_MM",
    "SPACING_RELATIVE_TOLERANCE",
    "SPACING_TOLERANCE_MM",
    "THICKNESS_GAP_RATIO",
    "TILT_TOLERANCE_DEGREES",
]

MIN_SIDE: Final = 32
"""Fewest rows and columns of a picture in which a chest can be seen at all."""

MAX_SIDE: Final = 16384
"""Most rows or columns; the largest X-ray detectors have about 6000."""

MAX_VOXELS: Final = 2**31
"""Most rows × columns × slices of a series: 4 GiB of int16, e.g. 2048 slices of 1024²."""

MAX_TIME_POINTS: Final = 512
"""Most volumes in one file; functional series have about as many, chests far fewer."""

MAX_FILES: Final = 100_000
"""Most files looked at under one folder."""

MAX_UNPACKED_BYTES: Final = 16 * 2**30
"""Most bytes that a ZIP archive may unpack to: some thirty thousand slices of 512²."""

MAX_DIRECTORY_BYTES: Final = 24 * 2**20
"""Longest directory of a ZIP archive: `MAX_FILES` entries of 250 bytes."""

MAX_ARCHIVE_DEPTH: Final = 32
"""Most folders within folders in a ZIP archive."""

MAX_INFLATED_BYTES: Final = 2**30
"""Most bytes that a deflated DICOM file may unpack to."""

MAX_DEFLATE_RATIO: Final = 1032
"""Best ratio that deflate can reach; a header that promises more bytes than this lies."""

HU_FLOOR: Final = -500.0
"""A chest holds air, so true HU reach at least this low."""

SAME_POSITION_MM: Final = 0.01
"""Two slices nearer than this along the normal lie at the same position."""

ORIENTATION_TOLERANCE: Final = 1e-3
"""Greatest difference of direction cosines that is still the same orientation (rounding)."""

SPACING_TOLERANCE_MM: Final = 0.1
"""Positions are often rounded to 0.1 mm; less than this off the regular grid is even."""

SPACING_RELATIVE_TOLERANCE: Final = 0.02
"""The same as a share of the spacing, for thick slices."""

SHIFT_TOLERANCE_MM: Final = 0.5
"""How far a slice may lie sideways off the line through the first and last one."""

TILT_TOLERANCE_DEGREES: Final = 0.5
"""Least angle between the slice normal and the line of positions that counts as gantry tilt."""

THICKNESS_GAP_RATIO: Final = 1.5
"""Slices further apart than this many thicknesses leave lung that no slice shows."""
