"""What a reader measures and writes on a picture: where it lies, and what it says."""

from inference.measurements.model import Kind, Measurement
from inference.measurements.planes import Point, Slant
from inference.measurements.regions import Region
from inference.measurements.values import Values, measure

__all__ = ["Kind", "Measurement", "Point", "Region", "Slant", "Values", "measure"]
