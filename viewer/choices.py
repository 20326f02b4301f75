"""Small values that the session's properties are made of: layers and states."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from inference.findings import Manifestation

__all__ = ["AnalysisState", "HeatmapChoice", "Layer", "LayerStyle"]


class LayerStyle(StrEnum):
    """How a mask is drawn."""

    FILL = "fill"
    OUTLINE = "outline"


class AnalysisState(StrEnum):
    """Where the analysis of the open series stands."""

    NONE = "none"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Layer:
    """How one manifestation's mask is shown."""

    key: Manifestation
    visible: bool = True
    opacity: float = 0.45
    style: LayerStyle = LayerStyle.FILL


@dataclass(frozen=True, slots=True)
class HeatmapChoice:
    """Which class's heatmap is asked for; shown when `ReadingSession.heatmap` matches it."""

    task: str
    class_name: str
