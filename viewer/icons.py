"""Icons of one family, in the colours of the theme.

They are drawn for SecondRead in ``resources/theme/icons``: a grid of 16 px, strokes of 1.5 px with
round ends, one colour, which is filled in here. A file is named after the command that it is for,
or after the menu (``menu-export``).
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QImage, QPixmap
from PySide6.QtSvg import QSvgRenderer

from viewer import theme
from viewer.painting import painting

__all__ = ["drawn", "icon"]

_SIZES = (16, 20, 24, 28, 32, 40, 48)
"""Device pixels: 16 logical ones at 100, 125, 150, 175, 200, 250 and 300 %."""

_INK = {
    (QIcon.Mode.Normal, QIcon.State.Off): "text",
    (QIcon.Mode.Normal, QIcon.State.On): "accent",
    (QIcon.Mode.Disabled, QIcon.State.Off): "disabled",
    (QIcon.Mode.Disabled, QIcon.State.On): "disabled",
}


def icon(name: str) -> QIcon:
    """Icon of a command or a menu; none where none is drawn.

    It is in the colours of the theme in use; ask again when that changes.
    """
    svg = _svg(name)
    if not svg:
        return QIcon()
    return _icon(name, theme.looks().light)


def drawn() -> frozenset[str]:
    """Names of all icons."""
    folder = files("resources") / "theme" / "icons"
    return frozenset(
        each.name.removesuffix(".svg") for each in folder.iterdir() if each.name.endswith(".svg")
    )


@cache
def _svg(name: str) -> str:
    file = files("resources") / "theme" / "icons" / f"{name}.svg"
    return file.read_text(encoding="utf-8") if file.is_file() else ""


@cache
def _icon(name: str, light: bool) -> QIcon:
    made = QIcon()
    for (mode, state), token in _INK.items():
        svg = _svg(name).replace("currentColor", theme.colour(token).name())
        renderer = QSvgRenderer(QByteArray(svg.encode()))
        for size in _SIZES:
            image = QImage(size, size, QImage.Format.Format_ARGB32_Premultiplied)
            image.fill(Qt.GlobalColor.transparent)
            with painting(image) as painter:
                renderer.render(painter, QRectF(0, 0, size, size))
            made.addPixmap(QPixmap.fromImage(image), mode, state)
    return made
