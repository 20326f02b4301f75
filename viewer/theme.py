"""Colours, fonts and the dark style sheet, all from ``resources/theme``.

Chrome is quiet and near-black; colour belongs to findings, to what can be pressed, and to warnings.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any, Literal

from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

if TYPE_CHECKING:
    from inference.findings import Manifestation

__all__ = ["FontSize", "apply", "colour", "findings_colour", "font", "grid"]

FontSize = Literal["small", "normal", "large"]
"""The three sizes of the one face."""

_ROLES = {
    QPalette.ColorRole.Window: "background",
    QPalette.ColorRole.WindowText: "text",
    QPalette.ColorRole.Base: "panel",
    QPalette.ColorRole.AlternateBase: "raised",
    QPalette.ColorRole.Text: "text",
    QPalette.ColorRole.PlaceholderText: "muted",
    QPalette.ColorRole.Button: "raised",
    QPalette.ColorRole.ButtonText: "text",
    QPalette.ColorRole.BrightText: "error",
    QPalette.ColorRole.Highlight: "accent",
    QPalette.ColorRole.HighlightedText: "on-accent",
    QPalette.ColorRole.Accent: "accent",
    QPalette.ColorRole.Link: "accent",
    QPalette.ColorRole.LinkVisited: "accent",
    QPalette.ColorRole.ToolTipBase: "raised",
    QPalette.ColorRole.ToolTipText: "text",
    QPalette.ColorRole.Light: "line",
    QPalette.ColorRole.Midlight: "line",
    QPalette.ColorRole.Mid: "line",
    QPalette.ColorRole.Dark: "canvas",
    QPalette.ColorRole.Shadow: "canvas",
}
_TEXT_ROLES = (
    QPalette.ColorRole.WindowText,
    QPalette.ColorRole.Text,
    QPalette.ColorRole.ButtonText,
)


@cache
def _tokens() -> dict[str, Any]:
    text = (files("resources") / "theme" / "tokens.json").read_text(encoding="utf-8")
    tokens: dict[str, Any] = json.loads(text)
    return tokens


def colour(name: str) -> QColor:
    """Colour of a token: ``"background"``, ``"panel"``, ``"text"``, ``"muted"``, ``"accent"`` ...

    Raises
    ------
    KeyError
        When there is no such token.
    """
    return QColor(_tokens()["colours"][name])


def findings_colour(key: Manifestation, *, safe: bool = False) -> QColor:
    """Colour of a manifestation, everywhere it is shown.

    Parameters
    ----------
    key
        Which manifestation.
    safe
        From the set that colour-blind readers can tell apart, instead of the paper's.
    """
    return QColor(_tokens()["findings"]["safe" if safe else "paper"][key.value])


def grid(steps: int = 1) -> int:
    """So many steps of the base grid, in logical pixels."""
    return steps * int(_tokens()["grid"])


def font(size: FontSize = "normal") -> QFont:
    """The one sans face, with figures of equal width where the face has them."""
    fonts = _tokens()["fonts"]
    face = QFont()
    face.setFamilies(fonts["families"])
    face.setStyleHint(QFont.StyleHint.SansSerif)
    # Colour belongs to findings: sub-pixel smoothing would fringe letters red and blue, in the
    # pictures that are exported too, wherever the system asks for it (Ubuntu does).
    face.setStyleStrategy(QFont.StyleStrategy.NoSubpixelAntialias)
    face.setPixelSize(int(fonts["sizes"][size]))
    face.setFeature(QFont.Tag("tnum"), 1)
    return face


def _palette() -> QPalette:
    palette = QPalette()
    for role, name in _ROLES.items():
        palette.setColor(role, colour(name))
    for role in _TEXT_ROLES:
        palette.setColor(QPalette.ColorGroup.Disabled, role, colour("disabled"))
    palette.setColor(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Highlight, colour("disabled"))
    return palette


def _style_sheet() -> str:
    theme = files("resources") / "theme"
    names = {name.replace("-", "_"): value for name, value in _tokens()["colours"].items()}
    names |= {f"font_{name}": f"{size}px" for name, size in _tokens()["fonts"]["sizes"].items()}
    names |= {f"grid{steps}": f"{grid(steps)}px" for steps in (1, 2, 3, 4)}
    names |= {"radius": f"{_tokens()['radius']}px", "images": str(theme).replace("\\", "/")}
    return Template((theme / "style.qss").read_text(encoding="utf-8")).substitute(names)


def apply(app: QApplication) -> None:
    """Dress the program in the dark theme; calling it again changes nothing."""
    app.setStyle(QStyleFactory.create("Fusion"))
    app.setFont(font())
    app.setPalette(_palette())
    app.setStyleSheet(_style_sheet())
