"""A hand at mouse and keyboard: events go to windows, as those of the window system do.

Every choice is made from numbers that a step drew before; nothing here draws its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final, TypeVar

import shiboken6
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

__all__ = ["Hand", "pick", "words_of"]

_Some = TypeVar("_Some")

_LEFT, _RIGHT, _MIDDLE = (
    Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton,
)  # fmt: skip
_NONE = Qt.KeyboardModifier.NoModifier
_MODIFIERS: Final = (
    _NONE, _NONE, _NONE, _NONE, _NONE, Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier,
    Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier,
)  # fmt: skip
_BUTTONS: Final = (_LEFT, _LEFT, _LEFT, _LEFT, _RIGHT, _MIDDLE)
_NOTCH: Final = 120
_LEAST_SIDE: Final = 4
_PATH: Final = 6


def pick(some: Sequence[_Some], chance: float) -> _Some:
    """Choose by a number from 0 to 1."""
    return some[min(len(some) - 1, int(chance * len(some)))]


def words_of(widget: QWidget) -> str:
    """Name a widget for the list of steps."""
    name = widget.objectName() or widget.accessibleName()
    return f"{type(widget).__name__}{f' {name!r}' if name else ''}"


class Hand:
    """What a step does with mouse and keys; each method returns it in words.

    Parameters
    ----------
    random
        Of this step alone.
    """

    def __init__(self, random: Random) -> None:
        self.random = random

    def place(self, top: QWidget, parts: Sequence[QWidget] = ()) -> tuple[QWidget, QPoint]:
        """Choose a widget and a place in it: anywhere in the window, in a part, or a small widget.

        Parameters
        ----------
        top
            The window.
        parts
            Those of its widgets that are used most.
        """
        how, which, x, y = (self.random.random() for _ in range(4))
        shown = [part for part in parts if part.isVisible()]
        if how < 0.45 and shown:
            widget = pick(shown, which)
        elif how < 0.85:
            small = [
                each
                for each in top.findChildren(QWidget)
                if each.isVisible()
                and each.window() is top
                and min(each.width(), each.height()) >= _LEAST_SIDE
                and not any(isinstance(child, QWidget) for child in each.children())
            ]
            widget = pick(small, which) if small else top
        else:
            widget = top
        at = QPoint(int(x * widget.width()), int(y * widget.height()))
        return widget, at

    # -- the mouse ---------------------------------------------------------------------------

    def move(self, top: QWidget, parts: Sequence[QWidget] = ()) -> str:
        """Move over the window, from one place to another."""
        (one, start), (two, end) = self.place(top, parts), self.place(top, parts)
        # In words first: what is used may be gone afterwards.
        said = f"mouse from {words_of(one)} to {words_of(two)}"
        self._go(top, one.mapTo(top, start), two.mapTo(top, end))
        return said

    def click(self, top: QWidget, parts: Sequence[QWidget] = ()) -> str:
        """Click once or twice."""
        widget, at = self.place(top, parts)
        button, modifiers = self._button(), self._modifiers()
        twice = self.random.random() < 0.15
        often = "double click" if twice else "click"
        said = f"{often} {button.name} {_held(modifiers)}on {words_of(widget)}"
        self.press_at(widget, at, button, modifiers, twice=twice)
        return said

    def press_at(
        self,
        widget: QWidget,
        at: QPoint | None = None,
        button: Qt.MouseButton = _LEFT,
        modifiers: Qt.KeyboardModifier = _NONE,
        *,
        twice: bool = False,
    ) -> None:
        """Move to a place of a widget, its middle by default, and click."""
        top = widget.window()
        handle = top.windowHandle()
        spot = _within(top, widget.mapTo(top, widget.rect().center() if at is None else at))
        QTest.mouseMove(handle, spot)
        if twice:
            QTest.mouseDClick(handle, button, modifiers, spot)
        else:
            QTest.mouseClick(handle, button, modifiers, spot)

    def drag(self, top: QWidget, parts: Sequence[QWidget] = ()) -> str:
        """Press, move and let go."""
        widget, start = self.place(top, parts)
        button, modifiers = self._button(), self._modifiers()
        far = self.random.random()
        across, down = (round((self.random.random() - 0.5) * far * 800) for _ in range(2))
        handle = top.windowHandle()
        begin = widget.mapTo(top, start)
        end = begin + QPoint(across, down)
        said = f"drag {button.name} {_held(modifiers)}by {across}, {down} from {words_of(widget)}"
        QTest.mouseMove(handle, _within(top, begin))
        QTest.mousePress(handle, button, modifiers, _within(top, begin))
        self._go(top, begin, end)
        if shiboken6.isValid(top) and top.isVisible():
            QTest.mouseRelease(handle, button, modifiers, _within(top, end))
        return said

    def wheel(self, top: QWidget, parts: Sequence[QWidget] = ()) -> str:
        """Turn the wheel by some notches."""
        widget, at = self.place(top, parts)
        notches = self.random.choice((-8, -3, -1, -1, 1, 1, 3, 8))
        modifiers = self._modifiers()
        said = f"wheel {notches} {_held(modifiers)}over {words_of(widget)}"
        spot = QPointF(_within(top, widget.mapTo(top, at)))
        for _ in range(abs(notches)):
            if not shiboken6.isValid(top):
                break
            turn = QPoint(0, _NOTCH if notches > 0 else -_NOTCH)
            QTest.wheelEvent(top.windowHandle(), spot, turn, stateKey=modifiers)
        return said

    # -- keys --------------------------------------------------------------------------------

    def key(self, top: QWidget, keys: Sequence[Qt.Key]) -> str:
        """Press one key some times."""
        key = self.random.choice(keys)
        modifiers = self._modifiers()
        times = self.random.choice((1, 1, 1, 2, 5))
        said = f"{_held(modifiers)}{key.name} × {times} for {words_of(top)}"
        for _ in range(times):
            if shiboken6.isValid(top):
                self.press(top, key, modifiers)
        return said

    def press(self, top: QWidget, key: Qt.Key, modifiers: Qt.KeyboardModifier = _NONE) -> None:
        """Press a key where the focus is."""
        handle = QApplication.focusWindow() or top.windowHandle()
        if handle is not None:
            QTest.keyClick(handle, key, modifiers)

    def type(self, top: QWidget, text: str) -> None:
        """Type letters where the focus is."""
        handle = QApplication.focusWindow() or top.windowHandle()
        for letter in text:
            if handle is not None and letter.isascii() and letter.isprintable():
                QTest.keyClick(handle, letter)

    # -- parts -------------------------------------------------------------------------------

    def _go(self, top: QWidget, start: QPoint, end: QPoint) -> None:
        handle = top.windowHandle()
        for part in range(_PATH + 1):
            if not shiboken6.isValid(top) or not top.isVisible():
                return
            QTest.mouseMove(handle, _within(top, start + (end - start) * (part / _PATH)))

    def _button(self) -> Qt.MouseButton:
        return self.random.choice(_BUTTONS)

    def _modifiers(self) -> Qt.KeyboardModifier:
        return self.random.choice(_MODIFIERS)


def _within(top: QWidget, at: QPoint) -> QPoint:
    """Stay in the window: events beside it are none of its own."""
    return QPoint(
        min(max(at.x(), 1), max(1, top.width() - 2)), min(max(at.y(), 1), max(1, top.height() - 2))
    )


def _held(modifiers: Qt.KeyboardModifier) -> str:
    """Name the keys that are held, with a space after them."""
    names = [
        each.name.removesuffix("Modifier") for each in Qt.KeyboardModifier
        if each in modifiers and each.value
    ]  # fmt: skip
    return f"with {' and '.join(names)} " if names else ""
