"""A second series beside the open one, and how the two move together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum, auto
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Signal

from viewer.priors import same_patient
from viewer.session import ReadingSession

if TYPE_CHECKING:
    from inference.studies.model import Volume

__all__ = ["Comparison", "Link"]


class Link(Enum):
    """Why the two series move together."""

    NONE = auto()
    FRAME = auto()
    """They share a frame of reference, so the same millimetres are the same place."""
    BY_HAND = auto()
    """The reader has said that they show the same place as they stand."""


class Comparison(QObject):
    """The other series: a session of its own, which follows the first one and leads it.

    Parameters
    ----------
    session
        Of the open series.
    """

    changed = Signal()
    """Another series is compared, or none, or the two are linked in another way."""

    def __init__(self, session: ReadingSession, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.other = ReadingSession(self)
        # Names, keys, mouse and looks are the window's, not one series'.
        self.other.manner = session.manner
        self._link = Link.NONE
        self._offset = np.zeros(3)
        self._following = False
        for one, two in ((session, self.other), (self.other, session)):
            one.cursor_changed.connect(lambda one=one, two=two: self._follow(one, two))
            one.window_changed.connect(lambda one=one, two=two: self._use_window(one, two))
        session.tool_changed.connect(lambda: self.other.set_tool(session.tool))
        session.volume_changed.connect(self._begin)
        self.other.volume_changed.connect(self._begin)

    @property
    def shown(self) -> bool:
        """Another series stands beside the open one."""
        return self.other.volume is not None

    @property
    def sessions(self) -> tuple[ReadingSession, ReadingSession]:
        """Of the open series, and of the one beside it."""
        return self._session, self.other

    @property
    def link(self) -> Link:
        """Why the two move together, if they do."""
        return self._link

    def words(self) -> str:
        """How the two are linked, for the reader."""
        if self._link is Link.FRAME:
            return "linked: same frame of reference"
        if self._link is Link.NONE:
            return "not linked"
        if self._in_mm:
            along = f"{self._offset[2]:+.0f} mm".replace("-", "\N{MINUS SIGN}")
        else:
            along = f"{self._offset[2]:+.0f} slices".replace("-", "\N{MINUS SIGN}")
        return f"linked by hand, {along} along the body"

    def another_patient(self) -> bool:
        """The two studies say that they are of different patients, or one of them does not say."""
        mine, theirs = self._session.study, self.other.study
        return mine is not None and theirs is not None and not same_patient(mine, theirs)

    def close(self) -> None:
        """Show the open series alone again."""
        self.other.close_volume()

    def link_as_they_stand(self) -> None:
        """Let the two move together from what they show now on."""
        mine, theirs = self._session.volume, self.other.volume
        if mine is None or theirs is None:
            return
        if self._in_mm:
            self._offset = theirs.position(*self.other.cursor) - mine.position(
                *self._session.cursor
            )
        else:
            self._offset = np.array([0.0, 0.0, self.other.position - self._session.position])
        self._link = Link.BY_HAND
        self.changed.emit()

    def unlink(self) -> None:
        """Let each move by itself."""
        self._link = Link.NONE
        self.changed.emit()

    @property
    def _in_mm(self) -> bool:
        return all(
            volume is not None and volume.has_geometry and volume.has_orientation
            for volume in (self._session.volume, self.other.volume)
        )

    def _begin(self) -> None:
        """Another pair: linked where their files say that they share a frame, else not."""
        mine, theirs = self._session.volume, self.other.volume
        self._link = Link.NONE
        if mine is not None and theirs is not None:
            same = mine.frame_of_reference and mine.frame_of_reference == theirs.frame_of_reference
            if same and self._in_mm:
                self._link = Link.FRAME
                self._offset = np.zeros(3)
            self._use_window(self._session, self.other)
            self.other.set_tool(self._session.tool)
            self._follow(self._session, self.other)
        self.changed.emit()

    @contextmanager
    def _leading(self) -> Iterator[bool]:
        """What one does is done by the other, which must not answer."""
        if self._following:
            yield False
            return
        self._following = True
        try:
            yield True
        finally:
            self._following = False

    def _follow(self, one: ReadingSession, two: ReadingSession) -> None:
        if self._link is Link.NONE or one.volume is None or two.volume is None:
            return
        sign = 1.0 if two is self.other else -1.0
        with self._leading() as leads:
            if not leads:
                return
            if self._in_mm:
                place = one.volume.position(*one.cursor) + sign * self._offset
                two.set_cursor(_voxel(two.volume, place))
            else:
                two.set_position(one.position + round(sign * self._offset[2]))

    def _use_window(self, one: ReadingSession, two: ReadingSession) -> None:
        """The same grey for the same value: only where values mean the same."""
        if one.volume is None or two.volume is None or one.volume.unit is not two.volume.unit:
            return
        with self._leading() as leads:
            if leads:
                two.set_window(one.window)
                if one.inverted != two.inverted:
                    two.toggle_invert()


def _voxel(volume: Volume, place: np.ndarray) -> tuple[float, float, float]:
    column, row, slice_, _ = np.linalg.solve(volume.affine, np.append(place, 1.0))
    return float(column), float(row), float(slice_)
