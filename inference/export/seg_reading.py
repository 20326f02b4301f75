"""DICOM segmentations (PS3.3 A.51), one's own and others', brought to the grid of a volume."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pydicom
from numpy.typing import NDArray

from inference.errors import BadInputError
from inference.export.highdicom_gently import read_tables
from inference.opened_segments import OpenedSegment, OpenedSegmentation
from inference.progress import Progress
from inference.studies.quiet import quiet

if TYPE_CHECKING:
    import highdicom as hd

    from inference.studies.model import Volume

__all__ = ["is_segmentation", "read_segmentation"]

_CLASSES: Final = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
"""Segmentation Storage, Label Map Segmentation Storage."""

_MOST_BYTES: Final = 2_000_000_000
"""Of all masks together: they are held in memory as long as their series is open."""

_WHOLE: Final = 1e-2
"""So near to a whole number a voxel of one grid lies on a voxel of the other."""

_IN_PLANE_MM: Final = 0.1
"""How far, within its plane, a frame may lie from the slice that it names."""

Reader = Callable[[int], NDArray[np.bool_]]
"""Gives the mask of a segment, by its number, on the grid of the volume."""


def is_segmentation(path: Path) -> bool:
    """Say whether a file is a DICOM segmentation; False for whatever cannot be read."""
    try:
        with quiet():
            meta = pydicom.filereader.read_file_meta_info(path)
    except (OSError, EOFError, ValueError, AttributeError, pydicom.errors.InvalidDicomError):
        return False
    return str(meta.get("MediaStorageSOPClassUID", "")) in _CLASSES


def read_segmentation(
    path: Path, volume: Volume, progress: Progress | None = None
) -> OpenedSegmentation:
    """Read a segmentation onto the grid of a volume.

    Frames that name the slices of the volume are laid on these; others are resampled, to the
    nearest voxel, where both lie in one frame of reference.

    Parameters
    ----------
    path
        A DICOM SEG file.
    volume
        The open volume.
    progress
        Where to report, and how to be cancelled.

    Raises
    ------
    BadInputError
        When it is no segmentation, cannot be read, belongs to other images, lies beside these, or
        holds too much.
    CancelledError
        When it is no longer wanted.
    """
    import highdicom as hd

    if not is_segmentation(path):
        raise BadInputError(f"“{path.name}” is no DICOM segmentation; choose a SEG file.")
    progress = progress or Progress()
    try:
        with quiet():
            read_tables()
            file = hd.seg.segread(str(path))
            numbers = [n for n in file.segment_numbers if n > 0]
            _require_room(path, len(numbers), volume)
            read, notes = _reader(path, file, volume)
            segments = []
            for done, number in enumerate(numbers):
                progress.report("Reading the segmentation", done, len(numbers))
                segments.append(_segment(file, number, read(number)))
    except (
        OSError, EOFError, AttributeError, IndexError, KeyError, RuntimeError, TypeError,
        ValueError, NotImplementedError, pydicom.errors.InvalidDicomError,
    ) as error:  # fmt: skip
        raise BadInputError(
            f"“{path.name}” is a segmentation that does not keep to DICOM in a part that is needed "
            "to lay it on these images; ask its maker for another form."
        ) from error
    if not segments:
        raise BadInputError(f"“{path.name}” holds no segment.")
    progress.report("Reading the segmentation", len(numbers), len(numbers))
    if str(file.SegmentationType) == "FRACTIONAL":
        notes = (*notes, "It holds fractions; what is at least one half is shown.")
    return OpenedSegmentation(
        uid=str(file.SOPInstanceUID),
        series_uid=volume.series_uid,
        shape=volume.shape,
        maker=str(file.get("ManufacturerModelName") or file.get("Manufacturer") or ""),
        creator=_person(str(file.get("ContentCreatorName") or "")),
        description=str(file.get("SeriesDescription") or ""),
        date=_date(str(file.get("ContentDate") or file.get("SeriesDate") or "")),
        segments=tuple(segments),
        notes=notes,
    )


def _require_room(path: Path, count: int, volume: Volume) -> None:
    needed = count * volume.array.size
    if needed > _MOST_BYTES:
        raise BadInputError(
            f"“{path.name}” holds {count} segments, which would need {needed / 1e9:.0f} GB of "
            "memory on these images; open one with fewer segments."
        )


def _segment(file: hd.seg.Segmentation, number: int, mask: NDArray[np.bool_]) -> OpenedSegment:
    described = file.get_segment_description(number)
    return OpenedSegment(
        number=number,
        label=str(described.segment_label or f"Segment {number}"),
        how=str(described.get("SegmentAlgorithmType") or "").lower(),
        colour=_colour(described),
        mask=mask,
    )


def _colour(described: pydicom.Dataset) -> tuple[int, int, int] | None:
    import highdicom as hd

    value = described.get("RecommendedDisplayCIELabValue")
    if value is None or len(value) != 3:
        return None
    red, green, blue = hd.color.CIELabColor.from_dicom_value(tuple(int(v) for v in value)).to_rgb()
    return int(red), int(green), int(blue)


def _person(name: str) -> str:
    return ", ".join(part for part in name.split("^") if part)


def _date(digits: str) -> str:
    whole = len(digits) == 8 and digits.isdecimal()
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}" if whole else ""


# -- onto the grid -------------------------------------------------------------------------------


def _reader(
    path: Path, file: hd.seg.Segmentation, volume: Volume
) -> tuple[Reader, tuple[str, ...]]:
    """Find out how masks come to the volume's grid, and what is to be said of it.

    Raises
    ------
    BadInputError
        When they cannot.
    """
    named = {str(sop) for _, _, sop in file.get_source_image_uids()}
    own = [source.sop_instance_uid for source in volume.slices]
    shared = bool(named & {uid for uid in own if uid})
    if shared and (file.Rows, file.Columns) == volume.shape[1:] and _on_slices(file, volume):
        return _by_slices(file, volume), ()
    frame = str(file.get("FrameOfReferenceUID") or "")
    if not volume.has_geometry or not frame or frame != volume.frame_of_reference:
        raise BadInputError(
            f"“{path.name}” was drawn on other images than those of the open series; open these "
            "first."
        )
    return _resampled(path, file, volume)


def _on_slices(file: hd.seg.Segmentation, volume: Volume) -> bool:
    """Whether the frames lie, in their planes, where the volume's slices do."""
    if not volume.has_geometry:
        # There is nothing to compare: the frames name the slices, and are as large.
        return True
    shared = file.SharedFunctionalGroupsSequence[0]
    for frame in file.PerFrameFunctionalGroupsSequence:
        place = _first(frame, shared, "PlanePositionSequence", "ImagePositionPatient")
        turn = _first(frame, shared, "PlaneOrientationSequence", "ImageOrientationPatient")
        spacing = _first(frame, shared, "PixelMeasuresSequence", "PixelSpacing")
        if place is None or turn is None or spacing is None:
            return False
        rows, columns = volume.shape[1:]
        corners = (
            ((0, 0), place),
            ((columns - 1, 0), place + turn[:3] * spacing[1] * (columns - 1)),
            ((0, rows - 1), place + turn[3:] * spacing[0] * (rows - 1)),
        )
        right, down = (axis / np.linalg.norm(axis) for axis in volume.affine[:3, :2].T)
        for (column, row), corner in corners:
            # Along the normal each slice has the place that its own file says.
            apart = volume.position(column, row, 0) - corner
            if max(abs(right @ apart), abs(down @ apart)) > _IN_PLANE_MM:
                return False
    return True


