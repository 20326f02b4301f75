"""The dialog with the model cards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from inference.model_cards import card
from inference.models import ModelStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inference.findings import ModelProvenance

__all__ = ["CardsDialog"]


class CardsDialog(QDialog):
    """Shows one card at a time; its text can be selected and copied, not changed.

    Parameters
    ----------
    parent
        Owner, or None.
    store
        None: the models that come with SecondRead.

    Raises
    ------
    AnalysisError
        When the manifest of the models cannot be read.
    """

    def __init__(self, parent: QWidget | None = None, store: ModelStore | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Model cards")
        self._records = {record.name: record for record in (store or ModelStore()).records}
        self._spoke: dict[str, ModelProvenance] = {}
        self._names = QComboBox()
        self._names.setObjectName("card-names")
        self._names.setAccessibleName("Model")
        self._names.addItems(list(self._records))
        self._page = QTextBrowser()
        self._page.setObjectName("card-text")
        self._page.setAccessibleName("Model card")
        self._page.setOpenLinks(False)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        # The style's own icon is black on black.
        buttons.button(QDialogButtonBox.StandardButton.Close).setIcon(QIcon())
        buttons.rejected.connect(self.close)
        rows = QVBoxLayout(self)
        rows.addWidget(self._names)
        rows.addWidget(self._page, 1)
        rows.addWidget(buttons)
        self.resize(760, 680)
        self._names.currentTextChanged.connect(self._show_card)
        self._show_card()

    def choose(self, name: str, spoke: Sequence[ModelProvenance] = ()) -> None:
        """Show a card.

        Parameters
        ----------
        name
            Of a model; one that is not installed is said to be missing. Empty: the last one.
        spoke
            The models whose findings are on the screen: a card says so when the weights that spoke
            are not those that it describes.
        """
        self._spoke = {model.name: model for model in spoke}
        if name and self._names.findText(name) < 0:
            self._names.addItem(name)
        self._names.setCurrentText(name or self._names.currentText())
        self._show_card()

    def _show_card(self) -> None:
        name = self._names.currentText()
        record = self._records.get(name)
        if record is None:
            self._page.setPlainText(
                f"There is no card of {name}: the model is not installed." if name
                else "No models are installed."
            )  # fmt: skip
            return
        text = card(record)
        spoke = self._spoke.get(name)
        if spoke is not None and spoke.sha256 != record.sha256:
            text = (
                f"**The findings on the screen were made with other weights of this name (version "
                f"{spoke.version}, SHA-256 `{spoke.sha256[:12]}…`). This card is of those that "
                f"are installed now.**\n\n{text}"
            )
        self._page.setMarkdown(text)
