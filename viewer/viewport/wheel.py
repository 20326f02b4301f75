"""Whole steps from a wheel that may turn in parts of a notch (touch pads, free-running wheels)."""

from __future__ import annotations

__all__ = ["WheelSteps"]


class WheelSteps:
    """Adds parts of a notch until they make a whole one; a change of direction starts afresh."""

    def __init__(self) -> None:
        self._left = 0.0

    def add(self, notches: float) -> int:
        """Add a turn of the wheel and take the whole steps out of it."""
        if notches * self._left < 0:
            self._left = 0.0
        self._left += notches
        steps = int(self._left)
        self._left -= steps
        return steps