def _first(
    frame: pydicom.Dataset, shared: pydicom.Dataset, group: str, keyword: str
) -> NDArray[np.float64] | None:
    for level in (frame, shared):
        items = level.get(group)
        if items and items[0].get(keyword) is not None:
            return np.array([float(v) for v in items[0].get(keyword)], np.float64)
    return None


def _by_slices(file: hd.seg.Segmentation, volume: Volume) -> Reader:
    """Masks of frames that name the slices that they lie on."""
    sources = [(slice_.sop_instance_uid, slice_.frame) for slice_ in volume.slices]
    single = len({uid for uid, _ in sources}) == len(sources)
    known = {str(sop) for _, _, sop in file.get_source_image_uids()}

    def read(number: int) -> NDArray[np.bool_]:
        mask = np.zeros(volume.shape, bool)
        if single:
            there = [index for index, (uid, _) in enumerate(sources) if uid in known]
            frames = file.get_pixels_by_source_instance(
                [sources[index][0] for index in there],
                segment_numbers=[number],
                ignore_spatial_locations=True,
                assert_missing_frames_are_empty=True,
            )
        else:
            there = list(range(len(sources)))
            frames = file.get_pixels_by_source_frame(
                sources[0][0],
                [frame + 1 for _, frame in sources],
                segment_numbers=[number],
                ignore_spatial_locations=True,
                assert_missing_frames_are_empty=True,
            )
        mask[there] = np.asarray(frames)[..., 0] >= 0.5
        return mask

    return read


