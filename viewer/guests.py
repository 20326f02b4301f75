"""Segmentations that the reader has opened beside the images: shown, and nothing else.

They are no findings: nothing is counted in them, and no export holds them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal

if TYPE_CHECKING:
    from inference.opened_segments import OpenedSegment, OpenedSegmentation
    from inference.studies.model import Volume

__all__ = ["Guests", "tint_of"]

_TINTS: Final = (
    (255, 121, 198), (139, 233, 253), (255, 184, 108), (189, 147, 249), (80, 250, 123),
    (241, 250, 140),
)  # fmt: skip
"""For segments of which the file recommends no colour."""


def tint_of(segment: OpenedSegment) -> tuple[int, int, int]:
    """The colour of a segment: its own where its file recommends one."""
    return segment.colour or _TINTS[(segment.number - 1) % len(_TINTS)]


class Guests(QObject):
    """The opened segmentations of a sitting, a part of the session; each is seen on its own grid.

    Those of another series wait until it comes back to the screen.
    """

    changed = Signal()
    """One was opened or closed, or a segment is shown or hidden."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._opened: dict[str, OpenedSegmentation] = {}
        self._hidden: set[tuple[str, int]] = set()

    def of(self, volume: Volume | None) -> tuple[OpenedSegmentation, ...]:
        """Those that lie on a volume, in the order in which they were opened."""
        if volume is None:
            return ()
        return tuple(
            each
            for each in self._opened.values()
            if (each.series_uid, each.shape) == (volume.series_uid, volume.shape)
        )

    def open(self, segmentation: OpenedSegmentation) -> None:
        """Show a segmentation; one of the same file replaces itself."""
        self._opened[segmentation.uid] = segmentation
        self.changed.emit()

    def close(self, uid: str) -> None:
        """Show a segmentation no more."""
        if self._opened.pop(uid, None) is not None:
            self._hidden = {each for each in self._hidden if each[0] != uid}
            self.changed.emit()

    def is_shown(self, uid: str, number: int) -> bool:
        """Whether a segment is shown."""
        return (uid, number) not in self._hidden

    def show(self, uid: str, number: int, shown: bool) -> None:
        """Show a segment, or hide it."""
        if shown == self.is_shown(uid, number):
            return
        if shown:
            self._hidden.discard((uid, number))
        else:
            self._hidden.add((uid, number))
        self.changed.emit()
