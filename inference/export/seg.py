"""Masks as a DICOM Segmentation object (PS3.3 A.51), which points at the images they lie on."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.sr.coding import Code
from pydicom.uid import UID

from inference import __version__
from inference.errors import ExportRefusedError
from inference.export.current import require_current, require_segments
from inference.export.labels import LABELS, label_map
from inference.export.palette import findings_colours
from inference.findings import Manifestation

if TYPE_CHECKING:
    import highdicom as hd
    from pydicom.dataset import Dataset

    from inference.findings import Findings, ModelProvenance, Segment
    from inference.studies.model import Volume

__all__ = ["write_seg"]

_ALTERNATIVE: Final = "export the label map as NIfTI instead"

_ABNORMAL: Final = Code("49755003", "SCT", "Morphologically Abnormal Structure")
_LUNG: Final = Code("39607008", "SCT", "Lung")
_PLEURA: Final = Code("3120008", "SCT", "Pleura")
_AI: Final = Code("123110", "DCM", "Artificial Intelligence")

_TYPES: Final = {
    Manifestation.GGO: Code("112120", "DCM", "Ground glass opacity"),
    Manifestation.CONSOLIDATION: Code("95436008", "SCT", "Lung consolidation"),
    Manifestation.EFFUSION: Code("60046008", "SCT", "Pleural effusion"),
}
_REGIONS: Final = {
    Manifestation.GGO: _LUNG,
    Manifestation.CONSOLIDATION: _LUNG,
    Manifestation.EFFUSION: _PLEURA,
}

_POSITION_TOLERANCE_MM: Final = 0.1
"""How far, within its plane, a slice of the volume may lie from where its file says."""

_SERIES_NUMBER: Final = 9001
"""Far from the scanner's own."""

_NEEDED: Final = {
    "StudyInstanceUID": "study",
    "SeriesInstanceUID": "series",
    "SOPInstanceUID": "instance",
    "FrameOfReferenceUID": "frame of reference",
}


def write_seg(findings: Findings, volume: Volume, path: Path) -> None:
    """Write the masks as one BINARY segmentation with a segment a manifestation.

    Frames without any mask are left out, unless all are empty; a manifestation that was looked
    for and not found has its segment, without frames. Where masks overlap, they are cut as in
    `labels.label_map`.

    Parameters
    ----------
    findings
        With segments, of this volume.
    volume
        Read from DICOM files, which are still there.
    path
        The file to write.

    Raises
    ------
    ExportRefusedError
        When the source is not DICOM, lacks valid unique UIDs, has changed, or the masks do not lie
        on the stored slices; when segmentation was not computed. The sentence names the
        alternative.
    """
    import highdicom as hd

    require_current(findings, volume)
    segments = sorted(require_segments(findings), key=lambda s: list(Manifestation).index(s.key))
    sources = _sources(volume)
    masks = _numbered(label_map(findings), segments)
    if len(sources) == 1 and len(volume.slices) > 1:
        masks = _in_frame_order(masks, volume, sources[0])
    models = {model.name: model for model in findings.models}
    object_ = hd.seg.Segmentation(
        source_images=sources,
        pixel_array=masks,
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[
            _describe(number, segment, models.get(segment.model))
            for number, segment in enumerate(segments, start=1)
        ],
        series_instance_uid=hd.UID(),
        series_number=_SERIES_NUMBER,
        sop_instance_uid=hd.UID(),
        instance_number=1,
        manufacturer="SecondRead",
        manufacturer_model_name="SecondRead",
        software_versions=__version__,
        device_serial_number="1",
        content_label="SECONDREAD",
        content_description="Research use only. Not for diagnosis.",
        series_description="SecondRead segmentation, research use only",
        omit_empty_frames=bool(masks.any()),
    )
    try:
        object_.save_as(path, enforce_file_format=True)
    except OSError as error:
        raise ExportRefusedError(
            f"{path.name} could not be written ({error.strerror}); choose another folder."
        ) from error


def _describe(
    number: int, segment: Segment, model: ModelProvenance | None
) -> hd.seg.SegmentDescription:
    import highdicom as hd

    return hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=segment.key.label,
        segmented_property_category=_ABNORMAL,
        segmented_property_type=_TYPES[segment.key],
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=hd.AlgorithmIdentificationSequence(
            name=segment.model,
            family=_AI,
            version=model.version if model is not None and model.version else __version__,
            source="SecondRead",
        ),
        tracking_uid=hd.UID(),
        tracking_id=f"SecondRead {segment.key.value}",
        anatomic_regions=[_REGIONS[segment.key]],
        display_color=hd.color.CIELabColor.from_rgb(*findings_colours()[segment.key]),
    )


