"""The dialog around the pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon, QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from inference.models import ModelStore
from viewer.preferences.analysis import AnalysisPage
from viewer.preferences.corners import CornersPage
from viewer.preferences.folders import FoldersPage
from viewer.preferences.keys import KeysPage
from viewer.preferences.looks import LooksPage
from viewer.preferences.mouse import MousePage
from viewer.preferences.presets import PresetsPage

if TYPE_CHECKING:
    from viewer.actions import Command
    from viewer.cache import CacheKeeper
    from viewer.keeping import FindingsKeeper
    from viewer.options import Chosen
    from viewer.preferences.page import Page

__all__ = ["SettingsDialog"]


class SettingsDialog(QDialog):
    """Pages on the right, their names on the left; what is changed holds at once.

    Parameters
    ----------
    chosen
        What is shown and changed.
    declared
        Every command, for their keys.
    cache
        Measured and cleared.
    findings
        Those that are kept; measured and cleared.
    is_busy
        Whether something is being done.
    parent
        Owner, or None.
    store
        None: the models that come with SecondRead.

    Raises
    ------
    AnalysisError
        When the manifest of the models cannot be read.
    """

    def __init__(
        self,
        chosen: Chosen,
        declared: Sequence[Command],
        cache: CacheKeeper,
        findings: FindingsKeeper,
        is_busy: Callable[[], bool],
        parent: QWidget | None = None,
        store: ModelStore | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Settings")
        self._chosen = chosen
        self._folders = FoldersPage(chosen, cache, findings, is_busy)
        self.pages: tuple[Page, ...] = (
            AnalysisPage(chosen, store or ModelStore()),
            LooksPage(chosen),
            CornersPage(chosen),
            PresetsPage(chosen),
            KeysPage(chosen, declared),
            MousePage(chosen),
            self._folders,
        )
        self.names = QListWidget()
        self.names.setObjectName("settings-pages")
        self.names.setAccessibleName("Pages of the settings")
        self.names.setFixedWidth(160)
        self._stack = QStackedWidget()
        for page in self.pages:
            item = QListWidgetItem(page.title, self.names)
            item.setSizeHint(QSize(0, 32))
            page.setAccessibleName(page.title)
            self._stack.addWidget(_scrolled(page))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        # The style's own icon is black on black.
        buttons.button(QDialogButtonBox.StandardButton.Close).setIcon(QIcon())
        self.restore = QPushButton("Restore defaults of this page")
        self.restore.setObjectName("settings-restore")
        buttons.addButton(self.restore, QDialogButtonBox.ButtonRole.ResetRole)
        middle = QHBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self.names)
        middle.addWidget(self._stack, 1)
        rows = QVBoxLayout(self)
        rows.addLayout(middle, 1)
        rows.addWidget(buttons)
        for button in self.findChildren(QPushButton):
            # Enter in a field must not press a button elsewhere.
            button.setAutoDefault(False)
        self.resize(800, 600)
        self.names.currentRowChanged.connect(self._show_page)
        self.restore.clicked.connect(self._restore)
        buttons.rejected.connect(self.close)
        chosen.changed.connect(lambda *_: self._allow())
        self.names.setCurrentRow(0)

    def showEvent(self, event: QShowEvent) -> None:
        """Measure the cache and the findings anew."""
        self._folders.measure()
        super().showEvent(event)

    def _show_page(self, index: int) -> None:
        self._stack.setCurrentIndex(index)
        self._allow()

    def _restore(self) -> None:
        self.pages[self._stack.currentIndex()].restore_defaults()

    def _allow(self) -> None:
        self.restore.setEnabled(not self.pages[self._stack.currentIndex()].is_default())


def _scrolled(page: QWidget) -> QScrollArea:
    """Let a page be used in a low window, too."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(page)
    return area
