"""Everything of SecondRead that needs no screen: reading, networks, analysis, export, training."""

__version__ = "0.1.0"
