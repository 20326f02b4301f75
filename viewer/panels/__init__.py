"""The right side of the window: findings, layers, measurements, timing."""

from viewer.panels.findings import FindingsPanel
from viewer.panels.layers import LayersPanel
from viewer.panels.measurements import MeasurementsPanel
from viewer.panels.timing import TimingPanel

__all__ = ["FindingsPanel", "LayersPanel", "MeasurementsPanel", "TimingPanel"]
