"""Settings: where files go, and what is kept to be quicker."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import (
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QWidget,
)

from viewer.cache import CacheKeeper, size_in_words
from viewer.export_places import own_folder
from viewer.options import FINDINGS_MB
from viewer.preferences.page import Page

if TYPE_CHECKING:
    from viewer.keeping import FindingsKeeper
    from viewer.options import Chosen

__all__ = ["FoldersPage"]

_KEPT_UNTIL = {True: "Yes", False: "Only until SecondRead is closed"}


class FoldersPage(Page):
    """The folder of exports; cache and findings, their sizes, and buttons that clear them.

    Parameters
    ----------
    chosen
        What is shown and changed.
    cache
        Measures and clears.
    findings
        Those that are kept.
    is_busy
        Whether something is being done that may use the cache.
    """

    title = "Folders and cache"
    fields = ("export_folder", "keep_findings", "findings_mb")

    def __init__(
        self,
        chosen: Chosen,
        cache: CacheKeeper,
        findings: FindingsKeeper,
        is_busy: Callable[[], bool],
    ) -> None:
        super().__init__(chosen)
        self._cache = cache
        self._findings = findings
        self._is_busy = is_busy
        form = self.add_form()
        self._export = QLineEdit()
        self._export.setObjectName("choice-export_folder")
        self._export.setReadOnly(True)
        self._export.setPlaceholderText(str(own_folder()))
        choose = QPushButton("Choose…")
        choose.setObjectName("choose-export-folder")
        choose.setAccessibleName("Choose the export folder")
        choose.clicked.connect(self._ask)
        self.add_row(
            form, "Exports go to", self._export,
            "Default: the folder exported to last, at first one of their own, and never one that "
            "holds images of an open study. Each export still asks for the file.",
        )  # fmt: skip
        form.addRow("", _left(choose))
        folder = QLineEdit(str(cache.folder))
        folder.setObjectName("cache-folder")
        folder.setReadOnly(True)
        self.add_row(
            form, "Cache", folder,
            "Networks made ready for this computer, the sample study, and the index of headers: "
            "names of patients, but no images. It is made again when it is needed.",
        )  # fmt: skip
        self._size = QLabel("…")
        self._size.setObjectName("cache-size")
        self._clear = QPushButton("Clear")
        self._clear.setObjectName("cache-clear")
        self._clear.setAccessibleName("Clear the cache")
        self._clear.clicked.connect(self._clear_cache)
        form.addRow("", _left(self._clear, self._size))
        self._add_findings(form)
        self.rows.addStretch(1)
        cache.measured.connect(self._show_size)
        cache.failed.connect(self._size.setText)
        self.show_choices()

    def _add_findings(self, form: QFormLayout) -> None:
        self.add_choice(
            form, "keep_findings", "Findings are kept", _KEPT_UNTIL,
            "They are shown again when a series is opened again. They name no patient.",
        )  # fmt: skip
        self.add_choice(
            form, "findings_mb", "At most",
            {size: size_in_words(size * 1_000_000) for size in FINDINGS_MB}, "The oldest go.",
        )  # fmt: skip
        folder = QLineEdit(str(self._findings.folder))
        folder.setObjectName("findings-folder")
        folder.setReadOnly(True)
        self.add_row(form, "In", folder)
        self._findings_size = QLabel("…")
        self._findings_size.setObjectName("findings-size")
        self._forget = QPushButton("Delete all")
        self._forget.setObjectName("findings-clear")
        self._forget.setAccessibleName("Delete all findings that are kept")
        self._forget.clicked.connect(self._clear_findings)
        form.addRow("", _left(self._forget, self._findings_size))
        self._findings.measured.connect(self._show_findings_size)
        self._findings.failed.connect(self._findings_size.setText)

    def _show_findings_size(self, size: int) -> None:
        self._findings_size.setText(f"Size: {size_in_words(size)}")
        self._forget.setEnabled(size > 0)

    def _clear_findings(self) -> None:
        self._findings_size.setText("Deleting…")
        self._findings.clear()

    def show_choices(self) -> None:
        """Show what is chosen."""
        super().show_choices()
        self._export.setText(self.chosen.now.export_folder)

    def measure(self) -> None:
        """Show how large cache and findings are by now."""
        self._cache.measure()
        self._findings.measure()

    def _ask(self) -> None:
        start = self.chosen.now.export_folder or str(Path.home())
        name = QFileDialog.getExistingDirectory(self, "Folder for exports", start)
        if name:
            self.choose(export_folder=name)

    def _show_size(self, size: int) -> None:
        self._size.setText(f"Size: {size_in_words(size)}")
        self._clear.setEnabled(size > 0)

    def _clear_cache(self) -> None:
        if self._is_busy():
            self._size.setText("Wait for the work to end, or cancel it; it may use the cache.")
            return
        self._size.setText("Clearing…")
        self._cache.clear()


def _left(*widgets: QWidget) -> QWidget:
    line = QWidget()
    row = QHBoxLayout(line)
    row.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        row.addWidget(widget)
    row.addStretch(1)
    return line
