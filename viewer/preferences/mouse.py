"""Settings: what the mouse does on a picture."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QComboBox

from viewer.mouse import MOUSE, Drag, MouseMap, Turn
from viewer.preferences.page import Page

if TYPE_CHECKING:
    from viewer.options import Chosen

__all__ = ["MousePage"]


class MousePage(Page):
    """One box a gesture."""

    title = "Mouse"
    fields = ("mouse",)

    def __init__(self, chosen: Chosen) -> None:
        super().__init__(chosen)
        form = self.add_form()
        self._gestures: dict[str, QComboBox] = {}
        defaults = MouseMap()
        for name, gesture in MOUSE.items():
            default: Drag | Turn = getattr(defaults, name)
            box = QComboBox()
            box.setObjectName(f"mouse-{name}")
            for value in type(default):
                box.addItem(value.words, value)
            self._gestures[name] = box
            self.add_row(form, gesture, box, f"Default: {default.words}.")
            box.activated.connect(lambda _, name=name: self._choose(name))
        self.rows.addStretch(1)
        self.show_choices()

    def show_choices(self) -> None:
        """Show what is chosen."""
        for name, box in self._gestures.items():
            with QSignalBlocker(box):
                box.setCurrentIndex(box.findData(getattr(self.chosen.now.mouse, name)))

    def _choose(self, name: str) -> None:
        mouse = self.chosen.now.mouse
        # Qt gives an enumeration back as its text.
        kind = type(getattr(mouse, name))
        value = kind(self._gestures[name].currentData())
        self.choose(mouse=replace(mouse, **{name: value}))
