"""Settings: the window presets, each of which can be changed; two are the reader's own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QGridLayout, QLabel, QLineEdit

from inference.studies.model import VoiFunction, Window
from viewer.preferences.page import Page, note
from viewer.presets import OWN, PRESETS, load_presets, presets_with

if TYPE_CHECKING:
    from viewer.options import Chosen

__all__ = ["PresetsPage"]

_MOST_HU = 32767.0
_LONGEST = 24
_HEADINGS = ("Key", "Name", "Width", "Level", "Function")


@dataclass(frozen=True, eq=False, slots=True)
class _Row:
    """What can be changed of one preset."""

    name: QLineEdit
    width: QDoubleSpinBox
    centre: QDoubleSpinBox
    function: QComboBox


class PresetsPage(Page):
    """Name, width, level and function of each preset. A width of none clears one of one's own."""

    title = "Window presets"
    fields = ("presets",)

    def __init__(self, chosen: Chosen) -> None:
        super().__init__(chosen)
        self.rows.addWidget(
            note("In Hounsfield units, on the keys 1 to 9. 8 and 9 are your own: write a width and "
                 "a level, or use Window level, Keep this window.")
        )  # fmt: skip
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(6)
        for place, heading in enumerate(_HEADINGS):
            grid.addWidget(QLabel(heading), 0, place)
        self._rows = {number: self._add(grid, number) for number in range(1, PRESETS + 1)}
        grid.setColumnStretch(1, 1)
        self.rows.addLayout(grid)
        self.rows.addStretch(1)
        self.show_choices()

    def show_choices(self) -> None:
        """Show what is chosen."""
        super().show_choices()
        for number, preset in enumerate(presets_with(self.chosen.now.presets), start=1):
            row, shown = self._rows[number], preset or Window(0.0, 1.0)
            with QSignalBlocker(row.width), QSignalBlocker(row.centre):
                row.width.setValue(0.0 if preset is None else preset.width)
                row.centre.setValue(shown.centre)
            with QSignalBlocker(row.name), QSignalBlocker(row.function):
                if row.name.text() != shown.name:
                    row.name.setText(shown.name)
                row.function.setCurrentIndex(list(VoiFunction).index(shown.function))

    def _add(self, grid: QGridLayout, number: int) -> _Row:
        name = QLineEdit()
        name.setMaxLength(_LONGEST)
        name.setPlaceholderText(f"Own {number}")
        name.setObjectName(f"preset-name-{number}")
        name.setAccessibleName(f"Name of preset {number}")
        # Of a preset that comes with the program there is always one; none clears one's own.
        width = _number(f"preset-width-{number}", 0.0 if number in OWN else 1.0)
        width.setAccessibleName(f"Width of preset {number}")
        if number in OWN:
            width.setSpecialValueText("none")
        centre = _number(f"preset-level-{number}", -_MOST_HU)
        centre.setAccessibleName(f"Level of preset {number}")
        function = QComboBox()
        function.setObjectName(f"preset-function-{number}")
        function.setAccessibleName(f"Function of preset {number}")
        for each in VoiFunction:
            function.addItem(each.words.capitalize())
        grid.addWidget(QLabel(str(number)), number, 0, Qt.AlignmentFlag.AlignCenter)
        for place, control in enumerate((name, width, centre, function), start=1):
            grid.addWidget(control, number, place)
        change = partial(self._take, number)
        name.editingFinished.connect(change)
        width.valueChanged.connect(change)
        centre.valueChanged.connect(change)
        function.activated.connect(change)
        return _Row(name, width, centre, function)

    def _take(self, number: int, *_: object) -> None:
        row = self._rows[number]
        changed = dict(self.chosen.now.presets)
        changed.pop(number, None)
        if row.width.value() >= 1.0:
            made = Window(
                row.centre.value(),
                row.width.value(),
                row.name.text().strip() or row.name.placeholderText(),
                list(VoiFunction)[row.function.currentIndex()],
            )
            shipped = load_presets()
            if number > len(shipped) or made != shipped[number - 1]:
                changed[number] = made
        self.choose(presets=MappingProxyType(changed))


def _number(name: str, least: float) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setObjectName(name)
    box.setDecimals(0)
    box.setRange(least, 2 * _MOST_HU)
    box.setSingleStep(10.0)
    # What is typed holds when it is finished, not digit by digit.
    box.setKeyboardTracking(False)
    return box
