"""Nothing that is written overlaps, is cut off, or is hard to read."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter

from viewer import theme
from viewer.planes.orientation import EdgeLetters
from viewer.viewport.annotations import (
    BANNER,
    HEATMAP_CAUTION,
    Annotations,
    Line,
    Role,
    draw,
    place,
)
from viewer.viewport.texts import scale_bar

pytestmark = pytest.mark.usefixtures("qapp")


WARNED = (
    Line("Most of the heat lies outside the lungs (100 %):", "warning"),
    Line("the model may be looking at something else.", "warning"),
    Line("Heat inside the lungs: 0 % (an even map: 100 %)"),
)


def crowded(width):
    return Annotations(
        top_left=(
            Line("CT of the thorax and the upper abdomen, low dose  ·  Lung kernel, 1.25 mm"),
            Line("1148/1148  ·  H −1198.1 mm"),
        ),
        top_right=(
            Line("W 12000  L −10600  ·  Mediastinum (file's own)  ·  inverted"),
            Line("×12.94"),
        ),
        bottom_right=(
            Line("−1024 HU  GGO  Consolidation  Effusion"),
            Line("L −1171.1  P −1184.5  H −1198.1 mm"),
            Line("lossy"),
            Line("⚠ 12 doubts: 36 of 36 slices have the same SOP instance UID.", role=Role.DOUBTS),
        ),
        letters=EdgeLetters("RA", "LP", "AL", "PR"),
        scale=scale_bar(0.25 * width / 100.0, 0.25 * width),
        heatmap="bacterial pneumonia",
        heatmap_notes=WARNED,
    )  # fmt: skip


@pytest.mark.parametrize("size", [(320, 240), (700, 500), (1400, 1000)])
def test_everything_has_a_place_of_its_own(size):
    width, height = size
    placed = place(crowded(width), width, height)
    for one, other in combinations(placed, 2):
        assert not one.rect.intersects(other.rect), (one, other)
    for entry in placed:
        assert QRectF(0, 0, width, height).contains(entry.rect), entry


@pytest.mark.parametrize("beside", [(), (Line("a third line"),)])
def test_below_the_letter_a_line_has_the_room_that_is_left(beside):
    """How thick a slab is must not be cut off in a narrow pane."""
    slab = "MIP of 12 planes, 15.0 mm, every 1.2 mm"
    full = crowded(320)
    wide = replace(
        full, top_left=(*full.top_left, Line(slab)), top_right=(*full.top_right, *beside)
    )
    placed = place(wide, 320, 400)
    texts = [entry.text for entry in placed]
    assert (slab in texts) == (not beside)
    assert full.top_left[1].text in texts, "beside it stands the zoom alone"
    assert full.top_left[0].text not in texts, "beside the letter there is no room"
    for one, other in combinations(placed, 2):
        assert not one.rect.intersects(other.rect), (one, other)


@pytest.mark.parametrize("size", [(320, 240), (700, 500), (1400, 1000)])
def test_no_text_is_wider_than_its_place(size):
    for entry in place(crowded(size[0]), *size):
        face = theme.font("normal" if entry.role is Role.LETTER else "small")
        assert QFontMetricsF(face).horizontalAdvance(entry.text) <= entry.rect.width()


@pytest.mark.parametrize("size", [(320, 240), (700, 500)])
def test_the_banner_and_the_heatmaps_caution_are_never_shortened(size):
    texts = [entry.text for entry in place(crowded(size[0]), *size)]
    assert BANNER in texts
    assert BANNER == "Research use only. Not for diagnosis."
    if size == (700, 500):
        assert HEATMAP_CAUTION in texts
        assert {line.text for line in WARNED} <= set(texts)
        assert "L −1171.1  P −1184.5  H −1198.1 mm" in texts


def test_the_banner_is_there_with_nothing_else():
    assert [entry.text for entry in place(Annotations(), 400, 300)] == [BANNER]


def luminance(colour):
    def linear(value):
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    return (
        0.2126 * linear(colour.redF())
        + 0.7152 * linear(colour.greenF())
        + 0.0722 * linear(colour.blueF())
    )


@pytest.mark.parametrize("ground", ["white", "black", "#c0c0c0"])
@pytest.mark.parametrize("token", ["text", "warning"])
def test_texts_are_readable_on_every_picture(ground, token):
    image = QImage(200, 100, QImage.Format.Format_RGB32)
    image.fill(QColor(ground))
    written = Annotations(top_left=(Line("", token),))
    (entry,) = (e for e in place(written, 200, 100) if e.role is Role.CORNER)
    painter = QPainter(image)
    draw(painter, [entry])
    painter.end()
    behind = luminance(image.pixelColor(entry.rect.center().toPoint()))
    light, dark = sorted((luminance(theme.colour(token)), behind), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5
