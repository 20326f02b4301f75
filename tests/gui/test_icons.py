"""One family of icons, in the colours of the theme, sharp at every scaling."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon, QImage
from PySide6.QtWidgets import QApplication, QToolBar, QToolButton

from viewer import theme
from viewer.actions import MENUS
from viewer.icons import drawn, icon
from viewer.window import MainWindow


def ink(image: QImage) -> tuple[str, int]:
    """Give the colour of the most opaque pixels, and how many there are."""
    solid = [
        image.pixelColor(x, y)
        for x in range(image.width())
        for y in range(image.height())
        if image.pixelColor(x, y).alpha() == 255
    ]
    return (solid[0].name() if solid else "", len(solid))


def pixels(made: QIcon, side: int, mode: QIcon.Mode = QIcon.Mode.Normal) -> QImage:
    """Give the picture of an icon at a size in device pixels."""
    return made.pixmap(QSize(side, side), 1.0, mode, QIcon.State.Off).toImage()


def test_what_is_in_the_toolbar_has_an_icon(window: MainWindow) -> None:
    (bar,) = window.findChildren(QToolBar)
    buttons = [b for b in bar.findChildren(QToolButton) if b.objectName().startswith("toolbar-")]
    assert len(buttons) > 10
    assert [b.objectName() for b in buttons if b.icon().isNull()] == []


def test_every_icon_is_for_something(window: MainWindow) -> None:
    commands = {command.id for command in window.actions_.commands}
    menus = {f"menu-{title.lower().replace(' ', '-')}" for title in MENUS}
    assert drawn() <= commands | menus


@pytest.mark.parametrize("name", sorted(drawn()))
def test_icons_are_of_one_family(name: str, qapp: QApplication) -> None:
    svg = (files("resources") / "theme" / "icons" / f"{name}.svg").read_text("utf-8")
    assert 'viewBox="0 0 16 16"' in svg
    assert re.findall(r'stroke-width="([^"]+)"', svg) == ["1.5"]
    assert not re.search(r"#[0-9a-fA-F]{3,6}", svg), "the theme gives the colour"
    colour, count = ink(pixels(icon(name), 32))
    assert count > 8
    assert colour == theme.colour("text").name()


@pytest.mark.parametrize("side", [16, 20, 24, 32, 48])
def test_icons_are_drawn_for_every_scaling(qapp: QApplication, side: int) -> None:
    assert pixels(icon("analyse"), side).width() == side
    # Drawn larger, not enlarged: more of it is solid.
    assert ink(pixels(icon("tool-zoom"), 48))[1] > 4 * ink(pixels(icon("tool-zoom"), 16))[1]


def test_icons_follow_the_theme_and_the_state(qapp: QApplication, window: MainWindow) -> None:
    dark = ink(pixels(window.actions_["open-files"].icon(), 32))[0]
    faint = ink(pixels(window.actions_["analyse"].icon(), 32, QIcon.Mode.Disabled))[0]
    assert faint == theme.colour("disabled").name()
    window.habits.next_theme()
    light = ink(pixels(window.actions_["open-files"].icon(), 32))[0]
    assert dark != light == theme.colour("text").name()


def test_a_narrow_toolbar_keeps_icons_and_the_name_of_the_main_thing(
    qtbot, window: MainWindow
) -> None:
    (bar,) = window.findChildren(QToolBar)
    beside, alone = (
        Qt.ToolButtonStyle.ToolButtonTextBesideIcon,
        Qt.ToolButtonStyle.ToolButtonIconOnly,
    )
    window.resize(1900, 700)
    qtbot.waitUntil(lambda: bar.toolButtonStyle() is beside)
    window.resize(950, 700)
    qtbot.waitUntil(lambda: bar.toolButtonStyle() is alone)
    last = bar.findChild(QToolButton, "toolbar-palette")
    qtbot.waitUntil(lambda: bar.rect().contains(last.geometry()))
    assert bar.findChild(QToolButton, "toolbar-analyse").toolButtonStyle() is beside
    tip = bar.findChild(QToolButton, "toolbar-open-files").toolTip()
    assert tip.startswith("Open files (Ctrl+O)")


def test_an_icon_that_is_not_drawn_is_none(qapp: QApplication) -> None:
    assert icon("no-such-command").isNull()
    assert Path(str(files("resources") / "theme" / "icons")).is_dir()
