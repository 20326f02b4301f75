"""Going through the planes of the active pane: by keys, and by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from viewer.planes.section import Planes, section_of

if TYPE_CHECKING:
    from viewer.session import ReadingSession

__all__ = ["Cine", "active_section", "go_to_end", "step"]


def active_section(session: ReadingSession) -> Planes | None:
    """The planes of the active pane; None where it shows none."""
    if session.volume is None:
        return None
    return section_of(session.volume, session.arrangement.active_pane)


def step(session: ReadingSession, delta: int) -> None:
    """Move the active pane by so many planes; stops at the ends."""
    section = active_section(session)
    if section is not None:
        index = section.index_of(session.cursor) + delta
        session.set_cursor(section.moved(session.cursor, index))


def go_to_end(session: ReadingSession, *, last: bool) -> None:
    """Show the first or the last plane in the active pane."""
    section = active_section(session)
    if section is not None:
        session.set_cursor(section.moved(session.cursor, section.count - 1 if last else 0))


class Cine(QObject):
    """Lets the planes of the active pane run, from the last to the first again.

    Parameters
    ----------
    session
        Says whether they run, and how fast.
    """

    def __init__(self, session: ReadingSession, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._next)
        session.arrangement.cine_changed.connect(self._follow)

    def _follow(self) -> None:
        arrangement = self._session.arrangement
        if arrangement.cine_running and self._session.volume is not None:
            self._timer.start(round(1000.0 / arrangement.cine_speed))
        else:
            self._timer.stop()

    def _next(self) -> None:
        session = self._session
        section = active_section(session)
        if section is None or section.count < 2:
            session.arrangement.stop_cine()
            return
        index = (section.index_of(session.cursor) + 1) % section.count
        session.set_cursor(section.moved(session.cursor, index))
