"""The page of all keys and what the mouse does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from viewer.menus import keys_html

if TYPE_CHECKING:
    from viewer.keymap import KeyMap
    from viewer.mouse import MouseMap

__all__ = ["KeysDialog"]


class KeysDialog(QDialog):
    """Says which keys and which movements of the mouse do what."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys and mouse")
        self._page = QTextBrowser()
        self._page.setAccessibleName("Keys and mouse")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        # The style's own icon is black on black.
        buttons.button(QDialogButtonBox.StandardButton.Close).setIcon(QIcon())
        buttons.rejected.connect(self.close)
        rows = QVBoxLayout(self)
        rows.addWidget(self._page)
        rows.addWidget(buttons)
        self.resize(520, 560)

    def show_keys(self, keymap: KeyMap, mouse: MouseMap) -> None:
        """Show the page; keys and mouse may have been given other things to do since."""
        self._page.setHtml(keys_html(keymap, mouse))
        self.show()
        self.raise_()
