"""PNG and JPEG by Pillow: one slice of grey, without HU and without geometry."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from inference.errors import BadInputError
from inference.studies import elsewhere
from inference.studies.codes import Code
from inference.studies.find import UnreadableError
from inference.studies.limits import MAX_SIDE, MIN_SIDE, decoding_bounds
from inference.studies.model import Problem, Series, SliceSource, SourceKind, Unit, Volume
from inference.studies.uids import derived_uid
from inference.studies.unpacked import origin

__all__ = ["load_picture", "scan_picture"]

_FORMATS: Final = ("PNG", "JPEG")
_ROTATED: Final = (5, 6, 7, 8)
"""Values of the EXIF tag Orientation that swap rows and columns."""
_EXIF_ORIENTATION: Final = 0x0112
_DEEP: Final = ("I;16", "I;16B", "I;16L", "I", "F")

_Decoded: TypeAlias = tuple[NDArray[np.generic], bool, bool]

_PROBLEM: Final = Problem(
    Code.PICTURE_NO_HU,
    "This is a picture, not a DICOM image: it has grey levels without Hounsfield units, and no "
    "known size in mm.",
)


def scan_picture(path: Path, number: int) -> Series:
    """Describe a picture by its header.

    Parameters
    ----------
    path
        A PNG or JPEG file.
    number
        What the reader may call it by.

    Raises
    ------
    UnreadableError
        When it is damaged, too small or too large.
    """
    try:
        with Image.open(path, formats=_FORMATS) as image:
            columns, rows = image.size
            if image.getexif().get(_EXIF_ORIENTATION) in _ROTATED:
                rows, columns = columns, rows
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise _damaged(path) from error
    size = f"“{path.name}” has {columns} × {rows} pixels"
    if min(rows, columns) < MIN_SIDE:
        raise UnreadableError(
            f"{size}, too few to show a chest (at least {MIN_SIDE} × {MIN_SIDE})."
        )
    if max(rows, columns) > MAX_SIDE:
        raise UnreadableError(f"{size}, too many (at most {MAX_SIDE} on a side).")
    return Series(
        uid=derived_uid("picture", origin(path)),
        kind=SourceKind.PICTURE,
        modality="OT",
        description=path.name,
        slices=(SliceSource(path),),
        rows=rows,
        columns=columns,
        number=number,
        problems=(_PROBLEM,),
    )


def load_picture(series: Series) -> Volume:
    """Decode a picture.

    Raises
    ------
    BadInputError
        When it is damaged.
    """
    path = series.slices[0].path
    problems = series.problems
    try:
        array, lossy, colour = _decoded_elsewhere(path, series.rows, series.columns)
    except UnreadableError as error:
        raise BadInputError(str(error)) from error
    if colour:
        problems += (Problem(Code.COLOUR_TO_GREY, "A colour picture is shown in grey."),)
    return Volume(
        array=np.ascontiguousarray(array[np.newaxis]),
        affine=np.eye(4),
        unit=Unit.GREY,
        modality=series.modality,
        has_geometry=False,
        has_orientation=False,
        series_uid=series.uid,
        lossy=lossy,
        slices=series.slices,
        problems=problems,
    )


def _decoded_elsewhere(path: Path, rows: int, columns: int) -> _Decoded:
    """Decode where a decoder may die of damage, if there is such a place."""
    there = elsewhere.current()
    if there is not None:
        with suppress(elsewhere.NoProcessError):
            try:
                return there.run_within(decoding_bounds(rows, columns), _decoded, path)
            except elsewhere.LostError as error:
                raise UnreadableError(
                    f"The decoder stopped at “{path.name}”, which is damaged or needs too much "
                    "memory or time; save it again as another PNG."
                ) from error
    return _decoded(path)


def _decoded(path: Path) -> _Decoded:
    """Return grey values, and whether they were compressed with loss, and in colour."""
    try:
        with Image.open(path, formats=_FORMATS) as image:
            lossy = image.format == "JPEG"
            colour = image.mode not in {"L", "LA", "1", *_DEEP}
            return _grey(ImageOps.exif_transpose(image)), lossy, colour
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise _damaged(path) from error


def _grey(image: Image.Image) -> NDArray[np.generic]:
    """Return (rows, columns), uint16 for 16-bit pictures and uint8 for all others."""
    if image.mode in _DEEP:
        deep: NDArray[np.generic] = np.clip(np.asarray(image), 0, 65535).astype(np.uint16)
        return deep
    if "transparency" in image.info:
        # Converting a palette with transparent colours directly makes Pillow complain.
        image = image.convert("RGBA")
    return np.asarray(image.convert("L"), np.uint8)


def _damaged(path: Path) -> UnreadableError:
    return UnreadableError(
        f"“{path.name}” is damaged or not a PNG or JPEG picture; copy the file again."
    )
