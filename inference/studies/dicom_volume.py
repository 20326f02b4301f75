"""The volume around decoded slices: where it lies and what its values mean."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from inference.studies.codes import Code
from inference.studies.dicom_frame import DETECTOR, FILM, Frame
from inference.studies.dicom_values import printable
from inference.studies.geometry import flat_affine, stack_affine
from inference.studies.limits import HU_FLOOR, HU_STEP, HU_WATER, SKEW_COSINE
from inference.studies.model import Problem, Series, Unit, Volume

__all__ = ["make_volume"]


def make_volume(
    series: Series,
    array: NDArray[np.generic],
    frames: Sequence[Frame],
    problems: Sequence[Problem],
    study_uid: str = "",
    *,
    lowest: float,
    airless: int,
    whole: bool = True,
) -> Volume:
    """Put decoded slices where they belong.

    Parameters
    ----------
    series
        The series that was decoded.
    array
        Shape (n, rows, columns), rescaled.
    frames
        Length n, in reading order.
    problems
        What is known to be doubtful already.
    study_uid
        Of the files.
    lowest
        Lowest value of the slices that have been decoded.
    airless
        How many of them have no value as low as air in a chest.
    whole
        All slices have been decoded; if not, nothing is said that another slice may disprove.
    """
    found = list(problems)
    affine, has_geometry, has_orientation = _place(frames, found)
    middle = frames[len(frames) // 2]
    if middle.voi_lut:
        found.append(
            Problem(Code.VOI_LUT, "The file's VOI look-up table is shown as a plain window.")
        )
    if any(frame.modality_lut for frame in frames):
        found.append(
            Problem(
                Code.MODALITY_LUT,
                "The file's modality look-up table was not applied; values are as stored.",
            )
        )
    if any(frame.colour for frame in frames):
        found.append(Problem(Code.COLOUR_TO_GREY, "A colour picture is shown in grey."))
    padding = _padding(frames, found)
    return Volume(
        array=array,
        affine=affine,
        unit=_unit(series.modality, frames, found, lowest=lowest, airless=airless, whole=whole),
        modality=series.modality,
        has_geometry=has_geometry,
        has_orientation=has_orientation,
        series_uid=series.uid,
        study_uid=study_uid,
        frame_of_reference=frames[0].frame_of_reference,
        windows=middle.windows,
        inverted=frames[0].inverted,
        padding=None if padding is None else padding[0],
        padding_limit=None if padding is None else padding[1],
        lossy=any(frame.lossy for frame in frames),
        slices=tuple(frame.source for frame in frames),
        problems=tuple(found),
    )


def _place(
    frames: Sequence[Frame], problems: list[Problem]
) -> tuple[NDArray[np.float64], bool, bool]:
    """Return the affine, and whether spacing and patient axes are known."""
    first = frames[0]
    positions = [frame.position for frame in frames if frame.position is not None]
    if first.spacing is None:
        problems.append(
            Problem(
                Code.NO_SPACING,
                "The file does not say how large its pixels are, so that nothing can be measured "
                "in mm.",
            )
        )
        # How high a pixel is for its width is known all the same.
        aspect = first.aspect if len(frames) == 1 else None
        return flat_affine((aspect or 1.0, 1.0)), False, False
    if first.plane == FILM:
        problems.append(
            Problem(
                Code.FILM_SPACING,
                "Distances are those on the film that was scanned (Nominal Scanned Pixel Spacing), "
                "larger than in the patient.",
            )
        )
    if first.plane == DETECTOR:
        problems.append(
            Problem(
                Code.IMAGER_SPACING,
                "Distances are those on the detector (Imager Pixel Spacing), larger than in the "
                "patient.",
            )
        )
    if first.orientation is None or len(positions) < len(frames):
        # A picture of its own may be measured; slices at unknown distances may not.
        known = len(frames) == 1
        return (flat_affine(first.spacing) if known else np.eye(4)), known, False
    off = float(np.dot(first.orientation[:3], first.orientation[3:]))
    if abs(off) > SKEW_COSINE:
        angle = abs(90.0 - float(np.degrees(np.arccos(off))))
        problems.append(
            Problem(
                Code.SKEWED,
                f"Rows and columns are {angle:.1f}° off a right angle, so that the picture is "
                "drawn askew; positions in mm take account of it.",
            )
        )
    affine, doubts = stack_affine(
        positions,
        first.orientation,
        first.spacing,
        first.thickness,
        [frame.path for frame in frames],
    )
    problems.extend(doubts)
    return affine, True, True


def _unit(
    modality: str,
    frames: Sequence[Frame],
    problems: list[Problem],
    *,
    lowest: float,
    airless: int,
    whole: bool,
) -> Unit:
    """Say whether values are HU (DICOM PS3.3, C.8.2.1.1.2), and what speaks against it."""
    if modality != "CT" or any(frame.localizer for frame in frames):
        return Unit.GREY
    lacking = [frame for frame in frames if not frame.rescaled]
    if 0 < len(lacking) < len(frames):
        # What others say holds for none of these.
        problems.append(
            Problem(
                Code.NO_HU,
                f"{len(lacking)} of {len(frames)} slices do not say how their values become "
                "Hounsfield units (Rescale Slope and Intercept), so that lungs, volumes and mean "
                "HU cannot be computed.",
                tuple(frame.path for frame in lacking),
            )
        )
        return Unit.GREY
    grey = not any(frame.colour for frame in frames)
    deep = grey and all(frame.bits_stored > 8 for frame in frames)
    typed = all(frame.rescale_type in {"", "HU"} for frame in frames)
    rescaled = all(frame.rescaled for frame in frames)
    few = grey and rescaled and all(_few_levels_of_hu(frame) for frame in frames)
    if (deep and typed and rescaled) or (few and lowest <= HU_FLOOR):
        step = max(abs(frame.slope) for frame in frames)
        if step > HU_STEP:
            problems.append(
                Problem(
                    Code.HU_COARSE,
                    f"Hounsfield units were rounded to steps of {step:.0f} HU before they were "
                    "stored, so that smaller differences are lost.",
                )
            )
        if whole and lowest > HU_FLOOR:
            problems.append(
                Problem(
                    Code.HU_DOUBTFUL,
                    f"No value is below {lowest:.0f} HU, so there is no air, or the Hounsfield "
                    "units are wrong.",
                )
            )
        return Unit.HU
    if whole and deep and typed and not airless:
        problems.append(
            Problem(
                Code.HU_ASSUMED,
                "The file does not say that its values are Hounsfield units, but they look so and "
                "are taken as such.",
            )
        )
        return Unit.HU
    if ((deep and typed) or few) and not whole:
        return Unit.GREY
    others = sorted({frame.rescale_type for frame in frames} - {"", "HU"})
    named = f" (its values are of the type {', '.join(map(printable, others))})" if others else ""
    problems.append(
        Problem(
            Code.NO_HU,
            f"This CT has no Hounsfield units{named}, so that lungs, volumes and mean HU cannot be "
            "computed.",
        )
    )
    return Unit.GREY


def _few_levels_of_hu(frame: Frame) -> bool:
    """Whether 8 bits hold HU: the file says so, and its slope spreads them from air to tissue.

    Mostly they hold a window's grey, and the slope is that of the 16 bits they were made of, with
    which all of them would be air.
    """
    highest = (2 ** (frame.bits_stored - frame.signed) - 1) * frame.slope + frame.intercept
    return frame.rescale_type == "HU" and highest >= HU_WATER


def _padding(frames: Sequence[Frame], problems: list[Problem]) -> tuple[float, float] | None:
    """Return from and to which values pixels are none, both included."""
    values: set[tuple[float, float] | None] = set()
    for f in frames:
        ends = None if f.padding is None else [x * f.slope + f.intercept for x in f.padding]
        values.add(None if ends is None else (min(ends), max(ends)))
    if len(values) == 1:
        return values.pop()
    problems.append(
        Problem(
            Code.PADDING_VARIES,
            "Slices declare different padding values; none was left out of statistics.",
        )
    )
    return None
