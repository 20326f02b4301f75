"""Small values that the session's properties are made of: layers and states."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from inference.findings import Manifestation
from inference.measurements import Kind

__all__ = ["AnalysisState", "HeatmapChoice", "KeptFrom", "Layer", "LayerStyle", "Tool"]


class Tool(StrEnum):
    """What the left mouse button does."""

    WINDOW = "window"
    PAN = "pan"
    ZOOM = "zoom"
    SCROLL = "scroll"
    CROSSHAIR = "crosshair"
    MAGNIFIER = "magnifier"
    LENGTH = Kind.LENGTH.value
    BIDIRECTIONAL = Kind.BIDIRECTIONAL.value
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
    WAITING = "waiting"
    """Other series come first."""
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
    key: str


@dataclass(frozen=True, slots=True)
class KeptFrom:
    """That the findings on the screen were made earlier.

    Parameters
    ----------
    made
        Day and minute, in words.
    because
        Why they are stale: with what they were made that is not there now; empty where they are
        current.
    """

    made: str
    because: str = ""

    @property
    def stale(self) -> bool:
        """An analysis now could say something else."""
        return bool(self.because)

    def sentence(self, *, dated: bool = True) -> str:
        """When they were made and, where they are stale, with what; in teaching mode undated."""
        when = f"on {self.made}" if dated else "earlier"
        return f"Made {when}{' ' if self.because else ''}{self.because}."