def _resampled(
    path: Path, file: hd.seg.Segmentation, volume: Volume
) -> tuple[Reader, tuple[str, ...]]:
    """Masks of another grid in the same frame of reference, by the nearest voxel.

    Raises
    ------
    BadInputError
        When that grid has no even spacing, or lies beside the volume.
    """
    try:
        grid = file.get_volume(segment_numbers=[file.segment_numbers[0]])
    except (ValueError, RuntimeError) as error:
        raise BadInputError(
            f"“{path.name}” lies on slices that are not evenly spaced and are not those of the "
            "open series; it cannot be brought to these images."
        ) from error
    # Voxel (slice, row, column) of the volume to (slice, row, column) of the segmentation.
    ours = volume.affine @ np.eye(4)[[2, 1, 0, 3]]
    there = np.linalg.inv(np.asarray(grid.affine, np.float64)) @ ours
    size = np.array(grid.spatial_shape)
    corners = np.array([[s, r, c, 1.0] for s in (0, 1) for r in (0, 1) for c in (0, 1)]) * np.array(
        [*(n - 1.0 for n in volume.shape), 1.0]
    )
    found = (corners @ there.T)[:, :3]
    if (found.max(axis=0) < -0.5).any() or (found.min(axis=0) > size - 0.5).any():
        raise BadInputError(
            f"“{path.name}” lies beside the open series, so there is nothing to show on it."
        )
    whole = np.abs(there - np.round(there)).max() <= _WHOLE / max(volume.shape)
    same = bool(whole and abs(np.linalg.det(np.round(there[:3, :3]))) < 1.5)
    spacing = " × ".join(f"{mm:.2g}" for mm in reversed(grid.spacing))
    note = f"It was resampled from its own grid ({spacing} mm) to that of the images."

    def read(number: int) -> NDArray[np.bool_]:
        values = np.asarray(file.get_volume(segment_numbers=[number]).array)[..., 0] >= 0.5
        return _nearest(values, there, volume.shape)

    return read, () if same else (note,)


def _nearest(
    values: NDArray[np.bool_], there: NDArray[np.float64], shape: tuple[int, int, int]
) -> NDArray[np.bool_]:
    """Look up the nearest value for every voxel; False beyond the edge."""
    mask = np.zeros(shape, bool)
    rows, columns = np.mgrid[0 : shape[1], 0 : shape[2]].astype(np.float64)
    size = values.shape
    for index in range(shape[0]):
        at = [
            np.floor(a * index + b * rows + c * columns + d + 0.5).astype(np.int64)
            for a, b, c, d in there[:3]
        ]
        inside = np.ones(shape[1:], bool)
        for axis, length in zip(at, size, strict=True):
            inside &= (axis >= 0) & (axis < length)
        if inside.any():
            k, i, j = (axis[inside] for axis in at)
            mask[index, inside] = values[k, i, j]
    return mask
