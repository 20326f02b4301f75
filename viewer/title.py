"""The window's title: which study is open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from viewer.identity import study_title

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from viewer.session import ReadingSession

__all__ = ["PROGRAM", "keep_title"]

PROGRAM: Final = "SecondRead"


def keep_title(window: QWidget, session: ReadingSession) -> None:
    """Let a window name the study that is open, and none in teaching mode."""

    def show() -> None:
        study = study_title(session)
        window.setWindowTitle(f"{study} – {PROGRAM}" if study else PROGRAM)

    session.volume_changed.connect(show)
    session.manner.names_changed.connect(show)
    show()
