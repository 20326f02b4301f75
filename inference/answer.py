"""How an estimate is read: probable, undecided or improbable, in one plain sentence.

A number between 0 and 1 is no answer. It becomes one beside an operating point; and where the
interval that was observed of such numbers holds that point, the honest answer is that it is
undecided.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from inference.taxonomy import TASKS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inference.findings import Estimate
    from inference.taxonomy import FindingClass

__all__ = ["OPERATING_POINT", "Answer", "Reading", "answer_sentence", "answers", "read"]

OPERATING_POINT: Final = 0.5
"""From here on a class is called probable. It was not chosen for a sensitivity wanted."""


class Reading(StrEnum):
    """What a probability says beside the operating point; also the value in findings.json."""

    PROBABLE = "probable"
    UNDECIDED = "undecided"
    IMPROBABLE = "improbable"
    NOT_COMPUTED = "not-computed"

    @property
    def words(self) -> str:
        """For the reader."""
        return self.value.replace("-", " ")


@dataclass(frozen=True, slots=True)
class Answer:
    """One class of an estimate, read.

    Parameters
    ----------
    of_class
        Which.
    value
        As it is shown, in [0, 1]; NaN where it was not computed.
    band
        Low and high (95 %) of what was observed of such values; None where not computed.
    reading
        What that says.
    """

    of_class: FindingClass
    value: float
    band: tuple[float, float] | None
    reading: Reading

    @property
    def figures(self) -> str:
        """Value and interval, e.g. ``"0.53; 0.34 to 0.68"``."""
        value = _figure(self.value)
        if self.band is None:
            return value
        return f"{value}; {_figure(self.band[0])} to {_figure(self.band[1])}"


def read(value: float, band: tuple[float, float] | None) -> Reading:
    """Read one probability.

    Parameters
    ----------
    value
        In [0, 1], or NaN.
    band
        Low and high in [0, 1], or None.

    Examples
    --------
    >>> read(0.53, (0.34, 0.68)), read(0.53, None), read(0.2, (0.1, 0.4))
    (<Reading.UNDECIDED: 'undecided'>, <Reading.PROBABLE: 'probable'>, \
<Reading.IMPROBABLE: 'improbable'>)
    """
    if not math.isfinite(value):
        return Reading.NOT_COMPUTED
    if band is not None and band[0] < OPERATING_POINT <= band[1]:
        return Reading.UNDECIDED
    # Where the two lie on different sides, what was observed is the one to trust.
    judged = value if band is None else band[0]
    return Reading.PROBABLE if judged >= OPERATING_POINT else Reading.IMPROBABLE


def answers(estimate: Estimate) -> tuple[Answer, ...]:
    """Each class of an estimate, read; in the order of its classes."""
    return tuple(
        Answer(each, value, band, read(value, band))
        for each, value, band in zip(estimate.classes, estimate.shown, estimate.bands, strict=True)
    )


def answer_sentence(estimate: Estimate) -> str:
    """The answer in one plain sentence.

    Parameters
    ----------
    estimate
        Of a study. Of two classes that exclude each other the first is spoken of; of more, the
        most probable; of classes that stand alone, all.
    """
    found = answers(estimate)
    if not estimate.exclusive:
        return _list_sentence(found)
    known = [each for each in found if math.isfinite(each.value)]
    if not known:
        return f"{estimate.title}: not computed."
    if len(found) == 2:
        first = found[0]
        return f"{first.of_class.label} is {first.reading.words} ({first.figures})."
    leading = max(known, key=lambda each: each.value)
    name = leading.of_class.label
    said = (
        f"{name} is the most probable ({leading.figures})."
        if leading.reading is Reading.PROBABLE
        else f"it is undecided; {name} comes first ({leading.figures})."
    )
    task = TASKS.get(estimate.task)
    if task is not None and task.condition:
        return f"{task.condition}: {said}"
    return _upper(said)


def _list_sentence(found: Sequence[Answer]) -> str:
    parts = []
    for reading in Reading:
        names = [each.of_class.label for each in found if each.reading is reading]
        if names:
            listed = ", ".join([names[0], *(_lower(name) for name in names[1:])])
            parts.append(f"{_upper(reading.words)}: {_lower(listed)}.")
    return " ".join(parts)


def _figure(value: float) -> str:
    """Two decimals, never rounded up to certainty."""
    if not math.isfinite(value):
        return "not computed"
    if value > 0.995:
        return "> 0.99"
    return "< 0.01" if value < 0.005 else f"{value:.2f}"


def _upper(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def _lower(text: str) -> str:
    # Abbreviations stay as they are.
    return text if text[:2].isupper() else f"{text[:1].lower()}{text[1:]}"
