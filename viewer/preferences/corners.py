"""Settings: what stands in the corners of the panes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QCheckBox

from viewer.corners import CornerText
from viewer.preferences.page import Page, note

if TYPE_CHECKING:
    from viewer.options import Chosen

__all__ = ["CornersPage"]


class CornersPage(Page):
    """Whose images, and how they were made: each line of the corners can be left out."""

    title = "Corners of panes"
    fields = ("corners_off",)

    def __init__(self, chosen: Chosen) -> None:
        super().__init__(chosen)
        self.rows.addWidget(note("Written in the corners of every pane, where the file says it:"))
        self._checks: dict[CornerText, QCheckBox] = {}
        for key in CornerText:
            check = QCheckBox(key.words)
            check.setObjectName(f"corner-{key.value}")
            check.toggled.connect(self._choose)
            self._checks[key] = check
            self.rows.addWidget(check)
        self.rows.addWidget(
            note("Default: all. Teaching mode hides all of them. Pictures that are exported "
                 "never say whose they are, nor where or when they were made.")
        )  # fmt: skip
        self.rows.addStretch(1)
        self.show_choices()

    def show_choices(self) -> None:
        """Show what is chosen."""
        super().show_choices()
        off = self.chosen.now.corners_off
        for key, check in self._checks.items():
            with QSignalBlocker(check):
                check.setChecked(key not in off)

    def _choose(self) -> None:
        off = tuple(key for key, check in self._checks.items() if not check.isChecked())
        self.choose(corners_off=off)
