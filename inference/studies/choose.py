"""Which series is meant, when a path holds several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from inference.errors import BadInputError
from inference.studies.codes import Code
from inference.studies.model import Series, SourceKind, Study

__all__ = ["is_localizer", "main_series", "require_single", "select"]

_RIVAL_SHARE: Final = 0.1
"""A series with more than this share of the largest one's slices may be meant as well."""

_MAX_LISTED: Final = 8


def is_localizer(series: Series) -> bool:
    """Say whether a series is a scout, which is never analysed."""
    return any(problem.code == Code.LOCALIZER for problem in series.problems)


def main_series(studies: Sequence[Study]) -> tuple[Study, Series]:
    """Return the series to open first: the CT with most slices, else the largest of any kind.

    Raises
    ------
    BadInputError
        When there is no series.
    """
    ranked = _ranked(studies)
    if not ranked:
        raise BadInputError("There is no series to open.")
    return ranked[0]


def require_single(studies: Sequence[Study]) -> tuple[Study, Series]:
    """Return the one series that can be meant.

    Localizers, and series much smaller than the largest one, are no rivals.

    Raises
    ------
    BadInputError
        When there are several patients or several series of equal standing; the sentence lists
        them and says how to name one.
    """
    ranked = [(study, series) for study, series in _ranked(studies) if not is_localizer(series)]
    if not ranked:
        return main_series(studies)
    patients = {
        (study.patient_id, study.patient_name) if study.patient_id else study.uid
        for study, series in ranked
        if series.kind is SourceKind.DICOM
    }
    largest = len(ranked[0][1].slices)
    rivals = [
        (study, series) for study, series in ranked if len(series.slices) > _RIVAL_SHARE * largest
    ]
    if len(patients) > 1:
        raise BadInputError(
            f"This holds {len(patients)} patients; open one of them alone, or name a series with "
            f"--series: {_listed(ranked)}."
        )
    if len(rivals) > 1:
        raise BadInputError(
            f"This mixes {len(rivals)} series; name one with --series: {_listed(rivals)}."
        )
    return ranked[0]


def select(studies: Sequence[Study], series: str | None = None) -> tuple[Study, Series]:
    """Return the series named, or the only one that can be meant.

    Parameters
    ----------
    studies
        What a scan found.
    series
        A series number, a UID or the beginning of one; None to have `require_single` decide.

    Raises
    ------
    BadInputError
        When none or several match.
    """
    if series is None:
        return require_single(studies)
    ranked = _ranked(studies)
    exact = [pair for pair in ranked if pair[1].uid == series]
    numbered = [pair for pair in ranked if series.isdecimal() and pair[1].number == int(series)]
    begun = [pair for pair in ranked if series and pair[1].uid.startswith(series)]
    found = exact or numbered or begun
    if not found:
        raise BadInputError(f"There is no series “{series}”; name one of these: {_listed(ranked)}.")
    if len(found) > 1:
        raise BadInputError(
            f"“{series}” fits {len(found)} series; name one by its UID: {_listed(found)}."
        )
    return found[0]


def _ranked(studies: Sequence[Study]) -> list[tuple[Study, Series]]:
    pairs = [(study, series) for study in studies for series in study.series]
    return sorted(
        pairs,
        key=lambda pair: (
            is_localizer(pair[1]),
            pair[1].modality != "CT",
            -len(pair[1].slices),
            -pair[1].rows * pair[1].columns,
        ),
    )


def _listed(pairs: Sequence[tuple[Study, Series]]) -> str:
    """Name series by what --series takes; descriptions may hold names, so they are left out."""
    numbers = [series.number for _, series in pairs]
    items = []
    for _, series in pairs[:_MAX_LISTED]:
        unique = series.number is not None and numbers.count(series.number) == 1
        name = str(series.number) if unique else series.uid
        count = len(series.slices)
        items.append(
            f"{name} ({series.modality}, {count} {'slice' if count == 1 else 'slices'} of "
            f"{series.columns} × {series.rows})"
        )
    more = len(pairs) - _MAX_LISTED
    return ", ".join(items) + (f" and {more} more" if more > 0 else "")
