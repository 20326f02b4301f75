"""In which order studies are listed, and which of them: plain functions."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inference.studies.model import Study

__all__ = ["Order", "fits", "ordered"]


class Order(StrEnum):
    """How the study list is sorted."""

    OPENED = "opened"
    PATIENT = "patient"
    NEWEST = "newest"
    OLDEST = "oldest"
    MODALITY = "modality"

    @property
    def words(self) -> str:
        """For the reader."""
        return {
            Order.OPENED: "As opened",
            Order.PATIENT: "By patient",
            Order.NEWEST: "Newest first",
            Order.OLDEST: "Oldest first",
            Order.MODALITY: "By modality",
        }[self]


def ordered(studies: Iterable[Study], order: Order) -> tuple[Study, ...]:
    """Sort studies; those that are equal stay as they were opened, those without date come last.

    Parameters
    ----------
    studies
        As opened.
    order
        How.
    """
    given = tuple(studies)
    if order is Order.PATIENT:
        return tuple(sorted(given, key=lambda s: (s.patient_name.casefold(), s.patient_id)))
    if order is Order.MODALITY:
        return tuple(sorted(given, key=lambda s: sorted({each.modality for each in s.series})))
    if order in {Order.NEWEST, Order.OLDEST}:
        dated = sorted(
            (s for s in given if s.date), key=lambda s: (s.date, s.time),
            reverse=order is Order.NEWEST,
        )  # fmt: skip
        return (*dated, *(s for s in given if not s.date))
    return given


def fits(typed: str, *texts: str) -> bool:
    """Say whether every word that was typed stands somewhere in the texts, whatever its case.

    Examples
    --------
    >>> fits("doe chest", "Doe, Jane", "2020-03-12 · Chest"), fits("doe x", "Doe")
    (True, False)
    """
    folded = "\n".join(texts).casefold()
    return all(word in folded for word in typed.casefold().split())
