"""The one way to paint: every painter is ended, and a part that fails takes no other with it.

A widget of ours is a `PaintedWidget`; what is drawn on an image uses `painting`. Inside, each thing
that a reader would miss by itself is a `part`, or is `made`. A part that cannot be drawn says so in
its place, its fault is written to the log once, and the window is told once. Without this an
exception inside ``paintEvent`` leaves a painter active, which tears the window and may end the
program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from PySide6.QtCore import QObject, QRectF, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from inference.faults import Once

__all__ = ["Faults", "PaintedWidget", "faults", "made", "painting", "part", "said", "saved"]

T = TypeVar("T")
U = TypeVar("U")

_PAD = 3.0
_BACKING, _INK = QColor(0, 0, 0), QColor(255, 150, 145)
"""Of the sentence in the place of a part; fixed, since the theme may be what failed."""


class Faults(QObject):
    """What could not be drawn since the program began; each fault is told once."""

    told = Signal(str)
    """A sentence for the reader."""

    def __init__(self) -> None:
        super().__init__()
        self._once = Once()

    def note(self, name: str, error: Exception) -> None:
        """Take a fault of a part down.

        Parameters
        ----------
        name
            Of the part, as its place names it.
        error
            What was raised.
        """
        sentence, is_new = self._once.record(
            error, "A part of the window", ended="could not be drawn", part=name
        )
        if is_new:
            self.told.emit(sentence)

    def forget(self) -> None:
        """Begin anew: what comes is told again."""
        self._once = Once()


faults = Faults()
"""Of the program."""


def said(name: str) -> str:
    """What stands in the place of a part that failed."""
    return f"{name} could not be drawn"


def made(
    name: str, make: Callable[[], T], otherwise: U, missing: dict[str, None] | None = None
) -> T | U:
    """Make something that will be drawn; what cannot be made is noted and replaced.

    Parameters
    ----------
    name
        Of the part.
    make
        Makes it.
    otherwise
        What is used instead; it should say that something is missing, or
    missing
        gets the name, for those who say it.
    """
    try:
        return make()
    except Exception as error:  # noqa: BLE001 - noted, and the rest of the window stays
        faults.note(name, error)
        if missing is not None:
            missing[name] = None
        return otherwise


@contextmanager
def painting(device: QWidget | QImage) -> Iterator[QPainter]:
    """Give a painter that is ended whatever happens."""
    painter = QPainter(device)
    try:
        yield painter
    finally:
        painter.end()


@contextmanager
def saved(painter: QPainter) -> Iterator[None]:
    """Give the painter back as it was, whatever happens."""
    painter.save()
    try:
        yield
    finally:
        painter.restore()


@contextmanager
def part(
    painter: QPainter, name: str, place: QRectF, ground: QBrush | QColor | None = None
) -> Iterator[None]:
    """Draw a part; where it fails its place says so, and the painter goes on.

    Parameters
    ----------
    painter
        Of the widget or image; its pen, font and brush are afterwards what they were.
    name
        Of the part, a noun; begins the sentence.
    place
        Where the sentence goes.
    ground
        Of a part that covers its place: what covers it instead.
    """
    failed = False
    with saved(painter):
        try:
            yield
        except Exception as error:  # noqa: BLE001 - noted, and the rest of the window stays
            faults.note(name, error)
            failed = True
    if failed:
        with saved(painter):
            if ground is not None:
                painter.fillRect(place, ground)
            _say(painter, said(name), place)


def _say(painter: QPainter, sentence: str, place: QRectF) -> None:
    painter.setClipping(False)
    flags = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap)
    taken = painter.boundingRect(place, flags, sentence).adjusted(-_PAD, 0, _PAD, 0)
    painter.fillRect(taken.intersected(place), _BACKING)
    painter.setPen(_INK)
    painter.drawText(place, flags, sentence)


class PaintedWidget(QWidget):
    """A widget that draws itself in `paint`, and nowhere else.

    `part_name` is what it is called where it cannot be drawn.
    """

    part_name = "This part"

    def paint(self, painter: QPainter) -> None:
        """Draw everything."""
        raise NotImplementedError

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw, or say that it cannot be done; never end with an exception or an open painter."""
        ground = self.palette().window()
        with (
            painting(self) as painter,
            part(painter, self.part_name, QRectF(self.rect()), ground),
        ):
            self.paint(painter)
