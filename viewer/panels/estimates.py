"""An estimate in the findings panel: the answer in a sentence, the bars, and details on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from inference.answer import OPERATING_POINT, answer_sentence
from inference.second_estimate import TRACE_PERCENT, recognition_doubt, second_estimates
from inference.taxonomy import manifestation
from viewer.panels.bars import ProbabilityBar
from viewer.panels.labels import heading, muted, sentence
from viewer.panels.words import estimate_line, estimate_tip
from viewer.theme import findings_colour

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QLabel, QVBoxLayout

    from inference.findings import Estimate, Findings
    from inference.second_estimate import SecondEstimate
    from viewer.panels.disclosure import Disclosure

__all__ = ["add_estimate"]

_MANIFESTATIONS = "manifestations"
_RECOGNITION = "covid-2"
_FOUR_KINDS = "cxr-4"
_FOUR_KINDS_NOTE = (
    "The answer above leads. This one shares one among the four kinds, whatever the picture shows."
)


def add_estimate(
    rows: QVBoxLayout,
    estimate: Estimate,
    findings: Findings,
    details: Callable[[str, str], Disclosure],
) -> None:
    """Add what a task says.

    Parameters
    ----------
    rows
        Where to.
    estimate
        One of the findings'.
    findings
        All of them.
    details
        Makes what is folded away, of a name and a title.
    """
    rows.addWidget(heading(estimate.title))
    answer = sentence(answer_sentence(estimate))
    answer.setObjectName(f"answer-{estimate.task}")
    answer.setToolTip(
        f"Probable from {OPERATING_POINT:.2f} on, where the notch is in the bar; undecided where "
        "the interval holds that value."
    )
    rows.addWidget(answer)
    seconds = second_estimates(findings) if estimate.task == _MANIFESTATIONS else ()
    drawn = {second.key.value: second for second in seconds}
    for index, each in enumerate(estimate.classes):
        rows.addWidget(_bar(estimate, index))
        if each.key in drawn:
            rows.addWidget(_second(drawn[each.key]))
    doubt = recognition_doubt(findings) if estimate.task == _RECOGNITION else ""
    if doubt:
        line = sentence(doubt, "warning")
        line.setObjectName("recognition-doubt")
        rows.addWidget(line)
    if estimate.task == _FOUR_KINDS:
        rows.addWidget(muted(_FOUR_KINDS_NOTE))
    folded = details(estimate.task, "How this was computed")

    def fill(inside: QVBoxLayout) -> None:
        inside.addWidget(muted(estimate_line(estimate)))
        inside.addWidget(muted(f"Study value: {estimate.rule}."))
        inside.addWidget(muted(_said_by(estimate, findings)))

    folded.fill(fill)
    rows.addWidget(folded)


def _bar(estimate: Estimate, index: int) -> ProbabilityBar:
    each, value = estimate.classes[index], estimate.shown[index]
    found = manifestation(each.key)
    bar = ProbabilityBar(
        each.label,
        value if np.isfinite(value) else None,
        findings_colour(found) if found else None,
        band=estimate.bands[index],
        dashed=estimate.calibrated is not None and estimate.calibrated.of_slices,
        beside=bool(estimate.beside_band(index)),
        point=OPERATING_POINT,
    )
    bar.setToolTip(estimate_tip(estimate, index))
    return bar


def _said_by(estimate: Estimate, findings: Findings) -> str:
    versions = {m.name: f"{m.name}, version {m.version}" for m in findings.models}
    names = [versions.get(name, name) for name in estimate.voices]
    if len(names) > 1:
        return f"Joined from {' and '.join(names)}."
    return f"Said by {names[0]}."


def _second(second: SecondEstimate) -> QLabel:
    """What the masks say, under what the probability says; loud only where they part."""
    line = sentence(second.sentence, "warning" if second.disagrees else "muted")
    line.setObjectName(f"second-{second.key.value}")
    line.setToolTip(
        "A second estimate: other networks drew the masks. Where the two disagree, one is wrong; "
        f"look at the slices.\nLess than {TRACE_PERCENT:g} % of the lungs, or nothing large enough "
        "to count as a lesion, is called a trace."
    )
    return line
