"""The volume around decoded slices: where it lies and what its values mean."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from inference.studies.codes import Code
from inference.studies.dicom_header import Frame
from inference.studies.geometry import flat_affine, stack_affine
from inference.studies.limits import HU_FLOOR
from inference.studies.model import Problem, Series, SliceSource, Unit, Volume

__all__ = ["make_volume"]


def make_volume(
    series: Series,
    array: NDArray[np.generic],
    frames: Sequence[Frame],
    problems: Sequence[Problem],
    study_uid: str = "",
    *,
    lowest: float,
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
    return Volume(
        array=array,
        affine=affine,
        unit=_unit(series.modality, frames, found, lowest=lowest, whole=whole),
        modality=series.modality,
        has_geometry=has_geometry,
        has_orientation=has_orientation,
        series_uid=series.uid,
        study_uid=study_uid,
        frame_of_reference=frames[0].frame_of_reference,
        windows=middle.windows,
        inverted=frames[0].inverted,
        padding=_padding(frames, found),
        lossy=any(frame.lossy for frame in frames),
        slices=tuple(
            SliceSource(f.path, f.index, f.sop_instance_uid, f.sop_class_uid) for f in frames
        ),
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
        return np.eye(4), False, False
    if first.imager_spacing:
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
    whole: bool,
) -> Unit:
    """Say whether values are HU (DICOM PS3.3, C.8.2.1.1.2), and what speaks against it."""
    if modality != "CT" or any(frame.localizer for frame in frames):
        return Unit.GREY
    deep = all(frame.bits_stored > 8 and not frame.colour for frame in frames)
    typed = all(frame.rescale_type in {"", "HU"} for frame in frames)
    rescaled = all(frame.rescaled for frame in frames)
    if deep and typed and rescaled:
        if whole and lowest > HU_FLOOR:
            problems.append(
                Problem(
                    Code.HU_DOUBTFUL,
                    f"No value is below {lowest:.0f} HU, so there is no air, or the Hounsfield "
                    "units are wrong.",
                )
            )
        return Unit.HU
    if deep and typed and lowest <= HU_FLOOR:
        problems.append(
            Problem(
                Code.HU_ASSUMED,
                "The file does not say that its values are Hounsfield units, but they look so and "
                "are taken as such.",
            )
        )
        return Unit.HU
    if deep and typed and not whole:
        return Unit.GREY
    problems.append(
        Problem(
            Code.NO_HU,
            "This CT has no Hounsfield units, so that lungs, volumes and mean HU cannot be "
            "computed.",
        )
    )
    return Unit.GREY


def _padding(frames: Sequence[Frame], problems: list[Problem]) -> float | None:
    values = {None if f.padding is None else f.padding * f.slope + f.intercept for f in frames}
    if len(values) == 1:
        return values.pop()
    problems.append(
        Problem(
            Code.PADDING_VARIES,
            "Slices declare different padding values; none was left out of statistics.",
        )
    )
    return None
