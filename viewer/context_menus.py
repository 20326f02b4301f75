"""Menus at the pointer: what can be done with the study, image, measurement or lesion there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QPoint, Qt, QUrl, Signal
from PySide6.QtGui import QAction, QDesktopServices, QGuiApplication, QImage
from PySide6.QtWidgets import QInputDialog, QLineEdit, QMenu, QWidget

from inference.measurements.model import MOST_TEXT

if TYPE_CHECKING:
    from inference.lesion_data import Lesion
    from inference.studies.model import Series, Study
    from viewer.menus import ActionSet
    from viewer.session import ReadingSession

__all__ = ["ContextMenus"]

_IMAGE: Final = (
    "reset", "fit", "pixels", "invert", "overlays", "", "maximise", "crosshair", "tear-off",
)  # fmt: skip
"""Commands for an image, by id; "" is a separator, and what the program lacks is passed over."""
_IMAGE_END: Final = ("analyse", "export-png", "elements")
_STUDY_END: Final = ("analyse-all", "cancel-all")
_DECIDE: Final = ("lesion-accept", "lesion-reject")


class ContextMenus(QObject):
    """Makes a menu where one is asked for; its entries are commands of the program where it can be.

    Parameters
    ----------
    session
        What is open.
    actions
        The commands.
    picture
        Draws the active pane.
    window
        Owner of the menus.
    """

    show_asked = Signal(object, object)
    """(study, series) that the reader wants to see."""
    beside_asked = Signal(object, object)
    """(study, series) that the reader wants to see beside the open one."""
    analyse_asked = Signal(object, object)
    """(study, series) that the reader wants to have analysed."""
    cancel_asked = Signal(object)
    """The series whose analysis the reader wants to stop."""

    def __init__(
        self,
        session: ReadingSession,
        actions: ActionSet,
        picture: Callable[[], QImage],
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._session = session
        self._actions = actions
        self._picture = picture
        self._window = window

    # -- what lies under the pointer -----------------------------------------------------------

    def of_study(self, study: Study, series: Series | None, at: QPoint) -> None:
        """Offer what can be done with a series or, with None, a study of the list."""
        menu = self._menu()
        shown = series or (study.series[0] if study.series else None)
        if series is not None:
            is_open = self._session.series is not None and self._session.series.uid == series.uid
            self._add(menu, "Show", partial(self.show_asked.emit, study, series), not is_open)
            is_possible = self._session.volume is not None and not is_open
            beside = partial(self.beside_asked.emit, study, series)
            self._add(menu, "Show beside the open one", beside, is_possible)
            menu.addSeparator()
            if self._session.states.of(series.uid).standing.active:
                self._add(menu, "Cancel its analysis", partial(self.cancel_asked.emit, series))
            elif not is_open:
                self._add(menu, "Analyse", partial(self.analyse_asked.emit, study, series))
            if is_open:
                self._add_commands(menu, ("analyse", "elements"))
        menu.addSeparator()
        self._add_commands(menu, _STUDY_END)
        menu.addSeparator()
        if shown is not None and shown.slices:
            folder = str(shown.slices[0].path.parent)
            # Folders are named after patients, and a file manager shows them to everybody.
            is_shown = not self._session.manner.names_hidden
            self._add(menu, "Show in folder", partial(self._show_folder, folder), is_shown)
        menu.popup(at)

    def of_image(self, measurement_id: str, is_lesion: bool, at: QPoint) -> None:
        """Offer what can be done with an image or, with its id, a measurement on it.

        Where there is a lesion, it is the chosen one, and deciding on it is offered first.
        """
        if measurement_id:
            self.of_measurement(measurement_id, at)
            return
        menu = self._menu()
        lesion = self._session.review.chosen
        if is_lesion and lesion is not None:
            menu.addSection(f"Lesion {lesion.number}: {lesion.key.label}")
            self._add_commands(menu, _DECIDE)
            menu.addSeparator()
        self._add_commands(menu, _IMAGE)
        for title in ("Window level", "Measure"):
            self._add_submenu(menu, title)
        menu.addSeparator()
        self._add(menu, "Copy picture", self._copy_picture, self._session.volume is not None)
        self._add_commands(menu, _IMAGE_END)
        menu.popup(at)

    def of_measurement(self, measurement_id: str, at: QPoint) -> None:
        """Offer what can be done with a measurement."""
        notebook = self._session.measurements
        measurement = notebook.get(measurement_id)
        if measurement is None:
            return
        notebook.select(measurement_id)
        menu = self._menu()
        self._add(menu, "Go to it", partial(notebook.show, measurement_id))
        self._add(menu, "Write a note…", partial(self._write_note, measurement_id))
        lines = (*notebook.values(measurement).lines, measurement.text)
        text = "\n".join(filter(None, lines))
        self._add(menu, "Copy values", partial(_copy, text), bool(text))
        menu.addSeparator()
        self._add_commands(menu, ("measurement-delete", "undo", "redo"))
        menu.popup(at)

    def of_lesion(self, lesion: Lesion, words: str, at: QPoint) -> None:
        """Offer what can be done with a lesion of the list; `words` is all that is known of it."""
        # Commands work on the chosen lesion.
        self._session.review.choose(lesion.number)
        # What is decided is decided on the lesion of this row.
        self._session.review.choose(lesion.number)
        menu = self._menu()
        self._add(menu, "Go to it", partial(self._session.go_to_voxel, *lesion.voxel))
        self._add(menu, "Copy values", partial(_copy, words))
        menu.addSeparator()
        self._add_commands(menu, (*_DECIDE, "lesion-next", "lesion-previous"))
        menu.popup(at)

    # -- entries -------------------------------------------------------------------------------

    def _menu(self) -> QMenu:
        menu = QMenu(self._window)
        menu.setObjectName("context-menu")
        menu.setToolTipsVisible(True)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        return menu

    def _add(self, menu: QMenu, text: str, do: Callable[[], object], enabled: bool = True) -> None:
        entry = QAction(text, menu)
        entry.setEnabled(enabled)
        entry.triggered.connect(partial(_do, do))
        menu.addAction(entry)

    def _add_commands(self, menu: QMenu, ids: Iterable[str]) -> None:
        known = {command.id for command in self._actions.commands}
        for each in ids:
            if not each:
                menu.addSeparator()
            elif each in known:
                menu.addAction(self._actions[each])

    def _add_submenu(self, menu: QMenu, title: str) -> None:
        inner = menu.addMenu(title)
        inner.setToolTipsVisible(True)
        self._add_commands(inner, (c.id for c in self._actions.commands if c.menu == title))

    # -- doing ---------------------------------------------------------------------------------

    def _show_folder(self, folder: str) -> None:
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(folder)):
            self._session.post(
                "warning", f"This computer names no program that shows folders; it is “{folder}”."
            )

    def _copy_picture(self) -> None:
        QGuiApplication.clipboard().setImage(self._picture())

    def _write_note(self, measurement_id: str) -> None:
        known = self._session.measurements.get(measurement_id)
        if known is None:
            return
        text, wanted = QInputDialog.getText(
            self._window, "Note", f"Note on {known.kind.label.lower()} {known.number}",
            QLineEdit.EchoMode.Normal, known.text,
        )  # fmt: skip
        if wanted:
            self._session.measurements.set_text(measurement_id, " ".join(text.split())[:MOST_TEXT])


def _copy(text: str) -> None:
    QGuiApplication.clipboard().setText(text)


def _do(do: Callable[[], object], _checked: bool = False) -> None:
    do()
