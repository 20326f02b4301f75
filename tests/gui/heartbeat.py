"""A heartbeat in the event loop tells for how long the window was held up.

What other programs take on a busy machine is not held against the window. On Linux the kernel says
for how long each thread stood in line for a processor; the wait of the window's thread is taken
off, and the longest of another thread, which may have held the interpreter meanwhile. Elsewhere
only the processor time that the window's own thread has used between two heartbeats counts.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer

MOST_MS = 100.0
"""Longer than this the window may not be held up."""

_BEAT_MS = 5

_TASKS = Path("/proc/self/task")


def stood_in_line() -> dict[str, float]:
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
        return 1000 * time.perf_counter(), 1000 * time.thread_time(), stood_in_line()

    def _beat(self) -> None:
        now = self._now()
        clock, used = now[0] - self._last[0], now[1] - self._last[1]
        waits = {task: wait - self._last[2].get(task, 0.0) for task, wait in now[2].items()}
        own = waits.pop(str(threading.get_native_id()), clock)
        self.longest_ms = max(self.longest_ms, used, clock - own - max(waits.values(), default=0.0))
        self.beats += 1
        self._last = now
