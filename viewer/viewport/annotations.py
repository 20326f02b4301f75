"""Letters, corner texts, scale bar, colour bar and banner: first placed, then drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from enum import Enum, auto
from functools import partial

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPen

from inference.findings import Manifestation
from viewer import theme
from viewer.painting import made, part, said
from viewer.planes.orientation import EdgeLetters
from viewer.viewport.render import heat_table
from viewer.viewport.texts import ScaleBar

__all__ = [
    "BANNER",
    "HEATMAP_CAUTION",
    "INVITATION",
    "Annotations",
    "Line",
    "Placed",
    "Role",
    "draw",
    "draw_invitation",
    "lines_of",
    "note_place",
    "place",
    "place_parts",
]

BANNER = "Research use only. Not for diagnosis."
HEATMAP_CAUTION = "Grad-CAM: not a segmentation"
INVITATION = "Open a study: drop a folder or a file here, or {press}"

_YIELDED = 0.38
"""At least this part of the width is left to the right corner, where its lines need it."""
_MARGIN = 8.0
_PAD = 4.0
_BAR_LENGTH = 128.0
_BAR_HEIGHT = 8.0
_TICK = 8.0
_BACKING = QColor(0, 0, 0, 190)
"""Behind every text: keeps a contrast of 4.5:1 on a white picture, invisible on black."""


class Role(Enum):
    """What a placed thing is."""

    CORNER = auto()
    DOUBTS = auto()
    LETTER = auto()
    INSTEAD = auto()
    BANNER = auto()
    SCALE_BAR = auto()
    COLOUR_BAR = auto()
    LEGEND = auto()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a corner.

    Parameters
    ----------
    text
        What is written.
    colour
        A token of the theme.
    role
        What it is.
    rank
        In a low view lines give way, the highest ranks first; 0 never does.
    """

    text: str
    colour: str = "text"
    role: Role = Role.CORNER
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Annotations:
    """All that is written on the picture, but for the banner, which always is.

    Parameters
    ----------
    top_left, top_right, bottom_right
        Lines from top to bottom.
    whose, acquired
        Lines above those of the top left and of the top right: whose images they are, and where,
        when and how they were made.
    letters
        Orientation letters, or None where the file has no orientation.
    scale
        Scale bar, or None where the spacing is unknown.
    heatmap
        Class whose heatmap is drawn, or empty.
    heatmap_notes
        What else is said of the heatmap, from top to bottom; shown as far as there is room.
    legend
        Whose masks are to be seen on this plane.
    instead
        Why there is no picture, in its middle; empty where there is one.
    """

    top_left: tuple[Line, ...] = ()
    top_right: tuple[Line, ...] = ()
    bottom_right: tuple[Line, ...] = ()
    letters: EdgeLetters | None = None
    scale: ScaleBar | None = None
    heatmap: str = ""
    heatmap_notes: tuple[Line, ...] = ()
    legend: tuple[Manifestation, ...] = ()
    instead: str = ""
    whose: tuple[Line, ...] = ()
    acquired: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Placed:
    """One thing at its place, in logical pixels; `text` is already shortened to fit."""

    role: Role
    rect: QRectF
    text: str
    colour: str = "text"


def lines_of(name: str, make: Callable[[], Iterable[Line]]) -> tuple[Line, ...]:
    """Write a text of a corner; one that cannot be written says so where it would stand.

    Parameters
    ----------
    name
        Of the text.
    make
        Writes it.
    """
    return made(name, lambda: tuple(make()), (Line(said(name), "error"),))


def note_place(view: QRectF, row: int) -> QRectF:
    """Where it is said that a part without a place of its own could not be drawn.

    Parameters
    ----------
    view
        The whole view.
    row
        Of the part, from 0: so many lines below a third of the view's height.
    """
    line = QFontMetricsF(theme.font("normal")).height() + 2.0
    return QRectF(view.left(), view.top() + view.height() / 3 + row * line, view.width(), line)


def place_parts(annotations: Annotations, width: float, height: float) -> list[Placed]:
    """Place everything; where that fails, all that can be placed by itself, and a note.

    Parameters
    ----------
    annotations, width, height
        As `place` takes them.
    """
    name = "A text"
    whole = made(name, partial(place, annotations, width, height), None)
    if whole is not None:
        return whole
    banner = place(Annotations(instead=said(name)), width, height)
    for each in fields(annotations):
        alone = replace(Annotations(), **{each.name: getattr(annotations, each.name)})
        # The banner, which comes first, is there already.
        banner += made(name, partial(place, alone, width, height), ())[1:]
    return banner


