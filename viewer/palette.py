"""The command palette: search all commands by what they do, and run one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import shiboken6
from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import QColor, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from viewer.icons import icon
from viewer.keymap import shown_key
from viewer.matching import best
from viewer.painting import part
from viewer.theme import colour, font, tell

if TYPE_CHECKING:
    from viewer.menus import ActionSet

__all__ = ["CommandPalette"]

_WIDTH, _ROWS = 560, 9
_ROW = 46
_TOP = 72
_PAD = 12
_ID = Qt.ItemDataRole.UserRole
_KEY = Qt.ItemDataRole.UserRole + 1
_BELOW = Qt.ItemDataRole.UserRole + 2
_DEAF = Qt.ItemDataRole.UserRole + 3
"""The command cannot be run now."""

_MOVES = {
    Qt.Key.Key_Down: 1,
    Qt.Key.Key_Up: -1,
    Qt.Key.Key_PageDown: _ROWS,
    Qt.Key.Key_PageUp: -_ROWS,
}


class CommandPalette(QFrame):
    """An overlay over the window's middle.

    Parameters
    ----------
    actions
        What can be run.
    parent
        The window; the palette lies over it while it is open.
    recent
        Ids of the commands run from here last, the last one first.
    remember
        Told of them after each run.
    """

    def __init__(
        self,
        actions: ActionSet,
        parent: QWidget,
        recent: tuple[str, ...] = (),
        remember: Callable[[tuple[str, ...]], None] | None = None,
    ) -> None:
        super().__init__(parent)
        self._actions = actions
        self._window = parent
        self._recent = recent
        self._remember = remember
        self._before: QWidget | None = None
        self.setObjectName("palette")
        self.setAccessibleName("Command palette")
        self.field = QLineEdit()
        self.field.setObjectName("palette-field")
        self.field.setAccessibleName("Search commands")
        self.field.setPlaceholderText("What do you want to do?")
        self.field.setClearButtonEnabled(False)
        self.list = QListWidget()
        self.list.setObjectName("palette-list")
        self.list.setAccessibleName("Commands")
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setItemDelegate(_Rows(self.list))
        self.list.setUniformItemSizes(True)
        self.list.setMouseTracking(True)
        self.none = QLabel("No command fits. Fewer letters find more.")
        self.none.setContentsMargins(_PAD, 8, _PAD, 8)
        tell(self.none, "muted")
        rows = QVBoxLayout(self)
        rows.setContentsMargins(8, 8, 8, 8)
        rows.setSpacing(8)
        for each in (self.field, self.list, self.none):
            rows.addWidget(each)
        self.field.textChanged.connect(self._search)
        self.field.installEventFilter(self)
        self.list.itemClicked.connect(self._run)
        parent.installEventFilter(self)
        self.hide()

    def open(self) -> None:
        """Show it, empty, and take the keys."""
        if self.isVisible():
            self.close_()
            return
        self._before = self.window().focusWidget()
        self.field.clear()
        self._search("")
        self.show()
        self.raise_()
        self.field.setFocus(Qt.FocusReason.PopupFocusReason)

    def close_(self) -> None:
        """Hide it and give the keys back to whom they were taken from."""
        if not self.isVisible():
            return
        self.hide()
        before, self._before = self._before, None
        # It may have gone with its pane or its row while the palette was open.
        if before is not None and shiboken6.isValid(before) and before.isVisible():
            before.setFocus(Qt.FocusReason.PopupFocusReason)

    # -- searching ---------------------------------------------------------------------------

    def _search(self, typed: str) -> None:
        self._actions.refresh()
        self._actions.settle()
        commands = ((c, self._actions.keys(c.id)) for c in self._actions.commands)
        # To find the palette in the palette helps nobody.
        found = [c for c in best(typed, commands, self._recent) if c.id != "palette"]
        self.list.clear()
        for command in found:
            keys = tuple(shown_key(key) for key in self._actions.keys(command.id))
            can = command.enabled()
            below = command.tip if can else command.why_not or "It cannot be done now."
            item = QListWidgetItem(icon(command.id), command.text, self.list)
            item.setData(_ID, command.id)
            item.setData(_KEY, " or ".join(keys))
            item.setData(_BELOW, f"{command.menu}  ·  {below}")
            item.setData(_DEAF, not can)
            said = ", ".join(filter(None, (command.text.rstrip("…"), *keys, below)))
            item.setData(Qt.ItemDataRole.AccessibleTextRole, said)
            item.setToolTip(below)
        self.list.setVisible(bool(found))
        self.none.setVisible(not found)
        if found:
            self.list.setCurrentRow(0)
            self.list.scrollToTop()
        self._place()

    def _place(self) -> None:
        """Lie over the upper middle of the window, as high as what was found."""
        window = self._window
        rows = min(_ROWS, self.list.count())
        self.list.setFixedHeight(max(1, rows) * _ROW)
        layout = self.layout()
        if layout is not None:
            layout.activate()
        width = min(_WIDTH, window.width() - 32)
        top = min(_TOP, max(0, window.height() - self.sizeHint().height() - 8))
        self.setGeometry((window.width() - width) // 2, top, width, self.sizeHint().height())

    # -- running -----------------------------------------------------------------------------

    def _run(self, item: QListWidgetItem) -> None:
        if item.data(_DEAF):
            return
        command_id = str(item.data(_ID))
        self._recent = (command_id, *(each for each in self._recent if each != command_id))
        if self._remember is not None:
            self._remember(self._recent)
        self.close_()
        self._actions[command_id].trigger()

    # -- events ------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        """Keep every key from the window's shortcuts while it is open."""
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Arrows, Enter and Esc in the field; follow the window's size; close when left."""
        if watched is self.parent():
            if event.type() == QEvent.Type.Resize and self.isVisible():
                self._place()
        elif event.type() == QEvent.Type.FocusOut and not self._is_under_the_mouse():
            # After this event: the list of commands is not to go while it is at work.
            self.hide()
        elif event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self._press(event)
        return super().eventFilter(watched, event)

    def _is_under_the_mouse(self) -> bool:
        return self.isVisible() and self.underMouse()

    def _press(self, event: QKeyEvent) -> bool:
        key = Qt.Key(event.key())
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if key == Qt.Key.Key_Escape or (control and key == Qt.Key.Key_K):
            self.close_()
        elif key in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            item = self.list.currentItem()
            if item is not None:
                self._run(item)
        elif key in _MOVES:
            last = self.list.count() - 1
            self.list.setCurrentRow(max(0, min(last, self.list.currentRow() + _MOVES[key])))
        elif key in {Qt.Key.Key_Tab, Qt.Key.Key_Backtab}:
            pass
        else:
            return False
        return True


