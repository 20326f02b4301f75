"""Puts the parts of the window in place; what they do is theirs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QImage, QKeyEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QMainWindow,
    QMenu,
    QSplitter,
    QTabWidget,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

from inference.errors import AnalysisError
from viewer.actions import Doings, commands
from viewer.analysis import Analyst
from viewer.browser import StudyTree
from viewer.cards import CardsDialog
from viewer.compare_pane import ComparePane, ask_to_compare
from viewer.comparing import Comparison
from viewer.details import details
from viewer.export import Exporter, Format, ask_with_dialog
from viewer.habits import Habits
from viewer.identity import private_words, without
from viewer.keys_dialog import KeysDialog
from viewer.layouts import Hanger
from viewer.layouts_dialog import LayoutsDialog
from viewer.lesions import LesionLister
from viewer.measuring.keeper import Keeper
from viewer.menus import ActionSet, wants_key
from viewer.messages import MessageArea
from viewer.opening import Opener
from viewer.panels import (
    FindingsPanel,
    LayersPanel,
    LesionsPanel,
    MeasurementsPanel,
    PatternsPanel,
    TimingPanel,
)
from viewer.recent import Recent
from viewer.session import ReadingSession
from viewer.settings import Settings
from viewer.status import StatusBar
from viewer.stepping import Cine
from viewer.viewport import PaneGrid, SliceStrip, SliceView
from viewer.worker import Worker

if TYPE_CHECKING:
    from inference.systems.base import Context, System
    from viewer.volume3d.view import VolumeView

__all__ = ["MainWindow"]

_FIRST_SIZE = QSize(1400, 900)


class MainWindow(QMainWindow):
    """The one window.

    Parameters
    ----------
    system
        Makes the system that analyses, on a worker's thread, when first needed.
    settings
        What is remembered.
    context
        What every analysis is asked for, see `inference.systems.base.Context`.
    measurements
        Folder in which measurements are kept; the user's own by default.
    """

    def __init__(
        self,
        system: Callable[[], System],
        settings: Settings,
        context: Context | None = None,
        measurements: Path | None = None,
    ) -> None:
        super().__init__()
        self.setWindowTitle("SecondRead")
        self.setAcceptDrops(True)
        self._settings = settings
        self.session = ReadingSession(self)
        self.keeper = Keeper(self.session, measurements, self)
        names = ("opening", "scanning", "comparing", "analysis", "lesions", "export", "recent")
        self._workers = {name: Worker(name, self) for name in names}
        self._tidying = Worker("tidying", self)
        self.habits = Habits(
            self.session, settings, self._tidying, context, lambda: self.busy, self
        )
        self.opener = Opener(
            self.session, self._workers["opening"], parent=self, scanner=self._workers["scanning"]
        )
        self.recent = Recent(
            settings, self._workers["recent"], lambda path: self.opener.open_paths([path]), self
        )
        self.analyst = Analyst(
            self.session, self._workers["analysis"], system, ask=self.habits.asked, parent=self
        )
        self.hanger = Hanger(self.session, settings, self)
        self.cine = Cine(self.session, self)
        self.panes = PaneGrid(self.session, _volume_pane)
        self.lister = LesionLister(self.session, self._workers["lesions"], self)
        self.comparison = Comparison(self.session, self)
        self.compare_pane = ComparePane(self.comparison)
        self.compare_opener = Opener(self.comparison.other, self._workers["comparing"], parent=self)
        self.compare_keeper = Keeper(self.comparison.other, measurements, self)
        self.exporter = Exporter(
            self.session, self._workers["export"], self._ask_file, self.picture, self
        )
        self.tree = StudyTree(self.session)
        self.strip = SliceStrip(self.session)
        self.findings_panel = FindingsPanel(self.session)
        self.lesions_panel = LesionsPanel(self.session)
        self.patterns_panel = PatternsPanel(self.session)
        self.layers_panel = LayersPanel(self.session)
        self.timing_panel = TimingPanel(self.session)
        self.measurements_panel = MeasurementsPanel(self.session)
        self.messages = MessageArea(self._describe, self._shown)
        self.actions_ = ActionSet(commands(self.session, self._doings()), self.session, self)
        self.habits.take_actions(self.actions_)
        self._keys_dialog: KeysDialog | None = None
        self._cards_dialog: CardsDialog | None = None
        self._layouts_dialog: LayoutsDialog | None = None
        self._splitters: dict[str, QSplitter] = {}
        self._place_parts()
        self._connect_parts()
        self._restore_layout()
        if not settings.notice_read:
            self.messages.post_notice(settings.set_notice_read)

    @property
    def busy(self) -> bool:
        """A worker is doing something that the reader waits for."""
        return any(worker.busy for worker in self._workers.values())

    def picture(self) -> QImage:
        """Return the panes as they are, with overlays and banner."""
        return self.panes.picture()

    @property
    def view(self) -> SliceView:
        """The pane that commands are for."""
        return self.panes.active_view

    def cancel(self) -> None:
        """Cancel everything that is being done."""
        self.status.show_cancelling()
        self.analyst.cancel()
        for worker in self._workers.values():
            worker.cancel()

    # -- placing -----------------------------------------------------------------------------

    def _place_parts(self) -> None:
        self.actions_.fill_menus(self.menuBar())
        toolbar = QToolBar("Commands")
        toolbar.setObjectName("commands")
        toolbar.setMovable(False)
        self.actions_.fill_toolbar(toolbar)
        self.addToolBar(toolbar)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)

        pictures = self._split("pictures", Qt.Orientation.Horizontal, self.panes, self.compare_pane)
        pictures.setSizes([1000, 1000])
        centre = _column(self.messages, pictures, self.strip)
        details_tabs = QTabWidget()
        details_tabs.addTab(self.layers_panel, "Layers")
        details_tabs.addTab(self.patterns_panel, "Patterns")
        details_tabs.addTab(self.measurements_panel, "Measurements")
        details_tabs.addTab(self.timing_panel, "Timing")
        findings_tabs = QTabWidget()
        findings_tabs.addTab(self.findings_panel, "Findings")
        findings_tabs.addTab(self.lesions_panel, "Lesions")
        right = self._split("right", Qt.Orientation.Vertical, findings_tabs, details_tabs)
        right.setSizes([450, 340])
        across = self._split("across", Qt.Orientation.Horizontal, self.tree, centre, right)
        across.setSizes([210, 850, 340])
        across.setStretchFactor(0, 0)
        across.setStretchFactor(1, 1)
        across.setStretchFactor(2, 0)
        self.setCentralWidget(across)
        self.status = StatusBar(
            self.session, tuple(self._workers.values()), self.cancel, self.habits.asked_in_words
        )
        self.setStatusBar(self.status)
        self.resize(_FIRST_SIZE.boundedTo(self.screen().availableSize()))
        self.view.setFocus()

    def _split(self, name: str, way: Qt.Orientation, *parts: QWidget) -> QSplitter:
        splitter = QSplitter(way)
        splitter.setObjectName(name)
        splitter.setChildrenCollapsible(False)
        for part in parts:
            splitter.addWidget(part)
        self._splitters[name] = splitter
        return splitter

    def _connect_parts(self) -> None:
        self.session.message_posted.connect(self.messages.post)
        self.session.manner.names_changed.connect(self.messages.show_again)
        self.habits.chosen.changed.connect(lambda *_: self.status.show_asked())
        self.tree.series_chosen.connect(self.opener.show_series)
        # Images first: after a choice in the tree the arrows go through the slices again.
        self.tree.series_chosen.connect(lambda *_: self.view.setFocus())
        self.tree.beside_chosen.connect(self.compare_opener.show_series)
        self.comparison.other.message_posted.connect(self.messages.post)
        self.comparison.changed.connect(self.actions_.refresh)
        self.panes.volume_pane_changed.connect(self._follow_volume_pane)
        self.opener.thumbnail_ready.connect(self.tree.set_thumbnail)
        self.opener.folder_opened.connect(self._settings.set_last_folder)
        self.opener.paths_opened.connect(self.recent.add)
        self.recent.changed.connect(self.actions_.refresh)
        recent_menu = self.actions_["open-recent"].menu()
        if isinstance(recent_menu, QMenu):
            recent_menu.aboutToShow.connect(self.recent.check)
        self.findings_panel.card_asked.connect(self._show_card)
        self.exporter.folder_used.connect(self._settings.set_last_folder)
        for worker in self._workers.values():
            worker.busy_changed.connect(self.actions_.refresh)

    def _doings(self) -> Doings:
        return Doings(
            open_files=self._ask_open_files,
            open_folder=self._ask_open_folder,
            open_last=self.recent.open_last,
            recent=self.recent.choices,
            step_series=self.opener.step_series,
            read_as=self.opener.read_as,
            analyse=self.analyst.start,
            cancel=self.cancel,
            is_busy=lambda: self.busy,
            export=self.exporter.export,
            full_screen=self._toggle_full_screen,
            is_full_screen=self.isFullScreen,
            show_keys=self._show_keys,
            show_cards=self._show_card,
            show_layouts=self._show_layouts,
            compare=lambda: ask_to_compare(self, self.session, self.compare_opener),
            stop_comparing=self.comparison.close,
            is_comparing=lambda: self.comparison.shown,
            show_palette=self.habits.show_palette,
            show_settings=self.habits.show_settings,
            next_theme=self.habits.next_theme,
            safe_colours=self.habits.toggle_safe_colours,
            are_colours_safe=lambda: self.habits.chosen.now.safe_colours,
            quit=self._quit,
            three_d=self._three_d,
        )

    def _restore_layout(self) -> None:
        geometry = self._settings.layout("geometry")
        if geometry is not None:
            self.restoreGeometry(geometry)
        for name, splitter in self._splitters.items():
            state = self._settings.layout(name)
            if state is not None:
                splitter.restoreState(state)

    # -- dialogs -----------------------------------------------------------------------------

    def _ask_open_files(self) -> None:
        names, _ = QFileDialog.getOpenFileNames(
            self, "Open images", str(self._settings.last_folder)
        )
        self.opener.open_paths([Path(name) for name in names])

    def _ask_open_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(
            self, "Open a folder of images", str(self._settings.last_folder)
        )
        if name:
            self.opener.open_paths([Path(name)])

    def _ask_file(self, chosen: Format) -> Path | None:
        return ask_with_dialog(self, chosen, self.habits.export_folder)

    def _show_keys(self) -> None:
        if self._keys_dialog is None:
            self._keys_dialog = KeysDialog(self)
        self._keys_dialog.show_keys(self.actions_.keymap, self.session.manner.mouse)

    def _three_d(self) -> VolumeView | None:
        # What the window made.
        return cast("VolumeView | None", self.panes.volume_pane)

    def _follow_volume_pane(self) -> None:
        pane = self._three_d()
        if pane is not None:
            changed = pane.canvas.turntable_changed
            changed.connect(self.actions_.refresh, Qt.ConnectionType.UniqueConnection)
        self.actions_.refresh()

    def _show_layouts(self) -> None:
        if self._layouts_dialog is None:
            self._layouts_dialog = LayoutsDialog(self.session, self._settings, self)
        self._layouts_dialog.show()
        self._layouts_dialog.raise_()

    def _show_card(self, name: str = "") -> None:
        """Show the card of a model that spoke, or of any."""
        if self._cards_dialog is None:
            try:
                self._cards_dialog = CardsDialog(self)
            except AnalysisError as error:
                self.session.post("error", str(error))
                return
        findings = self.session.findings
        self._cards_dialog.choose(name, () if findings is None else findings.models)
        self._cards_dialog.show()
        self._cards_dialog.raise_()

    def _toggle_full_screen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def _quit(self) -> None:
        self.close()

    def _describe(self, kind: str, sentence: str) -> str:
        return details(kind, sentence, self._private())

    def _shown(self, sentence: str) -> str:
        if not self.session.manner.names_hidden:
            return sentence
        return without(sentence, self._private())

    def _private(self) -> frozenset[str]:
        return self.opener.private_words | private_words(self.session.studies)

    # -- events ------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        """Leave a key to the focused widget that needs it, before it becomes a shortcut."""
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and wants_key(self.focusWidget(), event)
        ):
            event.accept()
            return True
        return super().event(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files and folders anywhere in the window."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open what was dropped."""
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.opener.open_paths(paths)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Remember the layout, stop the workers."""
        self._settings.set_layout("geometry", self.saveGeometry())
        for name, splitter in self._splitters.items():
            self._settings.set_layout(name, splitter.saveState())
        self._settings.sync()
        # Hidden first: a batch that is being computed may take a second to stop.
        self.hide()
        self.analyst.close()
        for worker in (*self._workers.values(), self._tidying):
            worker.close()
        super().closeEvent(event)


def _volume_pane(session: ReadingSession) -> QWidget:
    """Make a 3D pane; its modules are read when the first one is wanted."""
    from viewer.volume3d.view import VolumeView

    return VolumeView(session)


def _column(*parts: QWidget) -> QWidget:
    """Stack parts; the view takes the room."""
    column = QWidget()
    rows = QVBoxLayout(column)
    rows.setContentsMargins(0, 0, 0, 0)
    rows.setSpacing(0)
    for part in parts:
        rows.addWidget(part, 1 if isinstance(part, QSplitter) else 0)
    return column
