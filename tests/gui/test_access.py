"""Keys and screen readers reach everything, in both themes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QDialog,
    QLineEdit,
    QScrollArea,
    QSlider,
    QSplitterHandle,
    QTabBar,
    QWidget,
)

from inference.findings import Findings
from viewer import theme
from viewer.window import MainWindow


def reachable(root: QWidget) -> Iterator[QWidget]:
    """Give the widgets that Tab comes to."""
    for widget in root.findChildren(QWidget):
        if widget.window() is not root or not widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            continue
        # Inner parts of a control, which has the name.
        if isinstance(widget.parent(), QComboBox) or widget.focusProxy() is not None:
            continue
        if isinstance(widget.parent(), QWidget) and widget.parent().focusProxy() is widget:
            continue
        yield widget


def name_of(widget: QWidget) -> str:
    """Give what a screen reader says."""
    interface = QAccessible.queryAccessibleInterface(widget)
    assert interface is not None, widget
    return str(interface.text(QAccessible.Text.Name))


def nameless(root: QWidget) -> list[str]:
    """Give the widgets without a name."""
    return [
        f"{type(each).__name__} {each.objectName()}"
        for each in reachable(root)
        if not name_of(each).strip()
    ]


@pytest.fixture
def full(reading: MainWindow, make_findings: Callable[..., Findings]) -> MainWindow:
    """Show findings and a message."""
    assert reading.session.volume is not None
    reading.session.set_findings(make_findings(reading.session.volume))
    reading.session.post("error", "Something failed.")
    return reading


def test_everything_in_the_window_has_a_name(full: MainWindow) -> None:
    assert len(list(reachable(full))) > 20
    assert nameless(full) == []


@pytest.mark.parametrize("command", ["keys", "cards", "settings"])
def test_everything_in_the_dialogs_has_a_name(qtbot: Any, window: MainWindow, command: str) -> None:
    window.actions_[command].trigger()
    (dialog,) = [each for each in window.findChildren(QDialog) if each.isVisible()]
    pages = getattr(dialog, "names", None)
    for row in range(pages.count() if pages is not None else 1):
        if pages is not None:
            pages.setCurrentRow(row)
        assert list(reachable(dialog))
        assert nameless(dialog) == []
    dialog.close()


def test_the_palette_has_names(window: MainWindow) -> None:
    window.habits.show_palette()
    palette = window.habits.palette
    assert palette is not None
    assert name_of(palette.field) == "Search commands"
    assert name_of(palette.list) == "Commands"
    palette.close_()


def test_tab_goes_around_and_back(qtbot: Any, full: MainWindow) -> None:
    """Every part is reached by Tab alone, and the way ends where it began."""
    qtbot.waitUntil(full.isActiveWindow, timeout=20_000)
    full.view.setFocus()
    seen: list[QWidget] = []
    for _ in range(300):
        qtbot.keyClick(full.focusWidget(), Qt.Key.Key_Tab)
        seen.append(full.focusWidget())
        if seen[-1] is full.view:
            break
    assert seen[-1] is full.view
    for part in (full.tree, full.strip, full.findings_panel, full.layers_panel):
        assert any(part is each or part.isAncestorOf(each) for each in seen), part


@pytest.mark.parametrize("light", [False, True])
def test_the_focus_is_seen(qtbot: Any, full: MainWindow, light: bool) -> None:
    if light:
        full.habits.next_theme()
    assert theme.looks().light is light
    qtbot.waitUntil(full.isActiveWindow, timeout=20_000)
    kinds = (QAbstractButton, QComboBox, QLineEdit, QSlider, QTabBar)
    blind = []
    for widget in [*reachable(full), full.tree.tree]:
        if not (widget.isVisible() and widget.isEnabled()) or isinstance(
            widget, QSplitterHandle | QScrollArea
        ):
            continue
        if not isinstance(widget, (*kinds, type(full.strip), type(full.tree.tree))):
            continue
        full.setFocus()
        without = widget.grab().toImage()
        widget.setFocus(Qt.FocusReason.TabFocusReason)
        if widget.grab().toImage() == without:
            blind.append(f"{type(widget).__name__} {widget.objectName()}")
    assert blind == []
