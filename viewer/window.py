"""Puts the parts of the window in place; what they do is theirs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QImage, QKeyEvent
from PySide6.QtWidgets import (
    QMainWindow,
    QMenu,
    QToolBar,
    QWidget,
)

from viewer.actions import Doings, commands
from viewer.analysis import Analyst
from viewer.asking import ask_files, ask_folder, ask_segmentations
from viewer.browser import StudyTree
from viewer.compare_dialog import ask_to_compare
from viewer.compare_pane import ComparePane, headed
from viewer.comparing import Comparison
from viewer.context_menus import ContextMenus
from viewer.details import details
from viewer.dialogs import Dialogs
from viewer.export import Exporter, Format, ask_with_dialog
from viewer.habits import Habits
from viewer.identity import private_words, without
from viewer.keeping import FindingsKeeper
from viewer.layouts import Hanger
from viewer.lesions import LesionLister
from viewer.measuring.keeper import Keeper
from viewer.menus import ActionSet, wants_key
from viewer.messages import MessageArea
from viewer.one_zoom import OneZoom
from viewer.opening import Opener
from viewer.painting import faults
from viewer.panels import (
    FindingsPanel,
    LayersPanel,
    LesionsPanel,
    MeasurementsPanel,
    PatternsPanel,
    TimingPanel,
)
from viewer.recent import Recent
from viewer.review_keeper import keepers
from viewer.sample_opening import SampleOpener
from viewer.segmentation_opening import SegmentationOpener
from viewer.session import ReadingSession
from viewer.settings import Settings
from viewer.sides import SidePanels, tabs_of
from viewer.splitters import Splitters, column
from viewer.start_page import StartPage, stand_in
from viewer.status import StatusBar
from viewer.stepping import Cine
from viewer.title import keep_title
from viewer.viewport import PaneGrid, SliceStrip, SliceView
from viewer.worker import Worker
from viewer.workload import Workload

if TYPE_CHECKING:
    from inference.systems.base import Context, System
    from viewer.volume3d.view import VolumeView

__all__ = ["MainWindow"]

_WORKERS = (
    "opening", "segmentation", "scanning", "comparing", "analysis", "lesions", "export", "recent",
)  # fmt: skip
"""Whose work the reader waits for."""
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
    findings
        Folder in which findings are kept; the user's own by default.
    """

    sides: SidePanels | None = None  # Until it is in place.

    def __init__(
        self,
        system: Callable[[], System],
        settings: Settings,
        context: Context | None = None,
        measurements: Path | None = None,
        findings: Path | None = None,
    ) -> None:
        super().__init__()
        self.setAcceptDrops(True)
        self._settings = settings
        self.session = ReadingSession(self)
        keep_title(self, self.session)
        self.keeper, self.review_keeper = keepers(self.session, measurements, self)
        self._workers = {name: Worker(name, self) for name in _WORKERS}
        self._tidying = Worker("tidying", self)
        self._keeping = Worker("keeping", self)
        self.habits = Habits(
            self.session, settings, self._tidying, context, lambda: self.busy, self
        )
        self.opener = Opener(
            self.session, self._workers["opening"], parent=self, scanner=self._workers["scanning"]
        )
        self.files = SegmentationOpener(
            self.session, self._workers["segmentation"], self.opener, self
        )
        self.recent = Recent(
            settings, self._workers["recent"], lambda path: self.opener.open_paths([path]), self
        )
        self.findings_keeper = FindingsKeeper(
            self._keeping, self.habits.findings_wanted, findings, self
        )
        self.habits.take_findings(self.findings_keeper)
        self.analyst = Analyst(
            self.session, self._workers["analysis"], system, ask=self.habits.asked,
            keeper=self.findings_keeper, parent=self,
        )  # fmt: skip
        self.sample = SampleOpener(
            self.session, self._workers["scanning"], self.opener, self.analyst.start, self
        )
        self.dialogs = Dialogs(
            self.session, settings, self._workers["recent"], lambda: self.actions_.keymap, self
        )
        self.hanger = Hanger(self.session, settings, self)
        self.cine = Cine(self.session, self)
        self.panes = PaneGrid(self.session, _volume_pane)
        self.lister = LesionLister(self.session, self._workers["lesions"], self)
        self.comparison = Comparison(self.session, self)
        self.compare_pane = ComparePane(self.comparison)
        self.one_zoom = OneZoom(self.comparison, self.panes, self.compare_pane.view)
        self.compare_opener = Opener(self.comparison.other, self._workers["comparing"], parent=self)
        self.compare_keeper = Keeper(self.comparison.other, measurements, self)
        self.exporter = Exporter(
            self.session, self._workers["export"], self._ask_file, self.picture, self
        )
        self.start_page = StartPage(
            self.session, self.recent, (self._workers["opening"], self._workers["scanning"])
        )
        self.tree = StudyTree(self.session)
        self.opener.take_list(self.tree.listed)
        self.work = Workload(
            self.session, self.analyst, self._workers, self.tree, self.opener, self.findings_keeper,
            self.keeper, self.compare_keeper,
        )  # fmt: skip
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
        self.menus = ContextMenus(self.session, self.actions_, self.picture, self)
        self.start_page.take_actions(self.actions_)
        self._splitters = Splitters(settings)
        self._place_parts()
        self._connect_parts()
        self._splitters.restore(self)
        if not settings.notice_read:
            self.messages.post_notice(settings.set_notice_read)

    @property
    def busy(self) -> bool:
        """A worker is doing something that the reader waits for."""
        return self.work.busy

    def picture(self) -> QImage:
        """Return the panes as they are, with overlays and banner."""
        return self.panes.picture()

    @property
    def view(self) -> SliceView:
        """The pane that commands are for."""
        return self.panes.active_view

    def cancel(self) -> None:
        """Cancel what is being done."""
        self.status.show_cancelling()
        self.work.cancel()

    # -- placing -----------------------------------------------------------------------------

    def _place_parts(self) -> None:
        self.actions_.fill_menus(self.menuBar())
        toolbar = QToolBar("Commands")
        toolbar.setObjectName("commands")
        toolbar.setMovable(False)
        self.actions_.fill_toolbar(toolbar)
        self.addToolBar(toolbar)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)

        make, beside = self._splitters.make, Qt.Orientation.Horizontal
        open_series = headed(self.panes, self.comparison, self.compare_pane)
        pictures = make("pictures", beside, open_series, self.compare_pane)
        pictures.setSizes([1000, 1000])
        centre = column(self.messages, self.start_page, pictures, self.strip)
        details_tabs = tabs_of({
            "Layers": self.layers_panel, "Patterns": self.patterns_panel,
            "Measurements": self.measurements_panel, "Timing": self.timing_panel,
        })  # fmt: skip
        findings_tabs = tabs_of({"Findings": self.findings_panel, "Lesions": self.lesions_panel})
        right = make("right", Qt.Orientation.Vertical, findings_tabs, details_tabs)
        right.setSizes([450, 340])
        shown = (pictures, self.strip, findings_tabs, details_tabs)
        stand_in(self.session, self.start_page, self.panes, *shown)
        across = make("across", beside, self.tree, centre, right)
        across.setSizes([210, 850, 340])
        self.sides = SidePanels(
            across, {"studies": self.tree, "findings": right}, (findings_tabs, details_tabs),
            lambda: self.view, self.session.manner, self,
        )  # fmt: skip
        self.sides.changed.connect(self.actions_.refresh)
        across.setStretchFactor(1, 1)
        self.setCentralWidget(across)
        self.status = StatusBar(
            self.session, tuple(self._workers.values()), self.cancel, self.habits.asked_in_words
        )
        self.status.addPermanentWidget(self.sides.hint)
        self.setStatusBar(self.status)
        self.resize(_FIRST_SIZE.boundedTo(self.screen().availableSize()))
        self.view.setFocus()

    def _connect_parts(self) -> None:
        self.session.message_posted.connect(self.messages.post)
        self.session.manner.names_changed.connect(self.messages.show_again)
        # Queued: a message must not be laid out in the middle of painting.
        faults.told.connect(self.messages.post_fault, Qt.ConnectionType.QueuedConnection)
        self.habits.chosen.changed.connect(lambda *_: self.status.show_asked())
        self.tree.series_chosen.connect(self.opener.show_series)
        # Images first: after a choice in the tree the arrows go through the slices again.
        self.tree.series_chosen.connect(lambda *_: self.view.setFocus())
        self.tree.beside_chosen.connect(self.compare_opener.show_series)
        self.menus.show_asked.connect(self.tree.series_chosen)
        self.menus.beside_asked.connect(self.tree.beside_chosen)
        self.tree.menu_asked.connect(self.menus.of_study)
        self.panes.torn_changed.connect(self.actions_.refresh)
        self.panes.menu_asked.connect(self.menus.of_image)
        self.measurements_panel.menu_asked.connect(self.menus.of_measurement)
        self.lesions_panel.table.menu_asked.connect(self.menus.of_lesion)
        self.comparison.other.message_posted.connect(self.messages.post)
        self.comparison.changed.connect(self.actions_.refresh)
        self.panes.volume_pane_changed.connect(self._follow_volume_pane)
        self.work.connect(self.actions_, self.status, self.menus)
        self.opener.thumbnail_ready.connect(self.tree.set_thumbnail)
        self.opener.folder_opened.connect(self._settings.set_last_folder)
        self.opener.paths_opened.connect(self.recent.add)
        self.recent.changed.connect(self.actions_.refresh)
        recent_menu = self.actions_["open-recent"].menu()
        if isinstance(recent_menu, QMenu):
            recent_menu.aboutToShow.connect(self.recent.check)
        self.findings_panel.card_asked.connect(self.dialogs.show_card)
        self.exporter.written.connect(self.messages.post_written)
        self.exporter.written.connect(lambda p: self._settings.set_last_export_folder(p.parent))
        for worker in self._workers.values():
            worker.busy_changed.connect(self.actions_.refresh)

    def _doings(self) -> Doings:
        return Doings(
            open_files=lambda: self.files.open_paths(ask_files(self, self._settings.last_folder)),
            open_segmentation=lambda: self.files.open(
                ask_segmentations(self, self._settings.last_folder)
            ),
            open_folder=lambda: self.opener.open_paths(
                ask_folder(self, self._settings.last_folder)
            ),
            open_sample=self.sample.open,
            show_elements=self.dialogs.show_elements,
            open_last=self.recent.open_last,
            recent=self.recent.choices,
            step_series=self.opener.step_series,
            read_as=self.opener.read_as,
            analyse=self.work.analyse,
            cancel=self.cancel,
            is_busy=lambda: self.busy,
            export=self.exporter.export,
            full_screen=self._toggle_full_screen,
            is_full_screen=self.isFullScreen,
            show_keys=self.dialogs.show_keys,
            show_cards=self.dialogs.show_card,
            show_layouts=self.dialogs.show_layouts,
            compare=lambda: ask_to_compare(
                self, self.session, self.compare_opener, self.tree.thumbnail
            ),
            stop_comparing=self.comparison.close,
            is_comparing=lambda: self.comparison.shown,
            show_palette=self.habits.show_palette,
            show_settings=self.habits.show_settings,
            next_theme=self.habits.next_theme,
            safe_colours=self.habits.toggle_safe_colours,
            are_colours_safe=lambda: self.habits.chosen.now.safe_colours,
            quit=self._quit,
            three_d=self._three_d,
            beside=self._beside,
            tear_off=self.panes.toggle_torn,
            is_torn=lambda: self.panes.is_torn,
            can_tear=lambda: self.panes.can_tear,
            sides=lambda: self.sides,
            keep_preset=self.habits.keep_preset,
            several_chosen=self.work.several_chosen,
            analyse_all=self.analyst.analyse_all,
            cancel_all=self.analyst.cancel_all,
            has_queue=self.work.has_queue,
        )

    # -- dialogs -----------------------------------------------------------------------------

    def _ask_file(self, chosen: Format) -> Path | None:
        return ask_with_dialog(self, chosen, self.habits.export_folder, self.session)

    def _three_d(self) -> VolumeView | None:
        # What the window made.
        return cast("VolumeView | None", self.panes.volume_pane)

    def _beside(self) -> ReadingSession | None:
        has_keys = self.comparison.shown and self.compare_pane.view.hasFocus()
        return self.comparison.other if has_keys else None

    def _follow_volume_pane(self) -> None:
        pane = self._three_d()
        if pane is not None:
            changed = pane.canvas.turntable_changed
            changed.connect(self.actions_.refresh, Qt.ConnectionType.UniqueConnection)
        self.actions_.refresh()

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
        if event.type() == QEvent.Type.ShortcutOverride:
            # The key is for what can be done now.
            self.actions_.settle()
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
            self.files.open_paths(paths)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask where something would be lost; remember the layout, stop the workers."""
        if not self.work.may_close(self):
            event.ignore()
            return
        self._splitters.save(self)
        self.panes.take_all_back()
        # Hidden first: a batch that is being computed may take a second to stop.
        self.hide()
        self.analyst.close()
        for worker in (*self._workers.values(), self._tidying):
            worker.close()
        self.findings_keeper.finish()
        super().closeEvent(event)


def _volume_pane(session: ReadingSession) -> QWidget:
    """Make a 3D pane; its modules are read when the first one is wanted."""
    from viewer.volume3d.view import VolumeView

    return VolumeView(session)
