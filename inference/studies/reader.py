"""Files in, studies out; a series in, its volume out: the front door of reading.

Readers of the single formats are imported when a file of theirs is met.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inference.errors import BadInputError, printable
from inference.progress import Progress
from inference.studies.codes import Code
from inference.studies.find import FileKind, UnreadableError
from inference.studies.model import Found, Problem, Series, SourceKind, Study, Volume
from inference.studies.quiet import quiet
from inference.studies.sources import Sources, gather
from inference.studies.uids import derived_uid
from inference.studies.unpacked import origin
from inference.studies.watch import Watch

if TYPE_CHECKING:
    from inference.studies.dicom_scan import Skipped

__all__ = ["MODALITIES", "load", "scan", "thumbnail", "with_modality"]

MODALITIES = ("CT", "CR", "DX", "OT")
"""Modalities that a volume may have."""

_MAX_NAMED = 3


def scan(
    path: Path,
    progress: Progress | None = None,
    found: Callable[[Found], None] | None = None,
) -> tuple[Study, ...]:
    """Find the studies at a path by reading headers only, and none that is known already.

    Parameters
    ----------
    path
        A DICOM, NIfTI, NRRD, MHA, PNG or JPEG file, a DICOMDIR, a ZIP archive of such files, or a
        folder of them. Archives are unpacked into a private folder until the program ends.
    progress
        Where to report, and how to be cancelled.
    found
        Is told, on the caller's thread, what is known of DICOM studies while the rest is read; and
        once more when the scan is cancelled.

    Returns
    -------
    tuple of Study
        At least one, with at least one series. Files that were left out beside good ones are in
        ``Study.problems``.

    Raises
    ------
    BadInputError
        When there is nothing to open; the sentence says why.
    CancelledError
        When the reader cancelled.
    """
    from inference.studies.dicom_scan import Skipped, scan_dicom
    from inference.studies.index import Index, opened_index

    path = Path(path).absolute()
    progress = progress or Progress()
    skipped = Skipped()
    with quiet(), opened_index() as index:
        sources = gather(path, progress, index.knows)
        skipped.broken += [
            (each.path, each.sentence)
            for each in sources.candidates
            if each.kind is FileKind.BROKEN
        ]
        dicom = sources.paths(FileKind.DICOM)
        kept = Index() if sources.fleeting else index
        studies = scan_dicom(dicom, progress, skipped, kept, found)
        studies += _scan_plain(path, sources, progress, skipped)
        index.touch({each.parent for each in dicom})
        if sources.folder is not None:
            index.forget_others(sources.folder, dicom)
    if not studies:
        raise BadInputError(_refusal(path, sources, skipped))
    problems = (*sources.problems, *_left_out(skipped))
    return tuple(replace(study, problems=study.problems + problems) for study in studies)


def load(series: Series, progress: Progress | None = None, watch: Watch | None = None) -> Volume:
    """Read the pixels of a series.

    Parameters
    ----------
    series
        As found by `scan`.
    progress
        Where to report ("Reading slices", done, total), and how to be cancelled.
    watch
        Told of slices while they are read, and asked which come first; the volume is the same.

    Returns
    -------
    Volume
        Array (slices, rows, columns) in reading order with its LPS affine in mm, and all problems
        of scan and load. Slices that cannot be decoded are left out and reported.

    Raises
    ------
    BadInputError
        When the pixels cannot be read, or the files changed since the scan.
    CancelledError
        When the reader cancelled.
    """
    progress = progress or Progress()
    with quiet():
        try:
            if series.kind is SourceKind.DICOM:
                from inference.studies.dicom_load import load_dicom

                return load_dicom(series, progress, watch or Watch())
            if series.kind is SourceKind.VOLUME:
                from inference.studies.volumes import load_volume

                return load_volume(series, progress)
            from inference.studies.pictures import load_picture

            return load_picture(series)
        except MemoryError as error:
            raise BadInputError(
                f"The {len(series.slices)} slices of {series.columns} × {series.rows} pixels do "
                "not fit into memory; close other programs and try again."
            ) from error


def thumbnail(series: Series, size: int = 96) -> NDArray[np.uint8]:
    """Return a small grey picture of the middle slice.

    Parameters
    ----------
    series
        As found by `scan`.
    size
        Side in pixels.

    Returns
    -------
    ndarray
        Shape (size, size), uint8, true aspect, black beside the picture. CT in the lung window,
        else the file's window or the 1st to 99th percentile.

    Raises
    ------
    BadInputError
        When the slice cannot be read.
    """
    from inference.studies.thumbnails import make_thumbnail

    with quiet():
        return make_thumbnail(series, size)


def with_modality(volume: Volume, modality: str) -> Volume:
    """Return the volume with the modality that the reader says a picture has.

    Raises
    ------
    BadInputError
        When the modality is none of `MODALITIES`.
    """
    if modality not in MODALITIES:
        raise BadInputError(f"“{modality}” is no modality; use one of {', '.join(MODALITIES)}.")
    return replace(volume, modality=modality)


def _scan_plain(root: Path, sources: Sources, progress: Progress, skipped: Skipped) -> list[Study]:
    """Make a study of each folder's volumes and one of its pictures."""
    studies: list[Study] = []
    for kind in (FileKind.VOLUME, FileKind.PICTURE):
        paths = sources.paths(kind)
        if not paths:
            continue
        scan_one = _scanner(kind)
        by_folder: dict[Path, list[Series]] = defaultdict(list)
        for i, path in enumerate(paths):
            progress.report("Reading headers", i, len(paths))
            try:
                by_folder[path.parent] += scan_one(path, len(by_folder[path.parent]) + 1)
            except UnreadableError as error:
                skipped.broken.append((path, str(error)))
        for folder, series in by_folder.items():
            # A file opened alone is a study of its own, so that it does not replace its folder's.
            place = root.resolve() if sources.alone else origin(folder)
            if series:
                studies.append(
                    Study(
                        derived_uid(kind, place), printable(place.name), "", "", "", tuple(series)
                    )
                )
    return studies


