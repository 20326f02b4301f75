"""Which lesions the table shows: by size, density and place; doubtful ones are folded away."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QSpinBox,
    QWidget,
)

from inference.lesion_review import is_doubtful, is_outside_lung
from viewer.panels.labels import muted

if TYPE_CHECKING:
    from inference.lesion_data import Lesion

__all__ = ["EVERYTHING", "FilterBar", "LesionFilter", "Where"]

_LOWEST, _HIGHEST = -1024, 3071


class Where(StrEnum):
    """Which lesions, by the lung mask."""

    ANYWHERE = "anywhere"
    INSIDE = "in the lungs"
    OUTSIDE = "outside the lungs"


@dataclass(frozen=True, slots=True)
class LesionFilter:
    """What a lesion has to be to be shown; what is not known is never filtered away.

    Parameters
    ----------
    least_ml
        Volume in ml.
    low_hu, high_hu
        Range of the mean in HU, both ends included.
    where
        Inside or outside the lung mask.
    doubtful
        Show doubtful lesions too, see `inference.lesion_review.is_doubtful`.
    """

    least_ml: float = 0.0
    low_hu: int = _LOWEST
    high_hu: int = _HIGHEST
    where: Where = Where.ANYWHERE
    doubtful: bool = False

    def shows(self, lesion: Lesion) -> bool:
        """Whether a lesion is shown."""
        if is_doubtful(lesion) and not self.doubtful:
            return False
        if lesion.volume_ml is not None and lesion.volume_ml < self.least_ml:
            return False
        if lesion.mean_hu is not None and not self.low_hu <= lesion.mean_hu <= self.high_hu:
            return False
        outside = is_outside_lung(lesion)
        if self.where is Where.ANYWHERE or outside is None:
            return True
        return outside == (self.where is Where.OUTSIDE)


EVERYTHING = LesionFilter(doubtful=True)


class FilterBar(QWidget):
    """The fields of a filter, all but the doubtful ones."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._least = QDoubleSpinBox()
        self._least.setObjectName("lesion-least-ml")
        self._least.setRange(0.0, 999.0)
        self._least.setDecimals(2)
        self._least.setSingleStep(0.1)
        self._least.setAccessibleName("Least volume in ml")
        self._low, self._high = QSpinBox(), QSpinBox()
        ends = (("low", self._low, _LOWEST), ("high", self._high, _HIGHEST))
        for name, box, start in ends:
            box.setObjectName(f"lesion-{name}-hu")
            box.setRange(_LOWEST, _HIGHEST)
            box.setValue(start)
            box.setSingleStep(50)
            box.setAccessibleName(f"Mean in HU, {'at least' if name == 'low' else 'at most'}")
        self._where = QComboBox()
        self._where.setObjectName("lesion-where")
        self._where.setAccessibleName("In or outside the lungs")
        for each in Where:
            self._where.addItem(each.value, each)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(4)
        for row, (title, fields) in enumerate(
            (
                ("At least, ml", (self._least,)),
                ("Mean HU, from and to", (self._low, self._high)),
                ("Where", (self._where,)),
            )
        ):
            grid.addWidget(muted(title), row, 0)
            for column, field in enumerate(fields, start=1):
                grid.addWidget(field, row, column, 1, 3 - len(fields))
        grid.setColumnStretch(0, 1)
        for field in (self._least, self._low, self._high):
            field.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            field.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
            field.valueChanged.connect(self.changed)
        self._where.currentIndexChanged.connect(self.changed)

    def filter(self, *, doubtful: bool) -> LesionFilter:
        """What the fields say."""
        return LesionFilter(
            self._least.value(),
            self._low.value(),
            self._high.value(),
            Where(self._where.currentData()),
            doubtful,
        )
