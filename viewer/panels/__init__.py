"""The right side of the window: findings, lesions, layers, patterns, timing."""

from viewer.panels.findings import FindingsPanel
from viewer.panels.layers import LayersPanel
from viewer.panels.lesions import LesionsPanel
from viewer.panels.patterns import PatternsPanel
from viewer.panels.timing import TimingPanel

__all__ = ["FindingsPanel", "LayersPanel", "LesionsPanel", "PatternsPanel", "TimingPanel"]
