"""A series as one enhanced multi-frame CT, whose frames lie in any order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pydicom
from pydicom.uid import EnhancedCTImageStorage

from inference.studies.model import Volume

__all__ = ["as_multiframe"]


def as_multiframe(volume: Volume, path: Path, order: Sequence[int]) -> Volume:
    """Write the volume's files as one, and return the volume as it would be read from that.

    Parameters
    ----------
    volume
        Read from one file a slice.
    path
        The file to write.
    order
        Of each frame, which slice of the volume it is.
    """
    plain = [pydicom.dcmread(source.path) for source in volume.slices]
    ds = pydicom.dcmread(volume.slices[0].path)
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = EnhancedCTImageStorage
    shared, per_frame = pydicom.Dataset(), []
    measures, orientation = pydicom.Dataset(), pydicom.Dataset()
    measures.PixelSpacing, measures.SliceThickness = ds.PixelSpacing, ds.SliceThickness
    orientation.ImageOrientationPatient = ds.ImageOrientationPatient
    shared.PixelMeasuresSequence = [measures]
    shared.PlaneOrientationSequence = [orientation]
    for index in order:
        groups, position = pydicom.Dataset(), pydicom.Dataset()
        position.ImagePositionPatient = plain[index].ImagePositionPatient
        groups.PlanePositionSequence = [position]
        per_frame.append(groups)
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing",
                    "SliceThickness"):  # fmt: skip
        del ds[keyword]
    ds.NumberOfFrames = len(plain)
    ds.SharedFunctionalGroupsSequence = [shared]
    ds.PerFrameFunctionalGroupsSequence = per_frame
    ds.PixelData = b"".join(plain[index].PixelData for index in order)
    ds.save_as(path)
    slices = tuple(
        replace(
            source, path=path, frame=list(order).index(index), sop_instance_uid=ds.SOPInstanceUID
        )
        for index, source in enumerate(volume.slices)
    )
    return replace(volume, slices=slices)
