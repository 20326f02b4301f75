"""Asks what a picture is before it is analysed, where its file does not say."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QApplication, QMessageBox, QWidget

from viewer.libraries import loading
from viewer.worker import Job

if TYPE_CHECKING:
    from inference.picture_kind import KindGuess
    from inference.progress import Progress
    from inference.studies.model import Volume
    from viewer.session import ReadingSession
    from viewer.worker import Worker

__all__ = ["KindAsker", "KindDialog", "guess"]

_KNOWN = ("CT", "CR", "DX")
_WORDS = {"DX": "a chest X-ray", "CT": "a CT slice"}


def guess(volume: Volume, progress: Progress) -> KindGuess | None:
    """Guess by the shipped detector; torch is imported when this is called."""
    with loading("torch", "torch"):
        from inference.picture_kind import guess_kind

    return guess_kind(volume, progress)


class KindDialog(QMessageBox):
    """Two buttons, one a kind; that of the guess is preselected.

    Parameters
    ----------
    guessed
        What the picture looks like, or None.
    """

    def __init__(self, guessed: KindGuess | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("picture-kind")
        self.setIcon(QMessageBox.Icon.Question)
        self.setWindowTitle("What is this picture?")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText("The file does not say whether this is a chest X-ray or a CT slice.")
        self.setInformativeText(
            "It does not look like either. Choose what it is; the analysis goes by what you say."
            if guessed is None
            else f"It looks like {_WORDS[guessed.modality]}. That is a guess; the analysis goes by "
            "what you say."
        )
        role = QMessageBox.ButtonRole.AcceptRole
        self.kinds = {
            self.addButton("Chest &X-ray", role): "DX",
            self.addButton("&CT slice", role): "CT",
        }
        cancel = self.addButton(QMessageBox.StandardButton.Cancel)
        preselected = cancel
        for button, modality in self.kinds.items():
            button.setObjectName(f"kind-{modality}")
            if guessed is not None and modality == guessed.modality:
                preselected = button
        self.setDefaultButton(preselected)
        self.setEscapeButton(cancel)

    @property
    def chosen(self) -> str | None:
        """``"DX"``, ``"CT"``, or None where it was cancelled."""
        clicked = self.clickedButton()
        return next((kind for button, kind in self.kinds.items() if button is clicked), None)


class KindAsker(QObject):
    """Lets an analysis begin at once, or after the reader has said what the picture is.

    Parameters
    ----------
    session
        Gives the volume, receives sentences.
    worker
        Guesses on its thread.
    read_as
        Takes the open picture for a modality.
    analyse
        Begins the analysis of the open volume.
    """

    def __init__(
        self,
        session: ReadingSession,
        worker: Worker,
        read_as: Callable[[str], None],
        analyse: Callable[[], None],
    ) -> None:
        super().__init__(session)
        self._session = session
        self._worker = worker
        self._read_as = read_as
        self._analyse = analyse
        self._job: Job | None = None
        self.dialog: KindDialog | None = None
        """The question, while it stands."""
        session.volume_changed.connect(self._withdraw)

    def start(self) -> None:
        """Analyse the open volume, asking first where it does not say what it is."""
        volume = self._session.volume
        if volume is None or self._session.reading.active or volume.modality in _KNOWN:
            self._analyse()
            return
        if self._job is not None or self.dialog is not None:
            return

        def done(guessed: KindGuess | None) -> None:
            self._job = None
            if self._session.volume is volume:
                self._ask(volume, guessed)

        def failed(_sentence: str) -> None:
            done(None)

        def cancelled() -> None:
            self._job = None

        self._job = self._worker.submit(
            Job("Looking at the picture", lambda p: guess(volume, p), done, failed, cancelled)
        )

    def _ask(self, volume: Volume, guessed: KindGuess | None) -> None:
        self.dialog = dialog = KindDialog(guessed, QApplication.activeWindow())

        def answered() -> None:
            self.dialog = None
            dialog.deleteLater()
            kind = dialog.chosen
            if kind is not None and self._session.volume is volume:
                self._read_as(kind)
                self._analyse()

        dialog.finished.connect(answered)
        # Not `exec`: the rest of the window goes on.
        dialog.open()

    def _withdraw(self) -> None:
        """Another volume is open: the question was about the one before."""
        if self._job is not None:
            self._job.cancel()
            self._job = None
        if self.dialog is not None:
            self.dialog.reject()
