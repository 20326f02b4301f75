"""The right side of the window: findings, lesions, layers, patterns, measurements, timing."""

from viewer.panels.findings import FindingsPanel
from viewer.panels.layers import LayersPanel
from viewer.panels.lesions import LesionsPanel
from viewer.panels.measurements import MeasurementsPanel
from viewer.panels.patterns import PatternsPanel
from viewer.panels.timing import TimingPanel

__all__ = [
    "FindingsPanel",
    "LayersPanel",
    "LesionsPanel",
    "MeasurementsPanel",
    "PatternsPanel",
    "TimingPanel",
]
