"""Small values that the session's properties are made of: layers and states."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from inference.findings import Manifestation
from inference.measurements import Kind

__all__ = ["AnalysisState", "HeatmapChoice", "Layer", "LayerStyle", "Tool"]


class Tool(StrEnum):
    """What the left mouse button does."""

    WINDOW = "window"
    PAN = "pan"
    ZOOM = "zoom"
    SCROLL = "scroll"
    CROSSHAIR = "crosshair"
    MAGNIFIER = "magnifier"
    LENGTH = Kind.LENGTH.value
    ANGLE = Kind.ANGLE.value
    COBB = Kind.COBB.value
    RECTANGLE = Kind.RECTANGLE.value
    ELLIPSE = Kind.ELLIPSE.value
    FREEHAND = Kind.FREEHAND.value
    PROBE = Kind.PROBE.value
    TEXT = Kind.TEXT.value
    ARROW = Kind.ARROW.value

    @property
    def measures(self) -> Kind | None:
        """What it draws, or None when it draws nothing."""
        return next((kind for kind in Kind if kind.value == self.value), None)


class LayerStyle(StrEnum):
    """How a mask is drawn."""

    FILL = "fill"
    OUTLINE = "outline"
    BOTH = "both"


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
