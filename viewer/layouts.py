"""Layouts that the reader keeps: by name, and the last one of each modality."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from viewer.hanging import load_layouts, rule_for
from viewer.panes import Content, Layout

if TYPE_CHECKING:
    from viewer.session import ReadingSession
    from viewer.settings import Settings

__all__ = ["Hanger", "from_text", "keep_layout", "kept_layouts", "to_text"]


def to_text(layout: Layout) -> str:
    """Write a layout as JSON."""
    return json.dumps({"name": layout.name, "columns": layout.columns})


def from_text(text: str) -> Layout | None:
    """Read a layout from JSON; None where it is none (settings are a file that anyone may edit)."""
    try:
        content = json.loads(text)
        columns = tuple(tuple(Content(name) for name in column) for column in content["columns"])
        return Layout(str(content["name"]), columns)
    except (KeyError, TypeError, ValueError):
        return None


def kept_layouts(settings: Settings) -> tuple[Layout, ...]:
    """The layouts that the reader has given a name, in the order of their names."""
    found = (from_text(text) for text in settings.named_layouts)
    return tuple(sorted((each for each in found if each is not None), key=lambda one: one.name))


def keep_layout(settings: Settings, name: str, layout: Layout | None) -> None:
    """Keep a layout under a name, in the place of one that has it; None forgets it."""
    others = [each for each in kept_layouts(settings) if each.name != name]
    if layout is not None:
        others.append(Layout(name, layout.columns))
    settings.set_named_layouts([to_text(each) for each in others])


class Hanger(QObject):
    """Hangs a study by the rule of its modality, or as the reader last had that modality.

    Parameters
    ----------
    session
        What is opened in it is hung.
    settings
        Remember the reader's choice.
    """

    def __init__(
        self, session: ReadingSession, settings: Settings, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._settings = settings
        self._modality = ""
        session.volume_changed.connect(self._hang)
        session.arrangement.layout_changed.connect(self._remember)
        session.arrangement.panes_changed.connect(self._remember)

    def _hang(self) -> None:
        volume = self._session.volume
        if volume is None or volume.modality == self._modality:
            return
        self._modality = ""
        text = self._settings.layout_for(volume.modality)
        rule = rule_for(volume.modality)
        named = {each.id: each.layout for each in load_layouts()}
        layout = from_text(text) or named[rule.layout]
        if layout.columns != self._session.arrangement.layout.columns:
            self._session.arrangement.set_layout(layout)
        self._modality = volume.modality

    def _remember(self) -> None:
        if self._modality:
            layout = self._session.arrangement.layout
            self._settings.set_layout_for(self._modality, to_text(layout))
