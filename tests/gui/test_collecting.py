"""Objects of Qt end on the window's thread, wherever Python objects are being made."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import Any

from PySide6.QtCore import QObject

from viewer.collecting import Collector


class _Circle(QObject):
    """One that only the search for circles can find."""

    def __init__(self) -> None:
        super().__init__()
        self.itself = self


def make_many(kept: list[list[int]]) -> None:
    """Make, and keep, far more objects than Python waits for before it looks for circles."""
    kept += [[number] for number in range(40 * gc.get_threshold()[0])]


def test_a_circle_ends_on_the_windows_thread_and_on_no_other(qtbot: Any) -> None:
    ended: list[int] = []
    kept: list[list[int]] = []
    gc.collect()
    weakref.finalize(_Circle(), lambda: ended.append(threading.get_ident()))
    other = threading.Thread(target=make_many, args=(kept,))
    other.start()
    other.join()
    assert not ended, "it was destroyed on another thread"
    make_many(kept)
    qtbot.waitUntil(lambda: bool(ended), timeout=20_000)
    assert ended == [threading.get_ident()]


def test_afterwards_python_looks_again(collector: Collector) -> None:
    assert not gc.isenabled()
    collector.end()
    assert gc.isenabled()
