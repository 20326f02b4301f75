"""Makes QActions, menus, a toolbar and the key help from the commands."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from PySide6.QtCore import QObject, QSize, Qt
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QMenu,
    QMenuBar,
    QSizePolicy,
    QTabBar,
    QToolBar,
    QToolButton,
    QWidget,
)

from viewer.actions import MENUS, Command
from viewer.session import ReadingSession

__all__ = ["MOUSE", "ActionSet", "keys_html", "wants_key"]

MOUSE = (
    ("Left drag", "The chosen tool; window/level at first"),
    ("Middle drag", "Move the picture"),
    ("Right drag", "Zoom"),
    ("Wheel", "Go through the slices"),
    ("Ctrl + wheel", "Zoom"),
    ("Double click", "Fit the picture"),
)
"""The mouse gestures of the viewport, for the help page."""

_IN_3D = (
    ("Left drag", "Turn the patient"),
    ("Middle drag", "Move the picture"),
    ("Right drag, wheel", "Zoom"),
    ("Click", "Go to the slice of what is clicked on"),
    ("Double click", "Look from the front at everything"),
    ("Shift + arrows", "Turn the patient, when the pane has the focus"),
    ("+ and −", "Zoom, when the pane has the focus"),
)

_MOVING = frozenset(
    {
        Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home,
        Qt.Key.Key_End, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown,
    }
)  # fmt: skip
_MOVED = (QAbstractItemView, QAbstractSlider, QAbstractSpinBox, QComboBox, QTabBar)
_PRESSED = (QAbstractButton, QComboBox)


def wants_key(focused: QWidget | None, event: QKeyEvent) -> bool:
    """Say whether the focused widget needs a key that is also a shortcut.

    Shortcuts of the window would otherwise take the arrows from a list and Space from a button,
    and whoever works without a mouse could not use them.
    """
    if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
        return False
    if event.key() in _MOVING:
        return isinstance(focused, _MOVED)
    return event.key() == Qt.Key.Key_Space and isinstance(focused, _PRESSED)


class ActionSet(QObject):
    """The QActions of all commands, kept enabled and checked as the session changes.

    Parameters
    ----------
    declared
        The commands.
    session
        What their predicates depend on.
    parent
        The window: shortcuts work wherever the focus is in it.
    """

    def __init__(self, declared: Sequence[Command], session: ReadingSession, parent: QWidget):
        super().__init__(parent)
        self.commands = tuple(declared)
        self._actions: dict[str, QAction] = {}
        for command in self.commands:
            self._actions[command.id] = self._make(command, parent)
        parent.addActions(list(self._actions.values()))
        for signal in (
            session.studies_changed,
            session.volume_changed,
            session.window_changed,
            session.layers_changed,
            session.tool_changed,
            session.findings_changed,
            session.early_changed,
            session.analysis_changed,
        ):
            signal.connect(self.refresh)
        self.refresh()

    def __getitem__(self, command_id: str) -> QAction:
        """Return the action of a command."""
        return self._actions[command_id]

    def refresh(self) -> None:
        """Ask every command again whether it can be done and whether it is on."""
        for command in self.commands:
            action = self._actions[command.id]
            action.setEnabled(command.enabled())
            if command.checked is not None:
                action.setChecked(command.checked())

    def fill_menus(self, bar: QMenuBar) -> None:
        """Put every command in its menu."""
        for title in MENUS:
            menu = bar.addMenu(title)
            menu.setToolTipsVisible(True)
            self._fill(menu, (c for c in self.commands if c.menu == title))

    def fill_toolbar(self, bar: QToolBar) -> None:
        """Put the commands of the toolbar in it: getting images left, the machine right."""
        bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        bar.setIconSize(QSize(16, 16))
        for menu in ("File", "Tools"):
            self._add_buttons(bar, menu)
            bar.addSeparator()
        self._add_menu_button(bar, "Window level")
        self._add_buttons(bar, "View")
        space = QWidget()
        space.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        bar.addWidget(space)
        self._add_buttons(bar, "Analysis")
        self._add_menu_button(bar, "Export")

    def _add_buttons(self, bar: QToolBar, menu: str) -> None:
        for command in self.commands:
            if command.toolbar and command.menu == menu:
                bar.addAction(self._actions[command.id])
                button = bar.widgetForAction(self._actions[command.id])
                button.setObjectName(f"toolbar-{command.id}")
                button.setAccessibleName(command.text)

    def _add_menu_button(self, bar: QToolBar, title: str) -> None:
        button = QToolButton()
        button.setText(title)
        button.setObjectName(f"toolbar-menu-{title.lower().replace(' ', '-')}")
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setToolTip(", ".join(c.text.rstrip("…") for c in self.commands if c.menu == title))
        menu = QMenu(button)
        menu.setToolTipsVisible(True)
        self._fill(menu, (c for c in self.commands if c.menu == title))
        button.setMenu(menu)
        bar.addWidget(button)

    def _fill(self, menu: QMenu, chosen: Iterable[Command]) -> None:
        for command in chosen:
            if command.separated:
                menu.addSeparator()
            menu.addAction(self._actions[command.id])

    def _make(self, command: Command, parent: QWidget) -> QAction:
        action = QAction(command.text, parent)
        action.setObjectName(command.id)
        action.setShortcuts([QKeySequence(key) for key in command.keys])
        action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
        key = f" ({command.keys[0]})" if command.keys else ""
        action.setToolTip(f"{command.tip}{key}")
        action.setStatusTip(command.tip)
        action.setCheckable(command.checked is not None)

        def trigger() -> None:
            command.do()
            self.refresh()

        action.triggered.connect(trigger)
        return action


def keys_html(declared: Sequence[Command]) -> str:
    """Return the help page: every key and every gesture, as HTML."""
    parts: list[str] = []
    for title in MENUS:
        rows = [(" or ".join(c.keys), c.tip) for c in declared if c.menu == title and c.keys]
        if rows:
            parts.append(_table(title, rows))
    parts.append(_table("Mouse, on the picture", MOUSE))
    parts.append(_table("In 3D", _IN_3D))
    return "".join(parts)


def _table(title: str, rows: Iterable[tuple[str, str]]) -> str:
    lines = "".join(
        f"<tr><td width='130'><b>{html.escape(key)}</b></td><td>{html.escape(text)}</td></tr>"
        for key, text in rows
    )
    return f"<h3>{html.escape(title)}</h3><table cellpadding='2'>{lines}</table>"
