"""Whose images they are and how they were made: what stands in the corners of every pane.

Only what the files say is written; what they leave out has no label either.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import TYPE_CHECKING

from viewer.identity import date_text, name_text, time_text

if TYPE_CHECKING:
    from inference.studies.model import Series, Study

__all__ = ["ALL_CORNERS", "TELL_NOBODY", "CornerText", "acquired_lines", "age_text", "whose_lines"]

_AGES = {"Y": "y", "M": "months", "W": "weeks", "D": "days"}
"""Units of a DICOM age (PS3.5, 6.2: AS)."""


class CornerText(StrEnum):
    """What can stand in a corner; the reader chooses in the settings."""

    NAME = "name"
    PATIENT_ID = "patient-id"
    SEX_AGE = "sex-age"
    INSTITUTION = "institution"
    WHEN = "when"
    STUDY = "study"
    SERIES = "series"
    THICKNESS = "thickness"
    KERNEL = "kernel"

    @property
    def words(self) -> str:
        """Name for the reader."""
        return _WORDS[self]


_WORDS = {
    CornerText.NAME: "Patient's name",
    CornerText.PATIENT_ID: "Patient's ID",
    CornerText.SEX_AGE: "Sex and age",
    CornerText.INSTITUTION: "Institution",
    CornerText.WHEN: "Date and time of the study",
    CornerText.STUDY: "Description of the study",
    CornerText.SERIES: "Number and description of the series",
    CornerText.THICKNESS: "Slice thickness",
    CornerText.KERNEL: "Reconstruction kernel",
}

ALL_CORNERS = frozenset(CornerText)
TELL_NOBODY = frozenset(
    {CornerText.STUDY, CornerText.SERIES, CornerText.THICKNESS, CornerText.KERNEL}
)
"""What may stand in a picture that leaves the program: neither whose it is, nor where or when."""


def age_text(age: str) -> str:
    """Write a DICOM age (PS3.5, 6.2: nnnY, nnnM, nnnW, nnnD); anything else as it is.

    Examples
    --------
    >>> age_text("045Y"), age_text("004M"), age_text("about 40")
    ('45 y', '4 months', 'about 40')
    """
    if len(age) == 4 and age[:3].isdecimal() and age[3] in _AGES:
        return f"{int(age[:3])} {_AGES[age[3]]}"
    return age


Ranked = tuple[str, int]
"""A line, and how soon it gives way where there is no room for all: higher ranks first."""


def whose_lines(study: Study | None, shown: Collection[CornerText]) -> tuple[Ranked, ...]:
    """Say whose images they are, from top to bottom."""
    if study is None:
        return ()
    name = name_text(study.patient_name) if CornerText.NAME in shown else ""
    parts = (
        study.patient_id if CornerText.PATIENT_ID in shown else "",
        *((study.patient_sex, age_text(study.patient_age)) if CornerText.SEX_AGE in shown else ()),
    )
    return _said((name, 1), (_joined(*parts), 3))


def acquired_lines(
    study: Study | None, series: Series | None, shown: Collection[CornerText]
) -> tuple[Ranked, ...]:
    """Say where, when and how they were made, from top to bottom."""
    institution = when = description = sequence = thickness = kernel = ""
    if study is not None:
        when = f"{date_text(study.date)} {time_text(study.time)}".strip()
        description = study.description
    if series is not None:
        institution, kernel = series.institution, series.kernel
        number = "" if series.number is None else f"Series {series.number}"
        sequence = _joined(number, series.description)
        thickness = "" if series.thickness is None else f"{series.thickness:g} mm"
    chosen = {
        CornerText.INSTITUTION: institution,
        CornerText.WHEN: when,
        CornerText.STUDY: description,
        CornerText.SERIES: sequence,
        CornerText.THICKNESS: thickness,
        CornerText.KERNEL: kernel and f"kernel {kernel}",
    }
    said = {key: text if key in shown else "" for key, text in chosen.items()}
    return _said(
        (said[CornerText.INSTITUTION], 4),
        (_joined(said[CornerText.WHEN], said[CornerText.STUDY]), 1),
        (said[CornerText.SERIES], 2),
        (_joined(said[CornerText.THICKNESS], said[CornerText.KERNEL]), 3),
    )


def _joined(*parts: str) -> str:
    return "  ·  ".join(filter(None, parts))


def _said(*lines: Ranked) -> tuple[Ranked, ...]:
    return tuple(line for line in lines if line[0])
