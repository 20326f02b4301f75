"""Carries out what the reader chose: looks, keys, mouse, layers, what analyses are asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from inference.errors import AnalysisError
from inference.findings import Manifestation
from inference.systems.base import Context
from viewer import theme
from viewer.cache import CacheKeeper
from viewer.keymap import KeyMap
from viewer.options import Choices, Chosen, Scheme, asked_for, asked_in_words
from viewer.palette import CommandPalette

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from inference.studies.model import Volume
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
    return theme.Looks(light, choices.safe_colours)


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
        now = self.chosen.now
        session.manner.set_mouse(now.mouse)
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

    # -- what parts of the window ask ----------------------------------------------------------

    def asked(self, volume: Volume | None) -> Context:
        """Say what an analysis is asked for that begins now."""
        modality = "CT" if volume is None else volume.modality
        return asked_for(self.chosen.now, self._command_line, modality)

    def asked_in_words(self) -> str:
        """Say it in words, for the status bar."""
        return asked_in_words(self.asked(self._session.volume))

    @property
    def export_folder(self) -> Path:
        """Where the next export is offered to go."""
        folder = self.chosen.now.export_folder
        return Path(folder) if folder and Path(folder).is_dir() else self._settings.last_folder

    # -- commands ------------------------------------------------------------------------------

    def show_palette(self) -> None:
        """Open the palette, or close it."""
        if self.palette is not None:
            self.palette.open()

    def show_settings(self) -> None:
        """Open the settings."""
        from viewer.preferences import SettingsDialog

        if self._dialog is None and self._actions is not None:
            try:
                self._dialog = SettingsDialog(
                    self.chosen, self._actions.commands, self.cache, self._is_busy, self._window
                )
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

    # -- carrying out --------------------------------------------------------------------------

    def _carry_out(self, before: Choices, now: Choices) -> None:
        if (before.scheme, before.safe_colours) != (now.scheme, now.safe_colours):
            self._dress()
        if before.mouse != now.mouse:
            self._session.manner.set_mouse(now.mouse)
        if before.keys != now.keys and self._actions is not None:
            self._actions.set_keys(KeyMap(self._actions.commands, now.keys))
        if (before.opacity, before.style) != (now.opacity, now.style):
            self._set_layers(now)

    def _dress(self) -> None:
        app = QApplication.instance()
        wanted = looks_of(self.chosen.now)
        if isinstance(app, QApplication) and wanted != theme.looks():
            theme.apply(app, wanted)
            self._session.manner.looks_changed.emit()

    def _set_layers(self, choices: Choices) -> None:
        for key in Manifestation:
            layer = self._session.layer(key)
            self._session.update_layer(replace(layer, opacity=choices.opacity, style=choices.style))
