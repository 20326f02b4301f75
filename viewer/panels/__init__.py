"""The right side of the window: findings, layers, timing."""

from viewer.panels.findings import FindingsPanel
from viewer.panels.layers import LayersPanel
from viewer.panels.timing import TimingPanel

__all__ = ["FindingsPanel", "LayersPanel", "TimingPanel"]