def place(annotations: Annotations, width: float, height: float) -> list[Placed]:
    """Give everything a place of its own.

    Parameters
    ----------
    annotations
        What is to be written.
    width, height
        Size of the view in logical pixels.
    """
    metrics = QFontMetricsF(theme.font("small"))
    letter_metrics = QFontMetricsF(theme.font("normal"))
    line = metrics.height() + 2.0
    # Corners share the width with the letter between them.
    column = (width - 2 * _MARGIN - 3 * letter_metrics.horizontalAdvance("HL")) / 2.0
    floor = height - _MARGIN - line
    below_letter = _MARGIN + line

    def block(
        lines: Sequence[Line],
        top: float,
        *,
        right: bool,
        beside: Sequence[Line] | None = None,
        most: float = 1.0,
    ) -> Iterable[Placed]:
        for index, entry in enumerate(lines):
            room = column - 2 * _PAD
            if beside is not None and top + index * line >= below_letter:
                # Below the letter the corner opposite leaves what it does not need.
                other = beside[index].text if index < len(beside) else ""
                taken = min(metrics.horizontalAdvance(other), most * width)
                room = width - 2 * _MARGIN - taken - 5 * _PAD
            text = metrics.elidedText(entry.text, Qt.TextElideMode.ElideRight, room)
            extent = metrics.horizontalAdvance(text) + 2 * _PAD
            x = width - _MARGIN - extent if right else _MARGIN
            rect = QRectF(x, top + index * line, extent, line)
            yield Placed(entry.role, rect, text, entry.colour)

    placed = [_banner(metrics, width, floor)]
    # Above the letters in the middle.
    rows = int(((height - letter_metrics.height() - 2.0) / 2 - _MARGIN) // line)
    left, top_right = _tops(annotations, rows)
    # Which slice it is comes before how it was made.
    on_left = list(block(left, _MARGIN, right=False, beside=top_right, most=_YIELDED))
    shortened = [Line(entry.text) for entry in on_left]
    placed += [*on_left, *block(top_right, _MARGIN, right=True, beside=shortened)]
    bottom = annotations.bottom_right
    placed += block(bottom, floor - _PAD - len(bottom) * line, right=True)
    top = floor - _PAD
    if annotations.scale is not None:
        label = metrics.horizontalAdvance(annotations.scale.label) + 4 * _PAD
        top -= line
        extent = annotations.scale.pixels + label
        rect = QRectF(_MARGIN, top, extent, line)
        placed.append(Placed(Role.SCALE_BAR, rect, annotations.scale.label))
    for key in reversed(annotations.legend):
        top -= line
        extent = metrics.horizontalAdvance(key.label) + line + 2 * _PAD
        placed.append(Placed(Role.LEGEND, QRectF(_MARGIN, top, extent, line), key.label, key.value))
    if annotations.heatmap:
        top -= line + _PAD
        rect = QRectF(
            _MARGIN, top, _BAR_LENGTH + 2 * _PAD + metrics.horizontalAdvance("0  1"), line
        )
        placed.append(Placed(Role.COLOUR_BAR, rect, ""))
        lines = [
            Line(HEATMAP_CAUTION, "warning"),
            Line(annotations.heatmap),
            *annotations.heatmap_notes,
        ]
        # In a low view the last lines give way to the orientation letter in the middle.
        room = top - (height + letter_metrics.height() + 2.0) / 2 - _PAD
        del lines[max(2, int(room // line)) :]
        placed += block(lines, top - len(lines) * line, right=False)
    if annotations.instead:
        placed.append(_instead(annotations.instead, width, height))
    if annotations.letters is not None:
        letters = _place_letters(annotations.letters, letter_metrics, width, height, floor)
        # No taller than the first line, so that the second has the room below it.
        placed += (
            replace(e, rect=QRectF(e.rect.x(), e.rect.y(), e.rect.width(), line)) for e in letters
        )
    return placed


def _instead(sentence: str, width: float, height: float) -> Placed:
    large = QFontMetricsF(theme.font("large"))
    return _centred(Role.INSTEAD, sentence, large, width / 2, (height - large.height() - 2.0) / 2)


def _banner(metrics: QFontMetricsF, width: float, top: float) -> Placed:
    text = metrics.elidedText(BANNER, Qt.TextElideMode.ElideRight, width - 2 * _MARGIN)
    return _centred(Role.BANNER, text, metrics, width / 2, top)


def _tops(annotations: Annotations, rows: int) -> tuple[list[Line], list[Line]]:
    """Lines of the two upper corners, at most so many unless more have to stay."""
    return (
        _that_fit((*annotations.whose, *annotations.top_left), rows),
        _that_fit((*annotations.acquired, *annotations.top_right), rows),
    )


def _that_fit(lines: Sequence[Line], rows: int) -> list[Line]:
    """Let lines give way until the others fit, the highest rank first and of equals the last."""
    kept = list(lines)
    while len(kept) > rows:
        last = max(range(len(kept)), key=lambda i: (kept[i].rank, i))
        if kept[last].rank == 0:
            break
        del kept[last]
    return kept


def _centred(role: Role, text: str, metrics: QFontMetricsF, x: float, top: float) -> Placed:
    extent = metrics.horizontalAdvance(text) + 2 * _PAD
    return Placed(role, QRectF(x - extent / 2, top, extent, metrics.height() + 2.0), text)


def _place_letters(
    letters: EdgeLetters, metrics: QFontMetricsF, width: float, height: float, floor: float
) -> Iterable[Placed]:
    line = metrics.height() + 2.0
    side = metrics.horizontalAdvance("HL") + 2 * _PAD
    middle = (height - line) / 2
    for text, x, top in (
        (letters.left, _MARGIN + side / 2, middle),
        (letters.right, width - _MARGIN - side / 2, middle),
        (letters.top, width / 2, _MARGIN),
        (letters.bottom, width / 2, floor - _PAD - line),
    ):
        yield _centred(Role.LETTER, text, metrics, x, top)


def draw(painter: QPainter, placed: Iterable[Placed]) -> None:
    """Draw what has been placed."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    small = theme.font("small")
    fonts = {Role.LETTER: theme.font("normal"), Role.INSTEAD: theme.font("large")}
    for entry in placed:
        with part(painter, "This text", entry.rect):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(_BACKING)
            painter.drawRoundedRect(entry.rect, 3.0, 3.0)
            is_key = entry.role is Role.LEGEND
            painter.setPen(theme.on_image("text" if is_key else entry.colour))
            painter.setFont(fonts.get(entry.role, small))
            _DRAWN.get(entry.role, _draw_text)(painter, entry)


def _draw_text(painter: QPainter, entry: Placed) -> None:
    painter.drawText(entry.rect, Qt.AlignmentFlag.AlignCenter, entry.text)


def _draw_scale_bar(painter: QPainter, entry: Placed) -> None:
    metrics = QFontMetricsF(painter.font())
    right = entry.rect.right() - metrics.horizontalAdvance(entry.text) - 3 * _PAD
    left, middle = entry.rect.left() + _PAD, entry.rect.center().y()
    painter.setPen(QPen(theme.on_image("text"), 1.0))
    painter.drawLine(QPointF(left, middle), QPointF(right, middle))
    for x in (left, right):
        painter.drawLine(QPointF(x, middle - _TICK / 2), QPointF(x, middle + _TICK / 2))
    room = entry.rect.adjusted(0, 0, -_PAD, 0)
    painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, entry.text)


def _draw_legend(painter: QPainter, entry: Placed) -> None:
    """Draw a chip in the colour of the mask, and its name."""
    side = entry.rect.height() - 2 * _PAD
    chip = QRectF(entry.rect.left() + _PAD, entry.rect.top() + _PAD, side, side)
    painter.fillRect(chip, theme.findings_colour(Manifestation(entry.colour)))
    room = entry.rect.adjusted(0, 0, -_PAD, 0)
    painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, entry.text)


def _draw_colour_bar(painter: QPainter, entry: Placed) -> None:
    table = heat_table()
    image = QImage(table.tobytes(), 256, 1, 768, QImage.Format.Format_RGB888)
    zero = QFontMetricsF(painter.font()).horizontalAdvance("0") + 2 * _PAD
    bar = QRectF(
        entry.rect.left() + zero,
        entry.rect.center().y() - _BAR_HEIGHT / 2,
        _BAR_LENGTH,
        _BAR_HEIGHT,
    )
    painter.drawImage(bar, image)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(theme.on_image("muted"))
    painter.drawRect(bar)
    painter.setPen(theme.on_image("text"))
    room = entry.rect.adjusted(_PAD, 0, -_PAD, 0)
    middle = Qt.AlignmentFlag.AlignVCenter
    painter.drawText(room, Qt.AlignmentFlag.AlignLeft | middle, "0")
    painter.drawText(room, Qt.AlignmentFlag.AlignRight | middle, "1")


_DRAWN: dict[Role, Callable[[QPainter, Placed], None]] = {
    Role.SCALE_BAR: _draw_scale_bar,
    Role.COLOUR_BAR: _draw_colour_bar,
    Role.LEGEND: _draw_legend,
}


def draw_invitation(painter: QPainter, rect: QRectF, sentence: str) -> None:
    """Say what to do while there is no picture."""
    painter.setFont(theme.font("large"))
    painter.setPen(theme.on_image("muted"))
    flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
    painter.drawText(rect.adjusted(24, 24, -24, -48), int(flags), sentence)
