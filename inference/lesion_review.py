"""What a reader decided of single lesions, and what is left of the machine's figures by that.

The machine's masks and numbers are never changed: the reader's stand beside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np

from inference.taxonomy import Manifestation

if TYPE_CHECKING:
    from inference.findings import Findings
    from inference.lesion_data import Lesion, Lesions

__all__ = ["DOUBTFUL_HU", "OUTSIDE_SHARE", "Decision", "Decisions", "ReaderTotal", "Verdict",
           "count_in_words", "is_doubtful", "is_outside_lung", "reader_totals"]  # fmt: skip

DOUBTFUL_HU: Final = -200.0
"""Ground glass with a mean above this is doubtful.

Fleischner (Hansell et al., Radiology 2008;246:697-722): ground glass does not hide vessels;
above about -200 HU a lesion is counted as high opacity, that is, consolidation.
"""
OUTSIDE_SHARE: Final = 0.1
"""A lesion with less of its voxels in the lung mask lies outside the lung."""


class Verdict(StrEnum):
    """What a reader says of a lesion."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Decision:
    """A reader's word on one lesion.

    Parameters
    ----------
    verdict
        None: not decided, which is neither accepted nor rejected.
    comment
        The reader's, or ``""``.
    """

    verdict: Verdict | None = None
    comment: str = ""

    @property
    def empty(self) -> bool:
        """Nothing was said."""
        return self.verdict is None and not self.comment


Decisions = Mapping[int, Decision]
"""By number of the lesion; one that is not there is not decided."""


@dataclass(frozen=True, slots=True)
class ReaderTotal:
    """A manifestation without the lesions that a reader rejected.

    Parameters
    ----------
    key
        Which.
    lesions, accepted, rejected
        Listed lesions that are not rejected; how many of all are accepted, and rejected.
    volume_ml, percent_of_lung
        Of all that is marked less the rejected lesions; None where the machine's is not computed.
    """

    key: Manifestation
    lesions: int
    accepted: int
    rejected: int
    volume_ml: float | None
    percent_of_lung: float | None


def reader_totals(
    findings: Findings, listed: Lesions, decisions: Decisions
) -> tuple[ReaderTotal, ...]:
    """Take the rejected lesions away from the machine's figures.

    Parameters
    ----------
    findings, listed
        Of one volume.
    decisions
        By number of the lesion.

    Returns
    -------
    tuple of ReaderTotal
        One a segment. What is too small to be listed cannot be rejected and stays in the volume.
    """
    totals = []
    for segment in findings.segments:
        own = [lesion for lesion in listed.lesions if lesion.key is segment.key]
        verdicts = [decisions.get(lesion.number, Decision()).verdict for lesion in own]
        gone = [
            lesion.voxels
            for lesion, verdict in zip(own, verdicts, strict=True)
            if verdict is Verdict.REJECTED
        ]
        voxels = int(segment.pixels_per_slice.sum())
        left = (voxels - sum(gone)) / voxels if voxels else 1.0
        share = segment.percent_of_lung
        if share is not None and findings.lungs is not None and gone:
            # Not the machine's share times what is left: that is cut off at 100 %.
            share = min(100.0, 100.0 * left * voxels / int(np.count_nonzero(findings.lungs)))
        totals.append(
            ReaderTotal(
                segment.key,
                len(own) - len(gone),
                verdicts.count(Verdict.ACCEPTED),
                len(gone),
                None if segment.volume_ml is None else segment.volume_ml * left,
                share,
            )
        )
    return tuple(totals)


def is_doubtful(lesion: Lesion) -> bool:
    """Whether a lesion is too dense for what it is called."""
    return (
        lesion.key is Manifestation.GGO
        and lesion.mean_hu is not None
        and lesion.mean_hu > DOUBTFUL_HU
    )


def is_outside_lung(lesion: Lesion) -> bool | None:
    """Whether a lesion lies outside the lung mask; None where there is none."""
    return None if lesion.lung_share is None else lesion.lung_share < OUTSIDE_SHARE


def count_in_words(listed: Lesions) -> str:
    """How many lesions there are, by the one definition that list, cards and files share.

    Examples
    --------
    ``"79 lesions of at least 30 voxels: 59 GGO, 17 consolidation, 3 effusion"``
    """
    counts = {key: sum(lesion.key is key for lesion in listed.lesions) for key in Manifestation}
    parts = ", ".join(
        f"{count} {key.short if key.short.isupper() else key.short.lower()}"
        for key, count in counts.items()
        if count
    )
    many = len(listed.lesions)
    words = (
        f"{many} {'lesion' if many == 1 else 'lesions'} of at least {listed.least_voxels} voxels"
    )
    return f"{words}: {parts}" if parts else words
