"""Undo and redo: steps that know how to be done and undone, in order."""

from __future__ import annotations

from typing import Protocol

__all__ = ["History", "Step"]

_MOST = 200
"""Steps that are kept; the oldest make room."""


class Step(Protocol):
    """One thing that a reader did, whole in itself: it may keep as little as what it changed."""

    def do(self) -> None:
        """Do it, the first time and every time it is done again."""

    def undo(self) -> None:
        """Put things back as they were before `do`."""


class History:
    """What was done, and what was undone since.

    It knows nothing of what its steps do, so that edits of masks and of measurements can share one.
    """

    def __init__(self) -> None:
        self._done: list[Step] = []
        self._undone: list[Step] = []

    @property
    def can_undo(self) -> bool:
        """There is a step to undo."""
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        """There is a step to do again."""
        return bool(self._undone)

    def do(self, step: Step) -> None:
        """Do a step; what had been undone before cannot be done again."""
        step.do()
        self._done.append(step)
        del self._done[:-_MOST]
        self._undone.clear()

    def undo(self) -> Step | None:
        """Undo the last step; None when there is none."""
        if not self._done:
            return None
        step = self._done.pop()
        step.undo()
        self._undone.append(step)
        return step

    def redo(self) -> Step | None:
        """Do the step again that was undone last; None when there is none."""
        if not self._undone:
            return None
        step = self._undone.pop()
        step.do()
        self._done.append(step)
        return step
