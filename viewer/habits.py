"""Carries out what the reader chose: looks, keys, mouse, layers, what analyses are asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from inference.errors import AnalysisError
from inference.findings import Manifestation
from inference.systems.base import Context
from viewer import theme
from viewer.cache import CacheKeeper
from viewer.corners import ALL_CORNERS
from viewer.export_places import place_for
from viewer.keymap import KeyMap
from viewer.options import Choices, Chosen, Scheme, asked_for, asked_in_words
from viewer.palette import CommandPalette
from viewer.presets import presets_with

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from inference.studies.model import Volume
    from viewer.keeping import FindingsKeeper
    from viewer.menus import ActionSet
    from viewer.preferences import SettingsDialog
    from viewer.session import ReadingSession
    from viewer.settings import Settings
    from viewer.worker import Worker

__all__ = ["Habits", "looks_of"]


def looks_of(choices: Choices) -> theme.Looks:
    """Say what the program looks like with these choices, and with the system's as it is now."""
    light = choices.scheme is Scheme.LIGHT
    if choices.scheme is Scheme.SYSTEM:
        light = QGuiApplication.styleHints().colorScheme() is Qt.ColorScheme.Light
    return theme.Looks(light, choices.safe_colours, choices.text_size)


class Habits(QObject):
    """The choices in use, and the palette and the dialog in which they are made.

    Parameters
    ----------
    session
        Told of looks, mouse and layers.
    settings
        Where the choices are kept.
    worker
        Measures and clears the cache.
    command_line
        What the program was started with; what it says goes before the settings.
    is_busy
        Whether something is being done.
    parent
        The window, over which palette and dialog appear.
    """

    def __init__(
        self,
        session: ReadingSession,
        settings: Settings,
        worker: Worker,
        command_line: Context | None,
        is_busy: Callable[[], bool],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._settings = settings
        self._window = parent
        self._command_line = command_line or Context()
        self._is_busy = is_busy
        self.chosen = Chosen(settings, self)
        self.cache = CacheKeeper(worker, parent=self)
        self.palette: CommandPalette | None = None
        self._actions: ActionSet | None = None
        self._dialog: SettingsDialog | None = None
        self._findings: FindingsKeeper | None = None
        now = self.chosen.now
        session.manner.set_mouse(now.mouse)
        self._set_corners(now)
        session.manner.set_presets(presets_with(now.presets))
        self._dress()
        self._set_layers(now)
        self.chosen.changed.connect(self._carry_out)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._dress)

    def take_actions(self, actions: ActionSet) -> None:
        """Give the commands their keys, and the palette its commands."""
        self._actions = actions
        actions.set_keys(KeyMap(actions.commands, self.chosen.now.keys))
        self.palette = CommandPalette(
            actions, self._window, self._settings.recent_commands,
            self._settings.set_recent_commands,
        )  # fmt: skip

    def take_findings(self, keeper: FindingsKeeper) -> None:
        """Let the settings show and change how findings are kept."""
        self._findings = keeper

    # -- what parts of the window ask ----------------------------------------------------------

    def asked(self, volume: Volume | None) -> Context:
        """Say what an analysis is asked for that begins now."""
        modality = "CT" if volume is None else volume.modality
        return asked_for(self.chosen.now, self._command_line, modality)

    def findings_wanted(self) -> tuple[bool, int]:
        """Say whether findings are kept, and how many bytes of them."""
        now = self.chosen.now
        return now.keep_findings, now.findings_mb * 1_000_000

    def asked_in_words(self) -> str:
        """Say it in words, for the status bar."""
        return asked_in_words(self.asked(self._session.volume))

    @property
    def export_folder(self) -> Path:
        """Where the next export is offered to go."""
        folder = self.chosen.now.export_folder
        if folder and Path(folder).is_dir():
            return Path(folder)
        last = self._settings.last_export_folder
        return place_for([last] if last is not None else [], self._session.studies)

    # -- commands ------------------------------------------------------------------------------

    def show_palette(self) -> None:
        """Open the palette, or close it."""
        if self.palette is not None:
            self.palette.open()

    def show_settings(self) -> None:
        """Open the settings."""
        from viewer.preferences import SettingsDialog

        if self._dialog is None and self._actions is not None and self._findings is not None:
            try:
                self._dialog = SettingsDialog(
                    self.chosen, self._actions.commands, self.cache, self._findings,
                    self._is_busy, self._window,
                )  # fmt: skip
            except AnalysisError as error:
                self._session.post("error", str(error))
        if self._dialog is not None:
            self._dialog.show()
            self._dialog.raise_()
            self._dialog.activateWindow()

    def next_theme(self) -> None:
        """Change from dark to light, or back."""
        scheme = Scheme.DARK if theme.looks().light else Scheme.LIGHT
        self.chosen.choose(replace(self.chosen.now, scheme=scheme))

    def toggle_safe_colours(self) -> None:
        """Draw findings in the colours that all can tell apart, or in the paper's."""
        now = self.chosen.now
        self.chosen.choose(replace(now, safe_colours=not now.safe_colours))

    def keep_preset(self, number: int) -> None:
        """Make the window in use the preset of that number; it keeps its name."""
        now, old = self.chosen.now, self._session.manner.presets[number - 1]
        name = old.name if old is not None else f"Own {number}"
        kept = replace(self._session.window, name=name)
        presets = MappingProxyType({**now.presets, number: kept})
        self.chosen.choose(replace(now, presets=presets))
        self._session.set_window(kept)

    # -- carrying out --------------------------------------------------------------------------

    def _carry_out(self, before: Choices, now: Choices) -> None:
        # It changes nothing where nothing of it has changed.
        self._dress()
        if before.mouse != now.mouse:
            self._session.manner.set_mouse(now.mouse)
        if before.corners_off != now.corners_off:
            self._set_corners(now)
        if before.presets != now.presets:
            self._session.manner.set_presets(presets_with(now.presets))
        if before.keys != now.keys and self._actions is not None:
            self._actions.set_keys(KeyMap(self._actions.commands, now.keys))
        if before.findings_mb != now.findings_mb and self._findings is not None:
            self._findings.trim()
        if (before.opacity, before.style) != (now.opacity, now.style):
            self._set_layers(now)

    def _dress(self) -> None:
        app = QApplication.instance()
        wanted = looks_of(self.chosen.now)
        if isinstance(app, QApplication) and wanted != theme.looks():
            theme.apply(app, wanted)
            self._session.manner.looks_changed.emit()

    def _set_corners(self, choices: Choices) -> None:
        self._session.manner.set_corners(ALL_CORNERS - frozenset(choices.corners_off))

    def _set_layers(self, choices: Choices) -> None:
        for key in Manifestation:
            layer = self._session.layer(key)
            self._session.update_layer(replace(layer, opacity=choices.opacity, style=choices.style))
