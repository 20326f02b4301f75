"""What a reader measures and writes on a picture: where it lies, and what it says."""

from inference.measurements.model import Kind, Measurement, Point
from inference.measurements.regions import Region
from inference.measurements.values import Values, measure

__all__ = ["Kind", "Measurement", "Point", "Region", "Values", "measure"]