def _scanner(kind: FileKind) -> Callable[[Path, int], tuple[Series, ...]]:
    if kind is FileKind.VOLUME:
        from inference.studies.volumes import scan_volume

        return scan_volume
    from inference.studies.pictures import scan_picture

    def scan_one(path: Path, number: int) -> tuple[Series, ...]:
        return (scan_picture(path, number),)

    return scan_one


def _kinds(skipped: Skipped) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in sorted(skipped.others.items()))


def _left_out(skipped: Skipped) -> tuple[Problem, ...]:
    problems: list[Problem] = []
    if skipped.broken:
        sentences = " ".join(sentence for _, sentence in skipped.broken[:_MAX_NAMED])
        count = len(skipped.broken)
        what = "1 file was" if count == 1 else f"{count} files were"
        problems.append(
            Problem(
                Code.UNREADABLE_FILES,
                f"{what} left out: {sentences}",
                tuple(path for path, _ in skipped.broken),
            )
        )
    if skipped.others:
        sentence = f"DICOM objects that are no CT or X-ray images were left out: {_kinds(skipped)}."
        if "SEG" in skipped.others:
            sentence += " To see a segmentation, open its file while its images are shown."
        problems.append(Problem(Code.OTHER_OBJECTS, sentence))
    return tuple(problems)


def _refusal(path: Path, sources: Sources, skipped: Skipped) -> str:
    """Say in one sentence why nothing at a path can be opened."""
    name = path.name or str(path)
    candidates = sources.candidates
    what = "folder" if path.is_dir() else "archive"
    if skipped.broken:
        sentence = skipped.broken[0][1]
        if len(skipped.broken) > 1:
            count = len(skipped.broken)
            sentence = f"None of the {count} files in “{name}” can be opened: {sentence}"
    elif skipped.others:
        sentence = (
            f"“{name}” holds no CT or X-ray image, only other DICOM objects: {_kinds(skipped)}."
        )
    elif sources.alone:
        sentence = candidates[0].sentence
    elif sources.problems:
        # Archives inside, or nothing that a DICOMDIR lists: what was left out is all there is.
        sentence = sources.problems[0].sentence
    elif not candidates:
        sentence = f"The {what} “{name}” is empty; open one that holds images."
    else:
        sentence = (
            f"The {what} “{name}” holds {len(candidates)} files but no DICOM, NIfTI, NRRD, MHA, "
            "PNG or JPEG image."
        )
    return sentence
