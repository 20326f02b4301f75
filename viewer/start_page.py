"""What stands in the middle of the window while nothing is open: ways to open something."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from viewer import theme
from viewer.icons import icon

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtGui import QAction

    from viewer.menus import ActionSet
    from viewer.recent import Recent
    from viewer.session import ReadingSession
    from viewer.viewport import PaneGrid
    from viewer.worker import Worker

__all__ = ["StartPage", "stand_in"]

_MOST: Final = 5
"""So many of the studies opened last; the menu has all of them."""
_WIDTH: Final = 460
_NARROWEST: Final = 250
_ASKED: Final = ("open-files", "open-folder", "open-sample")
"""The commands that open something, in order."""


class StartPage(QScrollArea):
    """Buttons that open something, what was opened last, and how far opening has come.

    Files are dropped anywhere in the window; the frame says so.

    Parameters
    ----------
    session
        Says whether names are shown and whether something is listed.
    recent
        What was opened before.
    workers
        Whose progress is shown.
    """

    def __init__(
        self,
        session: ReadingSession,
        recent: Recent,
        workers: Sequence[Worker],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._recent = recent
        self._workers = tuple(workers)
        self._actions: dict[str, QAction] = {}
        self.buttons: dict[str, QPushButton] = {}
        """The buttons of the commands, by command id."""
        self.setObjectName("start-page")
        self.setAccessibleName("Open something")
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumWidth(_NARROWEST)
        column = QWidget()
        column.setMaximumWidth(_WIDTH)
        column.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._rows = QVBoxLayout(column)
        self._rows.setSpacing(theme.grid(2))
        self._add_zone()
        self._last = QWidget()
        self._rows.addWidget(self._last)
        page = QWidget()
        across = QHBoxLayout(page)
        across.addStretch(1)
        across.addWidget(column, 100, Qt.AlignmentFlag.AlignVCenter)
        across.addStretch(1)
        self.setWidget(page)
        recent.changed.connect(self._list_recent)
        session.manner.names_changed.connect(self._list_recent)
        session.manner.looks_changed.connect(self._draw_icons)
        session.studies_changed.connect(self._say)
        for worker in self._workers:
            worker.busy_changed.connect(self._say)
            worker.progressed.connect(self._show_progress)
        self._list_recent()
        self._say()
        # A drive that does not answer must not hold up the first picture of the window.
        QTimer.singleShot(0, self, recent.check)

    def take_actions(self, actions: ActionSet) -> None:
        """Give the buttons their commands."""
        self._actions = {name: actions[name] for name in _ASKED}
        for name, action in self._actions.items():
            button = self.buttons[name]
            button.clicked.connect(action.trigger)
            action.changed.connect(partial(self._follow, name))
            self._follow(name)
        self._draw_icons()

    # -- parts -------------------------------------------------------------------------------

    def _add_zone(self) -> None:
        zone = QFrame()
        zone.setObjectName("drop-zone")
        inside = QVBoxLayout(zone)
        inside.setContentsMargins(*[theme.grid(4)] * 4)
        inside.setSpacing(theme.grid(3))
        self.title = _centred("")
        self.title.setFont(theme.font("large"))
        self.hint = _centred("")
        theme.tell(self.hint, "muted")
        self.progress = QProgressBar()
        self.progress.setObjectName("start-progress")
        self.progress.setTextVisible(False)
        place = self.progress.sizePolicy()
        place.setRetainSizeWhenHidden(True)
        self.progress.setSizePolicy(place)
        inside.addWidget(self.title)
        inside.addWidget(self.hint)
        for name in _ASKED:
            button = QPushButton()
            button.setObjectName(f"start-{name}")
            inside.addWidget(button)
            self.buttons[name] = button
        inside.addWidget(self.progress)
        self._rows.addWidget(zone)

    def _follow(self, name: str) -> None:
        action, button = self._actions[name], self.buttons[name]
        # Underlined letters are those of the menus.
        button.setText(action.text().replace("&", ""))
        button.setToolTip(action.toolTip())
        button.setEnabled(action.isEnabled())

    def _draw_icons(self) -> None:
        for name, button in self.buttons.items():
            button.setIcon(icon(name))

    def _list_recent(self) -> None:
        """Write the list; none in teaching mode, since files are named after people."""
        last = QWidget()
        last.setObjectName("start-recent")
        rows = QVBoxLayout(last)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(theme.grid())
        paths = () if self._session.manner.names_hidden else self._recent.paths[:_MOST]
        if paths:
            title = QLabel("Opened last")
            theme.tell(title, "muted")
            rows.addWidget(title)
        for path in paths:
            rows.addWidget(self._recent_button(path))
        self._rows.replaceWidget(self._last, last)
        self._last.hide()
        self._last.deleteLater()
        self._last = last
        last.show()

    def _recent_button(self, path: Path) -> QPushButton:
        button = QPushButton()
        button.setObjectName("start-recent-path")
        button.setAccessibleName(f"Open {path.name}")
        room = _WIDTH - theme.grid(8)
        text = f"{path.name or path}   {path.parent}"
        shown = button.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, room)
        # "&" underlines the next letter; "&&" is one that is meant.
        button.setText(shown.replace("&", "&&"))
        button.setMinimumWidth(0)
        button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        gone = self._recent.is_missing(path)
        button.setToolTip(f"{path} is not there any more" if gone else f"Open {path}")
        button.setEnabled(not gone)
        button.clicked.connect(partial(self._open_again, path))
        return button

    def _open_again(self, path: Path, _checked: bool = False) -> None:
        self._recent.open(path)

    # -- progress ----------------------------------------------------------------------------

    def _say(self, *_: object) -> None:
        """Say what can be done, or what is being done."""
        doing = next((worker.title for worker in self._workers if worker.busy), "")
        self.progress.setVisible(bool(doing))
        self.progress.setRange(0, 0)
        if doing:
            self.title.setText(f"{doing}…")
            self.hint.setText("The images appear as soon as the first of them has been read.")
            return
        if self._session.studies:
            self.title.setText("Choose a series in the study list")
        else:
            self.title.setText("Drop images here")
        self.hint.setText("Files, a folder, a DICOMDIR or a ZIP archive: DICOM, NIfTI, NRRD, MHA, "
                          "PNG, JPEG")  # fmt: skip

    def _show_progress(self, stage: str, done: int, total: int) -> None:
        if not self.isVisible():
            return
        self.title.setText(f"{stage}…")
        self.progress.setRange(0, max(0, total))
        self.progress.setValue(done)


def stand_in(session: ReadingSession, page: StartPage, panes: PaneGrid, *parts: QWidget) -> None:
    """Show the page while nothing is open, and these parts while something is.

    Who opens something wants to go through it: the keys are the image's then.

    Parameters
    ----------
    session
        Says whether something is open.
    page, parts
        What is shown and hidden.
    panes
        Inside one of the parts; the active one gets the keys.
    """

    def show() -> None:
        is_open = session.volume is not None
        for part in parts:
            part.setVisible(is_open)
        if is_open and not page.isHidden():
            panes.active_view.setFocus()
        page.setVisible(not is_open)

    session.volume_changed.connect(show)
    show()


def _centred(text: str) -> QLabel:
    label = QLabel(text)
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label
