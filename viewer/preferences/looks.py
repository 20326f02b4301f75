"""Settings: theme, colours of findings, and how masks are drawn at first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QWidget

from inference.findings import Manifestation
from viewer.options import TEXT_SIZES, Choices, Scheme
from viewer.preferences.page import Page, note
from viewer.session import LayerStyle
from viewer.theme import findings_colour

if TYPE_CHECKING:
    from viewer.options import Chosen

__all__ = ["LooksPage"]


class LooksPage(Page):
    """How the program looks."""

    title = "Looks"
    fields = ("scheme", "text_size", "safe_colours", "opacity", "style")

    def __init__(self, chosen: Chosen) -> None:
        super().__init__(chosen)
        form = self.add_form()
        self.add_choice(
            form, "scheme", "Theme",
            {Scheme.DARK: "Dark", Scheme.LIGHT: "Light", Scheme.SYSTEM: "As the system"},
            "Images lie on black in every theme.",
        )  # fmt: skip
        self.add_choice(
            form, "text_size", "Size of texts", {size: f"{size} %" for size in TEXT_SIZES},
            "On images and in exported pictures, too.",
        )  # fmt: skip
        self.add_choice(
            form, "safe_colours", "Colours of findings",
            {False: "The paper's: yellow, red, green", True: "Safe for colour-blind readers"},
        )  # fmt: skip
        self._sample = QLabel()
        self._sample.setObjectName("colours-sample")
        form.addRow("", self._sample)
        self.add_choice(
            form,
            "style",
            "Masks at first",
            {LayerStyle.FILL: "Fill", LayerStyle.OUTLINE: "Outline"},
        )
        self._opacity = QSlider(Qt.Orientation.Horizontal)
        self._opacity.setObjectName("choice-opacity")
        self._opacity.setRange(5, 100)
        self._number = QLabel()
        self._number.setMinimumWidth(self.fontMetrics().horizontalAdvance("100 %") + 4)
        both = QWidget()
        row = QHBoxLayout(both)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._opacity, 1)
        row.addWidget(self._number)
        label = QLabel("Opacity of masks at first")
        label.setBuddy(self._opacity)
        self._opacity.setAccessibleName(label.text())
        form.addRow(label, both)
        percent = round(Choices().opacity * 100)
        form.addRow(
            "", note(f"Default: {percent} %. The masks on the screen follow at once; the Layers "
                     "panel changes each of them for now."),
        )  # fmt: skip
        self._opacity.valueChanged.connect(lambda value: self.choose(opacity=value / 100))
        self.rows.addStretch(1)
        self.show_choices()

    def show_choices(self) -> None:
        """Show what is chosen."""
        super().show_choices()
        percent = round(self.chosen.now.opacity * 100)
        with QSignalBlocker(self._opacity):
            self._opacity.setValue(percent)
        self._number.setText(f"{percent} %")
        safe = self.chosen.now.safe_colours
        tints = {key.label: findings_colour(key, safe=safe).name() for key in Manifestation}
        self._sample.setText(
            "&nbsp;&nbsp; ".join(
                f"<span style='color: {tint}'>■</span> {name}" for name, tint in tints.items()
            )
        )
