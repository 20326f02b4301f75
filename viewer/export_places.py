"""Where exports are offered to go, and under which name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from platformdirs import user_documents_path

from viewer.identity import GAP, date_text, without

if TYPE_CHECKING:
    from inference.studies.model import Study
    from viewer.session import ReadingSession

__all__ = ["free_name", "own_folder", "place_for", "suggested_name"]

_LONGEST: Final = 40
"""Characters of a study's description in a file's name."""


def own_folder() -> Path:
    """The folder of exports where the reader has chosen no other; it may not be there yet."""
    return user_documents_path() / "SecondRead"


def place_for(wanted: Iterable[Path], studies: Iterable[Study]) -> Path:
    """Choose the folder in which an export is offered.

    Parameters
    ----------
    wanted
        What would be best, best first.
    studies
        What is open.

    Returns
    -------
    Path
        The first that is there and holds no image of these studies, so that nothing is put among a
        patient's files unasked; else `own_folder`.
    """
    theirs = {
        source.path.parent
        for study in studies
        for series in study.series
        for source in series.slices
    }
    fitting = (folder for folder in wanted if folder.is_dir() and folder not in theirs)
    return next(fitting, own_folder())


def suggested_name(session: ReadingSession, plain: str) -> str:
    """Name an export after date, modality and description of the study.

    Parameters
    ----------
    session
        What is open; in teaching mode the name tells nothing of it.
    plain
        Name that would do for any study, such as ``"findings.json"``.

    Returns
    -------
    str
        Never with the patient's name or number, wherever it stands in the description.
    """
    study, volume = session.study, session.volume
    if study is None or volume is None or session.manner.names_hidden:
        return plain
    theirs = {study.patient_id, *re.split(r"[\^=,\s]+", study.patient_name)}
    description = without(study.description, theirs).replace(GAP, " ")
    date = date_text(study.date) if study.date.isdigit() else ""
    parts = [date, volume.modality, _plain(description)[:_LONGEST].strip("-")]
    return "_".join([*filter(None, parts), plain])


def free_name(folder: Path, name: str) -> Path:
    """Return a path in a folder at which nothing is yet: ``"a.csv"``, ``"a_2.csv"`` ..."""
    stem, dot, suffix = name.partition(".")
    path, number = folder / name, 1
    while path.exists():
        number += 1
        path = folder / f"{stem}_{number}{dot}{suffix}"
    return path


def _plain(text: str) -> str:
    """Keep what every file system takes: letters and digits of any script, and hyphens."""
    return re.sub(r"[^\w]+|_+", "-", text).strip("-")