def _numbered(labels: NDArray[np.uint8], segments: list[Segment]) -> NDArray[np.uint8]:
    """Number the labels as the segments are numbered: from 1, without gaps."""
    numbers = np.zeros(max(LABELS.values()) + 1, np.uint8)
    for number, segment in enumerate(segments, start=1):
        numbers[LABELS[segment.key]] = number
    return numbers[labels]


def _sources(volume: Volume) -> list[Dataset]:
    """Headers of the source files in the volume's order; one for a multi-frame file."""
    if not volume.slices or not all(source.sop_class_uid for source in volume.slices):
        raise ExportRefusedError(
            "This study was not read from DICOM images, so a DICOM segmentation has nothing to "
            f"refer to; {_ALTERNATIVE}."
        )
    paths = list(dict.fromkeys(source.path for source in volume.slices))
    try:
        sources: list[Dataset] = [pydicom.dcmread(path, stop_before_pixels=True) for path in paths]
    except (OSError, pydicom.errors.InvalidDicomError) as error:
        raise ExportRefusedError(
            "The DICOM files of this study can no longer be read, and a DICOM segmentation must "
            f"refer to them; {_ALTERNATIVE}."
        ) from error
    _require_identities(sources, volume)
    if len(sources) == 1 and len(volume.slices) > 1:
        return sources
    if len(sources) != len(volume.slices):
        raise ExportRefusedError(
            "The slices of this series are spread over several multi-frame files, which a DICOM "
            f"segmentation cannot refer to here; {_ALTERNATIVE}."
        )
    _require_positions(sources, volume)
    return sources


def _require_identities(sources: list[Dataset], volume: Volume) -> None:
    """Refuse sources that a segmentation could not name."""
    for keyword, name in _NEEDED.items():
        values = [str(source.get(keyword) or "") for source in sources]
        invalid = sum(not _is_valid(value) for value in values)
        if invalid:
            files = "file has" if invalid == 1 else "files have"
            raise ExportRefusedError(
                f"{invalid} of the {len(sources)} source {files} no valid {name} UID, so a DICOM "
                f"segmentation cannot refer to them; {_ALTERNATIVE}."
            )
        distinct = len(set(values))
        if keyword == "SOPInstanceUID":
            if distinct < len(values):
                twice = sum(count - 1 for count in Counter(values).values())
                raise ExportRefusedError(
                    f"{twice} of the {len(sources)} source files share their instance UID with "
                    f"another, so a DICOM segmentation cannot tell them apart; {_ALTERNATIVE}."
                )
        elif distinct > 1:
            raise ExportRefusedError(
                f"The source files have {distinct} different {name} UIDs, and a DICOM "
                f"segmentation may refer to one only; {_ALTERNATIVE}."
            )
    if str(sources[0].SeriesInstanceUID) != volume.series_uid:
        raise ExportRefusedError(
            "The DICOM files have changed since this study was opened; open it again, or "
            f"{_ALTERNATIVE}."
        )


def _is_valid(value: str) -> bool:
    """PS3.5 chapter 9: 64 characters at most, no leading zeros, and one of the three roots."""
    return UID(value).is_valid and value.startswith(("0.", "1.", "2."))


def _require_positions(sources: list[Dataset], volume: Volume) -> None:
    """Refuse masks that do not lie on the stored slices, e.g. after a tilt was sheared away."""
    rows, columns = volume.shape[1:]
    for index, source in enumerate(sources):
        stated = source.get("ImagePositionPatient")
        orientation = source.get("ImageOrientationPatient")
        spacing = source.get("PixelSpacing")
        if stated is None or orientation is None or spacing is None:
            raise ExportRefusedError(
                "The source files do not say where their slices lie, so a DICOM segmentation "
                f"cannot be placed; {_ALTERNATIVE}."
            )
        right, down = np.array(orientation[:3], float), np.array(orientation[3:], float)
        first = np.array(stated, float)
        corners = (
            (0, 0, first),
            (columns - 1, 0, first + right * float(spacing[1]) * (columns - 1)),
            (0, rows - 1, first + down * float(spacing[0]) * (rows - 1)),
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
                f"The masks lie up to {off:.1f} mm beside the stored slices (a tilt was "
                f"corrected), so a DICOM segmentation would be wrong; {_ALTERNATIVE}."
            )


def _in_frame_order(masks: NDArray[np.uint8], volume: Volume, source: Dataset) -> NDArray[np.uint8]:
    """Put the masks of a multi-frame source into the order of its frames."""
    frames = [slice_.frame for slice_ in volume.slices]
    if sorted(frames) != list(range(int(source.get("NumberOfFrames", 1)))):
        raise ExportRefusedError(
            "Not every frame of the multi-frame source is part of this series, so a DICOM "
            f"segmentation cannot refer to it; {_ALTERNATIVE}."
        )
    return masks[np.argsort(frames)]
