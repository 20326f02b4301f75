"""Ceilings and tolerances of reading, each with its reason; nothing else decides them."""

from __future__ import annotations

from typing import Final

from inference.studies.elsewhere_process import Bounds

__all__ = [
    "HU_FLOOR",
    "HU_STEP",
    "HU_WATER",
    "MAX_ARCHIVE_DEPTH",
    "MAX_DEFLATE_RATIO",
    "MAX_DIRECTORY_BYTES",
    "MAX_FILES",
    "MAX_INFLATED_BYTES",
    "MAX_ORIGIN_MM",
    "MAX_SCALE",
    "MAX_SIDE",
    "MAX_SPACING_MM",
    "MAX_TIME_POINTS",
    "MAX_UNPACKED_BYTES",
    "MAX_VOXELS",
    "MIN_SCALE",
    "MIN_SIDE",
    "MIN_SPACING_MM",
    "ORIENTATION_TOLERANCE",
    "SAME_PIXEL_MM",
    "SAME_POSITION_MM",
    "SHIFT_TOLERANCE_MM",
    "SKEW_COSINE",
    "SPACING_RELATIVE_TOLERANCE",
    "SPACING_TOLERANCE_MM",
    "THICKNESS_GAP_RATIO",
    "TILT_TOLERANCE_DEGREES",
    "decoding_bounds",
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

_DECODER_BYTES: Final = 2**29
"""What a decoder may take beside what it needs for pixels: tables, and its libraries' code."""

_DECODER_BYTES_A_PIXEL: Final = 48
"""Three colours of four bytes, four times over: no decoder here keeps more copies."""

_DECODER_SECONDS: Final = 60.0
"""Longest for a picture of few pixels, which takes milliseconds; the machine may be busy."""

_DECODER_SECONDS_A_PIXEL: Final = 2e-6
"""Ten times what the slowest decoder here takes: JPEG 2000, in 0.2 µs."""

MIN_SPACING_MM: Final = 1e-3
"""Smallest step from voxel to voxel; microscopes of tissue have no smaller ones."""

MAX_SPACING_MM: Final = 1e3
"""Greatest step from voxel to voxel: no two slices through one person lie a metre apart."""

MAX_ORIGIN_MM: Final = 1e5
"""How far a first voxel may lie from the origin of its scanner or table."""

MIN_SCALE: Final = 1e-9
"""Smallest factor between stored numbers and values."""

MAX_SCALE: Final = 1e9
"""Greatest factor or summand between stored numbers and values; values stay finite in float32."""

HU_FLOOR: Final = -500.0
"""A chest holds air, so true HU reach at least this low."""

HU_STEP: Final = 10.0
"""Coarsest step between HU that needs no remark; an ordinary scan's noise is as large."""

HU_WATER: Final = 0.0
"""A chest is made of water, too, so true HU can be written at least this high."""

SAME_POSITION_MM: Final = 0.01
"""Two slices nearer than this along the normal lie at the same position."""

SAME_PIXEL_MM: Final = 0.1
"""Pixel spacings with which the last pixel lies less than this aside are the same (rounding)."""

ORIENTATION_TOLERANCE: Final = 1e-3
"""Greatest difference of direction cosines that is still the same orientation (rounding)."""

SPACING_TOLERANCE_MM: Final = 0.1
"""Positions are often rounded to 0.1 mm; less than this off the regular grid is even."""

SPACING_RELATIVE_TOLERANCE: Final = 0.02
"""The same as a share of the spacing, for thick slices."""

SHIFT_TOLERANCE_MM: Final = 0.5
"""How far a slice may lie sideways off the line through the first and last one."""

SKEW_COSINE: Final = 0.01
"""Cosine between rows and columns from which on they are no right angle; less is rounding."""

TILT_TOLERANCE_DEGREES: Final = 0.5
"""Least angle between the slice normal and the line of positions that counts as gantry tilt."""

THICKNESS_GAP_RATIO: Final = 1.5
"""Slices further apart than this many thicknesses leave lung that no slice shows."""


def decoding_bounds(rows: int, columns: int) -> Bounds:
    """Return what the decoder of a picture of so many pixels may take: of 512² 0.5 GiB."""
    pixels = rows * columns
    return Bounds(
        _DECODER_BYTES + _DECODER_BYTES_A_PIXEL * pixels,
        _DECODER_SECONDS + _DECODER_SECONDS_A_PIXEL * pixels,
    )
