"""How a reader reads, as far as the screen shows it: names, mouse, looks; part of the session."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from PySide6.QtCore import QObject, Signal

from viewer.corners import ALL_CORNERS, CornerText
from viewer.mouse import MouseMap
from viewer.presets import Presets, presets_with

__all__ = ["Manner"]

_KEYS = {"analyse": "F5", "overlays": "G", "open-files": "Ctrl+O", "cancel": "Esc"}
"""Keys that sentences speak of, as declared; for as long as nobody has said which are in use."""


class Manner(QObject):
    """Observable like the session that it belongs to; nothing of it outlives the session."""

    names_changed = Signal()
    """Names of patients were hidden or shown."""
    corners_changed = Signal()
    """Something else is to stand in the corners of the panes."""
    presets_changed = Signal()
    """The reader made or changed a window preset."""
    mouse_changed = Signal()
    keys_changed = Signal()
    looks_changed = Signal()
    """Theme or colours of findings changed: what was painted and kept is to be painted again."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._names_hidden = False
        self._corners = ALL_CORNERS
        self._presets = presets_with({})
        self._mouse = MouseMap()
        self._keys = dict(_KEYS)

    @property
    def names_hidden(self) -> bool:
        """Teaching mode: nothing on the screen may tell whose images they are."""
        return self._names_hidden

    def toggle_names(self) -> None:
        """Hide what tells whose images they are, or show it again."""
        self._names_hidden = not self._names_hidden
        self.names_changed.emit()

    @property
    def corners(self) -> frozenset[CornerText]:
        """What stands in the corners of the panes, as long as names are shown."""
        return self._corners

    def set_corners(self, corners: Collection[CornerText]) -> None:
        """Choose what stands in the corners of the panes."""
        self._corners = frozenset(corners)
        self.corners_changed.emit()

    @property
    def presets(self) -> Presets:
        """The window presets in the order of their keys; None where there is none."""
        return self._presets

    def set_presets(self, presets: Presets) -> None:
        """Use other window presets."""
        self._presets = presets
        self.presets_changed.emit()

    def press(self, command_id: str, text: str) -> str:
        """Say how a command is run, inside a sentence: "press F5", or "choose Analyse".

        Parameters
        ----------
        command_id
            Which command.
        text
            What it is called in the menus, for when it has no key.
        """
        key = self._keys.get(command_id)
        return f"press {key}" if key else f"choose “{text}”"

    def key(self, command_id: str) -> str:
        """Key of a command as people write it; empty when it has none."""
        return self._keys.get(command_id, "")

    def set_keys(self, keys: Mapping[str, str]) -> None:
        """Say which keys are in use, by the id of the command."""
        self._keys = dict(keys)
        self.keys_changed.emit()

    @property
    def mouse(self) -> MouseMap:
        """What dragging and the wheel do on a picture."""
        return self._mouse

    def set_mouse(self, mouse: MouseMap) -> None:
        """Choose what dragging and the wheel do on a picture."""
        self._mouse = mouse
        self.mouse_changed.emit()
