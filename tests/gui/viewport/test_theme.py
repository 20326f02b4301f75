"""One dark theme out of one file."""

from __future__ import annotations

import re
from importlib.resources import files

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
    theme.apply(qapp)
    yield qapp
    style, font, palette, sheet = before
    qapp.setStyleSheet(sheet)
    qapp.setStyle(style)
    qapp.setFont(font)
    qapp.setPalette(palette)


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


@pytest.mark.parametrize("ground", ["background", "panel", "raised"])
@pytest.mark.parametrize("text", ["text", "muted", "accent", "warning", "error"])
def test_texts_have_contrast_on_every_surface(text, ground):
    assert contrast(text, ground) >= 4.5


def test_texts_on_the_accent_have_contrast():
    assert contrast("text", "accent-deep") >= 4.5
    assert contrast("on-accent", "accent") >= 4.5


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


def test_every_picture_of_the_style_sheet_can_be_read(dressed: QApplication):
    paths = set(re.findall(r'url\("([^"]+)"\)', dressed.styleSheet()))
    assert len(paths) == 3
    for path in paths:
        assert not QImageReader(QUrl.fromLocalFile(path).toLocalFile()).read().isNull()


def test_the_style_sheet_and_its_pictures_use_no_colour_of_their_own():
    known = set(re.findall(r"#[0-9a-f]{6}", (THEME / "tokens.json").read_text("utf-8")))
    for name in ("style.qss", "check.svg", "chevron-down.svg", "chevron-right.svg"):
        used = set(re.findall(r"#[0-9a-fA-F]{6}", (THEME / name).read_text("utf-8")))
        assert used <= known, name


def test_there_are_three_sizes_of_one_face(qapp):
    sizes = [theme.font(size) for size in ("small", "normal", "large")]
    assert [face.pixelSize() for face in sizes] == [11, 13, 17]
    assert len({tuple(face.families()) for face in sizes}) == 1


def test_letters_get_no_coloured_fringes(qapp):
    assert theme.font().styleStrategy() & QFont.StyleStrategy.NoSubpixelAntialias