class _Rows(QStyledItemDelegate):
    """Two lines: text and key, and below what it does or why it cannot be done."""

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        """All rows are of one height."""
        return QSize(200, _ROW)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Draw a row."""
        rect: QRect = option.rect
        with part(painter, "This row", QRectF(rect)):
            self._draw(painter, option, index)

    def _draw(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        deaf = bool(index.data(_DEAF))
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, colour("raised"))
            painter.fillRect(QRect(rect.left(), rect.top(), 2, rect.height()), colour("accent"))
        inner = rect.adjusted(_PAD, 5, -_PAD, -5)
        picture = index.data(Qt.ItemDataRole.DecorationRole)
        if picture is not None and not picture.isNull():
            mode = picture.Mode.Disabled if deaf else picture.Mode.Normal
            picture.paint(painter, inner.left(), inner.top() + 2, 16, 16, mode=mode)
        inner.setLeft(inner.left() + 28)
        upper = QRect(inner.left(), inner.top(), inner.width(), inner.height() // 2)
        lower = QRect(inner.left(), upper.bottom() + 1, inner.width(), inner.height() // 2)
        key = str(index.data(_KEY))
        painter.setFont(font())
        key_width = painter.fontMetrics().horizontalAdvance(key)
        self._write(painter, upper, key, colour("muted"), Qt.AlignmentFlag.AlignRight)
        upper.setRight(upper.right() - key_width - 12)
        text = colour("muted" if deaf else "text")
        left = Qt.AlignmentFlag.AlignLeft
        self._write(painter, upper, str(index.data(Qt.ItemDataRole.DisplayRole)), text, left)
        painter.setFont(font("small"))
        self._write(painter, lower, str(index.data(_BELOW)), colour("muted"), left)

    @staticmethod
    def _write(
        painter: QPainter, rect: QRect, text: str, tint: QColor, side: Qt.AlignmentFlag
    ) -> None:
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
        painter.setPen(tint)
        painter.drawText(rect, int(side | Qt.AlignmentFlag.AlignVCenter), shown)
