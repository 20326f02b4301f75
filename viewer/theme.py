"""Colours, fonts and the style sheet of the dark and the light theme, from ``resources/theme``.

Chrome is quiet; colour belongs to findings, to what can be pressed, and to warnings. The colours of
the chrome follow the theme. Images lie on black in both, and what is written on them is `on_image`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any, Literal

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory, QWidget

if TYPE_CHECKING:
    from inference.findings import Manifestation

__all__ = [
    "FontSize",
    "Looks",
    "apply",
    "box",
    "colour",
    "findings_colour",
    "font",
    "grid",
    "looks",
    "on_image",
    "tell",
]

FontSize = Literal["small", "normal", "large"]
"""The three sizes of the one face."""


@dataclass(frozen=True, slots=True)
class Looks:
    """What the program looks like.

    Parameters
    ----------
    light
        Light chrome instead of dark.
    safe
        Findings in colours that colour-blind readers can tell apart, instead of the paper's.
    text
        Size of every text, in per cent of the usual one.
    """

    light: bool = False
    safe: bool = False
    text: int = 100

    @property
    def name(self) -> str:
        """Of the colours in ``tokens.json``."""
        return "light" if self.light else "dark"


_DRESSED = "secondread_dressed"
"""Property of an application that has style and face already."""

_worn = [Looks()]
"""What `apply` was asked for last: one program, one look."""

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


def looks() -> Looks:
    """What the program looks like now."""
    return _worn[0]


def colour(name: str) -> QColor:
    """Colour of a token: ``"background"``, ``"panel"``, ``"text"``, ``"muted"``, ``"accent"`` ...

    It is that of the theme in use, so ask when painting and keep none. Texts take theirs from the
    style sheet, see `tell`.

    Raises
    ------
    KeyError
        When there is no such token.
    """
    return QColor(_tokens()["colours"][looks().name][name])


def on_image(name: str) -> QColor:
    """Colour of a token on the black that images lie on: the same in both themes.

    Raises
    ------
    KeyError
        When there is no such token.
    """
    return QColor(_tokens()["colours"]["dark"][name])


def findings_colour(key: Manifestation, *, safe: bool | None = None) -> QColor:
    """Colour of a manifestation, everywhere it is shown; the same in both themes.

    Parameters
    ----------
    key
        Which manifestation.
    safe
        From the set that colour-blind readers can tell apart, or from the paper's; None: what the
        reader chose.
    """
    wanted = looks().safe if safe is None else safe
    return QColor(_tokens()["findings"]["safe" if wanted else "paper"][key.value])


def tell(widget: QWidget, tone: str) -> None:
    """Give a widget's text the colour of a token, in every theme.

    Parameters
    ----------
    widget
        A label or a button.
    tone
        ``"text"``, ``"muted"``, ``"accent"``, ``"warning"`` or ``"error"``.
    """
    _mark(widget, "tone", tone)


def box(widget: QWidget, kind: str) -> None:
    """Set a frame off from the rest, with a bar: ``"info"``, ``"warning"`` or ``"error"``."""
    _mark(widget, "boxed", kind)


def _mark(widget: QWidget, name: str, value: str) -> None:
    if widget.property(name) == value:
        return
    widget.setProperty(name, value)
    # The style sheet looks at properties when a widget is polished, which new ones are to be yet.
    if widget.testAttribute(Qt.WidgetAttribute.WA_WState_Polished):
        widget.style().unpolish(widget)
        widget.style().polish(widget)


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
    face.setPixelSize(_pixels(size))
    face.setFeature(QFont.Tag("tnum"), 1)
    return face


def _pixels(size: FontSize) -> int:
    return round(int(_tokens()["fonts"]["sizes"][size]) * looks().text / 100)


def _sizes() -> dict[int, FontSize]:
    names: tuple[FontSize, ...] = ("small", "normal", "large")
    return {_pixels(name): name for name in names}


def _with_own_size(app: QApplication) -> list[tuple[QWidget, int]]:
    """Widgets that were given a font, each with its height in pixels."""
    return [
        (widget, widget.font().pixelSize())
        for widget in app.allWidgets()
        if widget.testAttribute(Qt.WidgetAttribute.WA_SetFont)
    ]


def _follow(had: list[tuple[QWidget, int]], before: dict[int, FontSize]) -> None:
    """Have widgets with a size of their own be as large beside the others as they were.

    Parameters
    ----------
    had
        Of `_with_own_size`, before the program's face changed.
    before
        Names of the sizes that were in use.
    """
    for widget, pixels in had:
        face = widget.font()
        # What was given another weight alone has followed by itself.
        if pixels in before and face.pixelSize() == pixels:
            face.setPixelSize(_pixels(before[pixels]))
            widget.setFont(face)


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
    names = {
        name.replace("-", "_"): value for name, value in _tokens()["colours"][looks().name].items()
    }
    names |= {f"font_{name}": f"{pixels}px" for pixels, name in _sizes().items()}
    names |= {f"grid{steps}": f"{grid(steps)}px" for steps in (1, 2, 3, 4)}
    names |= {"radius": f"{_tokens()['radius']}px", "images": str(theme).replace("\\", "/")}
    names |= {"check": "check-light.svg" if looks().light else "check.svg"}
    return Template((theme / "style.qss").read_text(encoding="utf-8")).substitute(names)


def apply(app: QApplication, wanted: Looks | None = None) -> None:
    """Dress the program; at any time, and calling it again changes nothing.

    Parameters
    ----------
    app
        The program.
    wanted
        None: the dark theme with the paper's colours.
    """
    before, sizes = looks(), _sizes()
    had: list[tuple[QWidget, int]] = []
    _worn[0] = wanted or Looks()
    if not app.property(_DRESSED):
        # Once: a style polishes every widget anew, which is felt when the theme changes.
        app.setStyle(QStyleFactory.create("Fusion"))
        app.setFont(font())
        app.setProperty(_DRESSED, True)
    elif before.text != looks().text:
        had = _with_own_size(app)
        app.setFont(font())
    app.setPalette(_palette())
    sheet = _style_sheet()
    if app.styleSheet() != sheet:
        app.setStyleSheet(sheet)
    _follow(had, sizes)
