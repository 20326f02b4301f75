"""Which classes a heatmap can explain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from viewer.choices import HeatmapChoice

if TYPE_CHECKING:
    from inference.findings import Findings

__all__ = ["explained_classes"]

_EXPLAINED = ("covid-2", "cxr-4")
"""Tasks whose classes have a heatmap."""


def explained_classes(findings: Findings | None) -> tuple[tuple[HeatmapChoice, str], ...]:
    """What can be explained of findings, and what it is called."""
    return tuple(
        (HeatmapChoice(estimate.task, each.key), f"{estimate.title}: {each.label}")
        for estimate in (findings.estimates if findings is not None else ())
        if estimate.task in _EXPLAINED
        for each in estimate.classes
    )
