"""Makes QActions, menus, a toolbar and the help page from the commands and the keys in use."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from functools import partial

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QSize, Qt
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

from viewer.actions import MENUS, Choice, Command
from viewer.icons import icon
from viewer.keymap import KeyMap, shown_key
from viewer.mnemonics import with_mnemonics
from viewer.mouse import MouseMap, mouse_rows
from viewer.session import ReadingSession
from viewer.window_commands import preset_commands

__all__ = ["ActionSet", "keys_html", "wants_key"]

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
_ASK_AGAIN = QEvent.Type(QEvent.registerEventType())
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

    One event of the reader's changes a dozen things. The commands are asked once, before the
    event after it; who needs an answer at once takes the action from here, or calls `settle`.

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
        self.keymap = KeyMap(self.commands)
        self._session = session
        self._buttons: dict[str, QToolButton] = {}
        self._bar: QToolBar | None = None
        self._full_width = 0
        self._actions: dict[str, QAction] = {}
        self._tool_button: QToolButton | None = None
        self._choices: dict[str, QMenu] = {}
        self._tips: dict[str, str] = {}
        self._outdated = False
        for command in self.commands:
            self._actions[command.id] = self._make(command, parent)
        self._write_texts()
        parent.addActions(list(self._actions.values()))
        for signal in (
            session.studies_changed,
            session.volume_changed,
            session.window_changed,
            session.layers_changed,
            session.tool_changed,
            session.findings_changed,
            session.heatmap_changed,
            session.early_changed,
            session.analysis_changed,
            session.arrangement.layout_changed,
            session.arrangement.panes_changed,
            session.arrangement.cine_changed,
            session.measurements.changed,
            session.measurements.selection_changed,
        ):
            signal.connect(self.refresh)
        for signal in (
            session.lesions.changed,
            session.review.changed,
            session.review.chosen_changed,
        ):
            signal.connect(self.refresh)
        session.manner.looks_changed.connect(self._draw_icons)
        session.manner.looks_changed.connect(self.refresh)
        session.manner.names_changed.connect(self.refresh)
        self.set_keys(self.keymap)
        session.manner.presets_changed.connect(lambda: self.redeclare(preset_commands(session)))
        self._draw_icons()
        self.refresh()
        self.settle()

    def __getitem__(self, command_id: str) -> QAction:
        """Return the action of a command, as it stands now."""
        self.settle()
        return self._actions[command_id]

    def keys(self, command_id: str) -> tuple[str, ...]:
        """Keys in use of a command; the first one is shown."""
        return self.keymap.keys(command_id)

    def set_keys(self, keymap: KeyMap) -> None:
        """Use these keys from now on, and say them wherever keys are said."""
        self.keymap = keymap
        for command in self.commands:
            keys = keymap.keys(command.id)
            action = self._actions[command.id]
            action.setShortcuts([QKeySequence(key) for key in keys])
            key = f" ({shown_key(keys[0])})" if keys else ""
            self._tips[command.id] = f"{command.text.rstrip('…')}{key}\n{command.tip}"
            action.setToolTip(self._tips[command.id])
        self._session.manner.set_keys(
            {c.id: shown_key(keys[0]) for c in self.commands if (keys := keymap.keys(c.id))}
        )

    def redeclare(self, declared: Sequence[Command]) -> None:
        """Call commands otherwise from now on; they do what they did, on the same keys.

        Parameters
        ----------
        declared
            Commands with ids that are there already.
        """
        renamed = {command.id: command for command in declared}
        self.commands = tuple(renamed.get(each.id, each) for each in self.commands)
        for command in declared:
            self._actions[command.id].setStatusTip(command.tip)
        self._write_texts()
        self.set_keys(KeyMap(self.commands, self.keymap.changed))
        self.refresh()

    def _write_texts(self) -> None:
        """Write the texts of the menus, each with a letter of its own."""
        for title in MENUS:
            inside = [command for command in self.commands if command.menu == title]
            marked = with_mnemonics([command.text for command in inside])
            for command, text in zip(inside, marked, strict=True):
                self._actions[command.id].setText(text)

    def _draw_icons(self) -> None:
        for command in self.commands:
            if command.toolbar:
                self._actions[command.id].setIcon(icon(command.id))
        for name, button in self._buttons.items():
            button.setIcon(icon(name))

    def refresh(self) -> None:
        """Have every command asked again, before the next event of the reader's."""
        if not self._outdated:
            self._outdated = True
            first = Qt.EventPriority.HighEventPriority.value
            QCoreApplication.postEvent(self, QEvent(_ASK_AGAIN), first)

    def event(self, event: QEvent) -> bool:
        """Ask the commands, where something has changed."""
        if event.type() == _ASK_AGAIN:
            self.settle()
            return True
        return super().event(event)

    def settle(self) -> None:
        """Ask every command now whether it can be done and is on, where something has changed."""
        if not self._outdated:
            return
        self._outdated = False
        for command in self.commands:
            action = self._actions[command.id]
            enabled = command.enabled()
            action.setEnabled(enabled)
            why_not = "" if enabled else command.why_not
            action.setToolTip("\n".join(filter(None, (self._tips.get(command.id), why_not))))
            if command.checked is not None:
                action.setChecked(command.checked())
            menu = self._choices.get(command.id)
            if menu is not None and menu.isVisible():
                self._fill_choices(command, menu)
        if self._tool_button is not None:
            # The tool in the hand is to be seen, though its command is inside a menu.
            tools = (c for c in self.commands if c.menu == "Measure")
            in_hand = next((c.text for c in tools if self._actions[c.id].isChecked()), None)
            self._tool_button.setText(in_hand or "Measure")
            self._tool_button.setChecked(in_hand is not None)

    def fill_menus(self, bar: QMenuBar) -> None:
        """Put every command in its menu."""
        for title, marked in zip(MENUS, with_mnemonics(MENUS), strict=True):
            menu = bar.addMenu(marked)
            menu.setToolTipsVisible(True)
            self._fill(menu, (c for c in self.commands if c.menu == title))

    def fill_toolbar(self, bar: QToolBar) -> None:
        """Put the commands of the toolbar in it: getting images left, the machine right.

        Where there is no room for the texts, icons stay; the tooltip begins with what they mean.
        """
        bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        bar.setIconSize(QSize(16, 16))
        for menu in ("File", "Tools"):
            self._add_buttons(bar, menu)
            bar.addSeparator()
        self._tool_button = self._add_menu_button(bar, "Measure")
        self._tool_button.setCheckable(True)
        self._add_menu_button(bar, "Window level")
        self._add_menu_button(bar, "Panes")
        self._add_buttons(bar, "View")
        space = QWidget()
        space.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        bar.addWidget(space)
        self._add_buttons(bar, "Analysis")
        self._add_menu_button(bar, "Export")
        self._add_buttons(bar, "Help")
        self._full_width = bar.sizeHint().width()
        self._bar = bar
        bar.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Fit the toolbar to its width."""
        if event.type() == QEvent.Type.Resize and watched is self._bar:
            self._fit_toolbar(self._bar)
        return super().eventFilter(watched, event)

    def _fit_toolbar(self, bar: QToolBar) -> None:
        whole = bar.width() >= self._full_width
        style = (
            Qt.ToolButtonStyle.ToolButtonTextBesideIcon
            if whole
            else Qt.ToolButtonStyle.ToolButtonIconOnly
        )
        if bar.toolButtonStyle() is style:
            return
        bar.setToolButtonStyle(style)
        for button in self._buttons.values():
            button.setToolButtonStyle(style)
        analyse = bar.widgetForAction(self._actions["analyse"])
        if isinstance(analyse, QToolButton):
            # What the program is for keeps its name.
            analyse.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)

    def _add_buttons(self, bar: QToolBar, menu: str) -> None:
        for command in self.commands:
            if command.toolbar and command.menu == menu:
                bar.addAction(self._actions[command.id])
                button = bar.widgetForAction(self._actions[command.id])
                button.setObjectName(f"toolbar-{command.id}")
                button.setAccessibleName(command.text)

    def _add_menu_button(self, bar: QToolBar, title: str) -> QToolButton:
        button = QToolButton()
        button.setText(title)
        name = title.lower().replace(" ", "-")
        button.setObjectName(f"toolbar-menu-{name}")
        button.setAccessibleName(title)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setIcon(icon(f"menu-{name}"))
        self._buttons[f"menu-{name}"] = button
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setToolTip(
            f"{title}: " + ", ".join(c.text.rstrip("…") for c in self.commands if c.menu == title)
        )
        menu = QMenu(button)
        menu.setToolTipsVisible(True)
        self._fill(menu, (c for c in self.commands if c.menu == title))
        button.setMenu(menu)
        bar.addWidget(button)
        return button

    def _fill(self, menu: QMenu, chosen: Iterable[Command]) -> None:
        for command in chosen:
            if command.separated:
                menu.addSeparator()
            menu.addAction(self._actions[command.id])

    def _make(self, command: Command, parent: QWidget) -> QAction:
        action = QAction(command.text, parent)
        action.setObjectName(command.id)
        action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
        action.setStatusTip(command.tip)
        # Menus are read; an icon would take the place of the mark of what is on.
        action.setIconVisibleInMenu(False)
        action.setCheckable(command.checked is not None)

        def trigger() -> None:
            command.do()
            self.refresh()
            self.settle()

        action.triggered.connect(trigger)
        if command.choices is not None:
            menu = QMenu(command.text, parent)
            menu.setToolTipsVisible(True)
            menu.aboutToShow.connect(partial(self._fill_choices, command, menu))
            action.setMenu(menu)
            self._choices[command.id] = menu
        return action

    def _fill_choices(self, command: Command, menu: QMenu) -> None:
        if command.choices is None:
            return
        menu.clear()
        for choice in command.choices():
            if choice.separated:
                menu.addSeparator()
            entry = menu.addAction(choice.text)
            entry.setToolTip(choice.tip)
            entry.setEnabled(choice.enabled)
            if choice.checked is not None:
                entry.setCheckable(True)
                entry.setChecked(choice.checked)
            entry.triggered.connect(partial(_do, choice))


def _do(choice: Choice, _checked: bool = False) -> None:
    choice.do()


def keys_html(keymap: KeyMap, mouse: MouseMap) -> str:
    """Return the help page: every key and every gesture in use, as HTML."""
    parts: list[str] = []
    for title in MENUS:
        rows = [
            (" or ".join(map(shown_key, keys)), command.tip)
            for command in keymap.declared
            if command.menu == title and (keys := keymap.keys(command.id))
        ]
        if rows:
            parts.append(_table(title, rows))
    parts.append(_table("Mouse, on the picture", mouse_rows(mouse)))
    parts.append(_table("In 3D", _IN_3D))
    return "".join(parts)


def _table(title: str, rows: Iterable[tuple[str, str]]) -> str:
    lines = "".join(
        f"<tr><td width='130'><b>{html.escape(key)}</b></td><td>{html.escape(text)}</td></tr>"
        for key, text in rows
    )
    return f"<h3>{html.escape(title)}</h3><table cellpadding='2'>{lines}</table>"
