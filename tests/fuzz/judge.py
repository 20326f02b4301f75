"""Reads a file as the program does, and says what is wrong with what came of it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np

from inference.errors import SecondReadError
from inference.studies import Series, Study, Volume, is_localizer, load, scan, select, thumbnail
from inference.studies.elements import read_elements
from inference.studies.limits import MAX_ORIGIN_MM, MAX_SPACING_MM, MIN_SPACING_MM
from inference.studies.model import Problem, SourceKind
from inference.studies.naming import image_name, slice_name
from inference.studies.reader import MODALITIES
from inference.studies.voi import grey_of, spread

__all__ = ["WrongError", "read_all", "wrong_with_sentence"]

_MOST_SERIES: Final = 4
_MOST_SENTENCES: Final = 3
_LONGEST: Final = 700
_TYPES: Final = ("uint8", "uint16", "int16", "float32")
_QUOTED: Final = re.compile("“[^”]*”")
_INTERNAL: Final = re.compile(
    r"Traceback|Error\b|Exception|<class|object at 0x|\bnp\.|\bdtype|\barray\(|\bb'|Path\("
    r"|\bNone\b(?! of the)"
)
"""What only a programmer would say."""
_SENTENCE_ENDS: Final = re.compile(r"[.!?](?=\s+[A-Z“])")


class WrongError(AssertionError):
    """Something was read that cannot be, or refused in words that are none."""


def read_all(path: Path, folder: Path) -> str:
    """Open a path as the program does, look at all that it shows, and judge it.

    Parameters
    ----------
    path
        What is opened.
    folder
        Ours: no sentence may name it.

    Returns
    -------
    str
        ``"read"`` or ``"refused"``: nothing could be opened, and a sentence said why.

    Raises
    ------
    WrongError
        When what was read cannot be, or a sentence is none.
    Exception
        Whatever the program does not foresee.
    """
    if path.suffix == ".dcm" and path.is_file():
        _listed(path, folder)
    try:
        studies = scan(path)
    except SecondReadError as error:
        _check_sentence(str(error), folder)
        return "refused"
    try:
        select(studies, None)
    except SecondReadError as error:
        _check_sentence(str(error), folder)
    if scan(path) != studies:
        raise WrongError("A second scan gives other studies than the first.")
    read = 0
    for study in studies:
        _check_study(study, folder)
        for series in study.series[:_MOST_SERIES]:
            read += _read(series, folder)
    return "read" if read else "refused"


def _read(series: Series, folder: Path) -> bool:
    """Read one series: its thumbnail, its volume, and what is looked at later."""
    is_localizer(series)
    try:
        small = thumbnail(series)
    except SecondReadError as error:
        _check_sentence(str(error), folder)
    else:
        if small.shape != (96, 96) or small.dtype != np.uint8:
            raise WrongError(f"A thumbnail of {small.shape} and {small.dtype}.")
    if series.kind is SourceKind.DICOM:
        for path in sorted({each.path for each in series.slices})[:2]:
            _listed(path, folder)
    try:
        volume = load(series)
    except SecondReadError as error:
        _check_sentence(str(error), folder)
        return False
    _check_volume(volume, series, folder)
    return True


def _listed(path: Path, folder: Path) -> None:
    try:
        for element in read_elements(path):
            _check_text(element.value)
            _check_text(element.name)
    except SecondReadError as error:
        _check_sentence(str(error), folder)


def wrong_with_sentence(sentence: str, folder: Path) -> str:
    """Say what is wrong with words for the reader; "" where nothing is."""
    # Names of files, and values, are as they are.
    own = _QUOTED.sub("“”", sentence)
    wrong = ""
    if not sentence.strip():
        wrong = "is empty"
    elif not own.endswith((".", ".)", "?")):
        wrong = "does not end"
    elif not own[0].isupper() and not own[0].isdigit() and own[0] != "“":
        wrong = "does not begin"
    elif _INTERNAL.search(own):
        wrong = "speaks to programmers"
    elif str(folder) in sentence:
        wrong = "names a folder of ours"
    elif len(_SENTENCE_ENDS.findall(own)) >= _MOST_SENTENCES:
        wrong = "is no sentence but many"
    elif len(sentence) > _LONGEST:
        wrong = f"has {len(sentence)} letters"
    elif any(map(_is_control, sentence)):
        wrong = "has control characters"
    return wrong


def _check_sentence(sentence: str, folder: Path) -> None:
    wrong = wrong_with_sentence(sentence, folder)
    if wrong:
        raise WrongError(f"A sentence {wrong}: {sentence!r}")


def _check_problems(problems: Iterable[Problem], folder: Path) -> None:
    for problem in problems:
        # Of several files a few are quoted, a sentence each.
        wrong = wrong_with_sentence(problem.sentence, folder)
        if wrong and wrong != "is no sentence but many" and not wrong.startswith("has 7"):
            raise WrongError(f"A sentence {wrong}: {problem.sentence!r}")


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cs"}


def _check_text(text: str) -> None:
    if any(map(_is_control, text)):
        raise WrongError(f"Text with control characters: {text[:200]!r}")


def _check_study(study: Study, folder: Path) -> None:
    _check_problems(study.problems, folder)
    for text in (study.uid, study.description, study.date, study.time, study.patient_name,
                 study.patient_id, study.patient_sex, study.patient_age):  # fmt: skip
        _check_text(text)
    if not study.uid or not study.series:
        raise WrongError("A study without UID or series.")
    uids = [series.uid for series in study.series]
    if len(set(uids)) < len(uids) or not all(uids):
        raise WrongError(f"Series share a UID, or have none: {uids}")
    for series in study.series:
        _check_problems(series.problems, folder)
        for text in (series.description, series.body_part, series.kernel, series.institution):
            _check_text(text)
        if series.modality not in MODALITIES or not series.slices:
            raise WrongError(f"A series of “{series.modality}” with {len(series.slices)} slices.")


def _check_volume(volume: Volume, series: Series, folder: Path) -> None:
    _check_problems(volume.problems, folder)
    array, (slices, rows, columns) = volume.array, volume.shape
    if (rows, columns) != (series.rows, series.columns) or slices > len(series.slices):
        raise WrongError(f"{volume.shape} was read of {series.rows} × {series.columns}.")
    if slices < len(series.slices) and not volume.problems:
        raise WrongError("Slices are missing, and nobody says so.")
    if array.dtype.name not in _TYPES or not array.flags.c_contiguous:
        raise WrongError(f"An array of {array.dtype}, or not in order.")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise WrongError("Values that are no finite numbers.")
    _check_place(volume)
    for window in volume.windows:
        if not (np.isfinite((window.centre, window.width)).all() and window.width > 0):
            raise WrongError(f"A window of {window.centre} and {window.width}.")
        grey_of(array[0], window, volume.inverted)
        _check_text(window.name)
    for edge in (volume.padding, volume.padding_limit):
        if edge is not None and not np.isfinite(edge):
            raise WrongError(f"Padding of {edge}.")
    grey_of(array[slices // 2], spread(array, volume), volume.inverted)
    image_name(volume.slices, 0)
    slice_name(volume.slices, slices - 1, slices)


def _check_place(volume: Volume) -> None:
    if not np.isfinite(volume.affine).all():
        raise WrongError(f"An affine that is not finite: {volume.affine.tolist()}")
    spacing = np.array(volume.spacing)
    if not ((spacing >= MIN_SPACING_MM) & (spacing <= MAX_SPACING_MM)).all():
        raise WrongError(f"Voxels of {volume.spacing} mm.")
    if not (np.abs(volume.affine[:3, 3]) <= MAX_ORIGIN_MM).all():
        raise WrongError(f"A first voxel at {volume.affine[:3, 3].tolist()}.")
    if volume.has_geometry and not volume.voxel_ml > 0:
        raise WrongError(f"Voxels of {volume.voxel_ml} ml.")
