"""What an analysis found, as tables for a terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.table import Table

from inference.answer import answer_sentence, read
from inference.export.report import BANNER
from inference.second_estimate import recognition_doubt, second_estimates
from inference.studies.naming import slice_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inference.findings import Estimate, Findings
    from inference.studies.model import Volume

__all__ = ["peak_memory_mb", "show"]

_UNKNOWN = "–"
_PARTS = {
    "read": "read",
    "ready": "load models",
    "pre": "prepare",
    "recognise": "recognise",
    "label": "manifestations",
    "segment": "segment",
    "post": "measure",
}


def peak_memory_mb() -> float | None:
    """Most memory that this process has held so far, in MB; None where that is not known."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    import sys

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def show(
    console: Console, findings: Findings, volume: Volume, problems: Sequence[str] = ()
) -> None:
    """Print findings.

    Parameters
    ----------
    console
        Where to.
    findings, volume
        What was found, and in what.
    problems
        Sentences of what is doubtful about the study.
    """
    slices, rows, columns = volume.shape
    console.print(
        f"{volume.modality}, {slices} {'slice' if slices == 1 else 'slices'} of "
        f"{columns} × {rows}, {int(findings.analysed.sum())} analysed on {findings.device}"
    )
    doubts = findings.domain.reasons if findings.domain is not None else ()
    for sentence in (*doubts, *filter(None, [recognition_doubt(findings)])):
        console.print(f"[yellow]Warning: {escape(sentence)}[/yellow]", highlight=False)
    for estimate in findings.estimates:
        console.print(answer_sentence(estimate), highlight=False, markup=False)
    if findings.lung_ml is not None:
        console.print(f"Lung volume: {findings.lung_ml:.0f} ml", highlight=False)
    tables = [_probabilities(findings)] if findings.estimates else []
    console.print(Group(*tables, *_segments(findings, volume), _timings(findings)), highlight=False)
    for sentence in dict.fromkeys((*problems, *findings.notes)):
        if sentence in doubts:
            continue
        console.print(f"• {sentence}", markup=False, highlight=False)
    memory = peak_memory_mb()
    if memory is not None:
        console.print(f"Peak memory {memory:.0f} MB.", highlight=False)
    console.print(f"[yellow]{BANNER}[/yellow]")


def _probabilities(findings: Findings) -> Table:
    table = Table("Estimate", "Class", "Reading", title="Probabilities", title_justify="left")
    for heading in ("Probability", "Interval"):
        table.add_column(heading, justify="right")
    table.add_column("Calibration", max_width=44)
    for estimate in findings.estimates:
        title, words = estimate.title, _calibration(estimate)
        for index, each in enumerate(estimate.classes):
            table.add_row(
                title,
                each.label,
                read(estimate.shown[index], estimate.bands[index]).words,
                _figure(estimate.shown[index], 2),
                _interval(estimate, index),
                words,
            )
            title = words = ""
        table.add_section()
    return table


def _interval(estimate: Estimate, index: int) -> str:
    band = estimate.bands[index]
    if band is None:
        return _UNKNOWN
    beside = {-1: ", value below", 1: ", value above"}.get(estimate.beside_band(index), "")
    return f"{band[0]:.2f} to {band[1]:.2f}{beside}"


def _calibration(estimate: Estimate) -> str:
    calibrated = estimate.calibrated
    if calibrated is None:
        return estimate.calibration.split(":")[0].rstrip(".")
    of = ", interval of single slices" if calibrated.of_slices else ""
    return f"{calibrated.n} pictures, {calibrated.groups} groups{of}"


def _segments(findings: Findings, volume: Volume) -> list[RenderableType]:
    if not findings.segments:
        return []
    table = Table("Segment", title="Masks", title_justify="left")
    second = {s.key: s for s in second_estimates(findings)}
    for heading in ("ml", "% of lung", "lesions", "mean HU", "largest in slice"):
        table.add_column(heading, justify="right")
    table.add_column("beside the probability")
    for segment in findings.segments:
        table.add_row(
            segment.key.label,
            _figure(segment.volume_ml, 1),
            _figure(segment.percent_of_lung, 1),
            str(segment.lesions),
            _figure(segment.mean_hu, 0),
            _UNKNOWN
            if segment.largest_slice is None
            else slice_name(volume.slices, segment.largest_slice, volume.shape[0]),
            {None: _UNKNOWN, True: "[yellow]disagrees[/yellow]", False: "agrees"}[
                second[segment.key].disagrees
            ],
        )
    return [table]


def _timings(findings: Findings) -> Table:
    parts = findings.timings.parts()
    table = Table(*(_PARTS[name] for name in parts), "total", title="Seconds", title_justify="left")
    values = (*parts.values(), findings.timings.total)
    table.add_row(*(f"{value:.2f}" for value in values))
    return table


def _figure(value: float | None, digits: int) -> str:
    return _UNKNOWN if value is None or not math.isfinite(value) else f"{value:.{digits}f}"
