"""Asks which series is to stand beside the open one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from viewer.identity import date_text, time_text, whose_text
from viewer.priors import Candidate, candidates
from viewer.theme import tell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from viewer.opening import Opener
    from viewer.session import ReadingSession

__all__ = ["CompareDialog", "ask_to_compare"]

_THUMBNAIL = 44
_ROLE = Qt.ItemDataRole.UserRole
_MINE, _OTHERS = "This patient", "Other patients"


class CompareDialog(QDialog):
    """Lists the series that can be compared, this patient's first; the prior is chosen at first.

    Parameters
    ----------
    offered
        As `viewer.priors.candidates` puts them in order; at least one.
    names_hidden
        Teaching mode: nothing tells whose the series are, or of when.
    thumbnail
        Gives the small picture of a series by its uid.
    parent
        Owner, or None.
    """

    def __init__(
        self,
        offered: Sequence[Candidate],
        names_hidden: bool,
        thumbnail: Callable[[str], QIcon],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Compare with")
        self.tree = QTreeWidget()
        self.tree.setObjectName("compare-list")
        self.tree.setAccessibleName("Series to show beside the open one")
        self.tree.setHeaderHidden(True)
        self.tree.setIconSize(QSize(_THUMBNAIL, _THUMBNAIL))
        self.tree.setRootIsDecorated(False)
        self.tree.setIndentation(12)
        self.tree.setWordWrap(True)
        self.tree.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        groups: dict[bool, QTreeWidgetItem] = {}
        first: QTreeWidgetItem | None = None
        for one in offered:
            if one.mine not in groups:
                groups[one.mine] = QTreeWidgetItem(self.tree, [_MINE if one.mine else _OTHERS])
                groups[one.mine].setFlags(Qt.ItemFlag.ItemIsEnabled)
            item = QTreeWidgetItem(groups[one.mine], [_words(one, names_hidden)])
            item.setIcon(0, thumbnail(one.series.uid))
            item.setData(0, _ROLE, one)
            item.setSizeHint(0, QSize(0, _THUMBNAIL + 10))
            first = item if first is None or one.prior else first
        self.tree.expandAll()
        self.note = QLabel(_note(offered))
        self.note.setWordWrap(True)
        tell(self.note, "muted")
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        self.compare = buttons.button(QDialogButtonBox.StandardButton.Ok)
        self.compare.setText("Compare")
        for button in buttons.buttons():
            # The style's own icons are black on black.
            button.setIcon(QIcon())
        rows = QVBoxLayout(self)
        rows.addWidget(QLabel("Series to show beside the open one:"))
        rows.addWidget(self.tree, 1)
        rows.addWidget(self.note)
        rows.addWidget(buttons)
        self.resize(480, 420)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        self.tree.itemDoubleClicked.connect(self._take)
        self.tree.itemActivated.connect(self._take)
        self.tree.currentItemChanged.connect(self._allow)
        if first is not None:
            self.tree.setCurrentItem(first)
        self.tree.setFocus()

    @property
    def chosen(self) -> Candidate | None:
        """What is chosen now."""
        item = self.tree.currentItem()
        one = item.data(0, _ROLE) if item is not None else None
        return one if isinstance(one, Candidate) else None

    def _allow(self) -> None:
        self.compare.setEnabled(self.chosen is not None)

    def _take(self) -> None:
        if self.chosen is not None:
            self.accept()


def _words(one: Candidate, names_hidden: bool) -> str:
    kind = "Picture" if one.series.modality == "OT" else one.series.modality
    size = f"{kind} {len(one.series.slices)}"
    proposed = "proposed prior" if one.prior else ""
    if names_hidden:
        return _joined(size, proposed)
    when = f"{date_text(one.study.date)} {time_text(one.study.time)}".strip()
    whose = when if one.mine else whose_text(one.study)
    number = "" if one.series.number is None else f"series {one.series.number}"
    return "\n".join(
        (
            _joined(whose or "no date", size, number, proposed),
            _joined(one.study.description, one.series.description) or "No description",
        )
    )


def _note(offered: Sequence[Candidate]) -> str:
    if any(one.prior for one in offered):
        return (
            "Proposed: an earlier study of this patient, of the same modality and with the most "
            "alike description."
        )
    if not any(one.mine for one in offered):
        return "No other series of this patient is open."
    return "No earlier study of this patient with the same modality is open."


def _joined(*parts: str) -> str:
    return "  ·  ".join(filter(None, parts))


def ask_to_compare(
    window: QWidget,
    session: ReadingSession,
    opener: Opener,
    thumbnail: Callable[[str], QIcon],
) -> None:
    """Ask for the series that is to stand beside the open one, and open it there."""
    offered = candidates(session.studies, session.study, session.series)
    if not offered:
        return
    dialog = CompareDialog(offered, session.manner.names_hidden, thumbnail, window)
    taken = dialog.exec() == QDialog.DialogCode.Accepted
    chosen = dialog.chosen
    dialog.deleteLater()
    if taken and chosen is not None:
        opener.show_series(chosen.study, chosen.series)
