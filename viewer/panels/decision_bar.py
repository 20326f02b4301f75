"""Two buttons and a line: what the reader says of the chosen lesion."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QToolButton, QWidget

from inference.lesion_review import Verdict

if TYPE_CHECKING:
    from viewer.session import ReadingSession

__all__ = ["DecisionBar"]

_MOST_TEXT = 200


class DecisionBar(QWidget):
    """Accept, reject and comment on the lesion that is chosen.

    Parameters
    ----------
    session
        Its review is shown and changed.
    """

    def __init__(self, session: ReadingSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._buttons: dict[Verdict, QToolButton] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for verdict, text in ((Verdict.ACCEPTED, "✓ Accept"), (Verdict.REJECTED, "✗ Reject")):
            button = QToolButton()
            button.setText(text)
            button.setObjectName(f"lesion-{verdict.value}")
            button.setCheckable(True)
            # A click leaves the keys with the picture.
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(partial(self._decide, verdict))
            self._buttons[verdict] = button
            row.addWidget(button)
        self._comment = QLineEdit()
        self._comment.setObjectName("lesion-comment")
        self._comment.setAccessibleName("Comment on the lesion")
        self._comment.setMaxLength(_MOST_TEXT)
        self._comment.editingFinished.connect(self._write)
        row.addWidget(self._comment, 1)
        self._about = 0
        session.review.changed.connect(self._show)
        session.review.chosen_changed.connect(self._show)
        session.manner.keys_changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        review, manner = self._session.review, self._session.manner
        chosen = review.chosen
        decision = review.decision(chosen.number) if chosen is not None else None
        for verdict, button in self._buttons.items():
            button.setEnabled(chosen is not None)
            button.setChecked(decision is not None and decision.verdict is verdict)
            command = "lesion-accept" if verdict is Verdict.ACCEPTED else "lesion-reject"
            press = manner.press(command, button.text()[2:])
            button.setToolTip(f"{press[:1].upper()}{press[1:]}; again takes it back")
        self._comment.setEnabled(chosen is not None)
        self._comment.setPlaceholderText(
            "Choose a lesion" if chosen is None else f"Comment on lesion {chosen.number}"
        )
        number = 0 if chosen is None else chosen.number
        if number != self._about or not self._comment.hasFocus():
            self._about = number
            with QSignalBlocker(self._comment):
                self._comment.setText("" if decision is None else decision.comment)

    def _decide(self, verdict: Verdict) -> None:
        self._session.review.decide(verdict)
        self._show()

    def _write(self) -> None:
        if self._about:
            self._session.review.comment(self._about, self._comment.text())
