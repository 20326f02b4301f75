"""What pages of the settings are made of."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QComboBox, QFormLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from viewer.options import Choices
from viewer.theme import tell

if TYPE_CHECKING:
    from collections.abc import Mapping

    from viewer.options import Chosen

__all__ = ["Page", "note"]


def note(text: str) -> QLabel:
    """Return a wrapped line that stands back."""
    label = QLabel(text)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
    label.setAlignment(Qt.AlignmentFlag.AlignTop)
    tell(label, "muted")
    return label


class Page(QWidget):
    """One subject of the settings. What is changed holds at once, unless a line says when.

    Parameters
    ----------
    chosen
        What is shown and changed.
    """

    title = ""
    """In the list of pages."""
    fields: tuple[str, ...] = ()
    """The fields of `Choices` that stand on this page."""

    def __init__(self, chosen: Chosen) -> None:
        super().__init__()
        self.chosen = chosen
        self.rows = QVBoxLayout(self)
        self.rows.setContentsMargins(16, 12, 16, 12)
        self.rows.setSpacing(8)
        self._boxes: dict[str, QComboBox] = {}
        chosen.changed.connect(self._changed)

    def show_choices(self) -> None:
        """Show what is chosen; to be called at the end of `__init__`."""
        for name, box in self._boxes.items():
            with QSignalBlocker(box):
                box.setCurrentIndex(box.findData(getattr(self.chosen.now, name)))

    def restore_defaults(self) -> None:
        """Choose everything on this page as at first."""
        defaults = Choices()
        self.choose(**{name: getattr(defaults, name) for name in self.fields})

    def choose(self, **values: Any) -> None:
        """Change fields of the choices."""
        self.chosen.choose(replace(self.chosen.now, **values))

    def is_default(self) -> bool:
        """Whether nothing on this page was changed."""
        defaults = Choices()
        now = self.chosen.now
        return all(getattr(now, name) == getattr(defaults, name) for name in self.fields)

    def _changed(self, _before: Choices, _now: Choices) -> None:
        self.show_choices()

    # -- rows --------------------------------------------------------------------------------

    def add_form(self) -> QFormLayout:
        """Add room for rows of a name and a control."""
        form = QFormLayout()
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(6)
        self.rows.addLayout(form)
        return form

    def add_row(self, form: QFormLayout, label: str, control: QWidget, said: str = "") -> None:
        """Add a control with its name and a line that says more, its default first."""
        name = QLabel(label)
        name.setBuddy(control)
        control.setAccessibleName(label)
        if said:
            control.setAccessibleDescription(said)
        form.addRow(name, control)
        if said:
            form.addRow("", note(said))

    def add_choice(
        self, form: QFormLayout, name: str, label: str, texts: Mapping[Any, str], said: str = ""
    ) -> QComboBox:
        """Add a box with the values that a field of the choices can have.

        Parameters
        ----------
        form
            Where.
        name
            Of the field.
        label
            What the reader calls it.
        texts
            Each value with its words.
        said
            What else there is to say.
        """
        box = QComboBox()
        box.setObjectName(f"choice-{name}")
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        box.setMinimumContentsLength(24)
        box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        now = getattr(self.chosen.now, name)
        shown = texts if now in texts else {**texts, now: f"{now} (not installed)"}
        for value, text in shown.items():
            box.addItem(text, value)
        # Qt would give an enumeration back as its text.
        values = tuple(shown)
        self._boxes[name] = box
        default = texts.get(getattr(Choices(), name), "")
        self.add_row(form, label, box, " ".join(filter(None, (f"Default: {default}.", said))))
        box.activated.connect(lambda index: self.choose(**{name: values[index]}))
        return box
