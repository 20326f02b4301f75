"""Circles of Python objects are looked for on the window's thread alone.

Python looks for them on whatever thread happens to make objects, and what it finds is destroyed
there. Among it may be objects of Qt: widgets, timers and signals of a dialog that is gone, say. Qt
lets an object end on its own thread only: elsewhere its destructor holds a lock of Qt and waits for
the interpreter, while the window holds the interpreter and waits for the lock, and both stand still
for good; or memory is freed that the window is just painting from, and the program dies.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from PySide6.QtCore import QObject, QTimer

from viewer.libraries import is_loading

__all__ = ["Collector", "collecting"]

_EVERY_MS: Final = 250
_WHOLE_SECONDS: Final = 300.0
"""Looking through everything holds the window up for a moment; Python spares it, too, unless much
has come since."""


class Collector(QObject):
    """Collects in place of Python, as often as Python would, while this exists.

    To be made on the window's thread, once a program.

    Parameters
    ----------
    parent
        The application.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self.collect)
        self._timer.start()
        self._whole = time.monotonic()

    def collect(self) -> None:
        """Collect the generation that Python would by now, unless a library is being loaded."""
        if is_loading():
            return
        counts, limits = gc.get_count(), gc.get_threshold()
        # Counts go on while Python itself does not look; an older generation takes the younger
        # ones along.
        if counts[2] > limits[2] and time.monotonic() - self._whole > _WHOLE_SECONDS:
            self._whole = time.monotonic()
            gc.collect(2)
        elif counts[1] > limits[1]:
            gc.collect(1)
        elif counts[0] > limits[0]:
            gc.collect(0)

    def end(self) -> None:
        """Leave it to Python again."""
        self._timer.stop()
        gc.enable()


@contextmanager
def collecting(parent: QObject) -> Iterator[Collector]:
    """Collect on this thread alone within; afterwards it is Python's again."""
    collector = Collector(parent)
    try:
        yield collector
    finally:
        collector.end()
        collector.deleteLater()
