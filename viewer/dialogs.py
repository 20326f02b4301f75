"""The dialogs of the window that stay open beside it, each made when it is first wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.errors import AnalysisError
from viewer.cards import CardsDialog
from viewer.elements_dialog import ElementsDialog
from viewer.keys_dialog import KeysDialog
from viewer.layouts_dialog import LayoutsDialog

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

    from viewer.keymap import KeyMap
    from viewer.session import ReadingSession
    from viewer.settings import Settings
    from viewer.worker import Worker

__all__ = ["Dialogs"]


class Dialogs:
    """Keys, model cards, layouts, DICOM elements.

    Parameters
    ----------
    session
        What is open.
    settings
        Where layouts are kept.
    worker
        Reads files.
    keymap
        Gives the keys in use.
    window
        Owner of all.
    """

    def __init__(
        self,
        session: ReadingSession,
        settings: Settings,
        worker: Worker,
        keymap: Callable[[], KeyMap],
        window: QWidget,
    ) -> None:
        self._session = session
        self._settings = settings
        self._worker = worker
        self._keymap = keymap
        self._window = window
        self._keys: KeysDialog | None = None
        self._cards: CardsDialog | None = None
        self._layouts: LayoutsDialog | None = None
        self.elements: ElementsDialog | None = None

    def show_keys(self) -> None:
        """Show which keys do what."""
        self._keys = self._keys or KeysDialog(self._window)
        self._keys.show_keys(self._keymap(), self._session.manner.mouse)

    def show_layouts(self) -> None:
        """Show the layouts that have a name."""
        if self._layouts is None:
            self._layouts = LayoutsDialog(self._session, self._settings, self._window)
        self._layouts.show()
        self._layouts.raise_()

    def show_card(self, name: str = "") -> None:
        """Show the card of a model that spoke, or of any."""
        if self._cards is None:
            try:
                self._cards = CardsDialog(self._window)
            except AnalysisError as error:
                self._session.post("error", str(error))
                return
        findings = self._session.findings
        self._cards.choose(name, () if findings is None else findings.models)
        self._cards.show()
        self._cards.raise_()

    def show_elements(self) -> None:
        """Show the DICOM elements of the slice on the screen."""
        if self.elements is None:
            self.elements = ElementsDialog(self._session, self._worker, self._window)
        self.elements.open_at_slice()
