"""Which other series can stand beside the open one, and which of them is its prior."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from inference.studies.codes import Code

if TYPE_CHECKING:
    from collections.abc import Iterable

    from inference.studies.model import Series, Study

__all__ = ["Candidate", "candidates", "same_patient"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A series that can be compared with the open one.

    Parameters
    ----------
    study, series
        Which one.
    mine
        The files say that it is of the same patient.
    prior
        It is the one that is proposed.
    """

    study: Study
    series: Series
    mine: bool
    prior: bool = False


def same_patient(one: Study, other: Study) -> bool:
    """Say whether both studies name the same patient; not where neither ID nor name is given."""
    if one.uid == other.uid:
        return True
    known = bool(one.patient_id or one.patient_name)
    return known and (one.patient_id, one.patient_name) == (other.patient_id, other.patient_name)


def candidates(
    studies: Iterable[Study], study: Study | None, series: Series | None
) -> tuple[Candidate, ...]:
    """List what can be compared: this patient's first, by date, the newest before the others.

    The prior is of an earlier study of the same patient and of the same modality: the one whose
    descriptions are most like those of the open series, of several the latest. Overviews
    (localizers) are none.

    Parameters
    ----------
    studies
        All that are open.
    study, series
        What is on the screen; it is left out.
    """
    found = [
        Candidate(each, other, study is not None and same_patient(study, each))
        for each in studies
        for other in each.series
        if series is None or (each.uid, other.uid) != (study.uid if study else "", series.uid)
    ]
    # A stable order: series of one study stay as they are listed.
    found.sort(key=lambda one: _moment(one.study), reverse=True)
    found.sort(key=lambda one: not one.mine)
    if study is None or series is None:
        return tuple(found)
    earlier = [one for one in found if _may_be_prior(one, study, series)]
    if not earlier:
        return tuple(found)
    prior = max(
        earlier,
        key=lambda one: (
            round(_likeness(one, study, series), 1),
            _moment(one.study),
            len(one.series.slices),
        ),
    )
    return tuple(Candidate(one.study, one.series, one.mine, one is prior) for one in found)


def _moment(study: Study) -> tuple[str, str]:
    """When, as DICOM writes it, which sorts as text; studies without a date come last."""
    return study.date, study.time


def _may_be_prior(one: Candidate, study: Study, series: Series) -> bool:
    is_dated = bool(one.study.date and study.date)
    overview = any(problem.code == Code.LOCALIZER for problem in one.series.problems)
    return (
        one.mine
        and one.study.uid != study.uid
        and is_dated
        and _moment(one.study) < _moment(study)
        and one.series.modality == series.modality
        and not overview
    )


def _likeness(one: Candidate, study: Study, series: Series) -> float:
    """How alike the descriptions are, 0 to 1: of the series first, then of the study."""
    of_series = _alike(one.series.description, series.description)
    return 0.75 * of_series + 0.25 * _alike(one.study.description, study.description)


def _alike(one: str, other: str) -> float:
    return SequenceMatcher(None, one.casefold(), other.casefold(), autojunk=False).ratio()
