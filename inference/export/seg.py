"""Masks as a DICOM Segmentation object (PS3.3 A.51), which points at the images they lie on."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray
from pydicom.sr.coding import Code

from inference import __version__
from inference.errors import ExportRefusedError
from inference.export import files
from inference.export.current import require_current, require_segments
from inference.export.dicom_objects import to_bytes
from inference.export.highdicom_gently import read_tables
from inference.export.labels import LABELS, label_map
from inference.export.palette import findings_colours
from inference.export.sources import ALTERNATIVE, frame_order, read_sources
from inference.findings import Manifestation
from inference.invariants import names_of
from inference.studies.quiet import quiet

if TYPE_CHECKING:
    import highdicom as hd

    from inference.findings import Findings, Segment
    from inference.studies.model import Volume

__all__ = ["write_seg"]

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

_SERIES_NUMBER: Final = 9001
"""Far from the scanner's own."""

# It warns of unusual patient names by writing them out.
logging.getLogger("highdicom").setLevel(logging.ERROR)


def write_seg(findings: Findings, volume: Volume, path: Path) -> None:
    """Write the masks as one BINARY segmentation with a segment a manifestation.

    Frames without any mask are left out, unless all are empty; a manifestation that was looked
    for and not found has its segment, without frames.

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

    read_tables()
    require_current(findings, volume)
    segments = sorted(require_segments(findings), key=lambda s: list(Manifestation).index(s.key))
    sources = read_sources(volume)
    masks = _numbered(label_map(findings), segments)
    if len(sources) == 1 and len(volume.slices) > 1:
        masks = masks[frame_order(volume, sources[0])]
    versions = {model.name: model.version for model in findings.models}
    try:
        with quiet():
            object_ = hd.seg.Segmentation(
                source_images=sources,
                pixel_array=masks,
                segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
                segment_descriptions=[
                    _describe(number, segment, versions)
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
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        # Strict where the source is not: it copies much of the source's headers.
        raise ExportRefusedError(
            "The headers of the source files do not keep to DICOM in a part that a segmentation "
            f"must copy from them; {ALTERNATIVE}."
        ) from error
    files.write_bytes(path, to_bytes(object_))


def _describe(
    number: int, segment: Segment, versions: Mapping[str, str]
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
            version=" + ".join(versions[name] for name in names_of(segment.model)),
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
