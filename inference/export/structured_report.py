"""Measurements as a DICOM Structured Report (PS3.16, TID 1500), which points at the images.

What lies on a slice is given on its image, what lies across slices in the patient.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pydicom
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from inference import __version__
from inference.errors import ExportRefusedError
from inference.export import files
from inference.export.dicom_objects import to_bytes
from inference.export.report_places import (
    can_be_placed,
    is_on_image,
    places,
    region,
    slices_of,
)
from inference.export.sources import fill_identity
from inference.measurements import Kind, Measurement, Values, geometry, measure
from inference.measurements.values import DETECTOR_NOTE, FILM_NOTE
from inference.studies.model import Unit
from inference.studies.quiet import quiet

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from inference.studies.model import SliceSource, Volume

__all__ = ["write_sr"]

_ALTERNATIVE: Final = "export the table as CSV or JSON instead"
_SERIES_NUMBER: Final = 9002
"""Far from the scanner's own, and beside the segmentation's."""

_ATTENUATION: Final = Code("112031", "DCM", "Attenuation Coefficient")
_CT: Final = Code("77477000", "SCT", "Computed tomography")
_RADIOGRAPHY: Final = Code("363680008", "SCT", "Radiographic imaging procedure")
_UNWRITTEN: Final = frozenset({Kind.TEXT, Kind.ARROW})

# It warns of unusual patient names by writing them out.
logging.getLogger("highdicom").setLevel(logging.ERROR)


def write_sr(measurements: Sequence[Measurement], volume: Volume, path: Path) -> str:
    """Write lengths, angles, regions and probes as a report of imaging measurements.

    Parameters
    ----------
    measurements
        Of this volume.
    volume
        Read from DICOM files, which are still there, with its spacing known.
    path
        The file to write.

    Returns
    -------
    str
        What was left out, in a sentence, or nothing.

    Raises
    ------
    ExportRefusedError
        When there is nothing to write, the source is not DICOM or has changed, or distances are
        not those in the patient. The sentence names the alternative.
    NotWrittenError
        When the file cannot be written.
    """
    import highdicom as hd

    chosen = [m for m in measurements if m.kind not in _UNWRITTEN and can_be_placed(m, volume)]
    chosen.sort(key=lambda each: each.number)
    if volume.unit is not Unit.HU:
        chosen = [each for each in chosen if each.kind is not Kind.PROBE]
    if not chosen:
        raise ExportRefusedError(
            "There is no length, angle, region or HU probe whose place a DICOM report could name; "
            f"{_ALTERNATIVE}."
        )
    values = [measure(each, volume) for each in chosen]
    _require_true_mm(values)
    sources = _read_sources(chosen, volume)
    # What lies across slices has places in the patient, which the plainer kind of report has not.
    across = any(not is_on_image(each) for each in chosen)
    kind = hd.sr.Comprehensive3DSR if across else hd.sr.ComprehensiveSR
    try:
        with quiet():
            report = kind(
                evidence=list(sources.values()),
                content=_report(chosen, values, volume),
                series_instance_uid=hd.UID(),
                series_number=_SERIES_NUMBER,
                sop_instance_uid=hd.UID(),
                instance_number=1,
                manufacturer="SecondRead",
                is_complete=False,
                series_description="SecondRead measurements, research use only",
            )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        # Strict where the source is not: it copies much of the source's headers.
        raise ExportRefusedError(
            "The headers of the source files do not keep to DICOM in a part that a report must "
            f"copy from them; {_ALTERNATIVE}."
        ) from error
    # Notes are written in any script, whatever the images' headers keep to.
    report.SpecificCharacterSet = "ISO_IR 192"
    files.write_bytes(path, to_bytes(report))
    return _left_out(measurements, chosen, volume)


def _require_true_mm(values: Sequence[Values]) -> None:
    if not all(each.in_mm for each in values):
        raise ExportRefusedError(
            "The pixel spacing of this series is unknown, and a DICOM report must say mm; "
            f"{_ALTERNATIVE}."
        )
    for note, where in ((DETECTOR_NOTE, "detector"), (FILM_NOTE, "scanned film")):
        if any(note in each.notes for each in values):
            raise ExportRefusedError(
                f"Distances of this picture are those on the {where}, which a DICOM report would "
                f"pass off as the patient's; {_ALTERNATIVE}."
            )


def _left_out(
    measurements: Sequence[Measurement], chosen: Sequence[Measurement], volume: Volume
) -> str:
    count = len(measurements) - len(chosen)
    said = []
    if count:
        said.append(f"Left out, since a report has no place for them: {count} of the measurements.")
    if volume.unit is not Unit.HU and any(each.kind.is_region for each in chosen):
        said.append("Of regions it has the area alone, since the grey values have no unit.")
    return " ".join(said)


# -- sources -----------------------------------------------------------------------------------


def _read_sources(chosen: Sequence[Measurement], volume: Volume) -> dict[Path, Dataset]:
    """Read the headers of the images that were measured, each once.

    Raises
    ------
    ExportRefusedError
        When they are no DICOM images, are gone, or are others than were opened.
    """
    found: dict[Path, Dataset] = {}
    for index in sorted({index for each in chosen for index in slices_of(each, volume)}):
        source = volume.slices[index] if index < len(volume.slices) else None
        if source is None or not (source.sop_class_uid and source.sop_instance_uid):
            raise ExportRefusedError(
                "This study was not read from DICOM images, so a DICOM report has nothing to refer "
                f"to; {_ALTERNATIVE}."
            )
        if source.path not in found:
            found[source.path] = _header(source, volume)
    return found


def _header(source: SliceSource, volume: Volume) -> Dataset:
    try:
        with quiet():
            header: Dataset = pydicom.dcmread(source.path, stop_before_pixels=True)
    except (OSError, pydicom.errors.InvalidDicomError) as error:
        raise ExportRefusedError(
            "The DICOM files of this study can no longer be read, and a DICOM report must refer to "
            f"them; {_ALTERNATIVE}."
        ) from error
    same = str(header.get("SOPInstanceUID")) == source.sop_instance_uid
    if not same or (header.get("Rows"), header.get("Columns")) != volume.shape[1:]:
        raise ExportRefusedError(
            "The DICOM files have changed since this study was opened; open it again, or "
            f"{_ALTERNATIVE}."
        )
    fill_identity(header)
    return header


# -- content -----------------------------------------------------------------------------------


def _report(chosen: Sequence[Measurement], values: Sequence[Values], volume: Volume) -> Any:
    import highdicom as hd

    device = hd.sr.DeviceObserverIdentifyingAttributes(
        uid=hd.UID(), name="SecondRead", manufacturer_name="SecondRead", model_name=__version__
    )
    context = hd.sr.ObservationContext(
        observer_device_context=hd.sr.ObserverContext(codes.DCM.Device, device)
    )
    return hd.sr.MeasurementReport(
        observation_context=context,
        procedure_reported=_CT if volume.modality == "CT" else _RADIOGRAPHY,
        imaging_measurements=[
            _group(each, said, volume) for each, said in zip(chosen, values, strict=True)
        ],
    )


def _group(each: Measurement, said: Values, volume: Volume) -> Any:
    """One measurement: a region by TID 1410, what has no area by TID 1501."""
    import highdicom as hd

    name = f"{each.kind.label} {each.number}" + (f": {each.text}" if each.text else "")
    if each.slab is not None:
        name += f" (in the picture of a slab, {each.slab.words})"
    tracking = hd.sr.TrackingIdentifier(
        uid=hd.UID.from_uuid(f"urn:uuid:{_uuid(each)}"), identifier=name
    )
    if each.kind is Kind.BIDIRECTIONAL:
        return hd.sr.MeasurementsAndQualitativeEvaluations(
            tracking_identifier=tracking,
            finding_type=codes.DCM.Finding,
            measurements=[
                hd.sr.Measurement(
                    name, value, codes.UCUM.Millimeter, referenced_coordinates=[place]
                )
                for name, value, place in _axes(each, said, volume)
            ],
        )
    if not each.kind.is_region:
        return hd.sr.MeasurementsAndQualitativeEvaluations(
            tracking_identifier=tracking,
            finding_type=codes.DCM.Finding,
            measurements=[
                hd.sr.Measurement(name, value, unit, referenced_coordinates=places(each, volume))
                for name, value, unit in _numbers(said)
            ],
        )
    return hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=tracking,
        referenced_region=region(each, volume),
        finding_type=codes.DCM.Finding,
        measurements=[*_area(said), *_statistics(said)],
    )


def _axes(each: Measurement, said: Values, volume: Volume) -> list[tuple[Code, float, Any]]:
    """Both axes, the longer one first, each with its own line."""
    if said.length is None or said.short is None:
        return []
    lines = places(each, volume)
    if geometry.length(each.points[2:], volume.affine) > said.short:
        lines = lines[::-1]
    long, short = codes.SCT.LongAxis, codes.SCT.ShortAxis
    return [(long, said.length, lines[0]), (short, said.short, lines[1])]


def _uuid(each: Measurement) -> str:
    plain = each.id
    return "-".join((plain[:8], plain[8:12], plain[12:16], plain[16:20], plain[20:]))


def _numbers(said: Values) -> list[tuple[Code, float, Code]]:
    given = (
        (codes.SCT.Length, said.length, codes.UCUM.Millimeter),
        (
            codes.SCT.CobbAngle if said.kind is Kind.COBB else codes.SCT.Angle,
            said.angle,
            codes.UCUM.Degree,
        ),
        (_ATTENUATION, said.value, codes.UCUM.HounsfieldUnit),
    )
    return [(name, value, unit) for name, value, unit in given if value is not None]


def _area(said: Values) -> list[Any]:
    import highdicom as hd

    if said.area is None:
        return []
    return [hd.sr.Measurement(codes.SCT.Area, said.area, codes.UCUM.SquareMillimeter)]


def _statistics(said: Values) -> list[Any]:
    import highdicom as hd

    region = said.region
    if region is None or said.unit is not Unit.HU:
        return []
    given = (
        (codes.SCT.Mean, region.mean),
        (codes.SCT.StandardDeviation, region.sd),
        (codes.SCT.Minimum, region.minimum),
        (codes.SCT.Maximum, region.maximum),
    )
    return [
        hd.sr.Measurement(_ATTENUATION, value, codes.UCUM.HounsfieldUnit, derivation=derivation)
        for derivation, value in given
        if value is not None
    ]
