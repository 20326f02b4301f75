"""The window never freezes: a heartbeat in the event loop tells for how long it was held up.

What other programs take on a busy machine is not held against the window. On Linux the kernel says
for how long each thread stood in line for a processor; the wait of the window's thread is taken
off, and the longest of another thread, which may have held the interpreter meanwhile. Elsewhere
only the processor time that the window's own thread has used between two heartbeats counts.
"""

from __future__ import annotations

import gc
import importlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication

from viewer.session import AnalysisState
from viewer.window import MainWindow

MOST_MS = 100.0
"""Longer than this the window may not be held up."""

_BEAT_MS = 5
_SLICES = 200

_TASKS = Path("/proc/self/task")


def _stood_in_line() -> dict[str, float]:
    """Return for how long each thread has waited for a processor, in ms; empty where unknown."""
    waits: dict[str, float] = {}
    try:
        for task in _TASKS.iterdir():
            waits[task.name] = int((task / "schedstat").read_text().split()[1]) / 1e6
    except (OSError, IndexError):  # a thread has ended, or the system does not say
        pass
    return waits


class Heartbeat(QObject):
    """Beats in the event loop and keeps the longest time between two beats."""

    def __init__(self) -> None:
        super().__init__()
        self.longest_ms = 0.0
        self.beats = 0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(_BEAT_MS)
        self._timer.timeout.connect(self._beat)
        self._last = self._now()

    def start(self) -> None:
        """Begin to count."""
        self._last = self._now()
        self._timer.start()

    def stop(self) -> None:
        """Count what is still open, and stop."""
        self._beat()
        self._timer.stop()

    def _now(self) -> tuple[float, float, dict[str, float]]:
        return 1000 * time.perf_counter(), 1000 * time.thread_time(), _stood_in_line()

    def _beat(self) -> None:
        now = self._now()
        clock, used = now[0] - self._last[0], now[1] - self._last[1]
        waits = {task: wait - self._last[2].get(task, 0.0) for task, wait in now[2].items()}
        own = waits.pop(str(threading.get_native_id()), clock)
        self.longest_ms = max(self.longest_ms, used, clock - own - max(waits.values(), default=0.0))
        self.beats += 1
        self._last = now


@pytest.fixture
def watched(qapp: QApplication) -> Callable[[], Any]:
    """Give a context in which the event loop is watched; it gives the heartbeat."""

    @contextmanager
    def watching() -> Iterator[Heartbeat]:
        # What the test runner has in memory would be gone through for garbage, too.
        gc.collect()
        gc.freeze()
        heart = Heartbeat()
        heart.start()
        try:
            yield heart
        finally:
            heart.stop()
            heart.deleteLater()
            gc.unfreeze()

    return watching


def is_whole(window: MainWindow) -> bool:
    """Say whether a series has been read to its end."""
    return window.session.volume is not None and not window.session.reading.active


def _hold_the_interpreter() -> None:
    """Compute in C code that lets no other thread run, for about a second.

    On a busy machine the window's thread stands in line again and again while it asks for the
    interpreter, so a short hold might be taken for that.
    """
    sum(range(50_000_000))


class TestTheWatchdog:
    """It would notice."""

    def test_quiet_is_no_alarm(self, qtbot: Any, watched: Callable[[], Any]) -> None:
        with watched() as heart:
            qtbot.wait(100)
        assert heart.beats > 3
        assert heart.longest_ms < MOST_MS

    def test_work_on_the_windows_thread_is_noticed(
        self, qtbot: Any, watched: Callable[[], Any]
    ) -> None:
        def work() -> None:
            end = time.thread_time() + 0.15
            while time.thread_time() < end:
                pass

        with watched() as heart:
            QTimer.singleShot(20, work)
            qtbot.wait(50)
        assert heart.longest_ms > MOST_MS

    @pytest.mark.skipif(not _stood_in_line(), reason="the system does not say who waited")
    def test_waiting_on_the_windows_thread_is_noticed(
        self, qtbot: Any, watched: Callable[[], Any]
    ) -> None:
        with watched() as heart:
            QTimer.singleShot(20, lambda: time.sleep(0.3))
            qtbot.wait(50)
        assert heart.longest_ms > MOST_MS

    @pytest.mark.skipif(not _stood_in_line(), reason="the system does not say who waited")
    def test_a_thread_that_keeps_the_interpreter_is_noticed(
        self, qtbot: Any, watched: Callable[[], Any]
    ) -> None:
        with watched() as heart:
            thread = threading.Thread(target=_hold_the_interpreter)
            thread.start()
            qtbot.waitUntil(lambda: not thread.is_alive())
            thread.join()
        assert heart.longest_ms > MOST_MS


class TestTheWindow:
    """What takes long is done elsewhere."""

    def test_opening(
        self, qtbot: Any, window: MainWindow, write_ct: Callable[..., Path],
        watched: Callable[[], Any],
    ) -> None:  # fmt: skip
        folder = write_ct(slices=_SLICES, size=256)
        qtbot.wait(50)
        with watched() as heart:
            window.opener.open_paths([folder])
            qtbot.waitUntil(lambda: is_whole(window), timeout=60_000)
            qtbot.wait(50)
        assert window.session.volume is not None
        assert window.session.volume.shape[0] == _SLICES
        assert heart.longest_ms < MOST_MS

    def test_going_through_slices_while_they_are_read(
        self, qtbot: Any, window: MainWindow, write_ct: Callable[..., Path],
        watched: Callable[[], Any], monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        monkeypatch.setattr("viewer.reading._PATIENCE_SECONDS", 0.0)
        folder = write_ct(slices=_SLICES, size=256)
        qtbot.wait(50)
        seen: set[str] = set()
        with watched() as heart:
            window.opener.open_paths([folder])
            qtbot.waitUntil(lambda: window.session.volume is not None, timeout=60_000)
            while not is_whole(window):
                window.session.step(5 if window.session.position < _SLICES - 5 else -150)
                seen.add(window.view.annotations().instead)
                qtbot.wait(1)
        assert heart.longest_ms < MOST_MS

    def test_analysing_and_exporting(
        self, qtbot: Any, window: MainWindow, write_ct: Callable[..., Path], tmp_path: Path,
        watched: Callable[[], Any],
    ) -> None:  # fmt: skip
        window.opener.open_paths([write_ct(slices=40, size=256)])
        qtbot.waitUntil(lambda: is_whole(window), timeout=60_000)
        qtbot.wait(50)
        with watched() as heart:
            window.analyst.start()
            qtbot.waitUntil(lambda: window.session.analysis is AnalysisState.DONE)
        assert heart.longest_ms < MOST_MS
        # pydicom's table of codes is one constant: loading it takes 50 ms, and twice that on a
        # machine that is busy.
        importlib.import_module("inference.export.seg")
        for kind, suffix in (("seg", "dcm"), ("nifti", "nii.gz"), ("json", "json")):
            path = tmp_path / f"out.{suffix}"
            window.exporter._ask = lambda _format, path=path: path
            with watched() as heart:
                window.exporter.export(kind)
                qtbot.waitUntil(path.exists, timeout=60_000)
                qtbot.waitUntil(lambda: not window.busy)
            assert heart.longest_ms < MOST_MS, kind
