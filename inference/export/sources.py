"""The DICOM images that a segmentation refers to: read again, checked, and completed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.uid import UID

from inference.errors import ExportRefusedError
from inference.studies.quiet import quiet

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from inference.studies.model import Volume

__all__ = ["ALTERNATIVE", "fill_identity", "frame_order", "read_sources"]

ALTERNATIVE: Final = "export the label map as NIfTI instead"

_POSITION_TOLERANCE_MM: Final = 0.1
"""How far, within its plane, a slice of the volume may lie from where its file says."""

_NEEDED: Final = {
    "StudyInstanceUID": "study",
    "SeriesInstanceUID": "series",
    "SOPInstanceUID": "instance",
    "FrameOfReferenceUID": "frame of reference",
}

_MAY_BE_EMPTY: Final = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
    "PositionReferenceIndicator",
)
"""Type 2 (PS3.3): must be there, and is empty where nothing is known, as after anonymisation."""

_SEXES: Final = ("M", "F", "O", "")


def read_sources(volume: Volume) -> list[Dataset]:
    """Read the headers of a volume's files.

    Returns
    -------
    list of Dataset
        In the volume's order; one alone for a multi-frame file.

    Raises
    ------
    ExportRefusedError
        When they are no DICOM images, are gone or changed, lack valid unique UIDs or positions, or
        the volume does not lie on the stored slices. The sentence names the alternative.
    """
    if not all(source.sop_class_uid for source in volume.slices):
        raise ExportRefusedError(
            "This study was not read from DICOM images, so a DICOM segmentation has nothing to "
            f"refer to; {ALTERNATIVE}."
        )
    paths = list(dict.fromkeys(source.path for source in volume.slices))
    try:
        with quiet():
            sources: list[Dataset] = [pydicom.dcmread(p, stop_before_pixels=True) for p in paths]
    except (OSError, pydicom.errors.InvalidDicomError) as error:
        raise ExportRefusedError(
            "The DICOM files of this study can no longer be read, and a DICOM segmentation must "
            f"refer to them; {ALTERNATIVE}."
        ) from error
    _require_identities(sources)
    if len(sources) not in {1, len(volume.slices)}:
        raise ExportRefusedError(
            "The slices of this series are spread over several multi-frame files, which a DICOM "
            f"segmentation cannot refer to here; {ALTERNATIVE}."
        )
    _require_unchanged(sources, volume)
    for index, slice_ in enumerate(volume.slices):
        source = sources[index if len(sources) > 1 else 0]
        _require_position(source, slice_.frame, index, volume)
    for source in sources:
        _complete(source, volume)
    return sources


def frame_order(volume: Volume, source: Dataset) -> NDArray[np.intp]:
    """Which slice of the volume each frame of a multi-frame source is; shape (frames,).

    Raises
    ------
    ExportRefusedError
        When frames of the source are not part of the volume.
    """
    frames = [slice_.frame for slice_ in volume.slices]
    if sorted(frames) != list(range(int(source.get("NumberOfFrames", 1)))):
        raise ExportRefusedError(
            "Not every frame of the multi-frame source is part of this series, so a DICOM "
            f"segmentation cannot refer to it; {ALTERNATIVE}."
        )
    return np.argsort(frames)


def _require_identities(sources: list[Dataset]) -> None:
    """Refuse sources that a segmentation could not name."""
    total = len(sources)
    for keyword, name in _NEEDED.items():
        values = [str(source.get(keyword) or "") for source in sources]
        invalid = sum(not _is_valid(value) for value in values)
        if invalid:
            if total == 1:
                who = "The source file has"
            else:
                who = f"{invalid} of the {total} source files {'has' if invalid == 1 else 'have'}"
            raise ExportRefusedError(
                f"{who} no valid {name} UID, so a DICOM segmentation cannot refer to "
                f"{'it' if invalid == 1 else 'them'}; {ALTERNATIVE}."
            )
        counts = Counter(values)
        if keyword == "SOPInstanceUID":
            shared = sum(count for count in counts.values() if count > 1)
            if shared:
                raise ExportRefusedError(
                    f"{shared} of the {total} source files share their instance UID with another, "
                    f"so a DICOM segmentation cannot tell them apart; {ALTERNATIVE}."
                )
        elif len(counts) > 1:
            raise ExportRefusedError(
                f"The source files have {len(counts)} different {name} UIDs, and a DICOM "
                f"segmentation may refer to one only; {ALTERNATIVE}."
            )


def _is_valid(value: str) -> bool:
    """PS3.5 chapter 9: 64 characters at most, no leading zeros, and one of the three roots."""
    return UID(value).is_valid and value.startswith(("0.", "1.", "2."))


def _require_unchanged(sources: list[Dataset], volume: Volume) -> None:
    read = list(dict.fromkeys(slice_.sop_instance_uid for slice_ in volume.slices))
    if read != [str(source.SOPInstanceUID) for source in sources]:
        raise ExportRefusedError(
            "The DICOM files have changed since this study was opened; open and analyse it again, "
            f"or {ALTERNATIVE}."
        )


def _require_position(source: Dataset, frame: int, index: int, volume: Volume) -> None:
    """Refuse masks that do not lie on the stored slice, e.g. after a tilt was sheared away."""
    stated = _placed(source, frame, "PlanePositionSequence", "ImagePositionPatient")
    orientation = _placed(source, frame, "PlaneOrientationSequence", "ImageOrientationPatient")
    spacing = _placed(source, frame, "PixelMeasuresSequence", "PixelSpacing")
    if stated is None or orientation is None or spacing is None:
        raise ExportRefusedError(
            "The source files do not say where their slices lie, so a DICOM segmentation cannot be "
            f"placed; {ALTERNATIVE}."
        )
    rows, columns = volume.shape[1:]
    right, down, first = orientation[:3], orientation[3:], stated
    corners = (
        (0, 0, first),
        (columns - 1, 0, first + right * spacing[1] * (columns - 1)),
        (0, rows - 1, first + down * spacing[0] * (rows - 1)),
    )
    # Along the normal the files are right and the volume's even spacing is not always: the
    # segmentation copies each slice's position from its file.
    off = max(
        float(np.abs(axis @ (volume.position(column, row, index) - corner)))
        for column, row, corner in corners
        for axis in (right, down)
    )
    if (source.Rows, source.Columns) != (rows, columns) or off > _POSITION_TOLERANCE_MM:
        raise ExportRefusedError(
            f"The masks lie up to {off:.1f} mm beside the stored slices, so a DICOM segmentation "
            f"would be wrong; {ALTERNATIVE}."
        )


def _placed(source: Dataset, frame: int, sequence: str, keyword: str) -> NDArray[np.float64] | None:
    """Geometry of a frame: at the top of a plain image, in functional groups of an enhanced one."""
    levels: list[Any] = [source]
    for groups, item in (
        ("PerFrameFunctionalGroupsSequence", frame),
        ("SharedFunctionalGroupsSequence", 0),
    ):
        found = source.get(groups)
        if found and item < len(found) and found[item].get(sequence):
            levels.append(found[item].get(sequence)[0])
    for level in levels:
        value = level.get(keyword)
        if value is not None:
            return np.array([float(v) for v in value], np.float64)
    return None


def fill_identity(source: Dataset) -> None:
    """Make what a header says of patient and study fit to be copied, without adding to it."""
    for keyword in _MAY_BE_EMPTY:
        if keyword not in source:
            setattr(source, keyword, "")
    if source.PatientSex not in _SEXES:
        source.PatientSex = ""
    if not source.get("SpecificCharacterSet"):
        source.pop("SpecificCharacterSet", None)


def _complete(source: Dataset, volume: Volume) -> None:
    """Make a header fit to be copied, without saying anything that is not known."""
    fill_identity(source)
    if "PerFrameFunctionalGroupsSequence" in source or source.get("SliceThickness"):
        return
    if volume.shape[0] == 1:
        raise ExportRefusedError(
            "The source file does not say how thick its slice is, which a DICOM segmentation must "
            f"repeat; {ALTERNATIVE}."
        )
    # What each slice stands for is then the room up to the next one.
    source.SliceThickness = pydicom.valuerep.DSfloat(volume.spacing[0], auto_format=True)
