"""A dark and a light theme out of one file."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QFont, QImageReader, QPalette
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from inference.findings import Manifestation
from viewer import theme

THEME = files("resources") / "theme"


@pytest.fixture
def dressed(qapp):
    before = (qapp.style().objectName(), qapp.font(), qapp.palette(), qapp.styleSheet())
    qapp.setProperty("secondread_dressed", False)
    theme.apply(qapp)
    yield qapp
    theme.apply(qapp)
    style, font, palette, sheet = before
    qapp.setStyleSheet(sheet)
    qapp.setStyle(style)
    qapp.setFont(font)
    qapp.setPalette(palette)
    qapp.setProperty("secondread_dressed", False)


def contrast(one, other):
    light, dark = sorted((luminance(theme.colour(one)), luminance(theme.colour(other))))[::-1]
    return (light + 0.05) / (dark + 0.05)


def luminance(colour):
    def linear(value):
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    return (
        0.2126 * linear(colour.redF())
        + 0.7152 * linear(colour.greenF())
        + 0.0722 * linear(colour.blueF())
    )


@pytest.fixture(params=["dark", "light"])
def worn(request, dressed):
    theme.apply(dressed, theme.Looks(light=request.param == "light"))
    return request.param


PAIRS = [
    *((text, ground) for text in ("text", "muted", "accent", "warning", "error")
      for ground in ("background", "panel", "raised")),
    # Under the mouse, pressed, chosen in a list or a menu.
    *(("text", ground) for ground in ("hover", "pressed", "line", "accent-deep")),
    ("on-accent", "accent"),
]  # fmt: skip
"""Every text on every ground that it is written on, in the style sheet and in what is painted."""


@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_texts_have_contrast(worn, text, ground):
    assert contrast(text, ground) >= 4.5


@pytest.mark.parametrize("mark", ["accent", "text"])
def test_what_shows_the_focus_can_be_told_from_the_ground(worn, mark):
    assert all(contrast(mark, ground) >= 3.0 for ground in ("background", "panel", "raised"))


def test_what_is_written_on_images_is_the_same_in_both(worn):
    for name in ("text", "muted", "warning", "accent"):
        light, dark = sorted((luminance(theme.on_image(name)), 0.0))[::-1]
        assert (light + 0.05) / (dark + 0.05) >= 4.5
    assert theme.on_image("canvas").name() == theme.colour("canvas").name() == "#000000"


def test_findings_keep_their_colours_in_both(worn):
    assert theme.findings_colour(Manifestation.GGO).name() == "#f5d33f"
    assert theme.findings_colour(Manifestation.GGO, safe=True).name() == "#e69f00"


def test_no_widget_keeps_a_colour_of_one_theme():
    """Colours in a style sheet of its own would stay when the theme changes; see theme.tell."""
    viewer = Path(theme.__file__).parent
    own = [
        str(file.relative_to(viewer))
        for file in sorted(viewer.rglob("*.py"))
        if file.name != "theme.py" and "setStyleSheet" in file.read_text("utf-8")
    ]
    assert own == []


def test_both_themes_have_the_same_tokens():
    colours = json.loads((THEME / "tokens.json").read_text("utf-8"))["colours"]
    assert set(colours["dark"]) == set(colours["light"])


def test_a_tone_follows_the_theme_at_run_time(dressed, qtbot, seen):
    label = QLabel("██████")
    qtbot.addWidget(label)
    theme.tell(label, "warning")
    label.show()
    for light in (False, True, False):
        theme.apply(dressed, theme.Looks(light=light))
        shown = {tuple(pixel) for pixel in seen(label).reshape(-1, 3)}
        assert theme.colour("warning").toTuple()[:3] in shown
    theme.tell(label, "error")
    assert theme.colour("error").toTuple()[:3] in {tuple(p) for p in seen(label).reshape(-1, 3)}


def test_findings_have_the_papers_colours_and_a_set_that_all_can_tell_apart():
    paper = [theme.findings_colour(key).name() for key in Manifestation]
    safe = [theme.findings_colour(key, safe=True).name() for key in Manifestation]
    assert paper == ["#f5d33f", "#e5484d", "#3ecf8e"]
    assert safe == ["#e69f00", "#d55e00", "#56b4e9"]


def test_an_unknown_token_is_an_error():
    with pytest.raises(KeyError):
        theme.colour("beige")


def test_the_program_is_dark_after_the_theme_is_applied(dressed: QApplication, qtbot):
    assert dressed.styleSheet()
    assert dressed.palette().color(QPalette.ColorRole.Window) == theme.colour("background")
    label = QLabel("Text")
    qtbot.addWidget(label)
    assert label.palette().color(QPalette.ColorRole.WindowText) == theme.colour("text")
    assert label.font().pixelSize() == 13


def test_applying_twice_changes_nothing(dressed: QApplication):
    before = dressed.styleSheet()
    theme.apply(dressed)
    assert dressed.styleSheet() == before


def test_widgets_are_drawn_in_the_colours_of_the_tokens(dressed: QApplication, qtbot, seen):
    button = QPushButton("")
    qtbot.addWidget(button)
    button.resize(80, 30)
    button.setFocusPolicy(button.focusPolicy().NoFocus)
    image = seen(button)
    assert tuple(image[15, 40]) == theme.colour("raised").toTuple()[:3]
    assert tuple(image[0, 40]) == theme.colour("line").toTuple()[:3]


def test_every_picture_of_the_style_sheet_can_be_read(worn, dressed: QApplication):
    paths = set(re.findall(r'url\("([^"]+)"\)', dressed.styleSheet()))
    assert len(paths) == 3
    for path in paths:
        assert not QImageReader(QUrl.fromLocalFile(path).toLocalFile()).read().isNull()


def test_the_style_sheet_and_its_pictures_use_no_colour_of_their_own():
    known = set(re.findall(r"#[0-9a-f]{6}", (THEME / "tokens.json").read_text("utf-8")))
    for name in (
        "style.qss",
        "check.svg",
        "check-light.svg",
        "chevron-down.svg",
        "chevron-right.svg",
    ):
        used = set(re.findall(r"#[0-9a-fA-F]{6}", (THEME / name).read_text("utf-8")))
        assert used <= known, name


def test_there_are_three_sizes_of_one_face(qapp):
    sizes = [theme.font(size) for size in ("small", "normal", "large")]
    assert [face.pixelSize() for face in sizes] == [11, 13, 17]
    assert len({tuple(face.families()) for face in sizes}) == 1


def test_letters_get_no_coloured_fringes(qapp):
    assert theme.font().styleStrategy() & QFont.StyleStrategy.NoSubpixelAntialias
